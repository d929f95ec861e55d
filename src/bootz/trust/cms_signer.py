"""SignerInfo: who signed a SignedData, with which algorithms, over which attributes.

Source: RFC 5652 sections 5.3, 5.4 and 11.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from bootz.trust.algorithms import AlgorithmIdentifier, read_algorithm
from bootz.trust.asn1 import (
    GENERALIZED_TIME,
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    UTC_TIME,
    Asn1Error,
    Element,
)

ID_DATA: Final = "1.2.840.113549.1.7.1"
CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
SIGNING_TIME: Final = "1.2.840.113549.1.9.5"

_VERSIONS: Final = frozenset({1, 3})
_KEY_IDENTIFIER: Final = 0x80
_SIGNED_ATTRIBUTES: Final = 0xA0
_UNSIGNED_ATTRIBUTES: Final = 0xA1

_DIGITS: Final = {
    UTC_TIME: re.compile(rb"([0-9]{2})([0-9]{10})Z"),
    GENERALIZED_TIME: re.compile(rb"([0-9]{4})([0-9]{10})Z"),
}


@dataclass(frozen=True, slots=True)
class SignerInfo:
    """A signer as read; nothing is verified.

    Named either by ``issuer`` and ``serial_number`` (raw elements) or by ``key_identifier``.
    ``attributes`` are the signed ones, as they were signed (a SET); None where there are none,
    and then ``message_digest`` is empty.
    """

    issuer: bytes = field(repr=False)
    serial_number: bytes = field(repr=False)
    key_identifier: bytes | None = field(repr=False)
    digest_algorithm: AlgorithmIdentifier
    signature_algorithm: AlgorithmIdentifier
    signature: bytes = field(repr=False)
    attributes: bytes | None = field(repr=False)
    message_digest: bytes = field(repr=False)
    signing_time: datetime | None


def read_signer(element: Element, content_type: str) -> SignerInfo:
    """Read a SignerInfo of a SignedData with this content type (dotted OID).

    Raises:
        Asn1Error: not of the form; a signed attribute repeated, missing or contradicting.
    """
    reader = element.expect(SEQUENCE).children()
    if reader.take_any().integer() not in _VERSIONS:
        raise Asn1Error("signer of unknown version")
    issuer, serial_number, key_identifier = _read_name(reader.take_any())
    digest_algorithm = read_algorithm(reader.take_any())
    signed = reader.take_if(_SIGNED_ATTRIBUTES)
    signature_algorithm = read_algorithm(reader.take_any())
    signature = reader.take(OCTET_STRING).content
    reader.take_if(_UNSIGNED_ATTRIBUTES)
    reader.end()
    message_digest, signing_time = b"", None
    if signed is not None:
        message_digest, signing_time = _read_attributes(signed, content_type)
    elif content_type != ID_DATA:
        # Otherwise the content could be passed off as one of another type.
        raise Asn1Error("no signed attributes, although the content is not plain data")
    return SignerInfo(
        issuer,
        serial_number,
        key_identifier,
        digest_algorithm,
        signature_algorithm,
        signature,
        None if signed is None else bytes((SET,)) + signed.raw[1:],
        message_digest,
        signing_time,
    )


def _read_name(element: Element) -> tuple[bytes, bytes, bytes | None]:
    if element.tag == _KEY_IDENTIFIER:
        return b"", b"", element.content
    reader = element.expect(SEQUENCE).children()
    issuer = reader.take(SEQUENCE).raw
    serial_number = reader.take(INTEGER)
    serial_number.integer()
    reader.end()
    return issuer, serial_number.raw, None


def _read_attributes(signed: Element, content_type: str) -> tuple[bytes, datetime | None]:
    found: dict[str, tuple[Element, ...]] = {}
    for each in signed.children().rest():
        reader = each.expect(SEQUENCE).children()
        name = reader.take_any().oid()
        if name in found:
            raise Asn1Error(f"attribute {name} twice")
        found[name] = tuple(reader.take(SET).children().rest())
        reader.end()
    if _single(found, CONTENT_TYPE).oid() != content_type:
        raise Asn1Error("the signed content type differs from that of the content")
    message_digest = _single(found, MESSAGE_DIGEST).expect(OCTET_STRING).content
    if SIGNING_TIME not in found:
        return message_digest, None
    return message_digest, _read_time(_single(found, SIGNING_TIME))


def _single(found: dict[str, tuple[Element, ...]], name: str) -> Element:
    values = found.get(name, ())
    if len(values) != 1:
        raise Asn1Error(f"attribute {name} has {len(values)} values")
    return values[0]


def _read_time(element: Element) -> datetime:
    pattern = _DIGITS.get(element.tag)
    digits = None if pattern is None else pattern.fullmatch(element.content)
    if digits is None:
        raise Asn1Error("malformed time")
    year = int(digits[1])
    if element.tag == UTC_TIME:
        year += 2000 if year < 50 else 1900
    try:
        month, day, hour, minute, second = (int(digits[2][at : at + 2]) for at in range(0, 10, 2))
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise Asn1Error("invalid time") from error
