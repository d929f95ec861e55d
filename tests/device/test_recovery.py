"""A power cut at any step, and a report that nobody takes: the router goes on (W12, W13)."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from device.image_server import ImageServer
from device.killer import KILLER
from device.world import (
    HONEST,
    IMAGE,
    UPGRADED,
    FakeServer,
    Log,
    World,
    boot,
    names,
    options,
    play,
    router,
)
from grpclib.const import Status
from pki import make_pair

from bootz.device.hardware import Hardware
from bootz.device.onboarding import BootResult
from bootz.device.state import Phase


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_nothing_is_reported_to_a_server_that_the_anchor_does_not_know(world: World) -> None:
    """The server in between passes the true answer on, and cannot take the report."""

    async def story() -> None:
        hardware = world.manufacture()
        rogue = make_pair("server", make_pair("trust anchor", ca=True), ip="127.0.0.1")
        async with FakeServer(world, tls=rogue) as server:
            result, state, log = await boot(hardware, options(server.uri))
            assert result is BootResult.UNREPORTED
            assert server.reports == []
        assert (state.reason, state.phase) == ("contact-server-untrusted", Phase.CONFIGURED)
        assert names(state) == HONEST[:-1]
        assert {f["reason"] for f in log.named("report-failed")} == {"contact-server-untrusted"}

    play(story)


def test_the_second_contact_wants_the_host_in_the_certificate(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        elsewhere = make_pair("server", world.owner.anchor, ip="192.0.2.1")
        async with FakeServer(world, tls=elsewhere) as server:
            result, state, _ = await boot(hardware, options(server.uri))
        assert (result, state.reason) == (BootResult.UNREPORTED, "contact-server-untrusted")

    play(story)


def test_a_report_is_repeated_until_it_is_acknowledged(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with FakeServer(world) as server:
            server.report_statuses = [Status.OK, *[Status.UNAVAILABLE] * 3]
            result, _, log = await boot(hardware, options(server.uri, report_attempts=0))
        assert result is BootResult.ONBOARDED
        assert len(log.named("report-failed")) == 3

    play(story)


def test_only_the_report_is_left_after_a_power_cut_before_it(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with FakeServer(world) as server:
            server.report_statuses = [Status.OK, *[Status.UNAVAILABLE] * 2]
            result, state, _ = await boot(hardware, options(server.uri))
            assert (result, state.reason) == (BootResult.UNREPORTED, "contact-refused")
            result, state, _ = await boot(hardware, options(server.uri))
        assert (result, names(state), state.reason) == (BootResult.ONBOARDED, HONEST, "")
        assert len(server.requests) == 1

    play(story)


class _PowerCut(BaseException):
    """Ends a boot as abruptly as one process allows."""


def test_a_router_killed_at_any_step_is_onboarded_after_power_returns(world: World) -> None:
    """``kill -9`` at each event of a boot in turn; whatever it left, the next boot completes."""

    async def story() -> None:
        async with ImageServer(IMAGE) as images, FakeServer(world) as server:
            world.data = world.with_image(images.url)
            reference = world.manufacture("reference")
            _, expected, log = await boot(reference, options(server.uri))
            steps = len(log.events)
            assert steps > 10
            for step in range(1, steps + 1):
                hardware = world.manufacture(f"killed-{step}")
                await _kill_at(hardware, server.uri, step)
                result, state, _ = await boot(hardware, options(server.uri))
                assert result in {BootResult.ONBOARDED, BootResult.ALREADY_ONBOARDED}, step
                assert names(state)[-2:] == UPGRADED[-2:], step
                assert (state.running, state.image) == (expected.running, expected.image), step
                assert state.error_count == 0, step

    async def _kill_at(hardware: Hardware, uri: str, step: int) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            KILLER,
            str(hardware.folder),
            uri,
            str(step),
            ":".join(sys.path),
            stdout=subprocess.DEVNULL,
        )
        assert await process.wait() == -signal.SIGKILL, step

    asyncio.run(asyncio.wait_for(story(), 240))


def test_a_damaged_answer_on_the_disk_is_asked_for_again(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with FakeServer(world) as server:
            log = Log()

            def cut(event: str, fields: object) -> None:
                log(event, {})
                if event == "verified":
                    raise _PowerCut

            with pytest.raises(_PowerCut):
                await router(hardware, options(server.uri), cut).boot()
            state = hardware.load_state()
            assert state.phase is Phase.ANSWERED
            path = hardware.folder / "disk" / "answers" / state.answer
            document = json.loads(path.read_bytes())
            document["payload"] = base64.b64encode(b"other").decode()
            path.write_bytes(json.dumps(document).encode())
            result, state, _ = await boot(hardware, options(server.uri, max_attempts=2))
        assert result is BootResult.ONBOARDED
        assert state.error_count == 1

    play(story)


def test_an_insecure_answer_on_the_disk_is_nothing_to_a_secure_router(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with FakeServer(world) as server:

            def cut(event: str, _fields: object) -> None:
                if event == "verified":
                    raise _PowerCut

            with pytest.raises(_PowerCut):
                await router(hardware, options(server.uri, insecure=True), cut).boot()
            result, state, _ = await boot(hardware, options(server.uri))
        assert (result, state.error_count) == (BootResult.ONBOARDED, 0)
        assert [request.nonce for _, request in server.requests] == [None, "nonce-0"]

    play(story)
