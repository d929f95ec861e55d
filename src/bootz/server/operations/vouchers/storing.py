"""Stored vouchers: only what holds completely gets there, so that none shadows a good one."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from sqlalchemy import Connection, delete, insert, or_, select

from bootz.errors import BootzError, ConfigError, ConflictError, TrustError, UnknownChassis
from bootz.model.artifacts import Assertion, OwnershipVoucher
from bootz.model.chassis import fold_serial
from bootz.server.operations.audit import note
from bootz.server.operations.nearest import WITH_VOUCHER, meant_serial
from bootz.server.operations.texts import dump_json
from bootz.server.operations.vendors import VendorRecord, find_vendor, list_vendors
from bootz.server.operations.vouchers.records import VoucherRecord, list_vouchers
from bootz.server.store.rehearsal_tables import bring_vouchers
from bootz.server.store.revision import raise_revision
from bootz.server.store.schema import CARD, CHASSIS, SERIAL, VOUCHER
from bootz.sql.times import (
    to_optional_text,
    to_text,
)
from bootz.trust.certificates import load_certificate
from bootz.trust.voucher import SIGNER_REASONS, parse_unverified_voucher, verify_for_owner

ACCEPTED: Final = frozenset({Assertion.VERIFIED})
"""What routers accept (docs/protocol/vouchers.md#validation, step 7)."""


class StoreOutcome(Enum):
    """What became of a voucher that was given."""

    STORED = "stored"
    SAME = "same"
    """It is stored already."""
    OLDER = "older"
    """It is stored, and a newer one for the same card is served."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class VoucherResult:
    """What became of one voucher; ``serial_number`` is what it claims, even if refused.

    ``error`` says why it was refused.
    """

    serial_number: str
    outcome: StoreOutcome
    vendor: str = ""
    warnings: tuple[str, ...] = ()
    error: BootzError | None = None


@dataclass(frozen=True, slots=True)
class VerifiedVoucher:
    """A voucher that holds for this owner, and the vendor whose anchors vouch for it."""

    voucher: OwnershipVoucher
    vendor: VendorRecord
    warnings: tuple[str, ...]


def check_for_owner(
    connection: Connection,
    raw: bytes,
    *,
    pinned_domain_cert: bytes,
    now: datetime,
    vendor: str | None = None,
    serial_number: str | None = None,
) -> VerifiedVoucher:
    """Verify everything of a voucher: signer, dates, assertion, and that it pins this owner.

    Args:
        connection: to the inventory.
        raw: DER of the CMS.
        pinned_domain_cert: this owner's, DER.
        now: aware UTC.
        vendor: whose anchors count; None tries all, first those that have such a card.
        serial_number: of the card that it was asked for, compared without case; None: any.

    Raises:
        TrustError: it does not hold.
        ConfigError: ``voucher-vendor-unknown``.
        UnknownChassis: no such vendor.
    """
    claimed = parse_unverified_voucher(raw).serial_number
    bring_vouchers(connection, fold_serial(claimed))
    spellings = _spellings(connection, claimed)

    def verify(under: VendorRecord) -> OwnershipVoucher:
        return verify_for_owner(
            raw,
            under.to_vendor().voucher_anchors,
            serial_number=serial_number,
            pinned_domain_cert=pinned_domain_cert,
            accepted=ACCEPTED,
            now=now,
        )

    if vendor is not None:
        owner = find_vendor(connection, vendor)
        voucher = verify(owner)
    else:
        voucher, owner = _verify_under_any(connection, verify, spellings)
    warnings = voucher.warnings
    on_record = spellings.get(owner.key)
    if on_record is not None and on_record != voucher.content.serial_number:
        warnings += (
            f"the inventory spells the serial number {on_record!r}; routers compare exactly",
        )
    return VerifiedVoucher(voucher, owner, warnings)


def store_voucher(
    connection: Connection,
    raw: bytes,
    *,
    pinned_domain_cert: bytes,
    now: datetime,
    vendor: str | None = None,
    serial_number: str | None = None,
) -> VoucherResult:
    """Verify a voucher and store it; a wrong one is refused in the result and nothing is written.

    Args: as of ``check_for_owner``.
    """
    try:
        verified = check_for_owner(
            connection,
            raw,
            pinned_domain_cert=pinned_domain_cert,
            now=now,
            vendor=vendor,
            serial_number=serial_number,
        )
    except (TrustError, ConfigError, UnknownChassis) as error:
        return VoucherResult(_claimed_serial(raw), StoreOutcome.REFUSED, vendor or "", error=error)
    voucher, owner = verified.voucher, verified.vendor
    content = voucher.content
    digest = hashlib.sha256(raw).hexdigest()
    row = {
        "vendor_id": owner.key,
        "serial": content.serial_number,
        "serial_folded": fold_serial(content.serial_number),
        "pinned_sha256": hashlib.sha256(content.pinned_domain_cert).hexdigest(),
        "sha256": digest,
    }
    same_card = [
        VOUCHER.c[name] == row[name] for name in ("serial_folded", "vendor_id", "pinned_sha256")
    ]
    others = connection.execute(
        select(VOUCHER.c.sha256, VOUCHER.c.created_on).where(
            *same_card, or_(VOUCHER.c.expires_on.is_(None), VOUCHER.c.expires_on > to_text(now))
        )
    ).all()
    if any(other.sha256 == row["sha256"] for other in others):
        outcome = StoreOutcome.SAME
    else:
        created = to_optional_text(content.created_on)
        connection.execute(
            insert(VOUCHER).values(
                **row,
                raw=raw,
                created_on=created,
                expires_on=to_optional_text(content.expires_on),
                assertion=content.assertion.value,
                encoding=voucher.encoding,
                signer=load_certificate(voucher.signer).subject.rfc4514_string(),
                warnings=dump_json(list(verified.warnings)),
                stored_at=to_text(now),
            )
        )
        # Short lives and renewals would leave many that are of no use to anyone.
        connection.execute(delete(VOUCHER).where(*same_card, VOUCHER.c.expires_on <= to_text(now)))
        raise_revision(connection, shared=False)
        newer = any((other.created_on or "") > (created or "") for other in others)
        outcome = StoreOutcome.OLDER if newer else StoreOutcome.STORED
        note(
            connection,
            "voucher.store",
            content.serial_number,
            after={
                "vendor": owner.name,
                "sha256": digest,
                "expires_on": to_optional_text(content.expires_on),
            },
        )
    return VoucherResult(content.serial_number, outcome, owner.name, verified.warnings)


def remove_vouchers(
    connection: Connection,
    serials: Sequence[str],
    *,
    vendor: str | None = None,
    sha256: str = "",
    ended_by: datetime | None = None,
) -> tuple[VoucherRecord, ...]:
    """Take vouchers off the record, and return them.

    Args:
        connection: to the inventory.
        serials: of the cards, compared without case; empty: of all cards.
        vendor: leaves only those of this manufacturer.
        sha256: leaves only vouchers whose digest begins so (hex).
        ended_by: leaves only those that have ended by then.

    Raises:
        ConflictError: ``voucher-ambiguous``: a card of two manufacturers is named, and no vendor.
        UnknownChassis: ``voucher-not-found`` for a card without such a voucher; no such vendor.
            Nothing is removed then.
    """
    removed: dict[int, VoucherRecord] = {}
    for serial in serials or (None,):
        found = [
            record
            for record in list_vouchers(
                connection, serial=serial, vendor=vendor, expiring_before=ended_by
            )
            if record.sha256.startswith(sha256.lower())
        ]
        if serial is not None and not found:
            meant = meant_serial(connection, serial, WITH_VOUCHER)
            raise UnknownChassis(
                "voucher-not-found",
                f"no such voucher is stored for {serial!r}{meant}",
                where="voucher",
            )
        owners = sorted({record.vendor for record in found})
        if serial is not None and len(owners) > 1:
            raise ConflictError(
                "voucher-ambiguous",
                f"{serial!r} is a card of {', '.join(owners)}",
                where="voucher",
                expected="one manufacturer",
                seen=str(len(owners)),
            )
        removed |= {record.key: record for record in found}
    for key, record in removed.items():
        connection.execute(delete(VOUCHER).where(VOUCHER.c.id == key))
        gone = {"vendor": record.vendor, "sha256": record.sha256}
        note(connection, "voucher.remove", record.serial_number, before=gone)
    if removed:
        raise_revision(connection, shared=False)
    return tuple(removed.values())


def _verify_under_any(
    connection: Connection, verify: Callable[[VendorRecord], OwnershipVoucher], known: Iterable[int]
) -> tuple[OwnershipVoucher, VendorRecord]:
    """Verify under the first vendor whose anchors vouch; those that know the card come first."""
    first = set(known)
    vendors = sorted(list_vendors(connection), key=lambda record: record.key not in first)
    flaw: TrustError | None = None
    for record in vendors:
        try:
            return verify(record), record
        except TrustError as error:
            if error.reason not in SIGNER_REASONS:
                raise
            if flaw is None or flaw.reason == "ov-untrusted-signer":
                flaw = error
    if flaw is not None and flaw.reason != "ov-untrusted-signer":
        # Its CA is known: the dates are what is wrong.
        raise flaw
    raise ConfigError(
        "voucher-vendor-unknown",
        "the signer does not chain to the CAs of any vendor in the inventory",
        where="voucher",
        seen="no vendor" if flaw is None else flaw.seen,
    ) from flaw


def _spellings(connection: Connection, serial: str) -> dict[int, str]:
    """Return how the inventory spells a serial number, by the vendor's key."""
    folded = fold_serial(serial)
    rows = connection.execute(
        select(SERIAL.c.vendor_id, CHASSIS.c.serial.label("chassis"), CARD.c.serial.label("card"))
        .select_from(SERIAL.join(CHASSIS, CHASSIS.c.id == SERIAL.c.chassis_id).join(CARD))
        .where(SERIAL.c.serial_folded == folded)
    )
    return {
        row.vendor_id: spelling
        for row in rows
        for spelling in (row.chassis, row.card)
        if fold_serial(spelling) == folded
    }


def _claimed_serial(raw: bytes) -> str:
    try:
        return parse_unverified_voucher(raw).serial_number
    except TrustError:
        return ""
