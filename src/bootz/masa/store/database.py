"""Opening the MASA's database, and its transactions."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, insert
from sqlalchemy.engine import Engine

from bootz.errors import ConfigError, Unavailable
from bootz.masa.store.migrations import MASA_SCHEMA
from bootz.masa.store.schema import META, METADATA
from bootz.sql.engine import LOCK_SECONDS, Begin, make_file, sqlite_engine, transaction

_UNAVAILABLE: Final = "masa-database-unavailable"


class MasaDatabase:
    """An open database. Usable from several threads; each transaction has its own connection."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self) -> AbstractContextManager[Connection]:
        """One transaction that may write; commits at exit, undone by an error.

        Writers come one after the other from the first statement on, so that what a decision
        has read still holds when it writes.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        return transaction(self._engine, Begin.WRITE, unavailable=_UNAVAILABLE)

    def read(self) -> AbstractContextManager[Connection]:
        """One consistent view; never waits for a writer.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        return transaction(self._engine, Begin.READ, unavailable=_UNAVAILABLE)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def open_database(
    path: Path, *, create: bool = False, lock_seconds: float = LOCK_SECONDS
) -> MasaDatabase:
    """Open a MASA's database; with ``create`` make it, mode 0600.

    ``lock_seconds`` bounds the wait for another process's transaction.

    Raises:
        ConfigError: nothing there, or a database of another version.
        Unavailable: it cannot be opened.
    """
    if create:
        try:
            make_file(path)
        except OSError as error:
            raise Unavailable(_UNAVAILABLE, str(error.strerror), where=str(path)) from error
    database = MasaDatabase(open_engine(path, lock_seconds=lock_seconds))
    try:
        with database.write() if create else database.read() as connection:
            _check_schema(connection, create=create)
    except BaseException:
        database.close()
        raise
    return database


def open_engine(path: Path, *, lock_seconds: float = LOCK_SECONDS) -> Engine:
    """Return an engine for a database that is there, whatever the version of its tables.

    Raises:
        ConfigError: there is no such file.
    """
    if not path.is_file():
        raise ConfigError("masa-folder-missing", "there is no database", where=str(path))
    return sqlite_engine(path, lock_seconds=lock_seconds)


def _check_schema(connection: Connection, *, create: bool) -> None:
    if create:
        METADATA.create_all(connection)
        connection.execute(insert(META).values(key="schema", value=MASA_SCHEMA.version))
    MASA_SCHEMA.check(MASA_SCHEMA.found(connection))
