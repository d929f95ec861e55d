"""The journal's writer killed again and again: what was acknowledged is there, whole, in order.

``make check-journal ARGS="--kills 200"``; a few kills are in ``test_durability.py``. A writer is a
process of its own with eight calls at a time, half of them reports of success. Every second one has
another beside it, which goes on when the first is killed, and an operator who changes the chassis.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import select
import signal
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, text
from sqlalchemy import select as choose
from store.world import call, maker, report

from bootz.model.bootstrap import ReportedStatus
from bootz.server.operations.chassis import ChassisRecord, add_chassis, set_chassis
from bootz.server.operations.vendors import add_vendor
from bootz.server.store.attempt_log import JournalLimits
from bootz.server.store.attempt_states import AttemptState
from bootz.server.store.database import Database, open_database
from bootz.server.store.journal import SqlJournal
from bootz.server.store.schema import ATTEMPT, EVENT

CHASSIS = 8
AT_ONCE = 8
BESIDE = 15
"""Onboardings of the writer that is not killed."""


@dataclass
class Tally:
    """What came of a run."""

    kills: int = 0
    told: int = 0
    stored: int = 0
    lost: int = 0
    torn: int = 0
    flaws: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not (self.lost or self.torn or self.flaws)

    def __str__(self) -> str:
        flaws = f"; {', '.join(self.flaws)}" if self.flaws else ""
        return (
            f"{self.kills} kills, {self.told} entries acknowledged, {self.stored} stored; "
            f"acknowledged and lost: {self.lost}, half written: {self.torn}{flaws}"
        )


async def write(url: str, keys: list[int], name: str, count: int) -> None:
    """Record onboardings, and say of each entry that it is acknowledged."""
    database = open_database(url)
    journal = SqlJournal(database, limits=JournalLimits(attempts=1_000_000))
    journal.start()
    numbers = iter(range(count))

    async def work(key: int) -> None:
        for number in numbers:
            nonce = f"{name}-{number}"
            await journal.record(call(nonce_digest=nonce, chassis_key=key))
            print("a", nonce, flush=True)
            await journal.record(report(ReportedStatus.SUCCESS, chassis_key=key))
            print("r", nonce, flush=True)

    await asyncio.gather(*(work(key) for key in keys))
    await journal.close()
    database.close()


class Writer:
    """A process that writes; forked, so that it begins at once."""

    def __init__(self, url: str, keys: list[int], name: str, count: int) -> None:
        self._out, theirs = os.pipe()
        self._text = b""
        self.pid = os.fork()
        if self.pid == 0:
            os.dup2(theirs, 1)
            os.close(self._out)
            status = 1
            try:
                asyncio.run(write(url, keys, name, count))
                status = 0
            finally:
                os._exit(status)
        os.close(theirs)

    def hear(self, lines: int, seconds: float) -> None:
        """Listen until it has acknowledged so many entries, and then for some seconds."""
        while self._text.count(b"\n") < lines and self._read(None):
            pass
        if seconds:
            self._read(seconds)

    def kill(self) -> set[str]:
        os.kill(self.pid, signal.SIGKILL)
        return self.end()

    def end(self) -> set[str]:
        """Wait for its end; return what it has acknowledged."""
        while self._read(None):
            pass
        os.close(self._out)
        os.waitpid(self.pid, 0)
        # What was cut off by the kill was not said.
        return set(self._text.decode().split("\n")[:-1])

    def _read(self, seconds: float | None) -> bool:
        ready, _, _ = select.select([self._out], [], [], seconds)
        data = os.read(self._out, 1 << 16) if ready else b""
        self._text += data
        return bool(data)


def run(url: str, kills: int, seed: int) -> Tally:
    dice = random.Random(seed)
    database = open_database(url, create=True)
    with database.write() as connection:
        add_vendor(connection, maker().vendor)
        keys = [
            add_chassis(connection, ChassisRecord("Acme", f"FX{number}")).key
            for number in range(2 * CHASSIS)
        ]
    # Nothing that is open may be inherited by those who are forked.
    database.close()
    tally = Tally()
    for kill in range(kills):
        writer = Writer(url, keys[:AT_ONCE], f"w{kill}", 1_000_000)
        beside = Writer(url, keys[AT_ONCE:], f"b{kill}", BESIDE) if kill % 2 else None
        writer.hear(dice.randrange(1, 60), dice.uniform(0, 0.01))
        told = writer.kill()
        if beside is not None:
            operate(url, kill)
            told |= beside.end()
        look(url, told, tally)
    return tally


def operate(url: str, number: int) -> None:
    """Change a chassis, as an operator does while routers onboard."""
    database = open_database(url)
    with database.write() as connection:
        set_chassis(connection, "FX0", ChassisRecord("Acme", "FX0", hostname=f"r{number}"))
    database.close()


def look(url: str, told: set[str], tally: Tally) -> None:
    """Hold what is stored against what was told since the last look."""
    database = open_database(url)
    with database.read() as connection:
        rows = connection.execute(
            choose(
                ATTEMPT.c.nonce_digest, ATTEMPT.c.state, ATTEMPT.c.reports, func.count(EVENT.c.id)
            )
            .select_from(ATTEMPT.outerjoin(EVENT))
            .group_by(ATTEMPT.c.id)
        ).all()
        numbers = connection.execute(
            choose(func.count(), func.max(ATTEMPT.c.number)).group_by(ATTEMPT.c.chassis_id)
        ).all()
    answered = {row[0] for row in rows}
    reported = {row[0] for row in rows if row[1] == AttemptState.SUCCESS.value}
    stored = {f"a {nonce}" for nonce in answered} | {f"r {nonce}" for nonce in reported}
    tally.kills += 1
    tally.told += len(told)
    tally.stored = len(stored)
    tally.lost += len(told - stored)
    tally.torn += sum(events != 1 + reports for _, _, reports, events in rows)
    if any(count != last for count, last in numbers):
        tally.flaws.append("numbers of attempts with gaps or repeated")
    whole(database, tally)
    database.close()


def whole(database: Database, tally: Tally) -> None:
    if database.embedded:
        with database.read() as connection:
            said = connection.scalar(text("PRAGMA integrity_check"))
        if said != "ok":
            tally.flaws.append(f"integrity_check: {said}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="check-journal")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url", default="", help="an empty database; else a SQLite file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{Path(folder) / 'bootz.db'}"
        tally = run(url, options.kills, options.seed)
    print(tally)
    return 0 if tally.holds else 1


if __name__ == "__main__":
    sys.exit(main())
