"""Writers of one SQLite file stand in line, in whatever process they are.

SQLite's own wait for another writer looks again after ever longer pauses, up to a tenth of a
second: of two busy writers one starves, and the file is idle in between. The kernel wakes the next
in line at once.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def in_line(path: Path) -> Iterator[None]:
    """Hold the turn of a writer; waits for those who came before, however long they take.

    ``path`` is of a file that is made where it is not there. Where it cannot be made, nothing is
    waited for: the database itself keeps writers apart.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        # The lock goes with it.
        os.close(descriptor)
