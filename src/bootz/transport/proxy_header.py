"""The header that a load balancer sends first: whom it serves, and where that one connected to.

Version 2 alone. Version 1 is a line of text without a length of its own.

Source: The PROXY protocol section 2.2.
"""

import ipaddress
import struct
from dataclasses import dataclass
from typing import Final

from bootz.errors import WireError

SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
"""The first 12 bytes of every header of version 2."""

HEAD_BYTES: Final = 16
"""Signature, version and command, family and protocol, and the length of the rest."""

MAX_REST_BYTES: Final = 4096
"""Bytes after the head: addresses and what the balancer tells beside them."""

_TEXT_SIGNATURE: Final = b"PROXY "
"""What version 1 begins with."""

_HEAD: Final = struct.Struct("!12sBBH")
_LOCAL, _PROXY = 0x20, 0x21
_TCP_OVER: Final = {0x11: (4, 12), 0x21: (16, 36)}
"""Family and protocol to the bytes of one address, and of both with their ports."""

_TLV: Final = struct.Struct("!BH")
_CRC32C: Final = 0x03


@dataclass(frozen=True, slots=True)
class Announced:
    """Whom a balancer serves, and where that one connected to: address as text, and port."""

    source: tuple[str, int]
    destination: tuple[str, int]


def looks_like_header(begin: bytes) -> bool:
    """Tell whether a connection begins with a header, of either version."""
    return begin.startswith((SIGNATURE, _TEXT_SIGNATURE))


def check_begin(begin: bytes) -> None:
    """Check the first bytes of a connection, as many of the head as have come.

    Raises:
        WireError: ``proxy-header-missing``: something else came;
            ``proxy-header-invalid``: it is version 1.
    """
    length = min(len(begin), len(SIGNATURE))
    if begin[:length] == SIGNATURE[:length]:
        return
    if begin.startswith(_TEXT_SIGNATURE[: len(begin)]):
        raise _invalid("this is version 1", "version 2 (send-proxy-v2)", "version 1")
    raise WireError(
        "proxy-header-missing",
        "the connection does not begin with a header",
        where="PROXY protocol",
    )


def rest_length(head: bytes) -> int:
    """Return how many bytes follow a head of 16 bytes.

    Raises:
        WireError: ``proxy-header-missing`` or ``proxy-header-invalid``.
    """
    check_begin(head)
    if len(head) < HEAD_BYTES:
        raise _invalid("it is cut", f"{HEAD_BYTES} bytes", f"{len(head)} bytes")
    _, version_and_command, _, length = _HEAD.unpack(head)
    if version_and_command not in (_LOCAL, _PROXY):
        raise _invalid(
            "version or command is unknown", "0x20 or 0x21", f"0x{version_and_command:02x}"
        )
    if length > MAX_REST_BYTES:
        raise _invalid("it is too long", f"at most {MAX_REST_BYTES} bytes", f"{length} bytes")
    return int(length)


def parse_header(header: bytes) -> Announced | None:
    """Return whom a whole header announces, None for the balancer itself (LOCAL, a health check).

    Raises:
        WireError: ``proxy-header-missing`` or ``proxy-header-invalid``.
    """
    length = rest_length(header[:HEAD_BYTES])
    rest = header[HEAD_BYTES:]
    if len(rest) != length:
        raise _invalid("it is cut", f"{length} bytes after the head", f"{len(rest)} bytes")
    _, command, kind, _ = _HEAD.unpack(header[:HEAD_BYTES])
    if command == _LOCAL:
        # The rest is skipped, whatever it says. Source: The PROXY protocol section 2.2.
        return None
    if kind not in _TCP_OVER:
        raise _invalid("family or protocol is not TCP", "0x11 or 0x21", f"0x{kind:02x}")
    width, both = _TCP_OVER[kind]
    if length < both:
        raise _invalid("the addresses are cut", f"{both} bytes", f"{length} bytes")
    _check_told(header, HEAD_BYTES + both)
    source_port, destination_port = struct.unpack_from("!HH", rest, 2 * width)
    source, destination = _address(rest[:width]), _address(rest[width : 2 * width])
    if source.is_unspecified or source.is_multicast:
        raise _invalid("no router has the source address", "of a router", str(source))
    return Announced((str(source), source_port), (str(destination), destination_port))


def write_header(announced: Announced) -> bytes:
    """Return the header that announces a router; both addresses are of one family.

    Raises:
        ValueError: they are not addresses, or of two families.
    """
    (host, port), (other, other_port) = announced.source, announced.destination
    source, destination = ipaddress.ip_address(host), ipaddress.ip_address(other)
    if source.version != destination.version:
        raise ValueError("the addresses are of two families")
    kind = next(kind for kind, (width, _) in _TCP_OVER.items() if width == len(source.packed))
    rest = source.packed + destination.packed + struct.pack("!HH", port, other_port)
    return _HEAD.pack(SIGNATURE, _PROXY, kind, len(rest)) + rest


def _address(packed: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(packed)
    # A balancer that listens for both writes IPv4 so; it is the same router.
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _check_told(header: bytes, at: int) -> None:
    """Check the form of what is told beside the addresses, and the checksum where there is one."""
    while at < len(header):
        if at + _TLV.size > len(header):
            raise _invalid("a field is cut", f"{_TLV.size} bytes", f"{len(header) - at} bytes")
        kind, length = _TLV.unpack_from(header, at)
        value = at + _TLV.size
        at = value + length
        if at > len(header):
            left = len(header) - value
            raise _invalid("a field is cut", f"{length} bytes", f"{left} bytes")
        if kind == _CRC32C:
            _check_sum(header, value, length)


def _check_sum(header: bytes, at: int, length: int) -> None:
    """Compare the sum over the whole header, with zeros in its own place.

    Source: The PROXY protocol section 2.2.3.
    """
    if length != 4:
        raise _invalid("the checksum has another length", "4 bytes", f"{length} bytes")
    told = int.from_bytes(header[at : at + 4], "big")
    if crc32c(header[:at] + bytes(4) + header[at + 4 :]) != told:
        raise _invalid("the checksum is wrong", "that of the header", f"{told:08x}")


def crc32c(content: bytes) -> int:
    """Return the CRC-32C (Castagnoli) of some bytes."""
    value = 0xFFFFFFFF
    for byte in content:
        value = _CRC_TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def _crc_row(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return value


_CRC_TABLE: Final = tuple(_crc_row(byte) for byte in range(256))


def _invalid(detail: str, expected: str, seen: str) -> WireError:
    return WireError(
        "proxy-header-invalid", detail, where="PROXY protocol", expected=expected, seen=seen
    )
