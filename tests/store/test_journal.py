"""The port Journal on both engines, read back through the reading side."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select
from store.world import NOW, call, maker, refusal, report

from bootz.errors import BootzError
from bootz.model.bootstrap import ReportedStatus
from bootz.model.chassis import CardStatus, ClaimedCard
from bootz.model.checks import Check, Outcome
from bootz.server.operations.chassis import ChassisRecord, add_chassis, remove_chassis
from bootz.server.operations.chassis_state import ChassisFacts
from bootz.server.operations.vendors import add_vendor
from bootz.server.ports import CallRecord
from bootz.server.store.attempt_log import AttemptLog, JournalLimits
from bootz.server.store.attempt_states import AttemptState, EventKind
from bootz.server.store.attempts import (
    AttemptFilter,
    AttemptRecord,
    Event,
    attempts_of,
    events_after,
    events_of,
    follow,
    last_event,
    latest_attempts,
)
from bootz.server.store.database import Database, open_database, plain
from bootz.server.store.entries import DownloadRecord
from bootz.server.store.journal import SqlJournal, pace_of
from bootz.server.store.listing import listed_chassis
from bootz.server.store.schema import ATTEMPT, EVENT, PENDING_REPLACEMENT

Entry = CallRecord | DownloadRecord


@pytest.fixture
def chassis(database: Database) -> ChassisRecord:
    with database.write() as connection:
        add_vendor(connection, maker().vendor)
        return add_chassis(connection, ChassisRecord("Acme", "FX1", hostname="r1"))


async def write_all(
    database: Database, *entries: Entry, limits: JournalLimits | None = None
) -> None:
    journal = SqlJournal(database, limits=limits)
    journal.start()
    for entry in entries:
        if isinstance(entry, CallRecord):
            await journal.record(entry)
        else:
            await journal.record_download(entry)
    await journal.close()


def record(database: Database, *entries: Entry, limits: JournalLimits | None = None) -> None:
    asyncio.run(write_all(database, *entries, limits=limits))


def read(database: Database, serial: str = "FX1") -> tuple[AttemptRecord, ...]:
    with database.read() as connection:
        return attempts_of(connection, serial)


def happened(database: Database) -> list[EventKind]:
    with database.read() as connection:
        return [event.kind for event in events_after(connection, 0)]


def count(database: Database, table: object) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]


def download(tag: str, **changes: object) -> DownloadRecord:
    made = DownloadRecord(
        NOW, tag, "ef" * 32, "xr.iso", "192.0.2.1:80", 0, 1000, 2000, complete=False
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_an_attempt_from_request_to_success(database: Database, chassis: ChassisRecord) -> None:
    ours = {"chassis_key": chassis.key}
    record(
        database,
        call(nonce_digest="n1", written="v0.3", **ours),
        report(ReportedStatus.INITIATED, **ours),
        download(chassis.url_tag),
        download(chassis.url_tag, start=1000, complete=True),
        report(ReportedStatus.SUCCESS, at=NOW + timedelta(minutes=9), message="up", **ours),
    )
    (attempt,) = read(database, "fx1")
    assert attempt == AttemptRecord(
        id=attempt.id,
        number=1,
        vendor="Acme",
        chassis="r1",
        claimed_manufacturer="Acme",
        claimed_serial="FX1",
        proven_serial="FX1",
        idevid_fingerprint="ab" * 32,
        peer="192.0.2.1:4711",
        dialect="current",
        written="v0.3",
        started_at=NOW,
        updated_at=NOW + timedelta(minutes=9),
        state=AttemptState.SUCCESS,
        reason="",
        detail="up",
        checks=(Check("nonce", Outcome.PASSED, "a nonce", "present"),),
        sent={"payload_sha256": "cd" * 32, "answer_bytes": 77},
        image_bytes=2000,
        downloads=2,
        reports=2,
        repeats=0,
    )
    assert happened(database) == [
        EventKind.ANSWERED,
        EventKind.REPORT,
        EventKind.DOWNLOAD,
        EventKind.DOWNLOAD,
        EventKind.REPORT,
    ]


def test_attempts_are_found_by_the_dialect_that_was_written(
    database: Database, chassis: ChassisRecord
) -> None:
    """Two dialects share a path; a call without an answer is known by its path alone."""
    ours = {"chassis_key": chassis.key}
    record(
        database,
        call(nonce_digest="n1", written="v0.3", **ours),
        call(nonce_digest="n2", written="current", **ours),
        refusal("FX9"),
    )
    assert [(attempt.dialect, attempt.written) for attempt in read(database)] == [
        ("current", "current"),
        ("current", "v0.3"),
    ]

    def found(*dialects: str) -> list[tuple[str, str]]:
        with database.read() as connection:
            chosen = latest_attempts(connection, wanted=AttemptFilter(dialects=frozenset(dialects)))
        return [(attempt.claimed_serial, attempt.written) for attempt in chosen]

    assert found("v0.3") == [("FX1", "v0.3")]
    assert found("current") == [("FX9", ""), ("FX1", "current")]
    assert len(found("v0.3", "current")) == 3
    with database.read() as connection:
        first = events_after(connection, 0)[0]
    assert (first.dialect, first.written, first.data["written"]) == ("current", "v0.3", "v0.3")


@pytest.mark.parametrize("together", [True, False])
def test_a_nonce_makes_the_attempt(
    database: Database, chassis: ChassisRecord, *, together: bool
) -> None:
    entries = [
        call(nonce_digest=nonce, chassis_key=chassis.key) for nonce in ("n1", "n1", "n2", "n1")
    ]
    if together:
        record(database, *entries)
    else:
        for entry in entries:
            record(database, entry)
    assert [(a.number, a.repeats) for a in read(database)] == [(2, 0), (1, 2)]


def test_without_nonce_an_unanswered_repetition_is_the_same_attempt(
    database: Database, chassis: ChassisRecord
) -> None:
    ours = {"chassis_key": chassis.key}
    record(database, call(**ours), call(**ours), report(ReportedStatus.SUCCESS, **ours))
    record(database, call(**ours))
    assert [(a.number, a.repeats) for a in read(database)] == [(2, 0), (1, 1)]


def test_a_report_without_request_opens_an_attempt(
    database: Database, chassis: ChassisRecord
) -> None:
    record(database, report(ReportedStatus.SUCCESS, chassis_key=chassis.key))
    (attempt,) = read(database)
    assert (attempt.state, attempt.number, attempt.reports) == (AttemptState.SUCCESS, 1, 1)


@pytest.mark.parametrize(
    ("told", "state", "reason"),
    [
        (report(ReportedStatus.FAILURE, message="disk"), "failure", "device-reported-failure"),
        (
            report(ReportedStatus.SUCCESS, card=CardStatus.NOT_INITIALIZED),
            "success",
            "device-cards-failed",
        ),
        (report(ReportedStatus.INITIATED), "installing", ""),
    ],
)
def test_what_a_report_means(
    database: Database, chassis: ChassisRecord, told: CallRecord, state: str, reason: str
) -> None:
    record(database, call(chassis_key=chassis.key), replace(told, chassis_key=chassis.key))
    (attempt,) = read(database)
    assert (attempt.state.value, attempt.reason) == (state, reason)


def test_a_late_question_does_not_take_back_a_report(
    database: Database, chassis: ChassisRecord
) -> None:
    ours = {"chassis_key": chassis.key, "nonce_digest": "n1"}
    record(database, call(**ours), report(ReportedStatus.SUCCESS, chassis_key=chassis.key))
    record(database, refusal(reason="voucher-missing", **ours), call(**ours))
    (attempt,) = read(database)
    assert (attempt.state, attempt.reason, attempt.repeats) == (AttemptState.SUCCESS, "", 2)


def test_like_refusals_are_counted_in_one_row(database: Database, chassis: ChassisRecord) -> None:
    stranger = refusal("NOBODY")
    record(
        database,
        stranger,
        replace(stranger, peer="192.0.2.1:9999"),
        replace(stranger, claimed_serial="nobody", at=NOW + timedelta(hours=1)),
        replace(stranger, reason="idevid-untrusted"),
        replace(stranger, peer="192.0.2.2:1"),
    )
    rows = [(a.reason, a.repeats, a.chassis, a.number) for a in read(database, "nobody")]
    assert rows == [
        ("chassis-unknown", 0, "", 0),
        ("idevid-untrusted", 0, "", 0),
        ("chassis-unknown", 2, "", 0),
    ]
    ours = {"chassis_key": chassis.key}
    record(
        database,
        refusal(reason="voucher-missing", nonce_digest="a", **ours),
        refusal(reason="voucher-missing", nonce_digest="b", **ours),
        call(nonce_digest="b", **ours),
    )
    (attempt,) = read(database)
    assert (attempt.state, attempt.repeats, attempt.reason) == (AttemptState.ANSWERED, 2, "")


def test_rows_of_strangers_are_bounded_and_the_oldest_go(database: Database) -> None:
    limits = JournalLimits(strays=5)
    record(database, *(refusal(f"S{number}") for number in range(300)), limits=limits)
    record(database, refusal("LAST"), limits=limits)
    with database.read() as connection:
        kept = [attempt.claimed_serial for attempt in latest_attempts(connection)]
    assert kept == ["LAST", "S299", "S298", "S297", "S296"]
    assert count(database, EVENT) == 5


def test_attempts_and_events_of_a_chassis_are_bounded(
    database: Database, chassis: ChassisRecord
) -> None:
    limits = JournalLimits(attempts=3, events=4)
    ours = {"chassis_key": chassis.key}
    nonces = (call(nonce_digest=f"n{number}", **ours) for number in range(8))
    record(database, *nonces, limits=limits)
    assert [attempt.number for attempt in read(database)] == [8, 7, 6]
    same = call(nonce_digest="n7", **ours)
    record(database, *([same] * 30), limits=limits)
    flip = [
        report(status, **ours)
        for _ in range(30)
        for status in (ReportedStatus.INITIATED, ReportedStatus.SUCCESS)
    ]
    record(database, *flip, limits=limits)
    attempt = read(database)[0]
    assert (attempt.repeats, attempt.reports) == (30, 60)
    with database.read() as connection:
        assert len(events_of(connection, [attempt.id])) == 16


def test_foreign_cards_wait_for_the_operator_and_are_bounded(
    database: Database, chassis: ChassisRecord
) -> None:
    ours = {"chassis_key": chassis.key}
    later = NOW + timedelta(days=1)
    record(database, call(foreign_cards=(ClaimedCard("NEW1"), ClaimedCard("new2")), **ours))
    record(
        database, call(foreign_cards=(ClaimedCard("new1"), ClaimedCard("new1")), at=later, **ours)
    )
    with database.read() as connection:
        rows = connection.execute(
            select(PENDING_REPLACEMENT).order_by(PENDING_REPLACEMENT.c.id)
        ).all()
    assert [(row.serial, row.proven_serial, row.state) for row in rows] == [
        ("NEW1", "FX1", "pending"),
        ("new2", "FX1", "pending"),
    ]
    assert rows[0].first_seen < rows[0].last_seen
    record(database, call(foreign_cards=tuple(ClaimedCard(f"M{n}") for n in range(500)), **ours))
    assert count(database, PENDING_REPLACEMENT) == 64


@pytest.mark.parametrize(
    "word", ["\x00", "a\x00b", "\ud800", "'; DROP TABLE attempt;--", "x" * 100_000, "\x1b[2J", "％"]
)
def test_hostile_words_are_kept_harmless(
    database: Database, chassis: ChassisRecord, word: str
) -> None:
    hostile = {
        "claimed_manufacturer": word,
        "proven_serial": word,
        "peer": word,
        "checks": (Check("x", Outcome.FAILED, word, word),),
        "sent": {word: word},
        "foreign_cards": (ClaimedCard(word, word, word),),
        "seated": (ClaimedCard(word, word, word),),
        "answered_serials": (word,),
    }
    record(
        database,
        refusal(word, **{key: hostile[key] for key in ("claimed_manufacturer", "peer", "checks")}),
        call(word, chassis_key=chassis.key, nonce_digest="n", **hostile),
        report(ReportedStatus.FAILURE, word, message=word, chassis_key=chassis.key),
        download(word, file_name=word),
        download(chassis.url_tag, file_name=word, peer=word),
    )
    assert [a.state for a in read(database)] == [AttemptState.FAILURE]
    assert count(database, ATTEMPT) == 2
    with database.read() as connection:
        for attempt in latest_attempts(connection):
            assert all(len(text) <= 4096 for text in (attempt.claimed_serial, attempt.detail))


def test_a_chassis_that_was_removed_meanwhile_is_a_stranger(
    database: Database, chassis: ChassisRecord
) -> None:
    record(database, call(chassis_key=chassis.key, nonce_digest="n"))
    with database.write() as connection:
        remove_chassis(connection, "FX1")
    record(database, call(chassis_key=chassis.key, nonce_digest="n"), download(chassis.url_tag))
    assert [a.number for a in read(database)] == [0, 1]


def test_a_download_under_way_moves_the_attempt_and_leaves_no_event(
    database: Database, chassis: ChassisRecord
) -> None:
    def facts() -> ChassisFacts:
        with database.read() as connection:
            (known,) = listed_chassis(plain(connection))
        return known.facts

    assert facts() == ChassisFacts()
    later = NOW + timedelta(minutes=3)
    record(
        database,
        call(chassis_key=chassis.key, nonce_digest="n"),
        download(chassis.url_tag, at=later, ended=False),
    )

    under_way = facts().attempt
    assert under_way is not None
    assert (under_way.image_position, under_way.image_size) == (1000, 2000)
    assert (under_way.updated_at, under_way.downloads, under_way.loading) == (later, 0, True)
    assert happened(database) == [EventKind.ANSWERED]

    record(database, download(chassis.url_tag, start=1000, complete=True))

    ended = facts().attempt
    assert ended is not None
    assert (ended.image_position, ended.downloads, ended.loading) == (2000, 1, False)
    assert read(database)[0].image_bytes == 1000


def test_what_strangers_claim_is_shown_until_the_chassis_proves_itself(
    database: Database, chassis: ChassisRecord
) -> None:
    def facts() -> ChassisFacts:
        with database.read() as connection:
            (known,) = listed_chassis(plain(connection))
        return known.facts

    record(database, call(chassis_key=None, claimed_serial="fx1", reason="idevid-untrusted"))

    claim = facts().claim
    assert claim is not None
    assert (claim.at, claim.reason) == (NOW, "idevid-untrusted")

    record(database, call(chassis_key=chassis.key, nonce_digest="n"))

    assert facts().claim is None
    assert facts().attempt is not None


def test_downloads_of_nobody_leave_nothing(database: Database, chassis: ChassisRecord) -> None:
    record(database, download("unknown"), download(""), download(chassis.url_tag))
    assert count(database, ATTEMPT) == count(database, EVENT) == 0


def test_a_full_queue_refuses_and_loses_nothing(database: Database, chassis: ChassisRecord) -> None:
    async def run() -> list[object]:
        journal = SqlJournal(database, max_waiting=3)
        journal.start()
        # The writer of another process holds the lock: nothing can be written meanwhile.
        with database.write_journal() as connection:
            connection.execute(ATTEMPT.update().where(ATTEMPT.c.id == 0).values(repeats=0))
            tasks = [
                asyncio.create_task(
                    journal.record(call(nonce_digest=f"{n}", chassis_key=chassis.key))
                )
                for n in range(20)
            ]
            while sum(task.done() for task in tasks) < 14:
                await asyncio.wait(
                    [task for task in tasks if not task.done()], return_when="FIRST_COMPLETED"
                )
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        await journal.close()
        return list(outcomes)

    outcomes = asyncio.run(run())
    refused = [each for each in outcomes if isinstance(each, BootzError)]
    assert {error.reason for error in refused} == {"journal-overloaded"}
    assert len(read(database)) == len(outcomes) - len(refused)
    assert 3 <= len(outcomes) - len(refused) <= 6


def test_what_comes_soon_after_a_transaction_shares_the_next_one(
    database: Database, chassis: ChassisRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    really = AttemptLog.write

    def counted(self: AttemptLog, connection: Connection, entries: Sequence[Entry]) -> Any:
        batches.append(len(entries))
        return really(self, connection, entries)

    monkeypatch.setattr(AttemptLog, "write", counted)

    async def play() -> None:
        # Long enough for all that is started below, on any machine.
        journal = SqlJournal(database, pace=0.5)
        journal.start()
        # A router that is alone does not wait.
        await journal.record(call("FX1", nonce_digest="first"))
        assert batches == [1]
        tasks = []
        for number in range(20):
            tasks.append(asyncio.create_task(journal.record(call(f"FX{number}"))))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        await journal.close()

    asyncio.run(play())
    assert batches == [1, 20]


def test_up_to_five_processes_begin_no_more_transactions_than_one() -> None:
    assert [pace_of(processes) / pace_of(1) for processes in (2, 3, 5, 100)] == pytest.approx(
        [2, 3, 5, 5]
    )


@pytest.mark.parametrize(("looks", "by_thread"), [(3, False), (1000, True)])
def test_where_another_writes_it_looks_again_before_the_thread_waits_in_line(
    database: Database,
    chassis: ChassisRecord,
    monkeypatch: pytest.MonkeyPatch,
    looks: int,
    by_thread: bool,
) -> None:
    threads: list[str] = []
    really, at_once = AttemptLog.write, Database.journal_turn_at_once
    met = iter(range(looks))

    def told(self: AttemptLog, connection: Connection, entries: Sequence[Entry]) -> Any:
        threads.append(threading.current_thread().name)
        return really(self, connection, entries)

    def busy(self: Database) -> Any:
        return at_once(self) if next(met, None) is None else None

    async def play() -> None:
        journal = SqlJournal(database)
        journal.start()
        # The first is the thread's, which opens the connection.
        await journal.record(call("FX1", nonce_digest="first"))
        monkeypatch.setattr(Database, "journal_turn_at_once", busy)
        await journal.record(call("FX2"))
        await journal.close()

    monkeypatch.setattr(AttemptLog, "write", told)
    asyncio.run(play())
    own = threading.current_thread().name if database.embedded and not by_thread else "journal"
    assert threads == ["journal", own]
    assert len(read(database, "FX2")) == 1


def test_a_closed_journal_has_written_everything_and_refuses(
    database: Database, chassis: ChassisRecord
) -> None:
    async def run() -> str:
        journal = SqlJournal(database)
        journal.start()
        waiting = [
            asyncio.ensure_future(
                journal.record(call(nonce_digest=f"{n}", chassis_key=chassis.key))
            )
            for n in range(15)
        ]
        await asyncio.sleep(0)
        await journal.close()
        await asyncio.gather(*waiting)
        try:
            await journal.record(call())
        except BootzError as error:
            return error.reason
        return ""

    assert asyncio.run(run()) == "journal-overloaded"
    assert len(read(database)) == 15


def test_one_entry_that_fails_does_not_take_others_with_it(
    database: Database, chassis: ChassisRecord
) -> None:
    bad = call(sent={"x": object()}, chassis_key=chassis.key)

    async def run() -> list[object]:
        journal = SqlJournal(database)
        journal.start()
        good = call(nonce_digest="n", chassis_key=chassis.key)
        outcomes = await asyncio.gather(
            journal.record(bad), journal.record(good), return_exceptions=True
        )
        await journal.close()
        return list(outcomes)

    outcomes = asyncio.run(run())
    assert isinstance(outcomes[0], TypeError)
    assert outcomes[1] is None
    assert len(read(database)) == 1


def test_a_caller_that_has_gone_is_still_recorded(
    database: Database, chassis: ChassisRecord
) -> None:
    async def run() -> None:
        journal = SqlJournal(database)
        journal.start()
        task = asyncio.create_task(journal.record(call(chassis_key=chassis.key)))
        await asyncio.sleep(0)
        task.cancel()
        await journal.close()
        # What the writer has posted for the loop is run.
        await asyncio.sleep(0)
        assert task.cancelled()

    asyncio.run(run())
    assert len(read(database)) == 1


def test_a_question_that_its_router_gave_up_does_not_become_the_newest_attempt(
    database: Database, chassis: ChassisRecord
) -> None:
    """One server waits for its database, while the router onboards by way of another one."""
    ours = {"chassis_key": chassis.key}

    async def run() -> None:
        journal = SqlJournal(database)
        journal.start()
        with database.write_journal():
            # Nobody else can write now; the first entry waits in the writer, or in the queue.
            given_up = call(nonce_digest="given up", checks=(), sent={}, peer="192.0.2.9:1", **ours)
            question = asyncio.create_task(journal.record(given_up))
            for _ in range(3):
                await asyncio.sleep(0)
            question.cancel()
            await asyncio.gather(question, return_exceptions=True)
        await journal.close()

    later = NOW + timedelta(seconds=5)
    elsewhere = [
        call(nonce_digest="asked again", at=later, **ours),
        report(ReportedStatus.SUCCESS, at=later + timedelta(seconds=5), **ours),
    ]
    record(database, *elsewhere)
    asyncio.run(run())
    (attempt,) = read(database)
    assert (attempt.state, attempt.reports, attempt.repeats) == (AttemptState.SUCCESS, 1, 1)
    assert attempt.updated_at == later + timedelta(seconds=5)
    assert (attempt.peer, attempt.proven_serial) == ("192.0.2.1:4711", "FX1")
    assert (len(attempt.checks), attempt.sent["answer_bytes"]) == (1, 77)
    assert happened(database) == [EventKind.ANSWERED, EventKind.REPORT, EventKind.ANSWERED]
    with database.read() as connection:
        *_, last = events_after(connection, 0)
    assert last.data["abandoned"] is True


def test_a_question_that_its_router_gave_up_is_an_attempt_where_nothing_came_later(
    database: Database, chassis: ChassisRecord
) -> None:
    ours = {"chassis_key": chassis.key}
    before = NOW - timedelta(days=1)
    record(
        database,
        call(nonce_digest="yesterday", at=before, **ours),
        replace(call(nonce_digest="given up", **ours), abandoned=True),
        call(nonce_digest="asked again", at=NOW + timedelta(seconds=5), **ours),
    )
    assert [attempt.number for attempt in read(database)] == [3, 2, 1]


def test_followers_get_events_in_order_as_they_come(
    database: Database, chassis: ChassisRecord, url: str
) -> None:
    ours = {"chassis_key": chassis.key}
    record(database, call(nonce_digest="before", **ours))
    coming: Iterator[CallRecord] = iter(
        [call(nonce_digest="n", **ours), report(ReportedStatus.SUCCESS, **ours), refusal("X")]
    )
    elsewhere = open_database(url)
    try:
        with elsewhere.read() as connection:
            after = last_event(connection)
        events = follow(elsewhere, after, lambda: record(database, next(coming)))
        seen: list[Event] = [next(events) for _ in range(3)]
    finally:
        elsewhere.close()
    assert [(event.kind.value, event.chassis, event.number) for event in seen] == [
        ("answered", "r1", 2),
        ("report", "r1", 2),
        ("refused", "", 0),
    ]


def test_the_word_of_the_device_is_no_secret_of_ours(
    tmp_path: Path, chassis: ChassisRecord, database: Database
) -> None:
    record(database, call(nonce_digest="d1", chassis_key=chassis.key))
    (attempt,) = read(database)
    assert "d1" not in repr(attempt)
    assert chassis.url_tag not in repr(attempt)
    assert not list(tmp_path.glob("*.log"))
