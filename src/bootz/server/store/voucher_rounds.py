"""What is being asked of a manufacturer, on record before it is asked.

A leader that dies between the manufacturer's answer and the transaction that stores it leaves its
round here; the next one asks under the same key and for the same end, and a service that knows
such keys gives the vouchers that it gave before, instead of more. A row of ``meta`` for each
vendor: the second in which the round began, and 30 bits by chance.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from bootz.server.store.schema import META

CHANCE_BITS: Final = 30

RESUMED: Final = timedelta(hours=12)
"""A round that is older is not taken up again; shorter than a service keeps what it answered."""


@dataclass(frozen=True, slots=True)
class VoucherRound:
    """A round of requests to one vendor's source. ``number`` is unlike that of any other."""

    number: int

    @property
    def key(self) -> str:
        """How the requests of this round are called towards the manufacturer."""
        return f"bootz-{self.number:016x}"

    @property
    def begun(self) -> datetime:
        """When it began, aware UTC, in whole seconds."""
        return datetime.fromtimestamp(self.number >> CHANCE_BITS, UTC)


def begin_round(
    connection: Connection, vendor_key: int, *, now: datetime, chance: int
) -> VoucherRound:
    """Return the round that was not ended, else put a new one on record.

    ``chance`` is a number of ``CHANCE_BITS`` bits.
    """
    name = _name(vendor_key)
    number = connection.scalar(select(META.c.value).where(META.c.key == name))
    if number is not None:
        before = VoucherRound(number)
        if abs(now - before.begun) < RESUMED:
            return before
        connection.execute(delete(META).where(META.c.key == name))
    begun = VoucherRound(int(now.timestamp()) << CHANCE_BITS | chance)
    connection.execute(insert(META).values(key=name, value=begun.number))
    return begun


def end_round(connection: Connection, vendor_key: int, ended: VoucherRound) -> None:
    """Note that all answers of a round are stored."""
    row = (META.c.key == _name(vendor_key)) & (META.c.value == ended.number)
    connection.execute(delete(META).where(row))


def _name(vendor_key: int) -> str:
    return f"voucher-round:{vendor_key}"
