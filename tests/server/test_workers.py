"""`bootz serve --workers`: children that die, reload, drain, and a parent that is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from grpclib.exceptions import StreamTerminatedError
from server.test_serving import Process, served
from world import World, manufacturer, report, request, verified

from bootz.config.file import CONFIG_NAME
from bootz.server.store.attempt_states import AttemptState


def play(story: Any) -> None:
    asyncio.run(asyncio.wait_for(story(), 120))


@pytest.fixture
def ready(world: World) -> World:
    world.add_profile(vendor_config="hostname r1\n")
    world.add_chassis(profile="base")
    world.add_voucher()
    return world


def children(parent: int, part: str) -> list[int]:
    """Return the process ids of children that have a part."""
    own = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [
        int(child)
        for child in own
        if f"--part\0{part}:".encode() in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def test_two_workers_serve_and_one_that_is_killed_is_replaced(ready: World, tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"

    async def story() -> None:
        device = manufacturer().device("FX1")

        async def onboard() -> None:
            while True:
                try:
                    data = verified(await running.ask(device, request()), "FX1")
                    anchor = data.responses[0].server_trust_cert
                    await running.report(device, report("FX1"), anchor=anchor)
                    return
                except (OSError, StreamTerminatedError):
                    # Its connection was one of the child that was killed.
                    await asyncio.sleep(0)

        options = ("--workers", "2", "--ready-file", str(ready_file))
        async with served(ready, *options) as (process, running):
            assert process.said[-1]["workers"] == 2
            assert process.said[-1]["http2_engine"].startswith("ngh2 ")
            bound = json.loads(ready_file.read_text())
            assert bound["bound"] == ["{}:{}".format(*running.bound.bootz[0])]
            assert len(bound["image_http"]) == len(bound["image_https"]) == 1
            parent = process.process.pid
            workers = children(parent, "routers")
            assert len(workers) == 2
            assert len(children(parent, "images")) == 1
            storm = [asyncio.create_task(onboard()) for _ in range(20)]
            await storm[0]
            os.kill(workers[0], signal.SIGKILL)
            ended = await process.hear("worker-ended")
            assert (ended["part"], ended["exit_code"]) == ("routers", -signal.SIGKILL)
            await asyncio.gather(*storm)
            await process.hear("worker-back")
            # The one that was killed was the first, and so the one that led.
            if "lead-taken" not in [told["event"] for told in process.said]:
                await process.hear("lead-taken")
            assert len(children(parent, "routers")) == 2
            await onboard()
            assert await process.end(signal.SIGTERM) == 0
            assert [told["event"] for told in process.said][-1] == "stopped"
        assert not ready_file.exists()
        assert {attempt.state for attempt in ready.attempts()} == {AttemptState.SUCCESS}

    play(story)


def test_a_report_comes_to_the_process_that_answered(ready: World) -> None:
    async def story() -> None:
        device = manufacturer().device("FX1")
        answered, reported = [], []
        async with served(ready, "--workers", "2") as (process, running):
            for _ in range(12):
                data = verified(await running.ask(device, request()), "FX1")
                answered.append((await process.hear("bootstrap-data-answered"))["number"])
                anchor = data.responses[0].server_trust_cert
                await running.report(device, report("FX1"), anchor=anchor)
                reported.append((await process.hear("status-reported"))["number"])
            assert await process.end(signal.SIGTERM) == 0
        assert answered == reported

    play(story)


ALL_PARTS = {("routers", 0), ("routers", 1), ("images", 0)}


async def reloaded(process: Process) -> set[tuple[object, object]]:
    told = [await process.hear("reloaded") for _ in ALL_PARTS]
    return {(each["part"], each["number"]) for each in told}


def test_reload_reaches_all_and_drain_lets_calls_end(ready: World) -> None:
    async def story() -> None:
        async with served(ready, "--workers", "2") as (process, _):
            config = ready.root / CONFIG_NAME
            before = config.read_text()
            config.write_text(before + "\nlog: {level: shouting}\n")
            process.process.send_signal(signal.SIGHUP)
            failed = await process.hear("reload-failed")
            assert "part" not in failed
            config.write_text(before + "\nlog: {level: debug}\n")
            process.process.send_signal(signal.SIGHUP)
            assert await reloaded(process) == ALL_PARTS
            assert await process.end(signal.SIGTERM) == 0
            drained = [each for each in process.said if each["event"] == "draining"]
            assert len(drained) == 4

    play(story)


def test_a_reload_waits_for_a_child_that_starts(ready: World) -> None:
    async def story() -> None:
        async with served(ready, "--workers", "2") as (process, _):
            parent = process.process.pid
            os.kill(children(parent, "routers")[0], signal.SIGKILL)
            await process.hear("worker-ended")
            while len(children(parent, "routers")) < 2:
                await asyncio.sleep(0)
            process.process.send_signal(signal.SIGHUP)
            assert await reloaded(process) == ALL_PARTS
            assert await process.end(signal.SIGTERM) == 0
            assert [each["event"] for each in process.said].count("worker-ended") == 1

    play(story)


def test_children_do_not_outlive_a_parent_that_is_killed(ready: World) -> None:
    async def story() -> None:
        async with served(ready, "--workers", "2") as (process, _):
            # Its stderr ends with the last child.
            assert await process.end(signal.SIGKILL) == -signal.SIGKILL
            ended = [each for each in process.said if each["event"] == "stopped"]
            assert len(ended) == 3

    play(story)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_site_that_cannot_be_served_ends_all(ready: World, workers: str) -> None:
    """The address is taken by another server, also by one whose own processes share it."""

    async def story() -> None:
        async with served(ready, "--workers", workers) as (_, running):
            taken = "{}:{}".format(*running.bound.bootz[0])
            with pytest.raises(AssertionError, match="serving was not said"):
                async with served(ready, "--workers", "2", "--listen", taken):
                    pass

    with pytest.raises(json.JSONDecodeError):
        # The command's words about its end are for people.
        play(story)
