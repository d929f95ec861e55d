"""One sync of a source at a time, over all processes of a site.

With PostgreSQL an advisory lock, which ends with its connection; with SQLite, whose processes are
all on one machine, a lock on a file. Neither outlives a process that is killed.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import text

from bootz.errors import Unavailable, unreadable
from bootz.server.store.database import Database

_TRY: Final = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_END: Final = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")


@contextmanager
def one_sync(database: Database, root: Path, name: str) -> Iterator[None]:
    """Hold a source's lock within the block.

    Raises:
        Unavailable: ``source-busy-elsewhere``: a sync is running; or the lock cannot be had.
    """
    if database.embedded:
        with _file_lock(root / "sources" / f".{name}.lock", name):
            yield
        return
    with database.statements() as connection:
        values = {"name": f"bootz source {name}"}
        if not connection.scalar(_TRY, values):
            raise _busy(name)
        try:
            yield
        finally:
            connection.execute(_END, values)


@contextmanager
def _file_lock(path: Path, name: str) -> Iterator[None]:
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _busy(name) from None
        yield
    finally:
        os.close(opened)


def _busy(name: str) -> Unavailable:
    return Unavailable("source-busy-elsewhere", "a sync is running", where=name)
