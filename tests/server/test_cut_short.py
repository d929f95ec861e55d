"""`bootz serve` that is told to end while its database does not answer."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from server.test_serving import ANYWHERE, COMMAND, Process, play
from structlog.testing import capture_logs
from world import World

from bootz.config.file import CONFIG_NAME
from bootz.server.presence import Presence
from bootz.server.store.database import Database

WORKERS = pytest.mark.parametrize("workers", ["1", "2"])


@asynccontextmanager
async def starting(world: World, *options: str) -> AsyncIterator[Process]:
    """The command, which does not serve yet."""
    words = ("--site", str(world.root), "serve", *ANYWHERE, *options)
    started = await asyncio.create_subprocess_exec(
        *COMMAND,
        *words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        yield Process(started)
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


@asynccontextmanager
async def silent_database(world: World, *, door: bool) -> AsyncIterator[asyncio.Queue[Any]]:
    """A PostgreSQL that takes connections and says nothing: the queue has who came."""
    came: asyncio.Queue[Any] = asyncio.Queue()

    async def keep(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await came.put(writer)

    listening = await asyncio.start_server(keep, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    config = world.root / CONFIG_NAME
    listen = "['127.0.0.1:0']" if door else "[]"
    config.write_text(
        f"{config.read_text()}\ndatabase: {{url: 'postgresql://nobody@127.0.0.1:{port}/none'}}\n"
        f"operator: {{listen: {listen}}}\n"
    )
    try:
        yield came
    finally:
        listening.close()


@contextmanager
def held(world: World) -> Iterator[None]:
    """Another program writes to the site's SQLite file, and does not end."""
    with closing(sqlite3.connect(world.root / "bootz.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


def opened(pid: int) -> set[str]:
    """Return the names of files that a process has open."""
    found = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        # It may be closed meanwhile.
        with suppress(FileNotFoundError):
            found.add(each.readlink().name)
    return found


def heard(process: Process) -> list[str]:
    return [told["event"] for told in process.said]


@WORKERS
@pytest.mark.parametrize("door", [False, True])
def test_a_start_is_cut_where_the_database_is_silent(
    world: World, workers: str, *, door: bool
) -> None:
    async def story() -> None:
        async with silent_database(world, door=door) as came:
            async with starting(world, "--workers", workers) as process:
                # The server is there, and the door, too.
                there = [await came.get() for _ in range(1 + door)]
                assert await process.end(signal.SIGTERM) == 0
                assert heard(process) == ["stopped"]
            for each in there:
                each.close()

    play(story)


def test_a_start_is_cut_where_another_program_holds_the_database(world: World) -> None:
    async def story() -> None:
        async with starting(world, "--no-door") as process:
            while "bootz.db" not in opened(process.process.pid):
                await asyncio.sleep(0)
            assert await process.end(signal.SIGTERM) == 0
            assert heard(process) == ["stopped"]

    with held(world):
        play(story)


def test_the_end_waits_once_for_a_database_that_another_program_holds(world: World) -> None:
    async def story(database: Database) -> None:
        presence = Presence(database, world.site.clock, time.monotonic)
        presence.begin(world.site, ["127.0.0.1:1"])
        presence.tend(world.site, connections=0, leads=False)
        with capture_logs() as logs:
            await presence.end()
        assert [each["event"] for each in logs] == ["sign-of-life-not-given"]

    database = world.site.database(lock_seconds=0.1)
    try:
        with held(world):
            asyncio.run(story(database))
    finally:
        database.close()
