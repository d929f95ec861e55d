"""A database that is locked, or can only be read: one clear error, and no after-effect."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select, update
from store.cluster import Cluster
from store.world import call, maker

from bootz.errors import Unavailable
from bootz.masa.store import database as masa_database
from bootz.masa.store.schema import META as MASA_META
from bootz.server.operations.chassis import ChassisRecord, add_chassis
from bootz.server.operations.vendors import add_vendor
from bootz.server.store.attempts import latest_attempts
from bootz.server.store.database import Database, open_database, open_engine
from bootz.server.store.inventory import SqlInventory
from bootz.server.store.journal import SqlJournal

_NOBODY = 65534


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder in which the rights of files count, also where the tests run as root."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    user = os.geteuid()
    if user == 0:
        os.chown(folder, _NOBODY, _NOBODY)
        os.seteuid(_NOBODY)
    try:
        yield folder
    finally:
        os.seteuid(user)
        shutil.rmtree(folder)


def filled(url: str) -> None:
    database = open_database(url, create=True)
    with database.write() as connection:
        add_vendor(connection, maker().vendor)
        add_chassis(connection, ChassisRecord("Acme", "FX1", hostname="r1"))
    database.close()


@pytest.mark.parametrize("patience", ["the lock ends it", "the caller ends it"])
def test_a_locked_database_is_told_in_time_and_used_again_afterwards(
    url: str, patience: str
) -> None:
    filled(url)
    other = open_database(url)
    lock_seconds, waits = (0.05, 3600.0) if patience == "the lock ends it" else (3600.0, 1.5)
    database = open_database(url, lock_seconds=lock_seconds)
    told: list[bool] = []

    async def story() -> None:
        journal = SqlJournal(
            database, patience=waits, on_writable=lambda: told.append(journal.writable)
        )
        journal.start()
        with other.write_journal(), pytest.raises(Unavailable) as caught:
            await journal.record(call())
        assert caught.value.reason == "database-unavailable"
        await journal.probe()
        assert journal.writable
        await journal.record(call())
        await journal.close()

    asyncio.run(story())
    # With a short wait for the lock the journal itself met it; else only its caller gave up.
    assert told == ([False, True] if patience == "the lock ends it" else [])
    database.close()
    other.close()


def test_a_probe_tells_a_lock(url: str) -> None:
    filled(url)
    other = open_database(url)
    database = open_database(url, lock_seconds=0.05)

    async def story() -> None:
        journal = SqlJournal(database)
        with other.write_journal():
            await journal.probe()
            assert not journal.writable
        await journal.probe()
        assert journal.writable

    asyncio.run(story())
    database.close()
    other.close()


@pytest.mark.parametrize("beside", ["nothing beside it", "files beside it"])
def test_a_file_that_could_only_be_read_is_written_once_it_may_be(
    unprivileged: Path, beside: str
) -> None:
    path = unprivileged / "bootz.db"
    url = f"sqlite:///{path}"
    filled(url)
    # Another process that has it open keeps the files beside it, with the mode of better days.
    other: Database | None = None
    if beside == "files beside it":
        other = open_database(url)
        other.check_writable()
    path.chmod(0o400)
    database = open_database(url)

    async def story() -> None:
        inventory = SqlInventory(database)
        journal = SqlJournal(database)
        journal.start()
        # Several connections wait in the pool, and all of them only read.
        with database.read(), database.read(), database.read():
            pass
        # What can be read is served; what cannot be written is told.
        assert len(await inventory.chassis_of_serial("FX1")) == 1
        # One is in use while the others are dropped; it must not outlive its return.
        with database.read(), pytest.raises(Unavailable) as caught:
            await journal.record(call())
        assert caught.value.reason == "database-unavailable"
        assert not journal.writable
        inventory.reconnect()
        with database.read():
            await journal.probe()
        assert not journal.writable
        path.chmod(0o600)
        inventory.reconnect()
        await journal.probe()
        assert journal.writable
        await journal.record(call())
        assert len(await inventory.chassis_of_serial("FX1")) == 1
        await inventory.close()
        await journal.close()

    asyncio.run(story())
    with database.read() as connection:
        assert len(latest_attempts(connection)) == 1
    database.close()
    if other is not None:
        other.close()


def test_a_masas_file_that_could_only_be_read_is_written_once_it_may_be(
    unprivileged: Path,
) -> None:
    path = unprivileged / "masa.db"
    masa_database.open_database(path, create=True).close()
    path.chmod(0o400)
    database = masa_database.open_database(path)
    with database.read(), database.read(), database.read():
        pass

    def write() -> None:
        with database.write() as connection:
            connection.execute(update(MASA_META).values(value=MASA_META.c.value))

    with pytest.raises(Unavailable) as caught:
        write()
    assert caught.value.reason == "masa-database-unavailable"
    path.chmod(0o600)
    write()
    with database.read() as connection:
        assert connection.scalar(select(MASA_META.c.value)) is not None
    database.close()


@pytest.mark.postgresql
def test_a_silent_postgresql_is_given_up_after_seconds_that_the_url_may_choose(
    cluster: Cluster,
) -> None:
    def patience(url: str) -> dict[str, str]:
        engine = open_engine(url)
        with engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            told = driver.info.get_parameters()
        engine.dispose()
        return told

    url = cluster.url()
    assert patience(url).items() >= {"connect_timeout": "10", "tcp_user_timeout": "4000"}.items()
    several = patience(url.replace("host=", "host=/nowhere,"))
    assert several.items() >= {"connect_timeout": "2", "tcp_user_timeout": "4000"}.items()
    chosen = patience(f"{url}&connect_timeout=7&tcp_user_timeout=9000")
    assert chosen.items() >= {"connect_timeout": "7", "tcp_user_timeout": "9000"}.items()


class _Silent:
    """What a lost machine leaves: it takes connections, and ends each; ``met`` counts them."""

    def __init__(self, folder: Path) -> None:
        self.met = 0
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(folder / ".s.PGSQL.5432"))
        self._socket.listen()
        self._thread = threading.Thread(target=self._refuse, daemon=True)
        self._thread.start()

    def _refuse(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.met += 1
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.mark.postgresql
def test_a_lost_machine_is_met_once_and_then_the_other_one_first(cluster: Cluster) -> None:
    with tempfile.TemporaryDirectory() as folder:
        silent = _Silent(Path(folder))
        engine = open_engine(cluster.url().replace("host=", f"host={folder},"))
        for _ in range(3):
            with engine.connect() as connection:
                assert connection.scalar(select(1)) == 1
            # What is in the pool is gone, as after a connection that failed.
            engine.dispose()
        silent.close()
    assert silent.met == 1
