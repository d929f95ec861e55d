"""Opening the database and its transactions; the one place that knows which engine it is."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from bootz.errors import ConfigError, Unavailable
from bootz.server.store.schema import META, METADATA, SCHEMA_VERSION

_BUSY_TIMEOUT_S: Final = 30
"""Seconds that a writer waits for another process's transaction."""

_BEGIN: Final = "bootz_begin"
_INVENTORY_LOCK: Final = select(META.c.value).where(META.c.key == "revision").with_for_update()
_JOURNAL_LOCK: Final = select(META.c.value).where(META.c.key == "journal").with_for_update()


class Database:
    """An open database. Usable from several threads; each transaction has its own connection."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def embedded(self) -> bool:
        """True for SQLite: a read is a function call, with no peer to wait for."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may change the inventory; commits at exit, undone by an error.

        Such transactions come one after the other, in whatever process they are, so that what a
        verb has checked still holds when it writes.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            connection.execute(_INVENTORY_LOCK)
            yield connection

    @contextmanager
    def write_journal(self) -> Iterator[Connection]:
        """One transaction of the journal; events become visible in the order of their ids.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            if not self.embedded:
                connection.execute(_JOURNAL_LOCK)
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
    def statements(self) -> Iterator[Connection]:
        """A connection on which each statement is its own transaction; for reads.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        with _converted(), self.engine.connect() as connection:
            if self.embedded:
                yield connection
            else:
                yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        with _converted(), self.engine.connect() as connection:
            connection.execution_options(**{_BEGIN: begin})
            if not self.embedded and begin == "BEGIN":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin() as transaction:
                yield connection
                # A dry run has rolled back by itself.
                if transaction.is_active:
                    transaction.commit()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_database(url: str, *, create: bool = False) -> Database:
    """Open the database of a site, or make it.

    ``url`` is ``sqlite:////absolute/path`` or ``postgresql://…``. With ``create`` a missing
    SQLite file is made (mode 0600: profiles hold password hashes) and missing tables too.

    Raises:
        ConfigError: not such a URL, or a database of another schema version.
        Unavailable: nothing there, or it does not answer.
    """
    engine = _engine(_parse(url))
    try:
        if engine.dialect.name == "sqlite":
            _find_file(engine.url, create=create)
        database = Database(engine)
        with database._transaction("BEGIN IMMEDIATE" if create else "BEGIN") as connection:  # noqa: SLF001
            _check_schema(connection, create=create)
    except BaseException:
        engine.dispose()
        raise
    return database


@contextmanager
def _converted() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        # The statement and its parameters stay out: they may hold configuration.
        lines = str(error.orig).splitlines() or [type(error).__name__]
        raise Unavailable("database-unavailable", lines[0], where="database") from error


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigError("database-url-invalid", "the URL cannot be read") from error
    match parsed.get_backend_name():
        case "sqlite":
            if not parsed.database or parsed.database == ":memory:" or parsed.query:
                raise ConfigError("database-url-invalid", "sqlite needs the path of a file")
            return parsed.set(drivername="sqlite+pysqlite")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise ConfigError(
                "database-url-invalid",
                f"{other} is not supported",
                expected="sqlite or postgresql",
                seen=other,
            )


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url, connect_args={"timeout": _BUSY_TIMEOUT_S, "check_same_thread": False}
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(
            url,
            pool_pre_ping=False,
            connect_args={"connect_timeout": 10, "options": "-c synchronous_commit=on"},
        )
    except (ImportError, NoSuchModuleError) as error:
        raise ConfigError("database-url-invalid", "the PostgreSQL driver is missing") from error


def _prepare_sqlite(connection: SqliteConnection, _record: object) -> None:
    # The driver would begin transactions by itself, deferred, and so lose the write lock's wait.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    # FULL: a commit has reached the disk before anyone is told.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get(_BEGIN)
    if begin is not None:
        connection.exec_driver_sql(str(begin))


def _find_file(url: URL, *, create: bool) -> None:
    path = Path(str(url.database))
    if path.exists():
        return
    if not create:
        raise Unavailable("database-missing", "there is no database", where=str(path))
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise Unavailable("database-unavailable", str(error.strerror), where=str(path)) from error


def _check_schema(connection: Connection, *, create: bool) -> None:
    if not inspect(connection).has_table("meta"):
        if not create:
            raise ConfigError("database-missing", "it is empty, or no database of this program")
        METADATA.create_all(connection)
        rows = {
            "schema": SCHEMA_VERSION,
            "revision": 1,
            "shared_revision": 1,
            "chassis": 0,
            "journal": 0,
        }
        connection.execute(insert(META), [{"key": k, "value": v} for k, v in rows.items()])
    version = connection.scalar(select(META.c.value).where(META.c.key == "schema"))
    if version != SCHEMA_VERSION:
        raise ConfigError(
            "database-version",
            "the tables are of another version",
            where="database",
            expected=str(SCHEMA_VERSION),
            seen=str(version),
        )
