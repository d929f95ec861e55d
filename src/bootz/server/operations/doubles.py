"""Values that belong to one router, and that several have: told when they are brought in.

They make DHCP fail, or routers that cannot be told apart. Serial numbers are not among them: those
the database keeps apart. Source: docs/operator.md#import-and-export.
"""

import json
from array import array
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final

from sqlalchemy import Connection, or_, select

from bootz.errors import KeyPath
from bootz.server.store.rehearsal_tables import seen
from bootz.server.store.schema import CARD, CHASSIS

_SHOWN: Final = 10
"""Routers that are named of those that share a value."""


@dataclass(frozen=True, slots=True)
class SharingRouter:
    """Who has a value that another has too.

    ``key`` is the chassis's in the database, ``name`` for a person. ``path`` says where in the
    chassis's document the value stands; a card is told by its serial number.
    """

    key: int
    name: str
    path: KeyPath


@dataclass(frozen=True, slots=True)
class Double:
    """A value and who has it."""

    what: str
    value: str
    owners: tuple[SharingRouter, ...]

    def told(self, place: Callable[[SharingRouter], str] = lambda _owner: "") -> str:
        """Return words for a person; ``place`` is where a file says it, empty if none does."""
        names = [
            f"{owner.name} ({where})" if (where := place(owner)) else owner.name
            for owner in self.owners[:_SHOWN]
        ]
        more = len(self.owners) - _SHOWN
        rest = f" and {more} more" if more > 0 else ""
        return (
            f"{self.what} {self.value} is used {len(self.owners)} times: {', '.join(names)}{rest}"
        )


def find_doubles(connection: Connection, keys: Collection[int]) -> list[Double]:
    """Return the values that one of these chassis shares with any other, or between its cards.

    Values are first told apart by a number of 64 bits: a whole inventory fits in memory so, and
    few values are looked at again.
    """
    seen = sorted(array("q", (hash((what, value)) for what, value, _ in _values(connection))))
    several = {one for one, other in pairwise(seen) if one == other}
    if not several:
        return []
    owners: dict[tuple[str, str], dict[SharingRouter, None]] = {}
    for what, value, owner in _values(connection):
        if hash((what, value)) in several:
            owners.setdefault((what, value), {})[owner] = None
    wanted = set(keys)
    return [
        Double(what, value, tuple(found))
        for (what, value), found in owners.items()
        if len(found) > 1 and any(owner.key in wanted for owner in found)
    ]


_Value = tuple[str, str, SharingRouter]


def _values(connection: Connection) -> Iterator[_Value]:
    return chain(_of_chassis(connection), _of_cards(connection))


def _of_chassis(connection: Connection) -> Iterator[_Value]:
    chassis = seen(connection, CHASSIS).c
    rows = connection.execute(
        select(chassis.id, chassis.serial, chassis.hostname, chassis.dhcp)
        .where(or_(chassis.hostname != "", chassis.dhcp != "{}"))
        .order_by(chassis.id)
    )
    for row in rows:
        name = row.serial or row.hostname
        if row.hostname:
            owner = SharingRouter(row.id, name, ("hostname",))
            yield "hostname", row.hostname.casefold(), owner
        settings = json.loads(row.dhcp)
        for family in ("ipv4", "ipv6"):
            if interface := settings.get(family):
                owner = SharingRouter(row.id, name, ("dhcp", family))
                yield "address", interface.partition("/")[0], owner


def _of_cards(connection: Connection) -> Iterator[_Value]:
    card = seen(connection, CARD)
    rows = connection.execute(
        select(card).where(or_(card.c.mac != "", card.c.client_id != "", card.c.duid != ""))
    )
    for row in rows.mappings():
        for what, column in (("MAC address", "mac"), ("client-id", "client_id"), ("DUID", "duid")):
            if value := row[column]:
                path = ("cards", row["serial"], column)
                yield what, value, SharingRouter(row["chassis_id"], row["serial"], path)
