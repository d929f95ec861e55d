"""The vouchers on record: all, of one card, of many, and the one that a router gets."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from bootz.errors import UnknownChassis
from bootz.model.artifacts import Assertion
from bootz.model.chassis import fold_serial
from bootz.server.operations.nearest import WITH_VOUCHER, meant_serial
from bootz.server.operations.texts import load_texts
from bootz.server.operations.vendors import find_vendor
from bootz.server.store.rehearsal_tables import seen
from bootz.server.store.schema import VENDOR, VOUCHER
from bootz.sql.batches import batches
from bootz.sql.times import (
    from_optional_text,
    from_text,
    to_text,
)

_NEWEST_FIRST: Final = (
    VOUCHER.c.created_on.is_not(None).desc(),
    VOUCHER.c.created_on.desc(),
    VOUCHER.c.id.desc(),
)
_ROWS: Final = select(VOUCHER, VENDOR.c.name.label("vendor")).select_from(VOUCHER.join(VENDOR))


@dataclass(frozen=True, slots=True)
class VoucherRecord:
    """A stored voucher, verified when it was stored. ``expires_on`` None: never.

    ``signer`` is the subject of the signer's certificate, ``pinned_sha256`` the fingerprint of
    the pinned domain certificate, ``sha256`` that of the voucher.
    """

    serial_number: str
    vendor: str
    created_on: datetime | None
    expires_on: datetime | None
    assertion: Assertion
    encoding: str
    signer: str
    pinned_sha256: str
    sha256: str
    warnings: tuple[str, ...]
    stored_at: datetime
    raw: bytes = field(repr=False)
    key: int = field(default=0, compare=False)

    def left(self, now: datetime) -> timedelta | None:
        """Return how long it still holds, negative when past, None without an end."""
        return None if self.expires_on is None else self.expires_on - now


def list_vouchers(
    connection: Connection,
    *,
    serial: str | None = None,
    vendor: str | None = None,
    expiring_before: datetime | None = None,
) -> tuple[VoucherRecord, ...]:
    """Return vouchers by serial number, of one card the newest first.

    ``expiring_before`` leaves only those that have ended by then.

    Raises:
        UnknownChassis: no such vendor.
    """
    statement = _ROWS
    if serial is not None:
        statement = statement.where(VOUCHER.c.serial_folded == fold_serial(serial))
    if vendor is not None:
        key = find_vendor(connection, vendor).key
        statement = statement.where(VOUCHER.c.vendor_id == key)
    if expiring_before is not None:
        statement = statement.where(VOUCHER.c.expires_on <= to_text(expiring_before))
    order = statement.order_by(VOUCHER.c.serial_folded, VENDOR.c.name_folded, *_NEWEST_FIRST)
    return tuple(_record(row) for row in connection.execute(order))


def stored_digests(connection: Connection) -> frozenset[str]:
    """Return the SHA-256 of every stored voucher."""
    return frozenset(connection.scalars(select(seen(connection, VOUCHER).c.sha256)))


def count_pinned(connection: Connection) -> dict[str, int]:
    """Return how many vouchers pin which certificate, by its fingerprint (lower-case hex)."""
    statement = select(VOUCHER.c.pinned_sha256, func.count()).group_by(VOUCHER.c.pinned_sha256)
    return {row[0]: row[1] for row in connection.execute(statement)}


def find_vouchers(
    connection: Connection, serial: str, vendor: str | None = None
) -> tuple[VoucherRecord, ...]:
    """Return the vouchers of a card, the newest first.

    Raises:
        UnknownChassis: none is stored, or no such vendor.
    """
    found = list_vouchers(connection, serial=serial, vendor=vendor)
    if not found:
        meant = meant_serial(connection, serial, WITH_VOUCHER)
        raise UnknownChassis(
            "voucher-not-found", f"no voucher is stored for {serial!r}{meant}", where="voucher"
        )
    return found


def voucher_of_digest(connection: Connection, sha256: str) -> VoucherRecord:
    """Return the voucher that has this SHA-256 (hex).

    Raises:
        UnknownChassis: ``voucher-not-found``.
    """
    statement = _ROWS.where(VOUCHER.c.sha256 == sha256.lower()).order_by(VOUCHER.c.id).limit(1)
    row = connection.execute(statement).first()
    if row is None:
        raise UnknownChassis(
            "voucher-not-found", "no voucher of this digest is stored", where="sha256"
        )
    return _record(row)


def vouchers_of_serials(connection: Connection, serials: Sequence[str]) -> Iterator[VoucherRecord]:
    """Return the vouchers of many cards, of each card the newest first."""
    folded = sorted({fold_serial(serial) for serial in serials})
    for batch in batches(folded):
        chosen = _ROWS.where(VOUCHER.c.serial_folded.in_(batch))
        for row in connection.execute(chosen.order_by(VOUCHER.c.serial_folded, *_NEWEST_FIRST)):
            yield _record(row)


def find_served_voucher(
    connection: Connection,
    serial: str,
    *,
    pinned_domain_cert: bytes,
    now: datetime,
    vendor: str | None = None,
) -> VoucherRecord:
    """Return the voucher that a router would get: the newest that pins this owner and holds.

    Raises:
        UnknownChassis: there is none, or no such vendor.
    """
    pinned = hashlib.sha256(pinned_domain_cert).hexdigest()
    found = find_vouchers(connection, serial, vendor)
    own = [record for record in found if record.pinned_sha256 == pinned]
    for record in own:
        left = record.left(now)
        if left is None or left > timedelta():
            return record
    ends = [record.expires_on for record in own if record.expires_on is not None]
    raise UnknownChassis(
        "voucher-not-found",
        f"no valid voucher for {serial!r} pins this owner's certificate",
        where="voucher",
        expected="a voucher that pins this owner's domain certificate and has not ended",
        seen=f"one that ended at {max(ends).isoformat()}" if ends else "one that pins another",
    )


def _record(row: Row[Any]) -> VoucherRecord:
    return VoucherRecord(
        serial_number=row.serial,
        vendor=row.vendor,
        created_on=from_optional_text(row.created_on),
        expires_on=from_optional_text(row.expires_on),
        assertion=Assertion(row.assertion),
        encoding=row.encoding,
        signer=row.signer,
        pinned_sha256=row.pinned_sha256,
        sha256=row.sha256,
        warnings=load_texts(row.warnings),
        stored_at=from_text(row.stored_at),
        raw=row.raw,
        key=row.id,
    )
