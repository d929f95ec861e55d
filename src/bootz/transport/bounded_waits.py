"""Bounds one wait of a task after the other.

``asyncio.timeout`` makes and cancels a timer for each wait; a stream waits for every message and
for every answer, and hardly ever for too long. Here a timer stays, and looks again when it comes
too early.
"""

import asyncio
import math
from types import TracebackType
from typing import Self


class BoundedWaits:
    """Of the task that makes it: ``with waits.within(seconds): await ...``, never nested.

    A wait that takes longer ends in TimeoutError, as that of ``asyncio.timeout`` does. Say
    ``end`` after the last one.
    """

    def __init__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("no task waits")
        self._task = task
        self._loop = task.get_loop()
        self._seconds = 0.0
        # By the loop's clock: the end of this wait, and when the timer comes.
        self._until = self._due = math.inf
        self._timer: asyncio.Handle | None = None
        self._cancelling = 0
        self._expired = False

    def within(self, seconds: float) -> Self:
        """Bound the wait inside of this context."""
        self._seconds = seconds
        return self

    def __enter__(self) -> None:
        self._cancelling = self._task.cancelling()
        self._until = self._loop.time() + self._seconds
        if self._until < self._due:
            self._come_at(self._until)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._until = math.inf
        if self._expired:
            self._expired = False
            # More than one cancellation: someone else wants the task to end, too.
            only = self._task.uncancel() <= self._cancelling
            if only and kind is not None and issubclass(kind, asyncio.CancelledError):
                raise TimeoutError from error

    def lose(self) -> None:
        """End the present wait at once, if there is one."""
        if self._until < math.inf:
            self._until = self._loop.time()
            self._come_at(self._until)

    def end(self) -> None:
        """Forget the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._due = math.inf

    def _come_at(self, due: float) -> None:
        self.end()
        self._due = due
        self._timer = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        self._timer, self._due = None, math.inf
        if self._until <= self._loop.time():
            self._until = math.inf
            self._expired = True
            self._task.cancel()
        elif self._until < math.inf:
            self._come_at(self._until)
