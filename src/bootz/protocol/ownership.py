"""One card's proof of ownership: voucher, then owner certificate.

Every card of a chassis judges for itself, with its own anchors and serial number.
Source: docs/protocol/router.md#an-answer, steps 2 to 5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bootz.errors import TrustError
from bootz.model.artifacts import Assertion, OwnerCertificate, OwnershipVoucher
from bootz.protocol.steps import CheckLog
from bootz.trust.bundle import classify_voucher_field, read_bundle
from bootz.trust.certificates import fingerprint
from bootz.trust.owner import verify_owner_certificate
from bootz.trust.voucher import LEGACY_FORM, RouterCard, parse_unverified_voucher, verify_for_router

VERIFIED_ONLY = frozenset({Assertion.VERIFIED})
"""The assertions that a router accepts unless it is told otherwise."""

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DeviceCard(RouterCard):
    """A card that can prove who it is and judge who owns it."""

    part_number: str = ""
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Ownership:
    """What a card has verified of its owner; both are loaded onto the card (S1)."""

    voucher: OwnershipVoucher
    owner: OwnerCertificate


def sort_vouchers(
    log: CheckLog, received: bytes, cards: Sequence[DeviceCard]
) -> Mapping[str, tuple[bytes, ...]]:
    """Return the vouchers (DER) that each card has to judge, by serial number.

    A bundle is told from a single voucher by content. In a bundle a voucher belongs to the card
    whose serial number it contains, whatever its name (S8). A single one belongs to the first of
    ``cards``, unless it names another of them; so a voucher for another card is still judged, and
    refused for that.

    Raises:
        TrustError: no voucher, neither the one nor the other, or a bundle over its bounds.

    Source: docs/protocol/router.md#an-answer, step 2.
    """
    with log.checking("voucher"):
        if not received:
            raise _missing("a voucher or a bundle")
        if classify_voucher_field(received) == "single":
            named = _named_serial(received) if len(cards) > 1 else ""
            owner = next((card for card in cards if card.serial_number == named), cards[0])
            return {owner.serial_number: (received,)}
        contents = read_bundle(received)
    for warning in contents.warnings:
        log.skipped("voucher-bundle", warning)
    found: dict[str, tuple[bytes, ...]] = {}
    for _name, voucher in contents.entries:
        if serial := _named_serial(voucher):
            found[serial] = (*found.get(serial, ()), voucher)
    return found


def judge_voucher(
    log: CheckLog,
    card: DeviceCard,
    vouchers: Sequence[bytes],
    accepted: frozenset[Assertion],
    *,
    required: bool,
    now: datetime | None,
) -> OwnershipVoucher:
    """Return the voucher of a card, as the card itself judges it.

    ``vouchers`` (DER) are those that name the card. If it is not ``required``, the router can ask
    once more for it, and a missing voucher fails no check. ``now``: aware UTC, or None.

    Raises:
        TrustError: no voucher holds (the first one's flaw is raised), or they name two owners.

    Source: docs/protocol/router.md#an-answer, steps 3 and 4.
    """
    if now is None:
        log.skipped("clock", "not trusted: validated at the signing time")
    if not vouchers and not required:
        log.skipped("voucher", "not in this answer", card.serial_number)
        raise _missing(f"a voucher for {card.serial_number}")
    with log.checking("voucher"):
        # 3. The card's own anchors, serial number and IDevID: every check of a voucher.
        good: list[OwnershipVoucher] = []
        flaws: list[TrustError] = []
        for each in vouchers:
            try:
                good.append(verify_for_router(each, card, accepted, now=now))
            except TrustError as flaw:
                flaws.append(flaw)
        if not good:
            raise flaws[0] if flaws else _missing(f"a voucher for {card.serial_number}")
        # 4. They pin one owner; the newest is kept.
        voucher = _newest(good)
    for warning in filter(lambda told: told.startswith(LEGACY_FORM), voucher.warnings):
        log.skipped("voucher", warning, card.serial_number)
    log.passed("voucher", card.serial_number, fingerprint(voucher.signer))
    return voucher


def judge_owner(
    log: CheckLog, voucher: OwnershipVoucher, owner_certificate: bytes, *, now: datetime | None
) -> Ownership:
    """Return who owns a card: whom the certificate that its voucher pins vouches for.

    ``owner_certificate`` is the CMS that came with the voucher.

    Raises:
        TrustError: the pinned certificate does not vouch for the owner certificate.

    Source: docs/protocol/router.md#an-answer, step 5.
    """
    with log.checking("owner-certificate"):
        owner = verify_owner_certificate(owner_certificate, voucher, now=now)
    pinned = fingerprint(voucher.content.pinned_domain_cert)
    log.passed("owner-certificate", pinned, fingerprint(owner.certificate))
    return Ownership(voucher, owner)


def _newest(good: Sequence[OwnershipVoucher]) -> OwnershipVoucher:
    if len({voucher.content.pinned_domain_cert for voucher in good}) > 1:
        raise TrustError(
            "ov-bundle-ambiguous",
            "valid vouchers for this card name different owners",
            where="ownership_voucher",
            expected="one pinned domain certificate",
            seen=f"{len(good)} vouchers",
        )
    return max(good, key=lambda voucher: voucher.content.created_on or _EARLIEST)


def _missing(expected: str) -> TrustError:
    return TrustError(
        "ov-missing",
        "the answer has no ownership voucher for this card",
        where="ownership_voucher",
        expected=expected,
        seen="none",
    )


def _named_serial(voucher: bytes) -> str:
    """Return the serial number that a voucher claims; empty where it cannot be read."""
    try:
        return parse_unverified_voucher(voucher).serial_number
    except TrustError:
        return ""
