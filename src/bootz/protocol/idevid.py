"""The IDevID of a peer, in two degrees of trust, and its two checks against a record.

TLS has made the peer sign with the key of a ``TlsCertificate``. A ``ClaimedCertificate`` is text
in a message that anyone may copy: it says who is to be challenged, and proves nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeAlias

from bootz.errors import PeerError
from bootz.model.chassis import Chassis, IdevidSerial, fold_serial
from bootz.model.checks import STRICT_FORM
from bootz.protocol.refusals import ForeignChassis, UnprovenPeer
from bootz.protocol.steps import CheckLog
from bootz.trust.certificates import (
    NEEDS_LEGACY,
    fingerprint,
    idevid_serial_number,
    load_certificate,
    parse_identity_certificate,
)
from bootz.trust.remembered import VouchedChains
from bootz.trust.vendor import Vendor

_KEPT_NAMES: Final = 1024
_VOUCHED: Final = VouchedChains("idevid")
"""Of a request and of the report after it, which come on different connections."""


@dataclass(frozen=True, slots=True)
class TlsCertificate:
    """The certificate, DER, that the peer presented in TLS, and whose key it has used there."""

    leaf: bytes = field(repr=False)
    intermediates: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class ClaimedCertificate:
    """A certificate, DER, that a message contains; whether the peer has its key is not known."""

    leaf: bytes = field(repr=False)
    intermediates: tuple[bytes, ...] = field(default=(), repr=False)


DeviceCertificate: TypeAlias = TlsCertificate | ClaimedCertificate


def take_tls_certificate(
    log: CheckLog, certificate: TlsCertificate | None
) -> tuple[TlsCertificate, str]:
    """Return the certificate, and the serial number in it (empty where it names none).

    Raises:
        UnprovenPeer: there is no certificate, or one that cannot be read.
    """
    if certificate is None:
        log.refuse(
            "client-certificate",
            UnprovenPeer(
                "client-certificate-missing",
                "the call has no client certificate",
                where="TLS",
                expected="the IDevID of the active control card",
                seen="none",
            ),
        )
    try:
        serial = named_serial(certificate)
    except PeerError as error:
        log.refuse(
            "client-certificate",
            UnprovenPeer(
                "client-certificate-unreadable", error.detail, where="TLS", seen=error.reason
            ),
        )
    log.passed("client-certificate", seen=fingerprint(certificate.leaf))
    return certificate, serial


def read_claimed_certificate(text: str) -> ClaimedCertificate:
    """Return the certificate of an identity in a message (PEM or base64 DER).

    Raises:
        TrustError: it cannot be read.
    """
    return ClaimedCertificate(*parse_identity_certificate(text))


def named_serial(certificate: DeviceCertificate) -> str:
    """Return the serial number in an IDevID, empty where it names none.

    Raises:
        TrustError: the certificate cannot be read.
    """
    return _named(certificate.leaf) or ""


def serial_flaw(certificate: DeviceCertificate) -> PeerError | None:
    """Return why an IDevID names no serial number, and what was seen instead; None if it does.

    Raises:
        TrustError: the certificate cannot be read.
    """
    if _named(certificate.leaf) is not None:
        return None
    leaf = load_certificate(certificate.leaf)
    try:
        idevid_serial_number(leaf)
    except PeerError as flaw:
        return flaw
    return None


@lru_cache(maxsize=_KEPT_NAMES)
def _named(leaf: bytes) -> str | None:
    """Return the serial number in a leaf, None where it names none; what it says never changes.

    The error itself is not kept: every time it was raised would stay in its traceback.
    """
    certificate = load_certificate(leaf)
    try:
        return idevid_serial_number(certificate)
    except PeerError:
        return None


def proves(serial_number: str, chassis: Chassis) -> bool:
    """Tell whether a proven serial number is one of the record's.

    That of one of its cards, or its own: some manufacturers certify the chassis, and all of its
    control cards show that certificate. Both are compared with the inventory alone, where a serial
    number belongs to one chassis of a manufacturer.
    """
    match chassis.idevid_serial:
        case IdevidSerial.CARD:
            return is_of_card(serial_number, chassis)
        case IdevidSerial.CHASSIS:
            return _is_own(serial_number, chassis)
        case IdevidSerial.EITHER:
            return is_of_card(serial_number, chassis) or _is_own(serial_number, chassis)


def is_of_card(serial_number: str, chassis: Chassis) -> bool:
    """Tell whether a serial number is that of a card of the record."""
    return bool(serial_number) and chassis.card(serial_number) is not None


def _is_own(serial_number: str, chassis: Chassis) -> bool:
    folded = fold_serial(serial_number)
    return bool(folded) and folded == fold_serial(chassis.serial_number)


def proving_serials(chassis: Chassis) -> str:
    """Return the serial numbers that prove a record, for a person."""
    cards = [card.serial_number for card in chassis.cards]
    found = [*cards, chassis.serial_number]
    return ", ".join(dict.fromkeys(each for each in found if proves(each, chassis))) or "none"


def chain_flaw(vendor: Vendor, certificate: DeviceCertificate, now: datetime) -> PeerError | None:
    """Return why the chain does not end at a CA of this vendor, None if it does."""
    try:
        _verified(vendor, certificate, now)
    except PeerError as flaw:
        return flaw
    return None


def _verified(vendor: Vendor, certificate: DeviceCertificate, now: datetime) -> tuple[str, ...]:
    """Return what of the form of a chain is tolerated, once the vendor vouches for it."""
    intermediates = (*certificate.intermediates, *vendor.idevid_intermediates)
    return _VOUCHED.verify(certificate.leaf, intermediates, vendor.idevid_anchors, now=now)


def untrusted(manufacturer: str, flaw: PeerError | None) -> UnprovenPeer:
    """Return the error for an IDevID that no CA of the manufacturer vouches for.

    One whose chain holds but for its form has a reason of its own: its device is not an intruder,
    and what to do is another thing.
    """
    if flaw is not None and flaw.reason == NEEDS_LEGACY:
        return UnprovenPeer(
            flaw.reason, flaw.detail, where="IDevID", expected=flaw.expected, seen=flaw.seen
        )
    return UnprovenPeer(
        "idevid-untrusted",
        "the IDevID does not chain to a CA of the manufacturer, or is out of date"
        if flaw is None
        else f"the IDevID is not accepted: {flaw.detail}",
        where="IDevID",
        expected=f"a chain to a CA of {manufacturer}",
        seen="no such vendor in the inventory" if flaw is None else f"{flaw.reason}: {flaw.detail}",
    )


def check_idevid(
    log: CheckLog,
    chassis: Chassis,
    vendor: Vendor | None,
    certificate: DeviceCertificate,
    *,
    now: datetime,
) -> str:
    """Check that a certificate is of the record: its chain, then its serial number.

    The chain must end at a CA of the record's own manufacturer: TLS trusts all vendors, and
    without this any of them could certify a serial number of another. The serial number is
    compared with the record, never with the request, which anyone can write.

    Returns:
        The fingerprint of the certificate, as evidence.

    Raises:
        UnprovenPeer: the chain does not end there.
        ForeignChassis: the certificate is of another device, or names no serial number.
    """
    if vendor is None:
        log.refuse("idevid-chain", untrusted(chassis.manufacturer, None))
    try:
        tolerated = _verified(vendor, certificate, now)
    except PeerError as flaw:
        log.refuse("idevid-chain", untrusted(chassis.manufacturer, flaw))
    evidence = fingerprint(certificate.leaf)
    log.passed("idevid-chain", expected=f"a CA of {chassis.manufacturer}", seen=evidence)
    if tolerated:
        log.skipped(STRICT_FORM, f"LEGACY, as the vendor's setting says: {'; '.join(tolerated)}")
    serial = named_serial(certificate)
    if chassis.skip_idevid_serial_check:
        log.skipped("idevid-serial", "switched off for this chassis")
    elif (unnamed := serial_flaw(certificate)) is not None:
        log.refuse(
            "idevid-serial",
            ForeignChassis(
                unnamed.reason,
                unnamed.detail,
                where=unnamed.where,
                expected=proving_serials(chassis),
                seen=unnamed.seen,
            ),
        )
    elif not proves(serial, chassis):
        log.refuse(
            "idevid-serial",
            ForeignChassis(
                "idevid-serial-foreign",
                "the proven serial number does not belong to the named chassis",
                where="IDevID serialNumber",
                expected=proving_serials(chassis),
                seen=serial,
            ),
        )
    else:
        of_card = is_of_card(serial, chassis)
        log.passed("idevid-serial", seen=serial if of_card else f"{serial}, the chassis's own")
    return evidence
