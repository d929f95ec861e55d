"""Writers of one SQLite file stand in line, in whatever process they are.

SQLite's own wait for another writer looks again after ever longer pauses, up to a tenth of a
second: of two busy writers one starves, and the file is idle in between. The kernel wakes the next
in line at once.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootz.errors import Unavailable


@contextmanager
def in_line(path: Path, *, seconds: float, unavailable: str) -> Iterator[None]:
    """Hold the turn of a writer; waits for those who came before.

    ``path`` is of a file that is made where it is not there. Where it cannot be made, nothing is
    waited for: the database itself keeps writers apart. ``unavailable`` is the reason's code when
    the turn does not come within ``seconds``, or the file cannot be locked.

    Raises:
        Unavailable: the turn did not come.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    place = LineTurn(descriptor)
    try:
        try:
            taken = place.taken_at_once() or place.taken_within(seconds)
        except OSError as error:
            raise Unavailable(
                unavailable, f"it cannot be locked: {error.strerror}", where=str(path)
            ) from error
        if not taken:
            raise Unavailable(
                unavailable, f"other writers have held it for {seconds:g} s", where="database"
            )
        yield
    finally:
        place.leave()


def turn_at_once(path: str) -> "LineTurn | None":
    """Return the turn of a writer where no other writer has it, None where it must be waited for.

    ``path`` as that of ``in_line``; where the file cannot be made, nothing is waited for.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        return LineTurn(None)
    turn = LineTurn(descriptor)
    try:
        taken = turn.taken_at_once()
    except OSError:
        # Whoever waits for it will meet this, too, and can tell it.
        taken = False
    if taken:
        return turn
    turn.leave()
    return None


class LineTurn:
    """One who waits, and then has the turn. The lock goes with the descriptor.

    ``descriptor`` None is a turn that nothing keeps.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._state = threading.Lock()
        self._waits = self._left = False
        self._fault: OSError | None = None

    def taken_at_once(self) -> bool:
        """Take it where no other writer has it.

        Raises:
            OSError: the file cannot be locked.
        """
        if self._descriptor is not None:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def taken_within(self, seconds: float) -> bool:
        """Wait for it, so many seconds at most.

        Raises:
            OSError: the file cannot be locked.
        """
        # The kernel's wait has no end, so another thread has it.
        self._waits = True
        waiting = threading.Thread(target=self._wait, name="line", daemon=True)
        waiting.start()
        waiting.join(min(seconds, threading.TIMEOUT_MAX))
        with self._state:
            if self._fault is not None:
                raise self._fault
            return not self._waits

    def leave(self) -> None:
        """Let the next one have it."""
        with self._state:
            self._left = True
            if not self._waits:
                self._close()

    def _wait(self) -> None:
        fault = None
        try:
            if self._descriptor is not None:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as error:
            fault = error
        with self._state:
            self._waits, self._fault = False, fault
            if self._left:
                # It came too late, and is the next one's.
                self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
