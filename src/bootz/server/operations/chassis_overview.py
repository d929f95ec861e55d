"""Chassis with where each stands: chosen, sorted and counted."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from bootz.server.operations.chassis_state import ChassisState, Standing, counts, standing
from bootz.server.operations.step_limits import SiteLimits
from bootz.server.operations.turn_up import order_of
from bootz.server.store.listing import ListedChassis


class Stood(NamedTuple):
    """A chassis, and where it stands."""

    chassis: ListedChassis
    standing: Standing


@dataclass(frozen=True, slots=True)
class Overview:
    """Chassis in the wanted order, and how many stand where of all, whatever their state."""

    chassis: Sequence[Stood]
    counts: Mapping[ChassisState, int]


_SORTS: Final[Mapping[str, Callable[[Stood], Any]]] = {
    "state": lambda each: order_of(each.standing, each.chassis.hostname),
    "serial": lambda each: each.chassis.serial_number,
    "hostname": lambda each: each.chassis.hostname,
    "vendor": lambda each: (each.chassis.vendor, each.chassis.serial_number),
    "since": lambda each: "" if each.standing.since is None else str(each.standing.since),
}
SORTS: Final = ("added", *_SORTS)


def overview(
    chassis: Iterable[ListedChassis],
    limits: SiteLimits,
    now: datetime,
    *,
    states: Collection[ChassisState] = (),
    sort: str = "added",
) -> Overview:
    """Return where chassis stand at ``now`` (aware UTC), those in ``states`` alone if it has any.

    ``sort`` is one of ``SORTS``; ``state`` puts those first that need a person.
    """
    found = [Stood(each, standing(each.facts, limits.of(each.vendor), now)) for each in chassis]
    counted = counts(each.standing for each in found)
    if states:
        found = [each for each in found if each.standing.state in states]
    if sort != "added":
        found.sort(key=_SORTS[sort])
    return Overview(found, counted)
