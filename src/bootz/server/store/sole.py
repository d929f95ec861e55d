"""One of many processes does something: a lock that goes with its process, however it ends.

PostgreSQL keeps it with a connection, the system with an open file beside an SQLite database. No
clock decides.
"""

import fcntl
import hashlib
import os
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from bootz.errors import Unavailable
from bootz.server.store.database import Database

_TRY: Final = text("SELECT pg_try_advisory_lock(:key)")
_GIVE_BACK: Final = text("SELECT pg_advisory_unlock(:key)")
_ALIVE: Final = text("SELECT 1")


class Sole:
    """The right to do something alone; belongs to one thread at a time.

    Args:
        database: whose processes share it.
        name: of what is done alone.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._connection: Connection | None = None
        self._file: int | None = None

    def held(self) -> bool:
        """Return whether this process has the right, which it takes where it is free.

        Raises:
            Unavailable: it cannot be known.
        """
        return self._held_file() if self._database.embedded else self._held_connection()

    def release(self) -> None:
        """Give it back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                connection.execute(_GIVE_BACK, {"key": _number(self._name)})
            except SQLAlchemyError:
                # Gone, and the lock with it; not to be used again in any case.
                connection.invalidate()
            connection.close()

    def _held_file(self) -> bool:
        if self._file is not None:
            return True
        database = Path(str(self._database.engine.url.database))
        path = database.with_name(f"{database.name}-{self._name}.lock")
        try:
            opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(
                "file-unwritable", f"cannot be written: {error.strerror}", where=str(path)
            ) from error
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(opened)
            return False
        self._file = opened
        return True

    def _held_connection(self) -> bool:
        try:
            if self._connection is not None:
                self._connection.execute(_ALIVE)
                return True
            connection = self._database.engine.connect()
            connection.execution_options(isolation_level="AUTOCOMMIT")
            if connection.scalar(_TRY, {"key": _number(self._name)}):
                self._connection = connection
                return True
            connection.close()
        except SQLAlchemyError as error:
            self.release()
            raise Unavailable(
                "database-unavailable", type(error).__name__, where="database"
            ) from error
        return False


def _number(name: str) -> int:
    """Return the key of a lock: 63 bits of the name's digest."""
    return int.from_bytes(hashlib.sha256(f"bootz {name}".encode()).digest()[:8]) >> 1
