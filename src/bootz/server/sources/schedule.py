"""When a source is read next: a pure answer to what happened, in seconds of a monotonic clock."""

from dataclasses import dataclass
from typing import Final

JOIN_S: Final = 10.0
"""Webhooks within so long are one; and between two syncs there is at least so much."""
_FIRST_WAIT_S: Final = 60.0
_LONGEST_WAIT_S: Final = 1800.0
_HOPELESS: Final = frozenset({"source-unauthorized"})
"""Reasons that go away only when a person does something: asked again after the longest wait."""


@dataclass(slots=True)
class Schedule:
    """One source's next sync. ``interval`` in seconds; 0: only when it rings.

    One sync is running or none, and at most one is waiting.
    """

    interval: float
    due: float | None = None
    running: bool = False
    rung: bool = False
    failures: int = 0
    last_start: float | None = None

    def begin(self, now: float) -> None:
        """Start the schedule: the first sync is due at once, where there is an interval."""
        self.due = now if self.interval else None

    def ring(self, now: float) -> None:
        """Note that the source changed."""
        self.rung = True
        self._join(now)

    def _join(self, now: float) -> None:
        if not self.rung or self.running:
            return
        earliest = now + JOIN_S
        if self.last_start is not None:
            earliest = max(earliest, self.last_start + JOIN_S)
        if self.due is None or self.due > earliest:
            self.due = earliest

    def wait(self, now: float) -> float | None:
        """Return the seconds until the next sync; None: until it rings."""
        if self.running or self.due is None:
            return None
        return max(0.0, self.due - now)

    def start(self, now: float) -> None:
        """Note that a sync begins: what rang before is served by it."""
        self.running, self.rung, self.last_start, self.due = True, False, now, None

    def end(self, now: float, reason: str = "") -> None:
        """Note that a sync has ended, with a reason if it failed."""
        self.running = False
        if not reason:
            self.failures = 0
            self.due = now + self.interval if self.interval else None
        else:
            self.failures += 1
            wait = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** (min(self.failures, 10) - 1))
            if reason in _HOPELESS:
                wait = _LONGEST_WAIT_S
            self.due = now + wait
        self._join(now)
