"""Refused logins cost more each time: by account, and by address.

Pure of the clock: ``monotonic`` is seconds that never jump. What is kept is bounded; whoever
fills it with names slows down no one else, because addresses are counted too.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

MOST_KEPT: Final = 10_000
FREE_TRIES: Final = 5
"""Refusals before a wait begins; a person mistypes."""
LONGEST_WAIT_S: Final = 900.0
FORGOTTEN_AFTER_S: Final = 3600.0


@dataclass(slots=True)
class _Tries:
    refused: int
    last: float


class Throttle:
    """Counts refused logins."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def wait(self, *keys: str, monotonic: float) -> float:
        """Return the seconds until one of these may try again, 0 where it may now."""
        return max((self._wait(key, monotonic) for key in keys), default=0.0)

    def refused(self, *keys: str, monotonic: float) -> None:
        """Count a refusal of each."""
        for key in keys:
            tries = self._tries.pop(key, None)
            if tries is None or monotonic - tries.last > FORGOTTEN_AFTER_S:
                tries = _Tries(0, monotonic)
            tries.refused += 1
            tries.last = monotonic
            self._tries[key] = tries
        while len(self._tries) > MOST_KEPT:
            self._tries.popitem(last=False)

    def accepted(self, key: str) -> None:
        """Forget the refusals of an account that logged in; not those of its address."""
        self._tries.pop(key, None)

    def _wait(self, key: str, monotonic: float) -> float:
        tries = self._tries.get(key)
        if tries is None or tries.refused < FREE_TRIES:
            return 0.0
        length: float = min(LONGEST_WAIT_S, 2.0 ** min(tries.refused - FREE_TRIES, 16))
        return max(0.0, tries.last + length - monotonic)
