"""``make check-boards``: a hundred open boards, and readers that never read, at one door.

Prints what it found, and ends with 1 where an event reached a board late, a page was refused, a
reader that reads nothing was not cut off, or the memory of the door grew beyond a bound.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from store.world import maker, refusal

from bootz.cli.main import run
from bootz.processes import COMMAND
from bootz.server.api.auth.accounts import add_account, begin_session
from bootz.server.api.auth.principals import SESSION_COOKIE
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.operations.chassis import add_chassis
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.vendors import add_vendor
from bootz.server.store.attempt_log import AttemptLog, JournalLimits
from bootz.server.store.database import Database, open_database

BOARDS = 100
ROUTERS = 200
EARLIER = 4000
"""Events before the boards open: what a stalled stream of them leaves unread."""
STALLED = 10
EVENTS = 50
WITHIN_S = 60.0
SHOWN_S = 1.0
"""In which an event reaches every board (docs/operator-ids.md: O5)."""
MOST_MIB = 96
"""What the door's memory may grow by."""


@dataclass
class Door:
    process: subprocess.Popen[str]
    database: Database
    address: tuple[str, int]
    cookie: str
    keys: list[int]
    log: AttemptLog = field(default_factory=lambda: AttemptLog(JournalLimits()))
    count: int = 0

    def mebibytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        assert found is not None
        return int(found[1]) // 1024

    def happen(self, events: int, *, strangers: bool = False) -> None:
        """Let routers be refused, each its first time."""
        calls = []
        for _ in range(events):
            self.count += 1
            key = None if strangers else self.keys[self.count % ROUTERS]
            calls.append(refusal(f"FX{self.count}", chassis_key=key, nonce_digest=f"{self.count}"))
        with self.database.write_journal() as connection:
            self.log.write(connection, calls)

    async def opened(self, path: str, *more: str) -> tuple[asyncio.StreamReader, Any]:
        reader, writer = await asyncio.open_connection(*self.address)
        cookie = f"Cookie: {SESSION_COOKIE}={self.cookie}"
        lines = (f"GET {path} HTTP/1.1", "Host: x", cookie, *more, "", "")
        writer.write("\r\n".join(lines).encode())
        return reader, writer

    async def page(self, path: str) -> tuple[int, bytes]:
        reader, writer = await self.opened(path, "Connection: close")
        whole = await reader.read()
        writer.close()
        return int(whole.split(None, 2)[1]), whole


@contextmanager
def door(folder: Path) -> Iterator[Door]:
    site = folder / "site"
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        assert run(["init", str(site), "--organization", "Example"]) == 0
    database = open_database(f"sqlite:///{site}/bootz.db")
    with database.write() as connection:
        add_vendor(connection, maker("Acme").vendor)
        keys = [
            add_chassis(connection, ChassisRecord("Acme", f"FX{n}")).key for n in range(ROUTERS)
        ]
        now = datetime.now(UTC)
        account = add_account(connection, "ann", OperatorRole.VIEWER, now=now)
        cookie = begin_session(connection, account, "127.0.0.1", now=now)
    words = [*COMMAND, "--site", str(site), "board", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        told = next(line for line in process.stderr if '"door-serving"' in line)
        host, _, port = json.loads(told)["addresses"][0].removeprefix("http://").partition(":")
        yield Door(process, database, (host, int(port)), cookie, keys)
    finally:
        process.terminate()
        process.wait(timeout=60)
        process.stderr.close()
        database.close()


async def follow(door: Door, mark: str, told: asyncio.Queue[float]) -> None:
    """Be an open board: tell of each router that changes."""
    reader, _writer = await door.opened(f"/board/live?after={mark}")
    while line := await reader.readline():
        if line.startswith(b"event: router\n"):
            told.put_nowait(time.monotonic())


async def cut_off(door: Door) -> int:
    """Read the door's log until the readers that never read are cut off; return how many were."""
    found = 0
    while found < STALLED:
        assert door.process.stderr is not None
        line = await asyncio.to_thread(door.process.stderr.readline)
        found += '"client-cut-off"' in line and "it reads nothing" in line
    return found


async def play(door: Door) -> int:
    failed = []
    door.happen(EARLIER, strangers=True)
    before = door.mebibytes()
    stalled = [await door.opened("/api/v1/events/stream?after=0") for _ in range(STALLED)]
    for _, writer in stalled:
        writer.transport.pause_reading()
    began = time.monotonic()
    pages = await asyncio.gather(*(door.page("/board/") for _ in range(BOARDS)))
    refused = [status for status, _ in pages if status != 200]
    print(f"{BOARDS} pages at once: {time.monotonic() - began:.1f} s, {len(refused)} refused")
    if refused:
        failed.append("pages")
    mark = re.search(rb"live\?after=([\w-]+)", pages[0][1])
    assert mark is not None
    queues: list[asyncio.Queue[float]] = [asyncio.Queue() for _ in range(BOARDS)]
    following = [asyncio.create_task(follow(door, mark[1].decode(), queue)) for queue in queues]
    latest = 0.0
    for _ in range(EVENTS):
        at = time.monotonic()
        await asyncio.to_thread(door.happen, 1)
        async with asyncio.timeout(WITHIN_S):
            seen = await asyncio.gather(*(queue.get() for queue in queues))
        latest = max(latest, max(seen) - at)
    print(f"{EVENTS} events reached each of {BOARDS} boards, the last after {latest:.2f} s at most")
    if latest > SHOWN_S:
        failed.append("late")
    async with asyncio.timeout(WITHIN_S):
        cut = await cut_off(door)
    grown = door.mebibytes() - before
    print(f"{cut} of {STALLED} readers that read nothing were cut off; memory grew by {grown} MiB")
    if grown > MOST_MIB:
        failed.append("memory")
    for each in following:
        each.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    return 1 if failed else 0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, door(Path(folder)) as made:
        return asyncio.run(play(made))


if __name__ == "__main__":
    sys.exit(main())
