"""CMS SignedData: read strictly, write plainly.

Reading slices; certificates stay raw until they are loaded. No private key comes here:
signing is a callback. Every failure leaves as a CmsError.
Source: RFC 5652 section 5; docs/protocol/pki.md#cms.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from bootz.errors import TrustError
from bootz.trust.algorithms import (
    UnsupportedError,
    digest,
    find_hash,
    is_pss,
    read_algorithm,
    verifies,
    write_digest,
    write_signature,
)
from bootz.trust.asn1 import (
    GENERALIZED_TIME,
    OCTET_STRING,
    SEQUENCE,
    SET,
    UTC_TIME,
    Asn1Error,
    BerError,
    Element,
    Reader,
    encode,
    encode_integer,
    encode_oid,
    encode_sequence,
    encode_set_of,
    normalise,
    read_one,
)
from bootz.trust.certificate_form import (
    CertificateError,
    check_named_curve,
    issuer_and_serial,
    key_algorithm,
    load_certificate,
    subject_key_identifier,
)
from bootz.trust.cms_signer import (
    CONTENT_TYPE,
    ID_DATA,
    MESSAGE_DIGEST,
    SIGNING_TIME,
    SignerInfo,
    read_signer,
)
from bootz.trust.signature import Sign, SignatureError, SignatureScheme, strong_key

MAX_CMS_BYTES: Final = 1 << 20
MAX_CERTIFICATES: Final = 64
MAX_SIGNERS: Final = 8

SIGNED_DATA: Final = "1.2.840.113549.1.7.2"

_EXPLICIT: Final = 0xA0
_CERTIFICATES: Final = 0xA0
_CRLS: Final = 0xA1
_OTHER_CERTIFICATES: Final = frozenset({0xA0, 0xA1, 0xA2, 0xA3})
_VERSIONS: Final = frozenset({1, 3, 4, 5})


class CmsError(TrustError):
    """Bytes are no SignedData that is accepted, or its signature does not hold."""


@dataclass(frozen=True, slots=True)
class SignedData:
    """A SignedData as read; nothing in it is verified.

    ``content`` is None where it is absent; ``certificates`` are raw, in the order of the bag.
    """

    content_type: str
    content: bytes | None = field(repr=False)
    certificates: tuple[bytes, ...] = field(repr=False)
    signers: tuple[SignerInfo, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerifiedSigner:
    """A signer whose signature holds; whether it counts is for a chain to say.

    ``certificate`` is DER, ``others`` are the rest of the bag (DER, unread).
    """

    certificate: bytes = field(repr=False)
    others: tuple[bytes, ...] = field(repr=False)
    signing_time: datetime | None
    pss: bool = False
    """Whether the signature is RSASSA-PSS, which some readers of CMS do not know."""


def parse_signed_data(data: bytes, *, max_size: int = MAX_CMS_BYTES) -> SignedData:
    """Read a ContentInfo with a SignedData in DER, or in BER as some signers stream it.

    Args:
        data: the whole of it; bytes behind it are refused.
        max_size: in bytes; 1 MiB is the most in any case.

    Raises:
        CmsError: ``cms-too-large``, or ``cms-malformed``: not of the form, without signer, a
            signed attribute repeated or missing.
    """
    limit = min(max_size, MAX_CMS_BYTES)
    if len(data) > limit:
        raise CmsError(
            "cms-too-large",
            "the CMS is too long",
            expected=f"at most {limit} bytes",
            seen=f"{len(data)} bytes",
        )
    try:
        try:
            return _read(data)
        except BerError:
            return _read(normalise(data))
    except Asn1Error as error:
        raise CmsError("cms-malformed", f"not a CMS SignedData: {error}") from error


def verify_signers(signed: SignedData) -> tuple[VerifiedSigner, ...]:
    """Return the signers whose digest and signature hold, in order.

    Raises:
        CmsError: none does; the error is that of the first.
    """
    good: list[VerifiedSigner] = []
    flaw: CmsError | None = None
    for signer in signed.signers:
        try:
            good.append(_verify(signed, signer))
        except CmsError as error:
            flaw = flaw or error
    if not good:
        raise flaw or CmsError("cms-malformed", "it has no signer")
    return tuple(good)


def build_signed_data(
    *,
    content: bytes | None,
    content_type: str,
    signer_certificate: bytes,
    intermediates: Sequence[bytes],
    scheme: SignatureScheme,
    sign: Sign,
    signing_time: datetime,
) -> bytes:
    """Return a SignedData with one signer, in DER but for the order of its certificates.

    The signer's certificate comes first, because a reader is known that takes the first one for
    the signer's; CMS asks no order of them.

    Args:
        content: what is signed; None leaves it out.
        content_type: its dotted OID.
        signer_certificate: DER.
        intermediates: DER, carried along in this order.
        scheme: how ``sign`` signs.
        sign: gets the bytes to be signed, whole; its errors pass through.
        signing_time: aware; fractions of seconds are dropped.

    Raises:
        CmsError: the signer's certificate cannot be read.
    """
    try:
        issuer, serial = issuer_and_serial(signer_certificate)
    except Asn1Error as error:
        raise CmsError("cms-malformed", f"the signer's certificate: {error}") from error
    hash_used = scheme.hash
    attributes = encode_set_of(
        (
            _attribute(CONTENT_TYPE, encode_oid(content_type)),
            _attribute(MESSAGE_DIGEST, encode(OCTET_STRING, digest(hash_used, content or b""))),
            _attribute(SIGNING_TIME, _encode_time(signing_time)),
        )
    )
    signer = encode_sequence(
        encode_integer(1),
        encode_sequence(issuer, serial),
        write_digest(hash_used),
        # Signed as a SET OF, carried under an implicit tag (RFC 5652 section 5.4).
        bytes((0xA0,)) + attributes[1:],
        write_signature(scheme),
        encode(OCTET_STRING, sign(attributes)),
    )
    inner = [encode_oid(content_type)]
    if content is not None:
        inner.append(encode(_EXPLICIT, encode(OCTET_STRING, content)))
    signed = encode_sequence(
        encode_integer(1 if content_type == ID_DATA else 3),
        encode(SET, write_digest(hash_used)),
        encode_sequence(*inner),
        encode(_CERTIFICATES, b"".join((signer_certificate, *intermediates))),
        encode(SET, signer),
    )
    return encode_sequence(encode_oid(SIGNED_DATA), encode(_EXPLICIT, signed))


def _read(data: bytes) -> SignedData:
    outer = read_one(data, SEQUENCE).children()
    if outer.take_any().oid() != SIGNED_DATA:
        raise Asn1Error("the content type is not signed-data")
    explicit = outer.take(_EXPLICIT).children()
    outer.end()
    fields = explicit.take(SEQUENCE).children()
    explicit.end()
    if fields.take_any().integer() not in _VERSIONS:
        raise Asn1Error("unknown version")
    for each in fields.take(SET).children().rest():
        read_algorithm(each)
    content_type, content = _read_content(fields.take(SEQUENCE).children())
    bag = fields.take_if(_CERTIFICATES)
    fields.take_if(_CRLS)
    signers = tuple(fields.take(SET).children().rest())
    fields.end()
    if not 0 < len(signers) <= MAX_SIGNERS:
        raise Asn1Error(f"{len(signers)} signers")
    return SignedData(
        content_type,
        content,
        () if bag is None else _read_bag(bag),
        tuple(read_signer(each, content_type) for each in signers),
    )


def _read_content(reader: Reader) -> tuple[str, bytes | None]:
    content_type = reader.take_any().oid()
    explicit = reader.take_if(_EXPLICIT)
    reader.end()
    if explicit is None:
        return content_type, None
    inner = explicit.children()
    content = inner.take(OCTET_STRING).content
    inner.end()
    return content_type, content


def _read_bag(bag: Element) -> tuple[bytes, ...]:
    found: list[bytes] = []
    for each in bag.children().rest():
        if each.tag in _OTHER_CERTIFICATES:
            continue
        found.append(each.expect(SEQUENCE).raw)
    if len(found) > MAX_CERTIFICATES:
        raise Asn1Error(f"{len(found)} certificates")
    return tuple(found)


def _verify(signed: SignedData, signer: SignerInfo) -> VerifiedSigner:
    certificate = next((der for der in signed.certificates if _is_of(der, signer)), None)
    if certificate is None:
        raise CmsError("cms-malformed", "the signer's certificate is not included")
    try:
        key = strong_key(load_certificate(certificate).public_key())
        check_named_curve(certificate)
        hash_used = find_hash(signer.digest_algorithm)
    except CertificateError as error:
        unsupported = error.reason == "certificate-explicit-curve"
        raise CmsError(
            "cms-unsupported" if unsupported else "cms-malformed",
            f"the signer's certificate: {error.detail}",
            expected=error.expected,
            seen=error.seen,
        ) from error
    except SignatureError as error:
        raise CmsError(
            "cms-unsupported",
            f"the signer's certificate: {error.detail}",
            expected=error.expected,
            seen=error.seen,
        ) from error
    except UnsupportedError as error:
        raise _unsupported(error) from error
    content = signed.content or b""
    if signer.attributes is None:
        to_be_signed = content
    else:
        to_be_signed = signer.attributes
        if not hmac.compare_digest(signer.message_digest, digest(hash_used, content)):
            raise CmsError("cms-bad-signature", "the digest does not match the content")
    try:
        good = verifies(
            key,
            signer.signature_algorithm,
            hash_used,
            signer.signature,
            to_be_signed,
            key_algorithm=key_algorithm(certificate),
        )
    except UnsupportedError as error:
        raise _unsupported(error) from error
    if not good:
        raise CmsError("cms-bad-signature", "the signature is invalid")
    others = tuple(der for der in signed.certificates if der != certificate)
    return VerifiedSigner(
        certificate, others, signer.signing_time, pss=is_pss(signer.signature_algorithm)
    )


def _unsupported(error: UnsupportedError) -> CmsError:
    return CmsError("cms-unsupported", f"not accepted: {error}")


def _is_of(der: bytes, signer: SignerInfo) -> bool:
    """Tell whether a SignerInfo names this certificate; what cannot be read is no one's."""
    try:
        if signer.key_identifier is None:
            return issuer_and_serial(der) == (signer.issuer, signer.serial_number)
        return subject_key_identifier(load_certificate(der)) == signer.key_identifier
    except (Asn1Error, CertificateError):
        return False


def _attribute(oid: str, value: bytes) -> bytes:
    return encode_sequence(encode_oid(oid), encode(SET, value))


def _encode_time(moment: datetime) -> bytes:
    utc = moment.astimezone(UTC)
    if 1950 <= utc.year < 2050:
        return encode(UTC_TIME, utc.strftime("%y%m%d%H%M%SZ").encode())
    # Not strftime: %Y is not padded to four digits everywhere.
    return encode(GENERALIZED_TIME, f"{utc.year:04}{utc:%m%d%H%M%S}Z".encode())
