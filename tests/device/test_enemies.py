"""The router among enemies: cut connections, restarts, a wrong clock.

Source: docs/protocol/workflow.md#enemies.

Lies in answers are in ``test_session``, image servers that lie in ``test_installer``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from device.world import HONEST, FakeServer, World, boot, names, options, play

from bootz.device.onboarding import BootResult
from bootz.device.state import Phase


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


class Wire:
    """A cable between router and server. ``budgets`` has, for each connection in turn, how many
    bytes of the server pass before it is cut; those beyond pass whole.
    """

    def __init__(self, server: FakeServer, budgets: list[int]) -> None:
        self.server = server
        self.budgets = budgets
        self.connections = 0
        self.uri = ""

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        budget = self.budgets.pop(0) if self.budgets else None
        if budget == 0:
            writer.transport.abort()
            return
        port = int(self.server.uri.rpartition(":")[2])
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        onward = asyncio.create_task(_pump(reader, far_writer, None))
        await _pump(far_reader, writer, budget)
        for each in (writer, far_writer):
            each.transport.abort()
        await onward


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, budget: int | None
) -> None:
    passed = 0
    try:
        while data := await reader.read(65536):
            if budget is not None and passed + len(data) >= budget:
                writer.write(data[: budget - passed])
                return
            passed += len(data)
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        return


@asynccontextmanager
async def cable(server: FakeServer, budgets: list[int]) -> AsyncIterator[Wire]:
    wire = Wire(server, budgets)
    listening = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    wire.uri = f"bootz://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield wire
    finally:
        listening.close()
        await listening.wait_closed()


@pytest.mark.parametrize("after", [0, 1, 50, 600, 1400, 1500, 1700, 2500])
def test_a_contact_that_is_cut_anywhere_applies_nothing(world: World, after: int) -> None:
    hardware = world.manufacture()

    async def story() -> None:
        async with FakeServer(world) as server, cable(server, [after]) as wire:
            result, state, _ = await boot(hardware, options(wire.uri))
            assert result is BootResult.FAILED
            assert (state.phase, state.error_count, state.running) == (Phase.CONTACT, 1, "")
            assert state.reason.startswith("contact-")
            assert server.reports == []
            result, state, _ = await boot(hardware, options(wire.uri))
            assert result is BootResult.ONBOARDED
            assert state.error_count == 1

    play(story)


@pytest.mark.parametrize("after", [0, 1, 300, 600])
def test_reports_that_are_cut_anywhere_are_repeated(world: World, after: int) -> None:
    hardware = world.manufacture()

    async def story() -> None:
        # The request passes, then INITIATED and the first try of SUCCESS are cut.
        budgets = [1 << 20, after, after, after]
        async with FakeServer(world) as server, cable(server, budgets) as wire:
            choice = options(wire.uri, report_attempts=4)
            result, state, log = await boot(hardware, choice)
            assert (result, names(state)) == (BootResult.ONBOARDED, HONEST)
            assert log.named("report-failed")
            assert server.reports[-1].status.name == "SUCCESS"
            assert len(server.requests) == 1

    play(story)


AWAY = [1 << 20, *[0] * 20]
"""The request passes; from then on the server is down."""


def test_a_server_that_restarts_between_answer_and_report_gets_the_report(world: World) -> None:
    hardware = world.manufacture()

    async def story() -> None:
        async with FakeServer(world) as first, cable(first, [*AWAY]) as wire:
            result, state, _ = await boot(hardware, options(wire.uri))
            assert (result, state.phase) == (BootResult.UNREPORTED, Phase.CONFIGURED)
            assert (len(first.requests), first.reports) == (1, [])
            # It comes up as another process, with another certificate below the same anchor.
            async with FakeServer(world) as second:
                wire.server, wire.budgets = second, []
                result, state, _ = await boot(hardware, options(wire.uri))
                assert (result, names(state)) == (BootResult.ONBOARDED, HONEST)
                assert [report.status.name for report in second.reports] == ["SUCCESS"]
                assert second.requests == []

    play(story)


def test_another_server_gets_no_report_of_what_it_did_not_answer(world: World) -> None:
    hardware = world.manufacture()

    async def story() -> None:
        async with FakeServer(world) as first, cable(first, [*AWAY]) as wire:
            assert (await boot(hardware, options(wire.uri)))[0] is BootResult.UNREPORTED
        async with FakeServer(world) as other:
            result, state, _ = await boot(hardware, options(other.uri))
            assert (result, state.phase) == (BootResult.UNREPORTED, Phase.CONFIGURED)
            assert (other.requests, other.reports) == ([], [])

    play(story)


def test_a_clock_far_ahead_refuses_what_has_expired_and_applies_nothing(world: World) -> None:
    hardware = world.manufacture()

    async def story() -> None:
        async with FakeServer(world) as server:
            late = datetime(2099, 1, 1, tzinfo=UTC)
            result, state, _ = await boot(hardware, options(server.uri), clock=lambda: late)
            assert (result, state.status.value) == (BootResult.FAILED, "BOOTZ_OV_INVALID")
            assert (state.running, server.reports) == ("", [])
            result, state, _ = await boot(hardware, options(server.uri))
            assert (result, state.error_count) == (BootResult.ONBOARDED, 1)

    play(story)
