"""Opening the MASA's database, and its transactions."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Final

from sqlalchemy import Connection, create_engine, event, insert, inspect, select
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bootz.errors import ConfigError, Unavailable
from bootz.masa.store.schema import META, METADATA, SCHEMA_VERSION

_BUSY_TIMEOUT_S: Final = 30
"""Seconds that a writer waits for another writer."""

_BEGIN: Final = "masa_begin"


class Database:
    """An open database. Usable from several threads; each transaction has its own connection."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may write; commits at exit, undone by an error.

        Writers come one after the other from the first statement on (BEGIN IMMEDIATE), so that
        what a decision has read still holds when it writes.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view; never waits for a writer.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        with _converted(), self._engine.connect() as connection:
            connection.execution_options(**{_BEGIN: begin})
            with connection.begin() as transaction:
                yield connection
                # A dry run has rolled back by itself.
                if transaction.is_active:
                    transaction.commit()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def open_database(path: Path, *, create: bool = False) -> Database:
    """Open a MASA's database; with ``create`` make it, mode 0600.

    Raises:
        ConfigError: nothing there, or a database of another version.
        Unavailable: it cannot be opened.
    """
    if create:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            raise Unavailable(
                "masa-database-unavailable", str(error.strerror), where=str(path)
            ) from error
    elif not path.is_file():
        raise ConfigError("masa-folder-missing", "there is no database", where=str(path))
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        connect_args={"timeout": _BUSY_TIMEOUT_S, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    database = Database(engine)
    try:
        with database.write() if create else database.read() as connection:
            _check_schema(connection, create=create)
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def _converted() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        # The statement and its parameters stay out: they may hold digests of tokens.
        lines = str(error.orig).splitlines() or [type(error).__name__]
        raise Unavailable("masa-database-unavailable", lines[0], where="database") from error
    except PoolTimeoutError as error:
        raise Unavailable(
            "masa-database-unavailable", "all connections are busy", where="database"
        ) from error


def _prepare(connection: SqliteConnection, _record: object) -> None:
    # The driver would begin transactions by itself, deferred, and so lose the write lock's wait.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    # FULL: an issue is on the disk before its voucher leaves.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin(connection: Connection) -> None:
    begin = connection.get_execution_options().get(_BEGIN)
    if begin is not None:
        connection.exec_driver_sql(str(begin))


def _check_schema(connection: Connection, *, create: bool) -> None:
    if create:
        METADATA.create_all(connection)
        connection.execute(insert(META).values(key="schema", value=SCHEMA_VERSION))
    found = None
    if inspect(connection).has_table("meta"):
        found = connection.scalar(select(META.c.value).where(META.c.key == "schema"))
    if found != SCHEMA_VERSION:
        raise ConfigError(
            "masa-database-version",
            "the tables are of another version",
            where="database",
            expected=str(SCHEMA_VERSION),
            seen=str(found),
        )
