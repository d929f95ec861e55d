"""Cards whose vouchers routers wait for at a server that does not lead: how the leader learns it.

A row of ``meta`` for each card, named by a digest of its serial number.
"""

from collections.abc import Collection
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from bootz.model.chassis import fold_serial
from bootz.server.store.schema import META

_PREFIX: Final = "waits:"
_DIGITS: Final = 40


def waiting_name(serial_number: str) -> str:
    """Return the name under which a card is told of."""
    return _PREFIX + sha256(fold_serial(serial_number).encode()).hexdigest()[:_DIGITS]


def tell_waiting(connection: Connection, serials: Collection[str]) -> None:
    """Tell the leader of cards."""
    names = {waiting_name(serial) for serial in serials}
    connection.execute(delete(META).where(META.c.key.in_(names)))
    connection.execute(insert(META), [{"key": name, "value": 0} for name in sorted(names)])


def read_waiting(connection: Connection) -> frozenset[str]:
    """Return the names of the cards that were told of."""
    return frozenset(
        connection.scalars(
            select(META.c.key).where(META.c.key.startswith(_PREFIX, autoescape=True))
        )
    )


def forget_waiting(connection: Connection, names: Collection[str]) -> None:
    """Remove names that the leader has heard."""
    connection.execute(delete(META).where(META.c.key.in_(names)))
