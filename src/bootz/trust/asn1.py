"""ASN.1 as bytes: a strict reader that slices, and a writer of DER.

Nothing is decoded that is not asked for. The reader wants definite, minimal lengths and tags
below 31, and never recurses; ``normalise`` turns the BER that some signers write into that
form first.
BER is allowed outside the signed attributes.
Source: ITU-T X.690; RFC 5652 section 5.4.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31

MAX_DEPTH: Final = 24
"""Levels of nesting; a certificate inside a CMS needs about twelve."""

_CONSTRUCTED: Final = 0x20
_INDEFINITE: Final = 0x80
_END_OF_CONTENTS: Final = b"\x00\x00"


class Asn1Error(ValueError):
    """Bytes that are not of the form; does not leave the room."""


class BerError(Asn1Error):
    """Bytes that are BER and not DER; worth normalising."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its tag, its bytes with the header (``raw``) and without (``content``)."""

    tag: int
    raw: bytes = field(repr=False)
    content: bytes = field(repr=False)

    def expect(self, tag: int) -> "Element":
        """Return this element.

        Raises:
            BerError: a constructed octet string where a primitive one is due.
            Asn1Error: the tag is another.
        """
        if self.tag != tag:
            if tag == OCTET_STRING and self.tag == OCTET_STRING | _CONSTRUCTED:
                raise BerError("constructed octet string")
            raise Asn1Error(f"tag {self.tag:#04x} where {tag:#04x} is expected")
        return self

    def children(self) -> "Reader":
        """Return a reader over the content of a constructed element."""
        if not self.tag & _CONSTRUCTED:
            raise Asn1Error(f"tag {self.tag:#04x} has no children")
        return Reader(self.content)

    def oid(self) -> str:
        """Return the dotted form of an object identifier."""
        return decode_oid(self.expect(OBJECT_IDENTIFIER).content)

    def integer(self) -> int:
        """Return the value of an integer in its shortest form."""
        content = self.expect(INTEGER).content
        if not content:
            raise Asn1Error("empty integer")
        if len(content) > 1 and content[0] in (0, 0xFF) and (content[0] ^ content[1]) < 0x80:
            raise Asn1Error("integer longer than it must be")
        return int.from_bytes(content, "big", signed=True)


class Reader:
    """Takes elements one after the other; ``end`` makes sure that nothing is left."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, tag: int) -> Element:
        """Return the next element, which has this tag."""
        element = self._next()
        return element.expect(tag)

    def take_any(self) -> Element:
        """Return the next element, whatever its tag."""
        return self._next()

    def take_if(self, tag: int) -> Element | None:
        """Return the next element if it has this tag."""
        if self._at < len(self._data) and self._data[self._at] == tag:
            return self._next()
        return None

    def end(self) -> None:
        """Raise Asn1Error if bytes are left."""
        if self._at != len(self._data):
            raise Asn1Error(f"{len(self._data) - self._at} bytes too many")

    def rest(self) -> Iterator[Element]:
        """Yield all that is left."""
        while self._at < len(self._data):
            yield self._next()

    def _next(self) -> Element:
        tag, start, length = _header(self._data, self._at)
        if length is None:
            raise BerError("indefinite length")
        end = start + length
        if end > len(self._data):
            raise Asn1Error("an element is longer than its container")
        element = Element(tag, self._data[self._at : end], self._data[start:end])
        self._at = end
        return element


def read_one(data: bytes, tag: int) -> Element:
    """Return the one element that ``data`` is.

    Raises:
        Asn1Error: another tag, cut, or bytes behind it.
    """
    reader = Reader(data)
    element = reader.take(tag)
    reader.end()
    return element


def normalise(data: bytes) -> bytes:
    """Return one BER element with definite lengths and joined octet strings.

    Elements that are DER already keep their bytes.

    Raises:
        Asn1Error: not BER, cut, nested too deeply, or bytes behind it.
    """
    element, end = _normalised(data, 0, len(data), 0)
    if end != len(data):
        raise Asn1Error(f"{len(data) - end} bytes too many")
    return element


def _normalised(data: bytes, at: int, limit: int, depth: int) -> tuple[bytes, int]:
    if depth > MAX_DEPTH:
        raise Asn1Error("nested too deeply")
    tag, start, length = _header(data, at)
    end = limit if length is None else start + length
    if end > limit:
        raise Asn1Error("an element is longer than its container")
    if not tag & _CONSTRUCTED:
        if length is None:
            raise Asn1Error("primitive element of indefinite length")
        return data[at:end], end
    parts: list[bytes] = []
    position = start
    while True:
        if length is None and data[position : position + 2] == _END_OF_CONTENTS:
            if position + 2 > limit:
                raise Asn1Error("an element is longer than its container")
            end = position + 2
            break
        if length is not None and position == end:
            break
        part, position = _normalised(data, position, end, depth + 1)
        parts.append(part)
    if tag == OCTET_STRING | _CONSTRUCTED:
        joined = b"".join(read_one(part, OCTET_STRING).content for part in parts)
        return encode(OCTET_STRING, joined), end
    return encode(tag, b"".join(parts)), end


def _header(data: bytes, at: int) -> tuple[int, int, int | None]:
    """Return tag, where the content begins, and its length; None where that is indefinite."""
    if at + 2 > len(data):
        raise Asn1Error("cut inside a header")
    tag, first = data[at], data[at + 1]
    if tag & 0x1F == 0x1F:
        raise Asn1Error("tag number above 30")
    if first < _INDEFINITE:
        return tag, at + 2, first
    if first == _INDEFINITE:
        return tag, at + 2, None
    count = first & 0x7F
    octets = data[at + 2 : at + 2 + count]
    length = int.from_bytes(octets, "big")
    if length < _INDEFINITE or octets[0] == 0:
        raise Asn1Error("length longer than it must be")
    return tag, at + 2 + count, length


def encode(tag: int, content: bytes) -> bytes:
    """Return one element in DER."""
    size = len(content)
    if size < _INDEFINITE:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _INDEFINITE | len(octets))) + octets + content


def encode_sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE of elements."""
    return encode(SEQUENCE, b"".join(parts))


def encode_set_of(parts: Iterable[bytes]) -> bytes:
    """Return a SET OF elements, sorted as DER wants."""
    return encode(SET, b"".join(sorted(parts)))


def encode_integer(value: int) -> bytes:
    """Return an INTEGER in its shortest form."""
    size = (value + (value < 0)).bit_length() // 8 + 1
    return encode(INTEGER, value.to_bytes(size, "big", signed=True))


def encode_oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER."""
    first, second, *others = (int(arc) for arc in dotted.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *others):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        content += bytes(reversed(septets))
    return encode(OBJECT_IDENTIFIER, bytes(content))


def decode_oid(content: bytes) -> str:
    """Return the dotted form of the content of an object identifier.

    Raises:
        Asn1Error: empty, cut, too long, or an arc not in its shortest form.
    """
    if not content or content[-1] & 0x80 or len(content) > 64:
        raise Asn1Error("object identifier")
    arcs: list[int] = []
    arc = 0
    fresh = True
    for octet in content:
        if fresh and octet == 0x80:
            raise Asn1Error("arc longer than it must be")
        arc = arc << 7 | octet & 0x7F
        fresh = not octet & 0x80
        if fresh:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(each) for each in (first, arcs[0] - 40 * first, *arcs[1:]))
