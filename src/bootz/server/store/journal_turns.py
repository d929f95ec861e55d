"""The journal's own connection: each turn on it is one transaction.

The connection stays open between turns, and begin and commit go to the driver. A connection that
failed is dropped with all that wait in the pool, as those of ``bootz.sql.engine`` are.

With SQLite a turn that no other writer has can be begun at once and written where one is; only its
commit, which waits for the disk, is then left to a thread. One that has to be waited for is waited
for in the thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from bootz.server.store.database import JOURNAL_LOCK, Database
from bootz.sql.engine import Begin, converted
from bootz.sql.line import LineTurn
from bootz.sql.prepared import converted_error, driver_of

_UNAVAILABLE = "database-unavailable"


class JournalTurns:
    """Transactions of one writer, one after the other: never used by two threads at a time.

    Args:
        database: where the journal is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._patient = True
        self._begun: LineTurn | None = None

    @contextmanager
    def turn(self) -> Iterator[Connection]:
        """One transaction of the journal; commits at exit, undone by an error.

        When it has ended well, what was written has reached the disk.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        with self._database.journal_turn(), converted(_UNAVAILABLE):
            connection = self._connection
            if connection is None:
                connection = self._connection = self._database.engine.connect()
                self._patient = True
            try:
                with _driver_errors(connection):
                    self._wait_for_others(connection, patient=True)
                    self._begin(connection)
                    yield connection
                    self._commit(connection)
            except BaseException as error:
                self._undo(connection, error)
                raise

    @property
    def at_once(self) -> bool:
        """Whether a turn can be begun at once, when no other writer has its own."""
        return self._connection is not None and self._database.embedded

    def begin_at_once(self) -> Connection | None:
        """Begin a turn, which ``commit`` or ``give_up`` ends; None: use ``turn`` in a thread.

        Never waits: None where another writer is at work, where the connection is not open yet
        or does not do, and for every engine but SQLite.
        """
        connection = self._connection
        if connection is None or not self._database.embedded:
            return None
        line = self._database.journal_turn_at_once()
        if line is None:
            return None
        try:
            self._wait_for_others(connection, patient=False)
            self._begin(connection)
        except connection.dialect.loaded_dbapi.Error:
            # Another writer's transaction, or a fault that the thread will meet and tell.
            line.leave()
            return None
        except BaseException:
            line.leave()
            raise
        self._begun = line
        return connection

    def commit(self) -> None:
        """End the turn that was begun at once. What was written has then reached the disk.

        Raises:
            Unavailable: the database refuses; nothing of it was written.
        """
        connection = self._connection
        if connection is None or self._begun is None:
            raise RuntimeError("no turn was begun")
        try:
            with converted(_UNAVAILABLE):
                try:
                    with _driver_errors(connection):
                        self._commit(connection)
                except BaseException as error:
                    self._undo(connection, error)
                    raise
        finally:
            self._leave_line()

    def give_up(self, error: BaseException) -> None:
        """Undo the turn that was begun at once."""
        if self._connection is not None:
            self._undo(self._connection, error)
        self._leave_line()

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def _leave_line(self) -> None:
        line, self._begun = self._begun, None
        if line is not None:
            line.leave()

    def _wait_for_others(self, connection: Connection, *, patient: bool) -> None:
        """Let SQLite wait for another writer's transaction, or not at all."""
        if self._database.embedded and patient is not self._patient:
            milliseconds = int(self._database.lock_seconds * 1000) if patient else 0
            driver_of(connection).execute(f"PRAGMA busy_timeout={milliseconds}").close()
            self._patient = patient

    def _begin(self, connection: Connection) -> None:
        if self._database.embedded:
            driver_of(connection).execute(Begin.WRITE.value)
        else:
            # The driver begins by itself.
            JOURNAL_LOCK.rows(connection, {"key": "journal"})

    def _commit(self, connection: Connection) -> None:
        if connection.in_transaction():
            # SQLAlchemy has seen a statement; the transaction is the driver's all the same.
            connection.commit()
        else:
            driver_of(connection).commit()

    def _undo(self, connection: Connection, error: BaseException) -> None:
        if isinstance(error, DBAPIError) and not isinstance(
            error, IntegrityError | DataError | ProgrammingError
        ):
            self._connection = None
            connection.invalidate(error)
            connection.close()
            self._database.engine.dispose()
            return
        with suppress(DBAPIError):
            connection.rollback()
        try:
            driver_of(connection).rollback()
        except connection.dialect.loaded_dbapi.Error:
            self._connection = None
            connection.invalidate()
            connection.close()


@contextmanager
def _driver_errors(connection: Connection) -> Iterator[None]:
    """Turn what the driver raises itself into SQLAlchemy's errors."""
    try:
        yield
    except connection.dialect.loaded_dbapi.Error as error:
        raise converted_error(connection, "", error) from error
