"""Several server processes: their numbers are added, and those of a killed one stay."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from grpclib.exceptions import StreamTerminatedError
from metrics.scrape import Scraped, scrape
from server.test_serving import served
from server.test_workers import children
from world import World, manufacturer, report, request

CALLS = {"rpc": "ReportStatus", "dialect": "current", "code": "OK"}


def reports(found: Scraped) -> float:
    return found.value("bootz_calls_total", **CALLS) or 0


def test_numbers_of_all_processes(world: World) -> None:
    world.add_chassis()
    world.add_voucher()
    device = manufacturer().device("FX1")
    done = 0

    async def onboard(running: Any) -> None:
        nonlocal done
        try:
            await running.ask(device, request())
            await running.report(device, report("FX1"))
        except (OSError, StreamTerminatedError):
            return
        done += 1

    async def story() -> None:
        async with served(world, "--workers", "2") as (process, running):
            while done < 10:
                await onboard(running)
            found = await asyncio.to_thread(scrape, world)
            assert reports(found) == done
            assert sum(found.series("bootz_build_info").values()) == 2
            # Both have served some of it: the kernel spreads connections.
            os.kill(children(process.process.pid, "routers")[0], signal.SIGKILL)
            await process.hear("worker-back")
            after = await asyncio.to_thread(scrape, world)
            assert reports(after) == done
            assert sum(after.series("bootz_build_info").values()) == 2
            assert await process.end(signal.SIGTERM) == 0
        ended = scrape(world)
        assert reports(ended) == done
        assert (ended.value("bootz_handshakes_total", outcome="done") or 0) >= 2
        assert ended.series("bootz_build_info") == {}

    asyncio.run(asyncio.wait_for(story(), 120))
