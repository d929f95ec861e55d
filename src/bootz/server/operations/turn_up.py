"""A turn-up night at a glance: who needs a person first, how many are where, when it will be done.

Pure functions of the standings and the time, for every screen that shows them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from bootz.server.operations.chassis_state import STARTED, ChassisState, Standing

RATE_WINDOW: Final = timedelta(minutes=30)
"""How far back the rate looks from which the end is estimated."""

_RANK: Final = {state: rank for rank, state in enumerate(ChassisState)}


class TurnUpRouter(NamedTuple):
    """One chassis with where it stands; ``key`` is the database's."""

    key: int
    vendor: str
    serial_number: str
    hostname: str
    standing: Standing

    @property
    def name(self) -> str:
        """How a person calls it: the host name, else the serial number."""
        return self.hostname or self.serial_number


class Estimate(NamedTuple):
    """When the routers that are still under way will be ready, at the rate of the last half hour.

    ``remaining`` counts those that are under way or expected; a router that failed, is stuck or on
    hold waits for a person, and no rate tells when. ``per_minute`` and ``finish`` are None before
    the second router is ready.
    """

    remaining: int
    waiting_for_a_person: int
    per_minute: float | None
    finish: datetime | None


def ordered(routers: Iterable[TurnUpRouter]) -> list[TurnUpRouter]:
    """Return routers with those first that need a person: failed, stuck, then by progress.

    Within a state, the one that changed last stands first.
    """
    return sorted(routers, key=lambda router: order_of(router.standing, router.name))


def order_of(standing: Standing, name: str) -> tuple[int, float, str]:
    """Return what ``ordered`` sorts by."""
    since = standing.since
    return _RANK[standing.state], 0.0 if since is None else -since.timestamp(), name


def estimate(routers: Sequence[TurnUpRouter], now: datetime) -> Estimate:
    """Return when the rest will be ready."""
    remaining = waiting = 0
    ready: list[datetime] = []
    since = now - RATE_WINDOW
    for router in routers:
        state, at = router.standing.state, router.standing.since
        if state is ChassisState.READY:
            if at is not None and since <= at <= now:
                ready.append(at)
        elif state in STARTED or state is ChassisState.EXPECTED:
            remaining += 1
        else:
            waiting += 1
    # The first one begins the measure, the others are what came in that time.
    span = (now - min(ready)).total_seconds() if len(ready) > 1 else 0.0
    if span <= 0:
        return Estimate(remaining, waiting, None, None)
    rate = (len(ready) - 1) / span
    finish = now + timedelta(seconds=remaining / rate) if remaining and rate else None
    return Estimate(remaining, waiting, rate * 60, finish)
