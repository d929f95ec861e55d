"""How much of a core this process leaves unused."""

import time
from collections.abc import Callable


class SpareTime:
    """Compares the time that this process has used with the time that has passed.

    Args:
        used: seconds of CPU that all threads of this process have used since its start.
    """

    def __init__(self, used: Callable[[], float] = time.process_time) -> None:
        self._used = used
        self._before = (used(), 0.0)

    def since_last(self, now: float) -> float:
        """Return the part of one core that was not used since the last call, from 0 to 1.

        Args:
            now: seconds on a clock that only rises.
        """
        used, (used_before, before) = self._used(), self._before
        self._before = (used, now)
        passed = now - before
        return 1.0 if passed <= 0 else min(1.0, max(0.0, 1 - (used - used_before) / passed))
