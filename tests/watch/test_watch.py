"""``bootz watch`` on a real terminal, and what it reads of a site."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from store.world import NOW, Maker, call

from bootz.cli.main import run
from bootz.config.serving import ProgressSettings
from bootz.server.operations.chassis import add_chassis, remove_chassis
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.chassis_state import ChassisState
from bootz.server.operations.following import Follower
from bootz.server.operations.vendors import (
    VendorProgress,
    VendorSettings,
    add_vendor,
    find_vendor,
    set_vendor,
)
from bootz.server.store.database import Database, open_database
from bootz.server.store.journal import SqlJournal


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    assert run(["init", str(root), "--organization", "Example"]) == 0
    return root


@pytest.fixture
def database(site: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{site}/bootz.db")
    with opened.write() as connection:
        add_vendor(connection, Maker("Acme").vendor)
        for number in (1, 2):
            record = ChassisRecord("Acme", f"FX{number}", hostname=f"r{number}")
            add_chassis(connection, record)
    yield opened
    opened.close()


def states(follower: Follower, now: datetime = NOW) -> dict[str, ChassisState]:
    return {router.hostname: router.standing.state for router in follower.roster(now)}


def record(database: Database, serial: str, **changes: object) -> None:
    async def write() -> None:
        journal = SqlJournal(database)
        journal.start()
        await journal.record(call(serial, **changes))
        await journal.close()

    asyncio.run(write())


def test_the_follower_reads_what_changed(database: Database) -> None:
    follower = Follower(database, ProgressSettings())
    assert follower.refresh(0.0) == 0
    assert states(follower) == {"r1": ChassisState.EXPECTED, "r2": ChassisState.EXPECTED}

    record(database, "FX1", chassis_key=1, nonce_digest="n")
    assert follower.refresh(1.0) == 1
    assert states(follower)["r1"] is ChassisState.SENT
    record(database, "FX2", chassis_key=None, reason="idevid-untrusted")
    assert follower.refresh(2.0) == 1
    assert states(follower)["r2"] is ChassisState.FAILED

    with database.write() as connection:
        remove_chassis(connection, "FX2")
    follower.refresh(3.0)
    assert "r2" not in states(follower)


def test_a_vendors_limit_stands_above_the_sites(database: Database) -> None:
    record(database, "FX1", chassis_key=1, nonce_digest="n")
    follower = Follower(database, ProgressSettings(first_byte_minutes=20))
    follower.refresh(0.0)
    later = NOW + timedelta(minutes=15)
    assert states(follower, later)["r1"] is ChassisState.SENT

    with database.write() as connection:
        settings = VendorSettings(progress=VendorProgress(first_byte_minutes=10))
        set_vendor(connection, "Acme", replace(find_vendor(connection, "Acme"), settings=settings))
    follower.refresh(60.0)

    assert states(follower, later)["r1"] is ChassisState.STUCK


def test_on_a_terminal_it_is_a_screen_and_q_ends_it(site: Path, database: Database) -> None:
    record(database, "FX1", chassis_key=1, nonce_digest="n", at=datetime.now(UTC))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    before = termios.tcgetattr(theirs)
    words = [sys.executable, "-c", "from bootz.cli.main import main; main()"]
    child = subprocess.Popen(
        [*words, "watch", "--site", str(site)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"},
    )
    seen = b""
    try:
        while b"r2" not in seen:
            seen += os.read(ours, 65536)
        os.write(ours, b"\x1b[Bq")
        assert child.wait(timeout=30) == 0
    finally:
        child.kill()
        child.wait()
    plain = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", seen).decode()
    assert "2 routers  sent 1  expected 1" in plain
    # The other screen was entered, and the terminal takes whole lines again.
    assert b"\x1b[?1049h" in seen
    assert termios.tcgetattr(theirs)[3] == before[3]
    os.close(ours)
    os.close(theirs)
