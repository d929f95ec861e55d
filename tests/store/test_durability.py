"""What was acknowledged survives ``kill -9``; processes share one journal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select
from store.world import maker

from bootz.server.operations.chassis import ChassisRecord, add_chassis, set_chassis
from bootz.server.operations.vendors import add_vendor
from bootz.server.store.database import Database
from bootz.server.store.schema import ATTEMPT, EVENT

TESTS = Path(__file__).parents[1]


@pytest.fixture
def chassis(database: Database) -> int:
    with database.write() as connection:
        add_vendor(connection, maker().vendor)
        return add_chassis(connection, ChassisRecord("Acme", "FX1")).key


def start(url: str, chassis: int, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "store.appender", url, str(chassis), name, str(count)],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


def nonces(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.scalars(select(ATTEMPT.c.nonce_digest)).all())


def test_what_was_acknowledged_survives_kill_9(database: Database, url: str, chassis: int) -> None:
    writer = start(url, chassis, "w", 1_000_000)
    assert writer.stdout is not None
    told = {writer.stdout.readline().strip() for _ in range(200)}
    writer.kill()
    told.update(line.strip() for line in writer.stdout if line.endswith("\n"))
    writer.stdout.close()
    writer.wait()
    assert len(told) >= 200
    assert told <= nonces(database)


def test_two_processes_and_an_operator_write_at_once(
    database: Database, url: str, chassis: int
) -> None:
    writers = [start(url, chassis, name, 150) for name in ("a", "b")]
    for number in range(20):
        with database.write() as connection:
            record = ChassisRecord("Acme", "FX1", hostname=f"r{number}")
            set_chassis(connection, "FX1", record)
    outputs = [writer.communicate()[0].split() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert nonces(database) == {nonce for output in outputs for nonce in output}
    with database.read() as connection:
        numbers = connection.scalars(select(ATTEMPT.c.number).order_by(ATTEMPT.c.number)).all()
        events = connection.scalar(select(func.count()).select_from(EVENT))
    assert list(numbers) == list(range(1, 301))
    assert events == 300


def test_writers_that_are_killed_leave_nothing_half_written() -> None:
    """Two hundred of them: ``make check-journal``, with PostgreSQL too."""
    done = subprocess.run(
        [sys.executable, "-m", "store.kills", "--kills", "2"],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "acknowledged and lost: 0, half written: 0" in done.stdout
