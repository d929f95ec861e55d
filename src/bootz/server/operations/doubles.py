"""Values that belong to one router, and that several have: told when they are brought in.

They make DHCP fail, or routers that cannot be told apart. Serial numbers are not among them: those
the database keeps apart. Source: docs/operator.md#import-and-export.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, or_, select

from bootz.server.store.schema import CARD, CHASSIS

_SHOWN: Final = 10
"""Routers that are named of those that share a value."""


@dataclass(frozen=True, slots=True)
class Double:
    """A value and who has it: keys of chassis in the database, with names for a person."""

    what: str
    value: str
    owners: tuple[tuple[int, str], ...]

    def told(self, places: dict[int, str] | None = None) -> str:
        """Return words for a person; ``places`` has where a file speaks of a chassis."""
        names = [
            f"{name} ({place})" if (place := (places or {}).get(key)) else name
            for key, name in self.owners[:_SHOWN]
        ]
        more = len(self.owners) - _SHOWN
        rest = f" and {more} more" if more > 0 else ""
        return (
            f"{self.what} {self.value} is used {len(self.owners)} times: {', '.join(names)}{rest}"
        )


def find_doubles(connection: Connection, keys: Collection[int]) -> list[Double]:
    """Return the values that one of these chassis shares with any other, or between its cards."""
    owners: dict[tuple[str, str], dict[tuple[int, str], None]] = {}
    for what, value, key, name in (*_of_chassis(connection), *_of_cards(connection)):
        owners.setdefault((what, value), {})[key, name] = None
    wanted = set(keys)
    return [
        Double(what, value, tuple(found))
        for (what, value), found in owners.items()
        if len(found) > 1 and any(key in wanted for key, _ in found)
    ]


_Value = tuple[str, str, int, str]


def _of_chassis(connection: Connection) -> Iterator[_Value]:
    rows = connection.execute(
        select(CHASSIS.c.id, CHASSIS.c.serial, CHASSIS.c.hostname, CHASSIS.c.dhcp)
        .where(or_(CHASSIS.c.hostname != "", CHASSIS.c.dhcp != "{}"))
        .order_by(CHASSIS.c.id)
    )
    for row in rows:
        name = row.serial or row.hostname
        if row.hostname:
            yield "hostname", row.hostname.casefold(), row.id, name
        settings = json.loads(row.dhcp)
        for family in ("ipv4", "ipv6"):
            if interface := settings.get(family):
                yield "address", interface.partition("/")[0], row.id, name


def _of_cards(connection: Connection) -> Iterator[_Value]:
    rows = connection.execute(
        select(CARD).where(or_(CARD.c.mac != "", CARD.c.client_id != "", CARD.c.duid != ""))
    )
    for row in rows:
        for what, value in (
            ("MAC address", row.mac),
            ("client-id", row.client_id),
            ("DUID", row.duid),
        ):
            if value:
                yield what, value, row.chassis_id, row.serial
