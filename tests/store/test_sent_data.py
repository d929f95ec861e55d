"""What a chassis was last sent: with the journal's entry, rewritten only by other data."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from store.world import NOW, call, maker, refusal

from bootz.errors import Unavailable
from bootz.server.operations.chassis import add_chassis, remove_chassis
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.vendors import add_vendor
from bootz.server.ports import CallRecord
from bootz.server.store.attempt_log import AttemptLog, JournalLimits
from bootz.server.store.attempts import latest_attempts
from bootz.server.store.database import Database
from bootz.server.store.schema import SENT_DATA
from bootz.server.store.sent_data import MAX_KEPT, SentData, last_sent

AT = ("192.0.2.9", 15006)


@pytest.fixture
def key(database: Database) -> int:
    with database.write() as connection:
        add_vendor(connection, maker().vendor)
        return add_chassis(connection, ChassisRecord("Acme", "FX1")).key


def write(database: Database, *calls: CallRecord) -> None:
    with database.write_journal() as connection:
        AttemptLog(JournalLimits()).write(connection, calls)


def read(database: Database, key: int) -> SentData | None:
    with database.read() as connection:
        return last_sent(connection, key)


def test_the_last_data_are_kept_since_they_were_first_sent(database: Database, key: int) -> None:
    first = call(chassis_key=key, written="v0.3", content=b"one", reached_at=AT)
    write(database, first, call(chassis_key=key, at=NOW + timedelta(1), content=b""))
    again = call(
        chassis_key=key, at=NOW + timedelta(2), written="v0.3", content=b"one", reached_at=AT
    )
    write(database, again)

    digest = hashlib.sha256(b"one").hexdigest()
    assert read(database, key) == SentData(NOW, "v0.3", AT, digest, 3, b"one")
    at = NOW + timedelta(3)
    write(
        database,
        call(chassis_key=key, content=b"two", reached_at=AT, written="v0.3"),
        call(chassis_key=key, at=at, content=b"three" * 1000, reached_at=AT, written="current"),
    )
    found = read(database, key)
    assert found is not None
    assert (found.since, found.content, found.size) == (at, b"three" * 1000, 5000)
    assert found.dialect == "current"
    moved = ("2001:db8::1", 443)
    write(database, call(chassis_key=key, content=b"three" * 1000, reached_at=moved))
    found = read(database, key)
    assert found is not None
    assert found.reached_at == moved


def test_a_refusal_a_stranger_and_a_chassis_that_went_leave_nothing(
    database: Database, key: int
) -> None:
    write(database, refusal(chassis_key=key), call("ZZ", content=b"none of ours", reached_at=AT))
    assert read(database, key) is None
    write(database, call(chassis_key=key, content=b"one", reached_at=AT))
    with database.write() as connection:
        remove_chassis(connection, "FX1", None)
    write(database, call(chassis_key=key, content=b"one", reached_at=AT))
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(SENT_DATA)) == 0


def test_of_what_is_too_large_the_digest_is_kept(database: Database, key: int) -> None:
    large = os.urandom(MAX_KEPT + 1)
    write(database, call(chassis_key=key, content=large, reached_at=AT))
    found = read(database, key)
    assert found is not None
    assert found.content is None
    assert (found.sha256, found.size) == (hashlib.sha256(large).hexdigest(), len(large))


def test_answer_and_data_are_written_together_or_not(database: Database, key: int) -> None:
    with pytest.raises(Unavailable), database.write_journal() as connection:
        AttemptLog(JournalLimits()).write(
            connection, [call(chassis_key=key, content=b"one", reached_at=AT)]
        )
        raise Unavailable("database-unavailable", "the machine stops here", where="database")
    assert read(database, key) is None
    with database.read() as connection:
        assert latest_attempts(connection) == ()


def test_it_shows_no_content_in_a_log(key: int) -> None:
    made = call(chassis_key=key, content=b"planted", reached_at=AT)
    assert "planted" not in repr(made)
    assert "planted" not in repr(SentData(NOW, "current", AT, "", 7, b"planted"))
