"""The form of certificates: DER, PEM and PKCS #7 in, and what a single certificate says of itself.

Nothing here is verified; ``certificates`` builds chains.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID

from bootz.errors import TrustError
from bootz.trust.asn1 import (
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    Asn1Error,
    Element,
    encode_oid,
    read_one,
)
from bootz.trust.pkcs7 import certificates_in_pkcs7, is_pkcs7

MAX_CERTIFICATE_BYTES: Final = 64 << 10
MAX_BUNDLE_BYTES: Final = 4 << 20
"""Of a file with the CAs of a vendor."""

_LABELS: Final = frozenset({"CERTIFICATE"})
_BUNDLE_LABELS: Final = _LABELS | {"X509 CERTIFICATE", "PKCS7", "CMS"}
"""Of PEM blocks. Windows writes a PKCS #7 under ``CERTIFICATE`` too."""

_BOOLEAN: Final = 0x01
_VERSION: Final = 0xA0
_EXTENSIONS: Final = 0xA3
_KEY_IDENTIFIER: Final = 0x80
_EC_PUBLIC_KEY: Final = "1.2.840.10045.2.1"

_KEPT_CERTIFICATES: Final = 256
"""Some 10 kB each: those of the devices that are being served, and their CAs."""


UNREADABLE: Final = (
    ValueError,
    TypeError,
    OverflowError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    UnsupportedAlgorithm,
)
"""What the library raises for a certificate or a list of revocations that it cannot read."""


class CertificateError(TrustError):
    """A certificate cannot be read, or does not lead to a trust anchor."""


@lru_cache(maxsize=_KEPT_CERTIFICATES)
def load_certificate(der: bytes) -> x509.Certificate:
    """Return a certificate that is read to the end, so that nothing fails later.

    The last ones are kept, because each is read several times while its device is proven; what
    is kept is how it reads, never a verdict.

    Raises:
        CertificateError: ``certificate-malformed``: not one DER certificate, or a part of it
            (names, extensions, key) cannot be understood.
    """
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise _malformed(f"longer than {MAX_CERTIFICATE_BYTES} bytes")
    try:
        if _serial_number(der) < 0:
            raise ValueError("a negative serial number")
        certificate = x509.load_der_x509_certificate(der)
        # The library reads these only when asked; now is the time to fail.
        _ = certificate.version, certificate.subject, certificate.issuer, certificate.extensions
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        _ = certificate.public_key()
    except UNREADABLE as error:
        raise _malformed(_first_words(error)) from error
    return certificate


@lru_cache(maxsize=_KEPT_CERTIFICATES)
def check_named_curve(der: bytes) -> None:
    """Check that an EC key names its curve, where a certificate has such a key.

    The library takes parameters that are those of a known curve; OpenSSL's chains do not.

    Raises:
        CertificateError: ``certificate-explicit-curve``.

    Source: RFC 5480 section 2.1.1.
    """
    if not isinstance(load_certificate(der).public_key(), ec.EllipticCurvePublicKey):
        return
    oid, *parameters = _key_algorithm(der)
    if oid.oid() == _EC_PUBLIC_KEY and [each.tag for each in parameters] != [OBJECT_IDENTIFIER]:
        raise CertificateError(
            "certificate-explicit-curve",
            "its EC key spells out the parameters of its curve",
            where=load_certificate(der).subject.rfc4514_string()[:200],
            expected="the curve by its name (namedCurve)",
            seen="explicit parameters (specifiedCurve)",
        )


def key_algorithm(der: bytes) -> str:
    """Return the dotted OID by which a certificate names the kind of its key.

    Raises:
        Asn1Error: not a certificate.
    """
    return _key_algorithm(der)[0].oid()


def _key_algorithm(der: bytes) -> tuple[Element, ...]:
    identifier = _tbs(der)[6].expect(SEQUENCE).children().take(SEQUENCE)
    return tuple(identifier.children().rest())


def parse_certificates(data: bytes) -> tuple[bytes, ...]:
    """Return the DER of every certificate in a file: PEM, one DER, or PKCS #7 (DER or PEM).

    In PEM, text between the blocks is a remark; blocks of any other kind are refused, so that a
    private key is never taken along by mistake. Of a PKCS #7, whatever it may sign is not looked
    at.

    Raises:
        CertificateError: no certificate, or anything else.
    """
    if len(data) > MAX_BUNDLE_BYTES:
        raise _malformed(f"longer than {MAX_BUNDLE_BYTES} bytes")
    if data[:1] == b"\x30":
        return _certificates_in(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _malformed("neither DER nor PEM") from error
    blocks = _pem_blocks(text, _BUNDLE_LABELS, remarks=True)
    return tuple(der for block in blocks for der in _certificates_in(block))


def parse_pem(text: str) -> tuple[bytes, ...]:
    """Return the DER of every certificate in PEM, in order; nothing else may be in it.

    Raises:
        CertificateError: no block, a block of another kind, or one that is not a certificate.
    """
    found = _pem_blocks(text, _LABELS, remarks=False)
    for der in found:
        load_certificate(der)
    return found


def pem_blocks(text: str) -> tuple[bytes, ...]:
    """Return what is in the certificate blocks of PEM with remarks; whether it is one is not read.

    Raises:
        CertificateError: no block, a block of another kind, or one that is not base64.
    """
    return _pem_blocks(text, _LABELS, remarks=True)


def _certificates_in(data: bytes) -> tuple[bytes, ...]:
    """Return the certificate that some DER is, or those of the PKCS #7 that it is."""
    found: tuple[bytes, ...] = (data,)
    if is_pkcs7(data):
        try:
            found = certificates_in_pkcs7(data)
        except Asn1Error as error:
            raise _malformed(f"a damaged PKCS #7: {error}") from error
        if not found:
            raise _malformed("a PKCS #7 without certificates")
    for der in found:
        load_certificate(der)
    return found


def _pem_blocks(text: str, labels: frozenset[str], *, remarks: bool) -> tuple[bytes, ...]:
    found: list[bytes] = []
    block: list[str] | None = None
    label = ""
    for number, each in enumerate(text.splitlines(), 1):
        line = each.strip()
        if block is not None and line == f"-----END {label}-----":
            found.append(_decode_block("".join(block), number))
            block = None
        elif line.startswith("-----"):
            label = line.removeprefix("-----BEGIN ").removesuffix("-----")
            if block is not None or label not in labels or line != f"-----BEGIN {label}-----":
                raise _malformed(f"line {number} is not a PEM boundary of a certificate")
            block = []
        elif block is not None:
            block.append(line)
        elif line and not remarks:
            raise _malformed(f"line {number} is outside of any certificate")
    if block is not None:
        raise _malformed("the last certificate is truncated")
    if not found:
        raise _malformed("it contains no certificate")
    return tuple(found)


def _decode_block(text: str, number: int) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _malformed(f"the certificate that ends in line {number} is not base64") from error


def pem_from_der(ders: Iterable[bytes]) -> bytes:
    """Return certificates as PEM, in order."""
    return b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in ders)


def fingerprint(der: bytes) -> str:
    """Return the SHA-256 of a certificate, 64 lower-case hex digits."""
    # What a stranger presents may be longer than a certificate, and is not kept.
    return _fingerprint(der) if len(der) <= MAX_CERTIFICATE_BYTES else _sha256(der)


def _sha256(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()


_fingerprint = lru_cache(maxsize=_KEPT_CERTIFICATES)(_sha256)


def spki_fingerprint(public_key: PublicKeyTypes) -> str:
    """Return the SHA-256 of a key's SubjectPublicKeyInfo, 64 lower-case hex digits."""
    encoded = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(encoded).hexdigest()


def issuer_and_serial(der: bytes) -> tuple[bytes, bytes]:
    """Return the issuer's Name and the serial number of a certificate, both raw.

    Raises:
        Asn1Error: not a certificate.
    """
    fields = _tbs(der)
    return fields[3].raw, fields[1].raw


_BARE_KEY_IDENTIFIERS: Final = frozenset({20, 32})
"""Bytes of a key identifier that is a digest of the key, SHA-1 or SHA-256."""


def authority_key_identifier(der: bytes) -> bytes | None:
    """Return the AuthorityKeyIdentifier SEQUENCE of a certificate, verbatim; None without one.

    This is form (b) of docs/protocol/vouchers.md#idevid-issuer, what ``idevid-issuer`` carries.

    Raises:
        CertificateError: not a certificate.
    """
    load_certificate(der)
    try:
        return _extension(der, bytes.fromhex("551d23"))
    except Asn1Error as error:
        raise _malformed(str(error)) from error


def key_identifier(encoded: bytes) -> bytes | None:
    """Return the keyIdentifier of an AuthorityKeyIdentifier SEQUENCE; None if it has none.

    Raises:
        Asn1Error: not such a SEQUENCE.
    """
    reader = read_one(encoded, SEQUENCE).children()
    found = reader.take_if(_KEY_IDENTIFIER)
    for _ in reader.rest():
        pass
    return None if found is None else found.content


def issuer_key(issuer: bytes) -> bytes | None:
    """Return the keyIdentifier of any form of an ``idevid-issuer``; None where a SEQUENCE has none.

    Source: docs/protocol/vouchers.md#idevid-issuer.
    """
    try:
        encoded = read_one(issuer, OCTET_STRING).content
    except Asn1Error:
        encoded = issuer
    try:
        return key_identifier(encoded)
    except Asn1Error:
        # The bare keyIdentifier; what merely looks like an OCTET STRING is bare as well.
        return issuer


def is_issuer(issuer: bytes) -> bool:
    """Tell whether octets have one of the three forms of an ``idevid-issuer``."""
    key = issuer_key(issuer)
    return bool(key) and (key != issuer or len(issuer) in _BARE_KEY_IDENTIFIERS)


def subject_key_identifier(certificate: x509.Certificate) -> bytes | None:
    """Return the SubjectKeyIdentifier of a certificate; None without one."""
    try:
        extension = certificate.extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_KEY_IDENTIFIER
        )
    except x509.ExtensionNotFound:
        return None
    value = extension.value
    return value.digest if isinstance(value, x509.SubjectKeyIdentifier) else None


def extension(
    certificate: x509.Certificate, kind: type[x509.extensions.ExtensionTypeVar]
) -> x509.extensions.ExtensionTypeVar | None:
    """Return an extension of a certificate, None without it."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def extension_value(der: bytes, oid: str) -> bytes | None:
    """Return the value of an extension (the content of its OCTET STRING); None without it.

    Raises:
        Asn1Error: not a certificate.
    """
    return _extension(der, encode_oid(oid)[2:])


def validity_tags(der: bytes) -> tuple[int, int]:
    """Return the ASN.1 tags of notBefore and notAfter.

    Raises:
        Asn1Error: not a certificate.
    """
    begin, end = _tbs(der)[4].expect(SEQUENCE).children().rest()
    return begin.tag, end.tag


def _serial_number(der: bytes) -> int:
    """Return the serial number of a certificate, of which nothing behind it is read."""
    fields = read_one(der, SEQUENCE).children().take(SEQUENCE).children()
    fields.take_if(_VERSION)
    return fields.take_any().integer()


def _tbs(der: bytes) -> list[Element]:
    """Return the fields of TBSCertificate, a placeholder where the version is absent."""
    outer = read_one(der, SEQUENCE).children()
    fields = list(outer.take(SEQUENCE).children().rest())
    if fields and fields[0].tag != _VERSION:
        fields.insert(0, Element(_VERSION, b"", b""))
    if len(fields) < 7:
        raise Asn1Error("certificate with too few fields")
    fields[3].expect(SEQUENCE)
    fields[1].integer()
    return fields


def _extension(der: bytes, wanted: bytes) -> bytes | None:
    for block in _tbs(der)[7:]:
        if block.tag != _EXTENSIONS:
            continue
        for each in block.children().take(SEQUENCE).children().rest():
            reader = each.expect(SEQUENCE).children()
            name = reader.take_any()
            reader.take_if(_BOOLEAN)
            value = reader.take(OCTET_STRING)
            if name.content == wanted:
                return value.content
    return None


def _malformed(detail: str) -> CertificateError:
    return CertificateError(
        "certificate-malformed", f"not a certificate: {detail}", expected="a DER certificate"
    )


def _first_words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
