"""Opening the MASA's database, and its transactions."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, insert, inspect, select
from sqlalchemy.engine import Engine

from bootz.errors import ConfigError, Unavailable
from bootz.masa.store.schema import META, METADATA, SCHEMA_VERSION
from bootz.sql.engine import Begin, make_file, sqlite_engine, transaction

_UNAVAILABLE: Final = "masa-database-unavailable"


class Database:
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


def open_database(path: Path, *, create: bool = False) -> Database:
    """Open a MASA's database; with ``create`` make it, mode 0600.

    Raises:
        ConfigError: nothing there, or a database of another version.
        Unavailable: it cannot be opened.
    """
    if create:
        try:
            make_file(path)
        except OSError as error:
            raise Unavailable(_UNAVAILABLE, str(error.strerror), where=str(path)) from error
    elif not path.is_file():
        raise ConfigError("masa-folder-missing", "there is no database", where=str(path))
    database = Database(sqlite_engine(path))
    try:
        with database.write() if create else database.read() as connection:
            _check_schema(connection, create=create)
    except BaseException:
        database.close()
        raise
    return database


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
