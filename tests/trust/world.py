"""Material for the tests of the proofs: keys, certificates that no library would write, CMS.

Certificates are forged byte by byte, so that each flaw can be the only one.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from bootz.model.artifacts import Assertion, OwnershipVoucher, VoucherContent
from bootz.trust.asn1 import encode, encode_integer, encode_oid, encode_sequence
from bootz.trust.certificates import AnchorSet, VendorCAs
from bootz.trust.signature import scheme_for, sign_with
from bootz.trust.voucher import EContentType, issue_voucher, verify_voucher

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NULL = b"\x05\x00"
SHA256_RSA = encode_sequence(encode_oid("1.2.840.113549.1.1.11"), NULL)
SHA384_RSA = encode_sequence(encode_oid("1.2.840.113549.1.1.12"), NULL)
SHA1_RSA = encode_sequence(encode_oid("1.2.840.113549.1.1.5"), NULL)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Signing = Callable[[bytes], bytes]


@cache
def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@cache
def curve_key(number: int = 0, curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve or ec.SECP256R1())


def p384(number: int = 0) -> ec.EllipticCurvePrivateKey:
    return _curve(number, "P-384")


def p521(number: int = 0) -> ec.EllipticCurvePrivateKey:
    return _curve(number, "P-521")


@cache
def _curve(number: int, name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key({"P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}[name])


def name(common: str, *, tag: int = 0x0C, serial: str = "", serial_tag: int = 0x0C) -> bytes:
    """A Name with a common name and perhaps a serial number, in chosen string types."""
    parts = [_rdn("2.5.4.3", common, tag)]
    if serial:
        parts.append(_rdn("2.5.4.5", serial, serial_tag))
    return encode_sequence(*parts)


def _rdn(oid: str, text: str, tag: int) -> bytes:
    return encode(0x31, encode_sequence(encode_oid(oid), encode(tag, text.encode())))


def names(*pairs: tuple[str, str]) -> bytes:
    return encode_sequence(*(_rdn(oid, text, 0x0C) for oid, text in pairs))


def extension(kind: x509.ExtensionType, *, critical: bool = False) -> bytes:
    return raw_extension(kind.oid.dotted_string, kind.public_bytes(), critical=critical)


def raw_extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    flag = b"\x01\x01\xff" if critical else b""
    return encode_sequence(encode_oid(oid), flag, encode(0x04, value))


def constraints(ca: bool = True, length: int | None = None, *, critical: bool = True) -> bytes:
    return extension(x509.BasicConstraints(ca, length), critical=critical)


def usage(*, sign: bool = False, certify: bool = False, encipher: bool = False) -> bytes:
    flags = x509.KeyUsage(
        digital_signature=sign,
        content_commitment=False,
        key_encipherment=encipher,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certify,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return extension(flags, critical=True)


def at(moment: datetime, *, generalized: bool = False) -> bytes:
    if moment.year < 2050 and not generalized:
        return encode(0x17, f"{moment:%y%m%d%H%M%S}Z".encode())
    return encode(0x18, f"{moment.year:04}{moment:%m%d%H%M%S}Z".encode())


def signing(key: Key) -> tuple[bytes, Signing]:
    """The natural signature algorithm of a key, also of keys that do not count."""
    if isinstance(key, rsa.RSAPrivateKey):
        return SHA256_RSA, lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return encode_sequence(encode_oid("1.3.101.112")), key.sign
    row = {256: ("2", hashes.SHA256()), 384: ("3", hashes.SHA384()), 521: ("4", hashes.SHA512())}
    last, algorithm = row[max(256, key.curve.key_size)]
    oid = encode_sequence(encode_oid(f"1.2.840.10045.4.3.{last}"))
    return oid, lambda data: key.sign(data, ec.ECDSA(algorithm))


@dataclass(frozen=True)
class Made:
    """A certificate with its key."""

    der: bytes
    key: Key
    subject: bytes
    above: tuple[bytes, ...] = field(default=())

    @property
    def signer(self) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
        assert isinstance(self.key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
        return self.key


def forge(
    subject: bytes | str,
    key: Key,
    issuer: Made | None = None,
    *,
    extensions: tuple[bytes, ...] | None = (),
    version: int = 3,
    serial: int = 4711,
    start: bytes | None = None,
    end: bytes | None = None,
    issuer_name: bytes | None = None,
    algorithm: tuple[bytes, Signing] | None = None,
    spki: bytes | None = None,
) -> Made:
    """Make a certificate as told, self-signed without an issuer."""
    subject = name(subject) if isinstance(subject, str) else subject
    issuer_key = key if issuer is None else issuer.key
    identifier, sign = algorithm or signing(issuer_key)
    named = issuer_name or (subject if issuer is None else issuer.subject)
    spki = spki or key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    parts = [
        encode(0xA0, encode_integer(version - 1)) if version > 1 else b"",
        encode_integer(serial),
        identifier,
        named,
        encode_sequence(start or at(NOW - DAY), end or at(NOW + 365 * DAY)),
        subject,
        spki,
    ]
    if version == 3 and extensions:
        parts.append(encode(0xA3, encode_sequence(*extensions)))
    tbs = encode_sequence(*parts)
    der = encode_sequence(tbs, identifier, encode(0x03, b"\x00" + sign(tbs)))
    above = () if issuer is None else (issuer.der, *issuer.above)
    return Made(der, key, subject, above)


def explicit_spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The SubjectPublicKeyInfo of a P-256 key with the parameters of the curve spelt out."""
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    b = "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b"
    base = (
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    domain = encode_sequence(
        encode_integer(1),
        encode_sequence(encode_oid("1.2.840.10045.1.1"), encode_integer(prime)),
        encode_sequence(
            encode(0x04, (prime - 3).to_bytes(32, "big")), encode(0x04, bytes.fromhex(b))
        ),
        encode(0x04, bytes.fromhex(base)),
        encode_integer(order),
        encode_integer(1),
    )
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return encode_sequence(
        encode_sequence(encode_oid("1.2.840.10045.2.1"), domain), encode(0x03, b"\x00" + point)
    )


def authority(common: str = "root", key: Key | None = None, issuer: Made | None = None) -> Made:
    return forge(common, key or rsa_key(), issuer, extensions=(constraints(), usage(certify=True)))


@dataclass(frozen=True)
class Vendor:
    """A manufacturer in memory: a root and a voucher signer."""

    root: Made
    signer: Made

    @property
    def anchors(self) -> VendorCAs:
        return VendorCAs(AnchorSet.from_der([self.root.der]))

    def issue(
        self, content: VoucherContent, *, econtent_type: EContentType = "anima-json"
    ) -> bytes:
        return issue_voucher(
            content,
            signer_certificate=self.signer.der,
            chain=[self.root.der],
            scheme=scheme_for(self.signer.key.public_key()),
            sign=sign_with(self.signer.signer),
            now=NOW,
            econtent_type=econtent_type,
        )

    def voucher(self, pdc: bytes, **changes: object) -> OwnershipVoucher:
        return verify_voucher(self.issue(content(pdc, **changes)), self.anchors, now=NOW)


@cache
def vendor() -> Vendor:
    root = authority("Vendor root", rsa_key(1))
    return Vendor(root, forge("Voucher signer", rsa_key(2), root, extensions=(usage(sign=True),)))


@cache
def pdc() -> Made:
    return authority("Owner PDC", rsa_key(3))


def content(pinned: bytes, **changes: object) -> VoucherContent:
    values: dict[str, object] = {
        "serial_number": "FOC1234ABCD",
        "assertion": Assertion.VERIFIED,
        "pinned_domain_cert": pinned,
        "created_on": NOW,
        "expires_on": NOW + 30 * DAY,
        **changes,
    }
    return VoucherContent(**values)  # type: ignore[arg-type]


def openssl(*arguments: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, timeout=30)


def library_name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
