"""SignedData written field by field, so that each can be wrong while all others are right."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from trust.world import NOW, NULL, SHA256_RSA, Made, at

from bootz.trust.asn1 import (
    encode,
    encode_integer,
    encode_oid,
    encode_sequence,
)

ID_DATA = "1.2.840.113549.1.7.1"
ANIMA = "1.2.840.113549.1.9.16.1.40"
SIGNED_DATA = "1.2.840.113549.1.7.2"
SHA256 = encode_sequence(encode_oid("2.16.840.1.101.3.4.2.1"))


def attribute(oid: str, *values: bytes) -> bytes:
    return encode_sequence(encode_oid(oid), encode(0x31, b"".join(values)))


def content_type(oid: str = ID_DATA) -> bytes:
    return attribute("1.2.840.113549.1.9.3", encode_oid(oid))


def message_digest(content: bytes) -> bytes:
    return attribute("1.2.840.113549.1.9.4", encode(4, hashlib.sha256(content).digest()))


SIGNING_TIME = attribute("1.2.840.113549.1.9.5", at(NOW))


@dataclass
class Signer:
    """One SignerInfo; None for the attributes leaves them out."""

    made: Made
    content: bytes = b"content"
    attributes: list[bytes] | None = None
    no_attributes: bool = False
    version: int = 1
    name: bytes | None = None
    digest: bytes = SHA256
    algorithm: bytes = SHA256_RSA
    sign: Callable[[bytes], bytes] | None = None
    behind: bytes = b""

    def build(self) -> bytes:
        parts = self.attributes
        if parts is None:
            parts = [content_type(), SIGNING_TIME, message_digest(self.content)]
        joined = b"".join(sorted(parts))
        signed = self.content if self.no_attributes else encode(0x31, joined)
        sign = self.sign or (
            lambda data: self.made.key.sign(data, padding.PKCS1v15(), hashes.SHA256())  # type: ignore[call-arg,arg-type]
        )
        return encode_sequence(
            encode_integer(self.version),
            self.name or named(self.made),
            self.digest,
            b"" if self.no_attributes else encode(0xA0, joined),
            self.algorithm,
            encode(4, sign(signed)),
            self.behind,
        )


def named(made: Made, serial: int = 4711, issuer: bytes | None = None) -> bytes:
    """IssuerAndSerialNumber of a certificate that ``forge`` made self-signed."""
    return encode_sequence(issuer or made.subject, encode_integer(serial))


def build(
    signers: list[bytes],
    certificates: list[bytes],
    *,
    content: bytes | None = b"content",
    econtent_type: str = ID_DATA,
    version: int = 1,
    digests: bytes = SHA256,
    outer: str = SIGNED_DATA,
    raw_content: bytes | None = None,
    crls: bytes = b"",
    behind: bytes = b"",
) -> bytes:
    inner = raw_content
    if inner is None:
        inner = b"" if content is None else encode(0xA0, encode(4, content))
    signed = encode_sequence(
        encode_integer(version),
        encode(0x31, digests),
        encode_sequence(encode_oid(econtent_type), inner),
        encode(0xA0, b"".join(certificates)) if certificates else b"",
        crls,
        encode(0x31, b"".join(signers)),
        behind,
    )
    return encode_sequence(encode_oid(outer), encode(0xA0, signed))


def indefinite(data: bytes, depth: int = 4) -> bytes:
    """The same element with indefinite lengths, to some depth, as streaming signers write."""
    from bootz.trust.asn1 import Reader

    element = Reader(data).take_any()
    if not element.tag & 0x20 or depth == 0:
        return data
    inner = b"".join(indefinite(each.raw, depth - 1) for each in element.children().rest())
    return bytes((element.tag, 0x80)) + inner + b"\0\0"


__all__ = ["NULL", "Signer", "attribute", "build", "content_type", "indefinite", "message_digest"]
