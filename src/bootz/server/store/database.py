"""Opening the database and its transactions; the one place that knows which engine it is."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    ColumnClause,
    Connection,
    Engine,
    bindparam,
    create_engine,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from bootz.errors import BootzError, ConfigError, Unavailable
from bootz.server.operations.audit import note
from bootz.server.store.actor import SERVER, Actor, set_actor
from bootz.server.store.listing import Execute
from bootz.server.store.migrations import SITE_SCHEMA
from bootz.server.store.schema import META, METADATA
from bootz.sql.engine import (
    LOCK_SECONDS,
    Begin,
    connected,
    make_file,
    sqlite_engine,
    transaction,
)
from bootz.sql.line import LineTurn, in_line, turn_at_once
from bootz.sql.prepared import Prepared
from bootz.sql.several_hosts import try_last_first
from bootz.sql.upgrade import OLDEST_PROGRAM

_UNAVAILABLE: Final = "database-unavailable"
_INVENTORY_LOCK: Final = select(META.c.value).where(META.c.key == "revision").with_for_update()
CHANNEL: Final = "bootz_news"
"""On which writers of a PostgreSQL tell, as they commit, that there is news."""
_RING: Final[ColumnClause[str]] = literal_column(f"pg_notify('{CHANNEL}', '')")
JOURNAL_LOCK: Final = Prepared(
    select(META.c.value, _RING).where(META.c.key == bindparam("key")).with_for_update()
)
"""With the key ``journal``: holds the journal until the transaction ends, on PostgreSQL.

It rings in the same statement, for those who follow the journal (``bell.py``).
"""
_INVENTORY_RING: Final = select(_RING)
_KEPT_LENGTH: Final = 8192
"""Characters of the longest statement that is kept compiled: longer ones list what is wanted."""
_PATIENCE: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 2,
    "tcp_user_timeout": 4_000,
}
"""How long a PostgreSQL may be silent, in seconds, and the last in milliseconds; the URL may say
otherwise. A machine whose power is gone ends no connection: who waits for it would wait for a
quarter of an hour, however soon another one takes over.
"""
_NEXT_S: Final = 2
"""``connect_timeout`` where the URL names several machines: then the next one is tried."""
_TOUCH: Final = update(META).where(META.c.key == "journal").values(value=META.c.value)


class Database:
    """An open database. Usable from several threads; each transaction has its own connection."""

    def __init__(
        self, engine: Engine, actor: Actor = SERVER, lock_seconds: float = LOCK_SECONDS
    ) -> None:
        self.engine = engine
        self._line = f"{engine.url.database}-line"
        self.actor = actor
        self._lock_seconds = lock_seconds

    @property
    def embedded(self) -> bool:
        """True for SQLite: a read is a function call, with no peer to wait for."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(
        self, actor: Actor | None = None, *, on: Connection | None = None
    ) -> Iterator[Connection]:
        """One transaction that may change the inventory; commits at exit, undone by an error.

        ``actor`` is whom the audit names; None: the one that the database was opened for. ``on``
        is the connection, of which nothing is under way; None: one of the pool.

        Such transactions come one after the other, in whatever process they are, so that what a
        verb has checked still holds when it writes.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        acting = actor or self.actor
        try:
            with self._inventory(acting, on) as connection:
                yield connection
        except Unavailable:
            raise
        except BootzError as error:
            if acting.doing:
                with self._inventory(acting, on) as connection:
                    note(connection, acting.doing, error.where, outcome=error.reason)
            raise

    @contextmanager
    def _inventory(self, acting: Actor, on: Connection | None) -> Iterator[Connection]:
        with self._transaction(Begin.WRITE, on) as connection:
            connection.execute(_INVENTORY_LOCK)
            if not self.embedded:
                connection.execute(_INVENTORY_RING)
            set_actor(connection, acting)
            yield connection

    @contextmanager
    def write_journal(self) -> Iterator[Connection]:
        """One transaction of the journal; events become visible in the order of their ids.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        with self.journal_turn(), self._transaction(Begin.WRITE) as connection:
            if not self.embedded:
                JOURNAL_LOCK.rows(connection, {"key": "journal"})
            yield connection

    def journal_turn(self) -> AbstractContextManager[None]:
        """The turn among all processes that write the journal, where the engine has no fair one.

        Raises:
            Unavailable: it did not come in the time that a lock is waited for.
        """
        if not self.embedded:
            return nullcontext()
        return in_line(Path(self._line), seconds=self._lock_seconds, unavailable=_UNAVAILABLE)

    def journal_turn_at_once(self) -> LineTurn | None:
        """The same turn with SQLite where no other writer has it; None: wait for it."""
        return turn_at_once(self._line)

    @property
    def lock_seconds(self) -> float:
        """How long another process's transaction is waited for."""
        return self._lock_seconds

    @contextmanager
    def brief(self) -> Iterator[Connection]:
        """One transaction that changes neither inventory nor journal, and waits for neither.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        with self._transaction(Begin.WRITE) as connection:
            yield connection

    @contextmanager
    def read(self, *, on: Connection | None = None) -> Iterator[Connection]:
        """One consistent view; never waits for a writer. ``on`` as of ``write``.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        with self._transaction(Begin.READ, on) as connection:
            yield connection

    @contextmanager
    def apart(self) -> Iterator[Connection]:
        """A connection that is closed at the end, and with it whatever is temporary in it.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        with connected(self.engine, unavailable=_UNAVAILABLE) as connection:
            connection.detach()
            yield connection

    @contextmanager
    def statements(self) -> Iterator[Connection]:
        """A connection on which each statement is its own transaction; for reads.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        with connected(self.engine, unavailable=_UNAVAILABLE) as connection:
            if self.embedded:
                yield connection
            else:
                yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def check_writable(self) -> None:
        """Write, and change nothing.

        Raises:
            Unavailable: the database does not answer, or takes nothing.
        """
        with self.write_journal() as connection:
            connection.execute(_TOUCH)

    def _transaction(
        self, begin: Begin, on: Connection | None = None
    ) -> AbstractContextManager[Connection]:
        return transaction(self.engine, begin, unavailable=_UNAVAILABLE, on=on)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def plain(connection: Connection) -> Execute:
    """Return what runs plain SQL on a connection, as lists want it."""

    def execute(statement: str, values: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        long = len(statement) > _KEPT_LENGTH
        prepared = Prepared(text(statement)) if long else _prepared(statement)
        return prepared.rows(connection, values)

    return execute


@lru_cache(64)
def _prepared(statement: str) -> Prepared:
    return Prepared(text(statement))


def open_engine(url: str) -> Engine:
    """Return an engine for a database that is there, whatever the version of its tables.

    Raises:
        ConfigError: the URL does not hold.
        Unavailable: there is no such file.
    """
    engine = _engine(_parse(url), LOCK_SECONDS)
    if engine.dialect.name == "sqlite":
        _find_file(engine.url, create=False)
    return engine


def open_database(
    url: str,
    *,
    create: bool = False,
    lock_seconds: float = LOCK_SECONDS,
    actor: Actor = SERVER,
) -> Database:
    """Open the database of a site, or make it.

    ``url`` is ``sqlite:////absolute/path`` or ``postgresql://…``. With ``create`` a missing
    SQLite file is made (mode 0600: profiles hold password hashes) and missing tables too.
    ``lock_seconds`` bounds the wait for another process's transaction. ``actor`` is whom the audit
    names for changes.

    Raises:
        ConfigError: not such a URL, or a database of another schema version.
        Unavailable: nothing there, or it does not answer.
    """
    engine = _engine(_parse(url), lock_seconds)
    try:
        if engine.dialect.name == "sqlite":
            _find_file(engine.url, create=create)
        database = Database(engine, actor, lock_seconds)
        with database._transaction(Begin.WRITE if create else Begin.READ) as connection:  # noqa: SLF001
            _check_schema(connection, create=create)
    except BaseException:
        engine.dispose()
        raise
    return database


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


def _engine(url: URL, lock_seconds: float) -> Engine:
    if url.get_backend_name() == "sqlite":
        return sqlite_engine(Path(str(url.database)), lock_seconds=lock_seconds)
    try:
        engine = create_engine(
            url,
            pool_pre_ping=False,
            hide_parameters=True,
            connect_args={
                **_patience(url),
                "options": f"-c synchronous_commit=on -c lock_timeout={lock_seconds * 1000:.0f}",
            },
        )
    except (ImportError, NoSuchModuleError) as error:
        raise ConfigError("database-url-invalid", "the PostgreSQL driver is missing") from error
    if _several(url):
        try_last_first(engine)
    return engine


def _several(url: URL) -> bool:
    hosts = url.query.get("host", "")
    return isinstance(hosts, tuple) or "," in hosts


def _patience(url: URL) -> Mapping[str, int]:
    patience = dict(_PATIENCE)
    if _several(url):
        patience["connect_timeout"] = _NEXT_S
    return {name: value for name, value in patience.items() if name not in url.query}


def _find_file(url: URL, *, create: bool) -> None:
    path = Path(str(url.database))
    if path.exists():
        return
    if not create:
        raise Unavailable("database-missing", "there is no database", where=str(path))
    try:
        make_file(path)
    except FileExistsError:
        pass
    except OSError as error:
        raise Unavailable(_UNAVAILABLE, str(error.strerror), where=str(path)) from error


def _check_schema(connection: Connection, *, create: bool) -> None:
    found = SITE_SCHEMA.found(connection)
    if found is None:
        if not create:
            raise ConfigError("database-missing", "it is empty, or not a database of this program")
        METADATA.create_all(connection)
        found = SITE_SCHEMA.version
        rows = {
            "schema": found,
            "revision": 1,
            "shared_revision": 1,
            "chassis": 0,
            "journal": 0,
            OLDEST_PROGRAM: SITE_SCHEMA.steps[-1].oldest_program,
        }
        connection.execute(insert(META), [{"key": k, "value": v} for k, v in rows.items()])
    SITE_SCHEMA.check(found, SITE_SCHEMA.oldest_program(connection))
