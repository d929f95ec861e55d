"""Events reach all streams of the door, by one reader; PostgreSQL's writers ring for it.

docs/operator-ids.md: O5, O15.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from store.cluster import Cluster
from store.world import call
from structlog.testing import capture_logs

from bootz.server.api import following
from bootz.server.api.following import EventFeed
from bootz.server.store import bell as bells
from bootz.server.store.attempt_log import AttemptLog, JournalLimits
from bootz.server.store.bell import NewsBell
from bootz.server.store.database import Database, open_database

MOST_S = 60.0


@pytest.fixture
def postgresql(cluster: Cluster) -> Iterator[Database]:
    opened = open_database(cluster.url(), create=True)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/bootz.db", create=True)
    yield opened
    opened.close()


def write(database: Database, number: int, *, fails: bool = False) -> None:
    """Put one refused call of a stranger in the journal; or undo it, as a fault does."""
    entry = call(f"FX{number}", nonce_digest=f"n{number}")
    try:
        with database.write_journal() as connection:
            AttemptLog(JournalLimits()).write(connection, [entry])
            if fails:
                raise ZeroDivisionError
    except ZeroDivisionError:
        pass


async def ids(stream: AsyncGenerator[str, None], count: int) -> list[int]:
    """Return the ids of the next events of a stream."""
    found: list[int] = []
    async with asyncio.timeout(MOST_S):
        while len(found) < count:
            text_ = await anext(stream)
            found += [int(line[3:]) for line in text_.splitlines() if line.startswith("id:")]
    return found


def test_streams_have_every_event_once_and_share_what_was_read(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_KEPT", 3)
    reads: list[int] = []
    really = following.events_after

    def counted(connection: Any, after: int, **options: Any) -> Any:
        found = really(connection, after, **options)
        reads.append(len(found))
        return found

    monkeypatch.setattr(following, "events_after", counted)
    for number in range(6):
        write(sqlite, number)

    async def play() -> None:
        feed = EventFeed(sqlite, NewsBell(sqlite))
        whole = list(range(1, await feed.last() + 1))
        async with aclosing(feed.follow(0)) as first, aclosing(feed.follow(2)) as second:
            # What is older than what is kept is read from the database.
            assert await ids(first, len(whole)) == whole
            assert await ids(second, len(whole) - 2) == whole[2:]
            async with asyncio.timeout(MOST_S):
                # The reader of both has looked, too, so that what comes now is for it.
                while len(reads) < 3:
                    await asyncio.sleep(0)
            # Before the write: the reader may look as soon as this one waits.
            reads.clear()
            write(sqlite, 7)
            new = await feed.last()
            for stream in (first, second):
                assert await ids(stream, new - whole[-1]) == [*range(whole[-1] + 1, new + 1)]
            # Both were told by one reader.
            assert sum(reads) == new - whole[-1]
            async with aclosing(feed.follow(new - 1)) as third:
                assert await ids(third, 1) == [new]
        # Who comes when all others have left starts anew, without a gap.
        write(sqlite, 8)
        async with aclosing(feed.follow(new)) as fourth:
            assert (await ids(fourth, 1))[0] == new + 1

    asyncio.run(play())


def test_a_defect_is_told_once_and_streams_go_on(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "AGAIN_S", 0.0)
    really, failed = following.last_event, 0

    def fails(connection: Any) -> int:
        nonlocal failed
        failed += 1
        if failed <= 3:
            raise RuntimeError("a defect")
        return really(connection)

    write(sqlite, 1)

    async def play() -> list[int]:
        feed = EventFeed(sqlite, NewsBell(sqlite))
        start = await feed.last()
        monkeypatch.setattr(following, "last_event", fails)
        async with aclosing(feed.follow(start)) as stream:
            # A look that failed is told like any other, so that a stream may end.
            assert await anext(stream) == ""
            while failed <= 3:
                assert await anext(stream) == ""
            write(sqlite, 2)
            return await ids(stream, 1)

    with capture_logs() as logs:
        assert asyncio.run(play()) == [2]
    assert [each["event"] for each in logs] == ["event-feed-failed"]


def test_an_event_of_a_later_version_keeps_back_none_of_the_others(sqlite: Database) -> None:
    for number in range(3):
        write(sqlite, number)
    with sqlite.write() as connection:
        connection.execute(text("PRAGMA ignore_check_constraints = 1"))
        connection.execute(text("UPDATE event SET kind = 'teleported' WHERE id = 2"))

    async def play() -> list[int]:
        feed = EventFeed(sqlite, NewsBell(sqlite))
        async with aclosing(feed.follow(0)) as stream:
            return await ids(stream, await feed.last() - 1)

    with capture_logs() as logs:
        found = asyncio.run(play())
    assert 2 not in found
    assert found[:2] == [1, 3]
    assert {each["event"] for each in logs} == {"event-not-told"}


@pytest.mark.postgresql
def test_a_writer_of_postgresql_rings_as_it_commits(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not by the clock: what wakes is the bell.
    monkeypatch.setattr(bells, "_NET_S", MOST_S)
    monkeypatch.setattr(bells, "LOOK_S", 0.0)

    async def play() -> None:
        bell = NewsBell(postgresql)
        async with bell.heard():
            heard = await listening(bell)
            write(postgresql, 1, fails=True)
            write(postgresql, 2)
            assert await bell.wait(heard) == heard + 1
            with postgresql.write():
                pass
            assert await bell.wait(heard + 1) == heard + 2

    asyncio.run(play())


@pytest.mark.postgresql
def test_a_listener_that_is_cut_off_is_replaced_and_looks_until_then(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bells, "_AGAIN_S", 0.5)

    async def play() -> None:
        bell = NewsBell(postgresql)
        feed = EventFeed(postgresql, bell)
        async with bell.heard(), aclosing(feed.follow(await feed.last())) as stream:
            heard = await listening(bell)
            write(postgresql, 1)
            await ids(stream, 1)
            with postgresql.brief() as connection:
                ended = connection.scalar(
                    text(
                        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                        "WHERE query LIKE 'LISTEN%' AND datname = current_database()"
                    )
                )
            assert ended == 1
            async with asyncio.timeout(MOST_S):
                while bell.listening and bell.count <= heard + 2:
                    await asyncio.sleep(0)
            write(postgresql, 2)
            await ids(stream, 1)
            # It rings once it hears again: what was written between is looked at.
            assert await listening(bell)

    asyncio.run(play())


async def listening(bell: NewsBell) -> int:
    """Return the count once the bell hears writers."""
    async with asyncio.timeout(MOST_S):
        while not bell.listening or not bell.count:
            await asyncio.sleep(0.01)
    return bell.count
