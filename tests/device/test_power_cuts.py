"""Use cases 2 and 3 with the power cut at each step: every file that a router writes, in turn.

The card comes while the active one is in its Bootz process, or when the router is up already;
whatever was on the disk when the power went, the next power-on ends in a managed chassis, and no
card is ever reported in two ways. Source: docs/protocol/workflow.md.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest
from crash import killed_runs
from device.chassis_world import RP0, RP1, ChassisServer, ChassisWorld, told
from device.world import boot, options

from bootz.device.hardware import Hardware
from bootz.device.onboarding import BootResult
from bootz.device.slots import insert
from bootz.device.state import Phase
from bootz.model.bootstrap import ReportedStatus
from bootz.model.chassis import CardStatus

EVERY_STEP = "BOOTZ_EVERY_STEP" in os.environ
"""Set by `make power-cuts`; otherwise some steps are left out."""

BELL = shutil.ignore_patterns("bell")
"""A pipe, made again by whoever powers the router on."""

ENDED = {BootResult.ONBOARDED, BootResult.ALREADY_ONBOARDED}
STANDBYS = {"genuine": ("verified", ""), "tampered": ("shut-down", "card-tampered")}


class Bench:
    """A chassis whose power is cut, the card that comes, and the server that sees what is told."""

    def __init__(self, world: ChassisWorld, server: ChassisServer, card: Path) -> None:
        self._world, self._server, self._card = world, server, card
        self._kept = world.folder / "kept"
        self._router = world.folder / "chassis"

    @property
    def hardware(self) -> Hardware:
        return Hardware.open(self._router)

    def keep(self) -> None:
        """Remember the chassis as it is: each cut begins from here."""
        shutil.copytree(self._router, self._kept, ignore=BELL)

    def restore(self) -> None:
        shutil.rmtree(self._router)
        shutil.copytree(self._kept, self._router)
        self._server.reports.clear()

    def insert(self) -> None:
        """Put the standby card in, if it is not in its slot yet."""
        if all(card.name != "RP1" for card in self.hardware.record.cards):
            copy = self._world.folder / "card-copy"
            shutil.copytree(self._card, copy)
            insert(self.hardware, "RP1", copy)

    async def cut_at_each_step(self, expected: tuple[str, str], *, every: int) -> int:
        """Cut the power a step later each time, and judge what the next power-on makes of it."""
        words = ["router", "boot", str(self._router), "--uri", self._server.uri]
        words += ["--max-attempts", "1", "--report-attempts", "2", "--progress", "none"]
        cuts = killed_runs(words, self._router, every=every)
        count = 0
        while await asyncio.to_thread(next, cuts, None) is not None:
            count += 1
            self.insert()
            result, state, _ = await boot(self.hardware, options(self._server.uri))
            assert result in ENDED, count
            assert state.phase is Phase.OPERATIONAL, count
            assert told(state)["RP1"] == expected, count
            self._judge_reports(count, verified=expected[0] == "verified")
            self.restore()
        print(f"{count} power cuts, {expected[0]}")
        return count

    def _judge_reports(self, count: int, *, verified: bool) -> None:
        """The card was told of, and in one way only."""
        outcomes = set()
        for report in self._server.reports:
            assert report.status is not ReportedStatus.FAILURE, count
            # INITIATED tells of no outcome yet. A failed card is always in the message.
            if report.status is ReportedStatus.SUCCESS:
                states = {each.serial_number: each.status for each in report.states}
                if RP1 in states or RP1 in report.message:
                    good = states.get(RP1) is CardStatus.INITIALIZED
                    assert good is (RP1 not in report.message), count
                    outcomes.add(good)
        assert outcomes == {verified}, (count, outcomes)


@pytest.mark.parametrize("standby", STANDBYS)
def test_use_case_3_a_card_that_comes_after_onboarding(tmp_path: Path, standby: str) -> None:
    world = ChassisWorld(tmp_path)

    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        card = world.card(RP1) if standby == "genuine" else world.tampered(RP1)
        async with ChassisServer(world, RP0, RP1) as server:
            assert (await boot(hardware, options(server.uri)))[0] is BootResult.ONBOARDED
            bench = Bench(world, server, card)
            bench.insert()
            bench.keep()
            server.reports.clear()
            assert await bench.cut_at_each_step(STANDBYS[standby], every=1 if EVERY_STEP else 2) > 3

    asyncio.run(asyncio.wait_for(story(), 900))


@pytest.mark.parametrize("standby", STANDBYS)
def test_use_case_2_a_card_that_comes_during_onboarding(tmp_path: Path, standby: str) -> None:
    world = ChassisWorld(tmp_path)

    async def story() -> None:
        world.chassis({"RP0": RP0})
        card = world.card(RP1) if standby == "genuine" else world.tampered(RP1)
        async with ChassisServer(world, RP0, RP1) as server:
            bench = Bench(world, server, card)
            bench.keep()
            # The card comes while the active one waits for its answer.
            server.on_request = lambda _request: bench.insert()
            assert await bench.cut_at_each_step(STANDBYS[standby], every=1 if EVERY_STEP else 5) > 3

    asyncio.run(asyncio.wait_for(story(), 900))
