"""The ownership voucher: issued by a manufacturer, verified by routers and owners.

Source: RFC 8366 section 5; docs/protocol/vouchers.md.
"""

import hmac
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from cryptography import x509

from bootz.model.artifacts import Assertion, OwnershipVoucher, VoucherContent
from bootz.model.chassis import fold_serial
from bootz.trust.certificate_form import extension, issuer_key
from bootz.trust.certificates import (
    CertificateError,
    VendorCAs,
    VerifiedChain,
    authority_key_identifier,
    fingerprint,
    verify_chain,
)
from bootz.trust.cms import (
    CmsError,
    SignedData,
    VerifiedSigner,
    build_signed_data,
    parse_signed_data,
    verify_signers,
)
from bootz.trust.cms_signer import ID_DATA
from bootz.trust.signature import Sign, SignatureScheme
from bootz.trust.voucher_content import VoucherError, read_content, write_content

__all__ = [
    "EContentType",
    "RouterCard",
    "VoucherError",
    "issue_voucher",
    "parse_unverified_voucher",
    "verify_for_owner",
    "verify_for_router",
    "verify_voucher",
]

LEGACY_FORM: Final = "LEGACY form of the signer's chain"
"""How the warning begins of a voucher whose chain only a vendor's setting `legacy` takes."""

MAX_VOUCHER_BYTES: Final = 64 << 10

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far in the future a voucher may have been made: the vendor's clock is not ours."""

EContentType: TypeAlias = Literal["anima-json", "pkcs7-data"]

_CONTENT_TYPES: Final[dict[EContentType, str]] = {
    "anima-json": "1.2.840.113549.1.9.16.1.40",
    "pkcs7-data": ID_DATA,
}

_REASONS: Final = {
    "cms-bad-signature": "ov-bad-signature",
    "cms-unsupported": "ov-algorithm-unsupported",
}
_DATES: Final = {
    "certificate-expired": "ov-signer-expired",
    "certificate-not-yet-valid": "ov-signer-not-yet-valid",
}
"""Refusals of a signer that leads to a CA of the vendor, but not at this time."""

SIGNER_REASONS: Final = frozenset({"ov-untrusted-signer", *_DATES.values()})
"""Reasons of ``VoucherError`` that say that these anchors do not vouch for the signer."""

_FIELD: Final = "ownership_voucher"

_WORDS: Final = {
    "ov-malformed": (_FIELD, "the CMS does not contain a voucher"),
    "ov-untrusted-signer": (_FIELD, "the voucher's signer does not chain to a CA of the vendor"),
    "ov-signer-expired": (
        _FIELD,
        "the certificate of the voucher's signer, or of a CA above it, has expired",
    ),
    "ov-signer-not-yet-valid": (
        _FIELD,
        "the certificate of the voucher's signer, or of a CA above it, is not valid yet",
    ),
    "ov-wrong-serial": ("serial-number", "the voucher is for another serial number"),
    "ov-wrong-issuer": ("idevid-issuer", "the voucher names an issuer other than the IDevID's"),
    "ov-not-yet-valid": ("created-on", "the voucher's creation date is in the future"),
    "ov-expired": ("expires-on", "the voucher has expired"),
    "ov-assertion": ("assertion", "the voucher's assertion is not accepted"),
    "ov-pins-other": (
        "pinned-domain-cert",
        "the voucher pins a certificate that is not this owner's",
    ),
}
"""Of each refusal the place, and the words for a person."""


def issue_voucher(
    content: VoucherContent,
    *,
    signer_certificate: bytes,
    chain: Sequence[bytes],
    scheme: SignatureScheme,
    sign: Sign,
    now: datetime,
    econtent_type: EContentType = "anima-json",
) -> bytes:
    """Return the CMS of a voucher, in DER.

    What may be promised is the issuer's policy and was decided before.

    Args:
        content: the leaves; without ``created_on`` it is ``now``.
        signer_certificate: DER.
        chain: DER, what is above the signer, to the vendor's root.
        scheme: how ``sign`` signs.
        sign: gets the bytes to be signed, whole; its errors pass through.
        now: aware UTC; becomes the signing time.
        econtent_type: ``pkcs7-data`` is for readers that do not know RFC 8366's own.

    Raises:
        CmsError: the signer's certificate cannot be read.
    """
    return build_signed_data(
        content=write_content(replace(content, created_on=content.created_on or now)),
        content_type=_CONTENT_TYPES[econtent_type],
        signer_certificate=signer_certificate,
        intermediates=chain,
        scheme=scheme,
        sign=sign,
        signing_time=now,
    )


def verify_voucher(cms: bytes, anchors: VendorCAs, *, now: datetime | None) -> OwnershipVoucher:
    """Return the voucher a manufacturer signed; nothing unverified leaves this function.

    Whether it is for a certain card, or owner, is said by ``verify_for_router`` and
    ``verify_for_owner``.

    Args:
        cms: DER of a SignedData around a voucher in JSON or XML, at most 64 KiB.
        anchors: anchors for vouchers, never the owner's own.
        now: aware UTC time at which the signer's chain and the voucher must be valid; None
            without a trusted clock: the chain is then judged at the signing time, else at
            ``created-on``, and the voucher's own dates not at all.

    Raises:
        VoucherError: malformed, wrongly signed, of an untrusted signer, out of date, or pinning
            no certificate; the reason says which.

    Source: docs/protocol/vouchers.md#validation, steps 1 to 3 and 6.
    """
    # 1. The CMS parses, digest and signature hold.
    raw, signers = _open(cms)
    flaws: list[VoucherError] = []
    for signer in signers:
        moment = now or signer.signing_time or read_content(raw).content.created_on
        # 2. The signer leads to an anchor; of several signers one is enough.
        try:
            chain = _verify_signer(signer, anchors, moment)
        except VoucherError as flaw:
            flaws.append(flaw)
            continue
        # 3. The content parses, with its mandatory leaves; nothing reads it before that.
        read = read_content(raw)
        # 6. It is in date, unless there is no clock to tell.
        if now is not None:
            _check_dates(read.content, now)
        return OwnershipVoucher(
            cms,
            read.content,
            signer.certificate,
            chain.anchor,
            signer.signing_time,
            read.encoding,
            (*read.warnings, *_quirks(signer, chain)),
        )
    # One that leads to a CA of the vendor tells more than one that leads nowhere.
    raise next((flaw for flaw in flaws if flaw.reason in _DATES.values()), flaws[0])


@dataclass(frozen=True, slots=True)
class RouterCard:
    """What a card is judged by: its serial number, and what the manufacturer has built into it.

    ``vendor_anchors`` vouch for vouchers. ``idevid`` is DER, None for a card without one.
    """

    serial_number: str
    vendor_anchors: VendorCAs = field(repr=False)
    idevid: bytes | None = field(repr=False)


def verify_for_router(
    cms: bytes, card: RouterCard, accepted: frozenset[Assertion], *, now: datetime | None
) -> OwnershipVoucher:
    """Return the voucher (DER of the SignedData) if it holds for a card: all that a router checks.

    ``accepted`` are the assertions that count, ``now`` is that of ``verify_voucher``. Without
    an IDevID no issuer is compared, which is a warning of the voucher.

    Raises:
        VoucherError: as ``verify_voucher``; ``ov-wrong-serial``, ``ov-wrong-issuer``,
            ``ov-assertion``.
        CertificateError: the IDevID cannot be read.

    Source: docs/protocol/vouchers.md#validation, steps 1 to 7.
    """
    # 1 to 3, and 6.
    voucher = verify_voucher(cms, card.vendor_anchors, now=now)
    named, issuer = voucher.content.serial_number, voucher.content.idevid_issuer
    # 4. A voucher for another device is genuine: only its serial number tells.
    if named != card.serial_number:
        raise _refused("ov-wrong-serial", card.serial_number, named)
    # 5. So is one for a device of the same serial number and another issuer.
    if issuer is not None and card.idevid is not None:
        _check_issuer(issuer, card.idevid)
    # 7. The manufacturer has established ownership as strongly as is demanded.
    _check_assertion(voucher.content, accepted)
    return voucher if card.idevid is not None else _without_idevid(voucher)


def verify_for_owner(
    cms: bytes,
    anchors: VendorCAs,
    *,
    serial_number: str | None,
    pinned_domain_cert: bytes,
    accepted: frozenset[Assertion],
    now: datetime,
) -> OwnershipVoucher:
    """Return the voucher if it holds and pins this owner: all that an owner checks.

    An owner has no IDevID to compare ``idevid-issuer`` with, which is a warning of the voucher.

    Args:
        cms: DER of the SignedData.
        anchors: those that the vendor of the inventory has for vouchers.
        serial_number: of the card that it was asked for, compared without case as inventories do;
            None for whichever card it names.
        pinned_domain_cert: the owner's, DER.
        accepted: the assertions that count.
        now: aware UTC.

    Raises:
        VoucherError: as ``verify_voucher``; ``ov-wrong-serial``, ``ov-assertion``,
            ``ov-pins-other``.

    Source: docs/protocol/vouchers.md#validation.
    """
    voucher = verify_voucher(cms, anchors, now=now)
    content, named = voucher.content, voucher.content.serial_number
    if serial_number is not None and fold_serial(serial_number) != fold_serial(named):
        raise _refused("ov-wrong-serial", serial_number, named)
    _check_assertion(content, accepted)
    pinned = content.pinned_domain_cert
    if pinned != pinned_domain_cert:
        raise _refused("ov-pins-other", fingerprint(pinned_domain_cert), fingerprint(pinned))
    return _without_idevid(voucher)


def parse_unverified_voucher(cms: bytes) -> VoucherContent:
    """Return what a voucher claims, for display and for sorting; nothing of it is verified.

    Raises:
        VoucherError: ``ov-malformed``, or the content is not a voucher.
    """
    return read_content(_parse(cms)[1]).content


def claimed_signer(cms: bytes) -> bytes:
    """Return the certificate (DER) whose signature over the voucher holds; nothing vouches for it.

    Raises:
        VoucherError: the form is wrong, or no signature holds.
    """
    return _open(cms)[1][0].certificate


def _quirks(signer: VerifiedSigner, chain: VerifiedChain) -> tuple[str, ...]:
    """Name what is odd in a signature that is accepted."""
    found = [f"{LEGACY_FORM}: {each}" for each in chain.tolerated]
    if signer.pss:
        found.append("signed with RSA-PSS: routers that follow the Go reference cannot read it")
    return tuple(found)


def _open(cms: bytes) -> tuple[bytes, tuple[VerifiedSigner, ...]]:
    """Return the content and the signers whose signature over it holds."""
    signed, content = _parse(cms)
    with _told_of_the_voucher():
        return content, verify_signers(signed)


def _parse(cms: bytes) -> tuple[SignedData, bytes]:
    """Return a SignedData around a voucher, and its content; nothing of it is verified."""
    with _told_of_the_voucher():
        signed = parse_signed_data(cms, max_size=MAX_VOUCHER_BYTES)
    if signed.content_type not in _CONTENT_TYPES.values():
        raise _refused("ov-malformed", " or ".join(_CONTENT_TYPES.values()), signed.content_type)
    if signed.content is None:
        raise _refused("ov-malformed", "a content", "none")
    return signed, signed.content


@contextmanager
def _told_of_the_voucher() -> Iterator[None]:
    try:
        yield
    except CmsError as error:
        reason = _REASONS.get(error.reason, "ov-malformed")
        raise VoucherError(
            reason, error.detail, where=_FIELD, expected=error.expected, seen=error.seen
        ) from error


def _verify_signer(
    signer: VerifiedSigner, anchors: VendorCAs, moment: datetime | None
) -> VerifiedChain:
    """Return the chain from the signer to an anchor; an embedded root gives no trust."""
    if moment is None:
        raise _refused("ov-untrusted-signer", "a time: clock, signing time, created-on", "none")
    try:
        chain = verify_chain(signer.certificate, signer.others, anchors, now=moment)
    except CertificateError as error:
        reason = _DATES.get(error.reason, "ov-untrusted-signer")
        words = f"{error.reason}: {error}"
        raise _refused(reason, "a chain to a CA of the vendor", words) from error
    usage = extension(chain.leaf, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        raise _refused("ov-untrusted-signer", "keyUsage with digitalSignature", "without")
    return chain


def _refused(reason: str, expected: str, seen: str) -> VoucherError:
    where, words = _WORDS[reason]
    return VoucherError(reason, words, where=where, expected=expected, seen=seen)


def _check_dates(content: VoucherContent, now: datetime) -> None:
    made, ends = content.created_on, content.expires_on
    if made is not None and made > now + CLOCK_SKEW:
        latest = f"at most {CLOCK_SKEW} after {now.isoformat()}"
        raise _refused("ov-not-yet-valid", latest, made.isoformat())
    if ends is not None and ends <= now:
        raise _refused("ov-expired", f"after {now.isoformat()}", ends.isoformat())


def _check_assertion(content: VoucherContent, accepted: frozenset[Assertion]) -> None:
    if content.assertion not in accepted:
        named = sorted(each.value for each in accepted)
        raise _refused("ov-assertion", ", ".join(named), content.assertion.value)


def _without_idevid(voucher: OwnershipVoucher) -> OwnershipVoucher:
    if voucher.content.idevid_issuer is None:
        return voucher
    warning = "idevid-issuer is not compared: the IDevID is not at hand"
    return replace(voucher, warnings=(*voucher.warnings, warning))


def _check_issuer(issuer: bytes, idevid_certificate: bytes) -> None:
    """Compare keyIdentifiers; three forms of the leaf are in use.

    Source: docs/protocol/vouchers.md#idevid-issuer.
    """
    encoded = authority_key_identifier(idevid_certificate)
    own = None if encoded is None else issuer_key(encoded)
    if own is None or not hmac.compare_digest(own, issuer_key(issuer) or b""):
        expected = "no issuer in the IDevID" if own is None else own.hex()
        raise _refused("ov-wrong-issuer", expected, issuer.hex()[:128])
