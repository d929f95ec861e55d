"""What is older than the site keeps goes; what says where a chassis stands stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from store.fresh import fresh_database
from store.world import call, maker, refusal, report

from bootz.cli.main import run
from bootz.config.serving import RetentionSettings
from bootz.model.bootstrap import ReportedStatus
from bootz.server.operations.chassis import add_chassis
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.retention import AT_ONCE, Kept, Pruned, prune
from bootz.server.operations.vendors import add_vendor
from bootz.server.operations.webhooks import add_webhook
from bootz.server.retention import JournalThinner
from bootz.server.store.attempt_log import AttemptLog, JournalLimits
from bootz.server.store.database import Database, open_database
from bootz.server.store.schema import ATTEMPT, EVENT

NOW = datetime.now(UTC)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


class Journal:
    """A journal with calls of any age."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._log = AttemptLog(JournalLimits())
        self._calls = 0

    def chassis(self, serial: str) -> int:
        with self.database.write() as connection:
            return add_chassis(connection, ChassisRecord("Acme", serial)).key

    def answered(self, key: int | None, days: float, serial: str = "FX1") -> None:
        self._calls += 1
        made = call(serial, chassis_key=key, at=ago(days), nonce_digest=f"{self._calls}")
        self.record(made if key is not None else refusal(serial, at=ago(days)))

    def record(self, *calls: Any) -> None:
        with self.database.write_journal() as connection:
            self._log.write(connection, calls)

    def counts(self) -> tuple[int, int]:
        with self.database.read() as connection:
            attempts, events = (
                connection.scalar(select(func.count()).select_from(table)) or 0
                for table in (ATTEMPT, EVENT)
            )
        return attempts, events

    def prune(self, *, dry_run: bool = False, **kept: datetime) -> Pruned:
        steps = prune(self.database, Kept(**kept), dry_run=dry_run)
        return sum(steps, start=Pruned())


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    database = fresh_database(tmp_path / "bootz.db")
    with database.write() as connection:
        add_vendor(connection, maker("Acme").vendor)
    yield Journal(database)
    database.close()


def test_the_last_attempt_of_each_chassis_stays(journal: Journal) -> None:
    first, second = journal.chassis("FX1"), journal.chassis("FX2")
    for days in (300, 200, 100):
        journal.answered(first, days)
    journal.answered(second, 250, "FX2")
    journal.answered(None, 250, "STRANGER")

    assert journal.prune(attempts_since=ago(50), dry_run=True) == Pruned(3, 3)
    assert journal.counts() == (5, 5)
    assert journal.prune(attempts_since=ago(50)) == Pruned(3, 3)
    assert journal.counts() == (2, 2)
    assert journal.prune(attempts_since=ago(50)) == Pruned()


def test_what_is_young_stays(journal: Journal) -> None:
    key = journal.chassis("FX1")
    for days in (300, 40, 10, 1):
        journal.answered(key, days)

    assert journal.prune(attempts_since=ago(50)) == Pruned(1, 1)
    assert journal.counts() == (3, 3)


def test_an_old_attempt_that_a_report_came_to_lately_stays(journal: Journal) -> None:
    key = journal.chassis("FX1")
    journal.answered(key, 300)
    journal.record(report(ReportedStatus.SUCCESS, chassis_key=key, at=ago(5)))
    journal.answered(key, 1)

    assert journal.prune(attempts_since=ago(50)) == Pruned()
    assert journal.prune(events_since=ago(50)) == Pruned(0, 1)
    assert journal.counts() == (2, 2)


def test_events_of_the_last_attempt_stay(journal: Journal) -> None:
    key = journal.chassis("FX1")
    journal.answered(key, 300)
    journal.answered(key, 200)

    assert journal.prune(events_since=ago(50)) == Pruned(0, 1)
    assert journal.counts() == (2, 1)


def test_what_a_webhook_has_not_looked_at_stays(journal: Journal) -> None:
    key = journal.chassis("FX1")
    with journal.database.write() as connection:
        add_webhook(connection, "ops", "https://hooks.example.net/", now=NOW)
    journal.answered(key, 300)
    journal.answered(key, 200)

    assert journal.prune(events_since=ago(50), attempts_since=ago(50)) == Pruned()


def test_many_go_in_steps_of_few(journal: Journal) -> None:
    key = journal.chassis("FX1")
    for number in range(2 * AT_ONCE + 50):
        journal.answered(key, 400 - number / 10)

    steps = list(prune(journal.database, Kept(attempts_since=ago(50))))

    assert [step.attempts for step in steps] == [AT_ONCE, AT_ONCE, 49]
    assert journal.counts() == (1, 1)


def test_nothing_goes_by_default(journal: Journal) -> None:
    key = journal.chassis("FX1")
    for days in (3000, 2000):
        journal.answered(key, days)
    thinner = JournalThinner(journal.database, RetentionSettings, lambda: NOW)
    assert asyncio.run(thinner.thin()) == Pruned()

    settings = RetentionSettings(attempts_days=365)
    thinner = JournalThinner(journal.database, lambda: settings, lambda: NOW)
    assert asyncio.run(thinner.thin()) == Pruned(1, 1)


def test_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "site"
    assert run(["init", str(root), "--organization", "Example"]) == 0
    database = open_database(f"sqlite:///{root}/bootz.db")
    with database.write() as connection:
        add_vendor(connection, maker("Acme").vendor)
    journal = Journal(database)
    key = journal.chassis("FX1")
    for days in (300, 200):
        journal.answered(key, days)

    def told(*words: str) -> Any:
        capsys.readouterr()
        assert run(["--site", str(root), "journal", "prune", *words, "--output", "json"]) == 0
        return json.loads(capsys.readouterr().out)

    assert told()["attempts"] == 0
    assert told("--attempts-days", "30", "--dry-run")["attempts"] == 1
    assert journal.counts() == (2, 2)
    assert told("--attempts-days", "30") == {
        "dry_run": False,
        "attempts_days": 30,
        "events_days": None,
        "attempts": 1,
        "events": 1,
    }
    assert journal.counts() == (1, 1)
    database.close()
