"""Engines and transactions: what is committed has reached the disk before anyone is told.

The driver's own transactions are switched off for SQLite: they would begin deferred, and so lose
the wait for another writer's lock.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bootz.errors import Unavailable

LOCK_SECONDS: Final = 30.0
"""Seconds that a writer waits for another process's transaction, where no call waits for it."""

_BEGIN: Final = "bootz_begin"


class Begin(Enum):
    """How a transaction begins; the words are SQLite's."""

    READ = "BEGIN"
    """One consistent view, which never waits for a writer."""
    WRITE = "BEGIN IMMEDIATE"
    """The only writer from the first statement on, so that what was read still holds."""


def sqlite_engine(path: Path, *, lock_seconds: float = LOCK_SECONDS) -> Engine:
    """Return an engine for a file: WAL, every commit flushed to the disk, foreign keys kept.

    ``lock_seconds`` bounds the wait for another process's transaction.
    """
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        # Parameters hold configuration; they have no place in a traceback.
        hide_parameters=True,
        connect_args={"timeout": lock_seconds, "check_same_thread": False},
    )

    def prepare(connection: SqliteConnection, _record: object) -> None:
        _mend_modes(path)
        _prepare(connection)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin)
    return engine


def make_file(path: Path) -> None:
    """Make an empty file for a database, mode 0600: it will hold hashes of secrets.

    Raises:
        OSError: it is there already (FileExistsError), or cannot be made.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


@contextmanager
def transaction(
    engine: Engine, begin: Begin, *, unavailable: str, on: Connection | None = None
) -> Iterator[Connection]:
    """One transaction: commits at exit, undone by an error.

    ``unavailable`` is the reason's code when the database does not answer. ``on`` is a connection
    that is open; None: one of the pool.

    Raises:
        Unavailable: it does not answer, or refuses.
    """
    opened = connected(engine, unavailable=unavailable) if on is None else _open(on, unavailable)
    with opened as connection:
        connection.execution_options(**{_BEGIN: begin.value})
        if begin is Begin.READ and engine.dialect.name != "sqlite":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin() as begun:
            yield connection
            # A dry run has rolled back by itself.
            if begun.is_active:
                begun.commit()


@contextmanager
def connected(engine: Engine, *, unavailable: str) -> Iterator[Connection]:
    """A connection of the pool; where it fails, it and all that wait in the pool are dropped.

    A connection keeps what it met when it was opened, such as a file that could only be read.

    Raises:
        Unavailable: the database does not answer, or refuses.
    """
    with converted(unavailable), engine.connect() as connection:
        try:
            yield connection
        except DBAPIError as error:
            if not isinstance(error, IntegrityError | DataError | ProgrammingError):
                connection.invalidate(error)
                engine.dispose()
            raise


@contextmanager
def _open(connection: Connection, unavailable: str) -> Iterator[Connection]:
    with converted(unavailable):
        yield connection


@contextmanager
def converted(unavailable: str) -> Iterator[None]:
    """Turn the database's errors into ``Unavailable`` with that reason."""
    try:
        yield
    except DBAPIError as error:
        # The statement and its parameters stay out: they may hold configuration or digests.
        lines = str(error.orig).splitlines() or [type(error).__name__]
        raise Unavailable(unavailable, lines[0], where="database") from error
    except PoolTimeoutError as error:
        raise Unavailable(unavailable, "all connections are in use", where="database") from error


def _mend_modes(path: Path) -> None:
    """Give the files beside a database the mode that it has now.

    SQLite makes them with the database's mode at that time. Made while it could only be read, they
    would keep it from being written for ever, whatever becomes of its own mode.
    """
    for beside in (path.with_name(f"{path.name}-shm"), path.with_name(f"{path.name}-wal")):
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & ~stat.S_IMODE(beside.stat().st_mode):
                beside.chmod(mode)
        except OSError:
            # Not there, or another user's: the connection itself tells what it cannot do.
            continue


def _prepare(connection: SqliteConnection) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    # FULL: a commit has reached the disk before anyone is told.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin(connection: Connection) -> None:
    begin = connection.get_execution_options().get(_BEGIN)
    if begin is not None:
        connection.exec_driver_sql(str(begin))
