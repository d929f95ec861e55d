"""Cards whose vouchers routers wait for at a server that does not lead: how the leader learns it.

A row of ``meta`` for each card, named by a digest of its serial number.
"""

from collections.abc import Collection
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from bootz.model.chassis import fold_serial
from bootz.server.store.schema import META
from bootz.sql.batches import batches

_PREFIX: Final = "waits:"
_DIGITS: Final = 40


def waiting_name(serial_number: str) -> str:
    """Return the name under which a card is told of."""
    return _PREFIX + sha256(fold_serial(serial_number).encode()).hexdigest()[:_DIGITS]


def tell_waiting(connection: Connection, serials: Collection[str]) -> None:
    """Tell the leader of cards. Two servers may tell it of the same ones, one after the other."""
    names = sorted({waiting_name(serial) for serial in serials})
    forget_waiting(connection, names)
    for some in batches(names):
        connection.execute(insert(META), [{"key": name, "value": 0} for name in some])


def read_waiting(connection: Connection) -> frozenset[str]:
    """Return the names of the cards that were told of."""
    return frozenset(
        connection.scalars(
            select(META.c.key).where(META.c.key.startswith(_PREFIX, autoescape=True))
        )
    )


def forget_waiting(connection: Connection, names: Collection[str]) -> None:
    """Remove names that the leader has heard."""
    for some in batches(sorted(names)):
        connection.execute(delete(META).where(META.c.key.in_(some)))
