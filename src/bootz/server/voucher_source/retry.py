"""When a call is tried again, and when a service is not called for a while.

Source: docs/protocol/ovgs.md#the-client (3).
"""

from collections.abc import Callable
from typing import Final

MAX_TRIES: Final = 4
FIRST_S: Final = 0.5
"""Seconds that bound the wait after the first failure; doubled with each."""
MOST_S: Final = 8.0

OPEN_S: Final = 30.0
"""Seconds for which a breaker stays open."""
FAILURES: Final = 5
"""Straight failures that open it."""


class Breaker:
    """Counts straight failures of an endpoint; open, it lets no call through.

    Args:
        monotonic: seconds that only grow.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._failures = 0
        self._open_until: float | None = None

    def wait(self) -> float:
        """Return the seconds until a call may be made, 0 for now."""
        if self._open_until is None:
            return 0.0
        return max(0.0, self._open_until - self._monotonic())

    def succeeded(self) -> None:
        """The endpoint has answered, be it with a refusal."""
        self._failures = 0
        self._open_until = None

    def failed(self) -> None:
        """The endpoint has not answered. After the pause one failure opens it again."""
        self._failures += 1
        if self._failures >= FAILURES:
            self._open_until = self._monotonic() + OPEN_S
