"""The journal's own connection: each turn on it is one transaction.

The connection stays open between turns, and begin and commit go to the driver. A connection that
failed is dropped with all that wait in the pool, as those of ``bootz.sql.engine`` are.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from bootz.server.store.database import JOURNAL_LOCK, Database
from bootz.sql.engine import Begin, converted
from bootz.sql.prepared import converted_error, driver_of

_UNAVAILABLE = "database-unavailable"


class JournalTurns:
    """Transactions of one writer, one after the other. Belongs to one thread.

    Args:
        database: where the journal is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None

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
            try:
                with _driver_errors(connection):
                    self._begin(connection)
                    yield connection
                    self._commit(connection)
            except BaseException as error:
                self._undo(connection, error)
                raise

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

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
