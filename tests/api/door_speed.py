"""What the door and the command line cost, with many chassis: ``make speed-door``."""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import time
from datetime import timedelta
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from api.beside import beside
from api.conftest import World, opened_world
from rich.console import Console
from store.world import call

from bootz.cli.site.watch.screen import View
from bootz.cli.site.watch.terminal import WatchScreen
from bootz.config.serving import ProgressSettings
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.glance import glance
from bootz.server.operations.chassis_overview import overview
from bootz.server.operations.following import Follower
from bootz.server.operations.step_limits import read_limits
from bootz.server.store.journal import SqlJournal
from bootz.server.store.listing import listed_chassis

LISTS = (
    "/chassis?limit=100",
    "/chassis?limit=100&offset=90000",
    "/chassis?limit=100&ordering=-hostname",
    "/chassis?limit=100&label=site=7",
    "/chassis?limit=100&q=FX0999",
    "/chassis?limit=100&state=expected",
    "/chassis?limit=100&state=failed",
    "/preflight?limit=1000&server=false",
    "/status",
)
COMMANDS = (
    ("--version",),
    ("chassis", "list"),
    ("chassis", "list", "--state", "failed"),
    ("--output", "json", "chassis", "list"),
)


def cpu_of(world: World, method: str, path: str, **options: Any) -> float:
    """Return seconds of CPU that a call took."""
    began = time.process_time()
    answer = world.call(OperatorRole.OPERATOR, method, path, **options)
    assert answer.status_code == 200, answer.text
    return time.process_time() - began


def fill(world: World, count: int) -> float:
    """Import so many chassis, and return the seconds of CPU that took."""
    rows = "".join(f"Acme,FX{number:06d},r{number},{number % 40}\n" for number in range(count))
    table = f"vendor,serial_number,hostname,label:site\n{rows}".encode()
    headers = {"Content-Type": "text/csv"}
    return cpu_of(world, "POST", "/imports", content=table, headers=headers)


def command_cpu(site: Path, *words: str) -> float:
    """Return seconds of CPU that a command took, its start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "bootz", "--site", str(site), *words]
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def list_commands(count: int) -> None:
    """Print what ``bootz chassis list`` costs with so many chassis: the list alone, then all."""
    with TemporaryDirectory() as name, opened_world(Path(name)) as world:
        folder = Path(name)
        fill(world, count)
        (folder / "bootz.yaml").write_text("organization: Speed\n", "utf-8")
        spent = []
        for _ in range(3):
            with glance(folder) as execute:
                assert execute is not None
                began = time.process_time()
                found = overview(
                    listed_chassis(execute), read_limits(execute, None), world.now, sort="state"
                )
                spent.append(time.process_time() - began)
        assert sum(found.counts.values()) == count
        print(f"{count} chassis read, judged, sorted, counted: {min(spent) * 1000:.0f} ms CPU")
        for words in COMMANDS:
            best = min(command_cpu(folder, *words) for _ in range(3))
            print(f"bootz {' '.join(words)}: {best * 1000:.0f} ms CPU")


def watch(routers: int, events: int) -> None:
    """Print what the screen of ``bootz watch`` costs when so many events come between two looks."""
    with TemporaryDirectory() as name, opened_world(Path(name)) as world:
        for number in range(routers):
            world.chassis(f"FX{number}", hostname=f"r{number}")
        follower = Follower(world.database, ProgressSettings())
        follower.refresh(0.0)
        console = Console(file=StringIO(), width=120, height=50, force_terminal=True)
        screen = WatchScreen(console, lambda: (120, 50))
        screen.draw(follower.roster(world.now), View(), world.now)
        spent, looks = 0.0, 60
        for look in range(looks):
            asyncio.run(_calls(world, range(look * events, (look + 1) * events)))
            now = world.now + timedelta(seconds=look / 2)
            began = time.process_time()
            assert follower.refresh(1.0) == events
            screen.draw(follower.roster(now), View(), now)
            spent += time.process_time() - began
        told = f"bootz watch, {routers} routers, {events} events a look"
        print(f"{told}: {spent / looks / events * 1000:.2f} ms CPU for an event")


async def _calls(world: World, numbers: range) -> None:
    journal = SqlJournal(world.database)
    journal.start()
    for number in numbers:
        entry = call(f"FX{number}", chassis_key=number + 1, nonce_digest=str(number), at=world.now)
        await journal.record(entry)
    await journal.close()


def watched() -> None:
    """Print what an event costs the screen of 2,000 routers, in a burst and alone."""
    for events in (25, 1):
        watch(2000, events)


def main(count: int) -> None:
    """Fill a site in SQLite with so many chassis by one import, and print what calls cost."""
    list_commands(count // 10)
    watched()
    with TemporaryDirectory() as folder, opened_world(Path(folder)) as world:
        spent = fill(world, count)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"import of {count} chassis: {spent:.1f} s CPU, peak {peak} MiB")
        for path in LISTS:
            best = min(cpu_of(world, "GET", path) for _ in range(3))
            print(f"GET {path}: {best * 1000:.0f} ms CPU")


def chosen() -> None:
    """Measure what the arguments say; exit code 1 where onboardings pay more than is asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chassis", type=int, nargs="?", default=100_000)
    parser.add_argument("--watch", action="store_true", help="the screen of bootz watch alone")
    parser.add_argument("--beside", type=int, metavar="ROUNDS", help="onboardings beside the door")
    parser.add_argument("--onboardings", type=int, default=200, help="of each turn")
    parser.add_argument("--rows", type=int, default=10_000, help="of the import beside; 0: none")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    given = parser.parse_args()
    if given.watch:
        watched()
    elif given.beside is None:
        main(given.chassis)
    else:
        asked = given.beside, given.onboardings, given.rows, given.database
        raise SystemExit(0 if beside(*asked) else 1)


if __name__ == "__main__":
    chosen()
