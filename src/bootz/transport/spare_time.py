"""How much of a core this process leaves unused, and could have."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

_SCHEDSTAT: Final = Path("/proc/thread-self/schedstat")
"""Nanoseconds on a core, and nanoseconds that were waited for one (Documentation/scheduler/
sched-stats.rst of Linux)."""


def waited_for_a_core() -> float:
    """Return the seconds for which this thread was ready and had to wait for a core.

    0 where the system does not tell.
    """
    try:
        return int(_SCHEDSTAT.read_bytes().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class SpareTime:
    """Compares the time that this process has used, or waited for, with the time that has passed.

    What others on this machine took from it is not there to be spent either.

    Args:
        used: seconds of CPU that all threads of this process have used since its start.
        waited: seconds for which the calling thread has waited for a core.
    """

    def __init__(
        self,
        used: Callable[[], float] = time.process_time,
        waited: Callable[[], float] = waited_for_a_core,
    ) -> None:
        self._used = used
        self._waited = waited
        self._before = (used() + waited(), 0.0)

    def since_last(self, now: float) -> float:
        """Return the part of one core that was to spare since the last call, from 0 to 1.

        Args:
            now: seconds on a clock that only rises.
        """
        wanted, (wanted_before, before) = self._used() + self._waited(), self._before
        self._before = (wanted, now)
        passed = now - before
        return 1.0 if passed <= 0 else min(1.0, max(0.0, 1 - (wanted - wanted_before) / passed))
