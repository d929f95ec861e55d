"""One card's proof of ownership: voucher, then owner certificate.

Source: docs/protocol/workflow.md W7, W8.

Every card of a chassis judges for itself, with its own anchors and serial number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bootz.errors import TrustError
from bootz.model.artifacts import Assertion, OwnerCertificate, OwnershipVoucher
from bootz.trust.bundle import classify_voucher_field, read_bundle
from bootz.trust.certificates import VendorCAs
from bootz.trust.owner import verify_owner_certificate
from bootz.trust.voucher import check_voucher, parse_unverified_voucher, verify_voucher

VERIFIED_ONLY = frozenset({Assertion.VERIFIED})
"""The assertions that a router accepts unless it is told otherwise."""

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DeviceCard:
    """A card that can prove who it is and judge who owns it. ``idevid`` is DER, None without."""

    serial_number: str
    vendor_anchors: VendorCAs = field(repr=False)
    idevid: bytes | None = field(repr=False)
    part_number: str = ""
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Ownership:
    """What a card has verified of its owner; both are loaded onto the card (S1)."""

    voucher: OwnershipVoucher
    owner: OwnerCertificate


def sort_vouchers(
    field_bytes: bytes, cards: Sequence[DeviceCard]
) -> tuple[Mapping[str, tuple[bytes, ...]], tuple[str, ...]]:
    """Tell a bundle from a single voucher by content; return the candidates of each card.

    In a bundle a voucher belongs to the card whose serial number it contains, whatever its name
    (S8). A single one belongs to the first of ``cards``, unless it names another of them; so a
    voucher for another card is still judged, and refused for that.

    Returns:
        DER by serial number, and warnings about what was passed over in a bundle.

    Raises:
        TrustError: neither the one nor the other, or a bundle over its bounds.
    """
    if classify_voucher_field(field_bytes) == "single":
        named = _named_serial(field_bytes) if len(cards) > 1 else ""
        owner = next((card for card in cards if card.serial_number == named), cards[0])
        return {owner.serial_number: (field_bytes,)}, ()
    contents = read_bundle(field_bytes)
    found: dict[str, list[bytes]] = {}
    for _name, voucher in contents.entries:
        serial = _named_serial(voucher)
        if serial:
            found.setdefault(serial, []).append(voucher)
    return {serial: tuple(vouchers) for serial, vouchers in found.items()}, contents.warnings


def verify_card_voucher(
    candidates: Iterable[bytes],
    card: DeviceCard,
    *,
    accepted: frozenset[Assertion],
    now: datetime | None,
) -> OwnershipVoucher:
    """Return the voucher that holds for this card; of several, the newest.

    ``now`` is None without a trusted clock: the path is then judged at the signing time, the
    voucher's own dates not at all.

    Raises:
        TrustError: none holds (the flaw of the first is raised), or they name two owners.
    """
    flaw: TrustError | None = None
    good: list[OwnershipVoucher] = []
    for candidate in candidates:
        try:
            voucher = verify_voucher(candidate, card.vendor_anchors, now=now)
            check_voucher(
                voucher,
                serial_number=card.serial_number,
                exact=True,
                idevid_certificate=card.idevid,
                accepted=accepted,
                now=now,
            )
        except TrustError as error:
            flaw = flaw or error
        else:
            good.append(voucher)
    if not good:
        raise flaw or TrustError(
            "ov-missing",
            "there is no voucher for this card",
            where="ownership_voucher",
            expected=f"a voucher for {card.serial_number}",
            seen="none",
        )
    if len({voucher.content.pinned_domain_cert for voucher in good}) > 1:
        raise TrustError(
            "ov-bundle-ambiguous",
            "valid vouchers for this card name different owners",
            where="ownership_voucher",
            expected="one pinned domain certificate",
            seen=f"{len(good)} vouchers",
        )
    return max(good, key=lambda voucher: voucher.content.created_on or _EARLIEST)


def verify_card_owner(
    cms: bytes, voucher: OwnershipVoucher, *, now: datetime | None
) -> OwnerCertificate:
    """Return the owner certificate that the voucher's pinned certificate vouches for (W8).

    Raises:
        TrustError: missing, malformed, or not under the pinned domain certificate.
    """
    if not cms:
        raise TrustError(
            "oc-malformed",
            "the answer has no owner certificate",
            where="ownership_certificate",
            expected="a CMS SignedData",
            seen="none",
        )
    return verify_owner_certificate(cms, voucher, now=now)


def _named_serial(voucher: bytes) -> str:
    """Return the serial number that a voucher claims; empty where it cannot be read."""
    try:
        return parse_unverified_voucher(voucher).serial_number
    except TrustError:
        return ""
