"""A server that does not lead tells the leader, by the database, of cards that routers wait for."""

from __future__ import annotations

import asyncio
from pathlib import Path

from store.fresh import fresh_database

from bootz.server.store.database import Database
from bootz.server.store.waiting_cards import forget_waiting, read_waiting, waiting_name
from bootz.server.waiting_elsewhere import WaitingElsewhere


def told(database: Database) -> frozenset[str]:
    with database.read() as connection:
        return read_waiting(connection)


def forget(database: Database) -> None:
    with database.write() as connection:
        forget_waiting(connection, read_waiting(connection))


def test_each_card_is_told_of_once_and_again_later(tmp_path: Path) -> None:
    database = fresh_database(tmp_path / "bootz.db")
    at = [0.0]
    waiting = WaitingElsewhere(database, lambda: at[0])

    async def story() -> None:
        await waiting.tend(leads=False)
        assert told(database) == frozenset()
        waiting.hear(["A1", "a1", "B2"])
        await waiting.tend(leads=False)
        assert told(database) == {waiting_name("A1"), waiting_name("b2")}
        forget(database)
        waiting.hear(["A1"])
        await waiting.tend(leads=False)
        assert told(database) == frozenset()
        at[0] = 31.0
        await waiting.tend(leads=False)
        waiting.hear(["A1"])
        await waiting.tend(leads=False)
        assert told(database) == {waiting_name("A1")}

    asyncio.run(story())
    database.close()


def test_a_server_that_leads_tells_no_one(tmp_path: Path) -> None:
    database = fresh_database(tmp_path / "bootz.db")
    waiting = WaitingElsewhere(database, lambda: 0.0)

    async def story() -> None:
        waiting.hear(["A1"])
        await waiting.tend(leads=True)
        await waiting.tend(leads=False)

    asyncio.run(story())
    assert told(database) == frozenset()
    database.close()


def test_a_night_of_waiting_routers_is_told_at_once(tmp_path: Path) -> None:
    """More cards than one statement names, and some that were told of before."""
    database = fresh_database(tmp_path / "bootz.db")
    cards = [f"FX{number}" for number in range(1_201)]

    async def story() -> None:
        for server in (cards[:700], cards):
            waiting = WaitingElsewhere(database, lambda: 0.0)
            waiting.hear(server)
            await waiting.tend(leads=False)

    asyncio.run(story())
    assert told(database) == {waiting_name(card) for card in cards}
    forget(database)
    assert told(database) == frozenset()
    database.close()
