"""Which cards have a voucher, until when, and which should be fetched now.

Source: docs/protocol/ovgs.md#the-client (7).
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, or_, select

from bootz.model.chassis import BootMode, fold_serial
from bootz.server.operations.vendors import VendorRecord, list_vendors
from bootz.server.store.schema import CARD, CHASSIS, VOUCHER
from bootz.sql.times import from_text, to_text

_RENEW_LEFT: Final = 1 / 3
"""The part of a voucher's life that is left when it is renewed."""

_SPREAD: Final = 1 / 30
"""The part of its life over which renewals of one day's vouchers are spread."""

_STALE: Final = timedelta(hours=24)
_STALE_PART: Final = 1 / 10

_NEVER: Final = "9999-12-31T23:59:59.999999Z"
"""Sorts after every end of a voucher."""


@dataclass(frozen=True, slots=True)
class Held:
    """The voucher that lasts longest of those that hold for a card; ``expires_on`` None: never."""

    created_on: datetime
    expires_on: datetime | None


@dataclass(frozen=True, slots=True)
class CardVoucher:
    """A card on record that needs a voucher, and what is held for it.

    ``ended`` is when the last voucher of a card without a valid one ended; None: it never had one.
    """

    vendor: str
    vendor_key: int
    serial_number: str
    chassis: str
    held: Held | None
    ended: datetime | None = None

    def renew_at(self) -> datetime | None:
        """Return when to fetch a new one: at once without a voucher, None for an endless one.

        A card's own part of the spread depends on its serial number, not on chance, so that it
        is the same after a restart.
        """
        if self.held is None:
            return datetime.min.replace(tzinfo=_UTC)
        if self.held.expires_on is None:
            return None
        life = self.held.expires_on - self.held.created_on
        digest = hashlib.sha256(fold_serial(self.serial_number).encode()).digest()
        part = int.from_bytes(digest[:4]) / 2**32
        return self.held.expires_on - life * (_RENEW_LEFT - _SPREAD * part)

    def is_stale(self, now: datetime) -> bool:
        """Tell whether the voucher ends so soon that someone should look."""
        if self.held is None or self.held.expires_on is None:
            return self.held is None
        life = self.held.expires_on - self.held.created_on
        return now >= self.held.expires_on - min(_STALE, life * _STALE_PART)


_UTC: Final = from_text(_NEVER).tzinfo


def card_vouchers(
    connection: Connection,
    *,
    pinned_domain_cert: bytes,
    now: datetime,
    vendors: Collection[VendorRecord] | None = None,
    serials: Sequence[str] | None = None,
) -> tuple[CardVoucher, ...]:
    """Return every card that needs a voucher, in the order of addition.

    Those of insecure chassis need none.

    Args:
        connection: to the inventory.
        pinned_domain_cert: this owner's (DER); vouchers that pin another do not count.
        now: aware UTC.
        vendors: leaves only cards of these.
        serials: leaves only cards with these serial numbers.
    """
    names = {
        record.key: record.name
        for record in (list_vendors(connection) if vendors is None else vendors)
    }
    wanted = None if serials is None else {fold_serial(serial) for serial in serials}
    pinned = hashlib.sha256(pinned_domain_cert).hexdigest()
    held = _held(connection, pinned, to_text(now))
    ended = _ended(connection, pinned, to_text(now))
    rows = connection.execute(
        select(CARD.c.serial, CHASSIS.c.vendor_id, CHASSIS.c.serial.label("chassis"))
        .join_from(CARD, CHASSIS)
        .where(CHASSIS.c.boot_mode == BootMode.SECURE.value, CHASSIS.c.vendor_id.in_(names))
        .order_by(CHASSIS.c.id, CARD.c.id)
    )
    return tuple(
        CardVoucher(
            names[row.vendor_id],
            row.vendor_id,
            row.serial,
            row.chassis or row.serial,
            held.get(card := (row.vendor_id, fold_serial(row.serial))),
            None if card in held else ended.get(card),
        )
        for row in rows
        if wanted is None or fold_serial(row.serial) in wanted
    )


def _ended(connection: Connection, pinned: str, now: str) -> dict[tuple[int, str], datetime]:
    rows = connection.execute(
        select(
            VOUCHER.c.vendor_id,
            VOUCHER.c.serial_folded,
            func.max(VOUCHER.c.expires_on).label("expires_on"),
        )
        .where(VOUCHER.c.pinned_sha256 == pinned, VOUCHER.c.expires_on <= now)
        .group_by(VOUCHER.c.vendor_id, VOUCHER.c.serial_folded)
    )
    return {(row.vendor_id, row.serial_folded): from_text(row.expires_on) for row in rows}


def _held(connection: Connection, pinned: str, now: str) -> dict[tuple[int, str], Held]:
    created = func.coalesce(VOUCHER.c.created_on, VOUCHER.c.stored_at)
    rows = connection.execute(
        select(
            VOUCHER.c.vendor_id,
            VOUCHER.c.serial_folded,
            func.max(func.coalesce(VOUCHER.c.expires_on, _NEVER)).label("expires_on"),
            func.max(created).label("created_on"),
        )
        .where(
            VOUCHER.c.pinned_sha256 == pinned,
            or_(VOUCHER.c.expires_on.is_(None), VOUCHER.c.expires_on > now),
        )
        .group_by(VOUCHER.c.vendor_id, VOUCHER.c.serial_folded)
    )
    return {
        (row.vendor_id, row.serial_folded): Held(
            from_text(row.created_on),
            None if row.expires_on == _NEVER else from_text(row.expires_on),
        )
        for row in rows
    }
