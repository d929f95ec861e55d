"""One process of all that work for a site leads: it keeps vouchers, or sends webhooks.

The lock belongs to the database, and goes with the process: a leader that dies, or whose connection
ends, is replaced by whichever process asks next.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bootz.errors import Unavailable
from bootz.server.store.database import Database

_LOCK: Final = text("SELECT pg_try_advisory_lock(:key)")
_UNLOCK: Final = text("SELECT pg_advisory_unlock(:key)")
_ALIVE: Final = text("SELECT 1")
_KEYS: Final = {
    "leader": 0x626F6F747A,
    "webhooks": 0x626F6F747A77,
    "sources": 0x626F6F747A73,
}
"""The word ``bootz``, and two with a letter more; PostgreSQL keeps such locks apart for each
database.
"""


class Leadership(Protocol):
    """A lock that one process holds. The calls block shortly; one at a time."""

    def hold(self) -> bool:
        """Take the lock where it is free, and tell whether this process has it now."""

    def release(self) -> None:
        """Let another process have it."""


def leadership(
    database: Database, work: Literal["leader", "webhooks", "sources"] = "leader"
) -> Leadership:
    """Return the lock of a database for some work; it is not held yet."""
    if database.embedded:
        path = Path(str(database.engine.url.database))
        return FileLeadership(path.with_name(f"{path.name}-{work}"))
    return SessionLeadership(database.engine, _KEYS[work])


class FileLeadership:
    """Beside a SQLite file, which only processes of one machine use: a lock of the kernel.

    Args:
        path: of a file that is made where it is not there; it stays empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def hold(self) -> bool:
        """Take the lock where it is free, and tell whether this process has it now.

        Raises:
            Unavailable: the file cannot be made.
        """
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(
                "database-unavailable", str(error.strerror), where=str(self._path)
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let another process have it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class SessionLeadership:
    """An advisory lock of PostgreSQL; it ends with the connection, whichever side ends that.

    Args:
        engine: gives a connection that is used for nothing else.
        key: of the lock.
    """

    def __init__(self, engine: Engine, key: int) -> None:
        self._engine = engine
        self._key = key
        self._connection: Connection | None = None

    def hold(self) -> bool:
        """Take the lock where it is free, and tell whether this process has it now.

        Raises:
            Unavailable: the database does not answer.
        """
        try:
            if self._connection is not None:
                self._connection.execute(_ALIVE)
                return True
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if connection.scalar(_LOCK, {"key": self._key}):
                # Kept out of the pool, whose connections come and go.
                connection.detach()
                self._connection = connection
                return True
            connection.close()
        except (DBAPIError, PoolTimeoutError) as error:
            self.release()
            raise Unavailable(
                "database-unavailable", "it does not answer", where="database"
            ) from error
        return False

    def release(self) -> None:
        """Let another process have it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                # Said first: the server ends a session some time after its connection is closed.
                connection.execute(_UNLOCK, {"key": self._key})
            with suppress(SQLAlchemyError):
                connection.close()
