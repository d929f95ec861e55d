"""When a delivery is tried again: later each time, scattered, for a day."""

from datetime import datetime, timedelta
from typing import Final

GIVE_UP_AFTER: Final = timedelta(hours=24)
_FIRST_S: Final = 2.0
LONGEST_WAIT: Final = timedelta(minutes=30)
"""No try waits longer; a time that is further ahead is of a clock that was set back."""


def next_try(
    tries: int, since: datetime, now: datetime, *, chance: float, asked: float | None = None
) -> datetime | None:
    """Return when to try again, None where it is to be given up.

    Args:
        tries: how many have failed, from 1.
        since: when it was to be sent first, or again by hand.
        now: aware UTC.
        chance: 0 to 1; half of a wait is up to it, so that those that failed together do not
            come back together.
        asked: seconds that the receiver has asked for (``Retry-After``, RFC 9110 section 10.2.3).
    """
    longest = LONGEST_WAIT.total_seconds()
    wait = min(longest, _FIRST_S * 2.0 ** min(tries - 1, 16))
    wait *= 0.5 + 0.5 * chance
    if asked is not None:
        wait = max(wait, min(asked, longest))
    at = now + timedelta(seconds=wait)
    return None if at >= since + GIVE_UP_AFTER else at
