"""A turn-up night at a glance: who needs a person first, how many are where, when it will be done.

Of the standings and the time alone, for every screen that shows them.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Final, NamedTuple, overload

from bootz.server.operations.chassis_state import STARTED, ChassisState, Standing, counts

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


def order_of(standing: Standing, name: str) -> tuple[int, float, str]:
    """Return what routers are sorted by: those that need a person first, then by progress.

    Within a state, the one that changed last stands first.
    """
    since = standing.since
    return _RANK[standing.state], 0.0 if since is None else -since.timestamp(), name


_Place = tuple[int, float, str, int]


class Roster(Sequence[TurnUpRouter]):
    """Routers in the order of ``order_of``, with what is counted of them.

    A change of one costs that one, however many there are.
    """

    def __init__(self, routers: Iterable[TurnUpRouter] = ()) -> None:
        self._known = {each.key: each for each in routers}
        self._sorted = sorted(self._known.values(), key=_place)
        self._places = list(map(_place, self._sorted))
        self._counts = dict(counts(each.standing for each in self._sorted))
        self._ready = sorted(filter(None, map(_ready_at, self._sorted)))

    @overload
    def __getitem__(self, index: int) -> TurnUpRouter: ...
    @overload
    def __getitem__(self, index: slice) -> list[TurnUpRouter]: ...
    def __getitem__(self, index: int | slice) -> TurnUpRouter | list[TurnUpRouter]:
        return self._sorted[index]

    def __len__(self) -> int:
        return len(self._sorted)

    def __iter__(self) -> Iterator[TurnUpRouter]:
        return iter(self._sorted)

    def get(self, key: int | None) -> TurnUpRouter | None:
        """Return the router of a key, None where there is none."""
        return None if key is None else self._known.get(key)

    def put(self, router: TurnUpRouter) -> None:
        """Take a router in, or in the place of what it was."""
        before = self._known.get(router.key)
        if before is not None:
            at = bisect_left(self._places, _place(before))
            del self._places[at], self._sorted[at]
            self._counts[before.standing.state] -= 1
            if (left := _ready_at(before)) is not None:
                del self._ready[bisect_left(self._ready, left)]
        self._known[router.key] = router
        place = _place(router)
        at = bisect_left(self._places, place)
        self._places.insert(at, place)
        self._sorted.insert(at, router)
        self._counts[router.standing.state] += 1
        if (come := _ready_at(router)) is not None:
            insort(self._ready, come)

    def of(self, states: Collection[ChassisState]) -> Sequence[TurnUpRouter]:
        """Return those in certain states, in the order of all."""
        return list(
            chain.from_iterable(self._sorted[self._span(each)] for each in _in_order(states))
        )

    def counts(self) -> Mapping[ChassisState, int]:
        """Return how many are in each state, all states in the order of ``ChassisState``."""
        return dict(self._counts)

    def estimate(self, now: datetime) -> Estimate:
        """Return when the rest will be ready, as of ``now`` (aware UTC)."""
        numbers = self.counts()
        remaining = sum(numbers[each] for each in (*STARTED, ChassisState.EXPECTED))
        waiting = len(self) - remaining - numbers[ChassisState.READY]
        first = bisect_left(self._ready, now - RATE_WINDOW)
        count = bisect_right(self._ready, now) - first
        # The first one begins the measure, the others are what came in that time.
        span = (now - self._ready[first]).total_seconds() if count > 1 else 0.0
        if span <= 0:
            return Estimate(remaining, waiting, None, None)
        rate = (count - 1) / span
        finish = now + timedelta(seconds=remaining / rate) if remaining else None
        return Estimate(remaining, waiting, rate * 60, finish)

    def _span(self, state: ChassisState) -> slice:
        rank = _RANK[state]
        first = bisect_left(self._places, rank, key=_rank_of)
        return slice(first, bisect_left(self._places, rank + 1, first, key=_rank_of))


def _place(router: TurnUpRouter) -> _Place:
    return (*order_of(router.standing, router.name), router.key)


def _rank_of(place: _Place) -> int:
    return place[0]


def _ready_at(router: TurnUpRouter) -> datetime | None:
    standing = router.standing
    return standing.since if standing.state is ChassisState.READY else None


def _in_order(states: Collection[ChassisState]) -> Iterator[ChassisState]:
    return (each for each in ChassisState if each in states)
