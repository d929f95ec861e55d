"""DHCPv4 messages, both ways: header, options, options in several pieces, overload.

Source: RFC 2131 section 2; RFC 2132 section 2; RFC 3396 section 7 (long options);
docs/protocol/dhcp.md#shapes.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import IPv4Address
from typing import Final

from bootz.errors import ConfigError, WireError

MAX_MESSAGE: Final = 65507
"""Octets that one UDP datagram can carry."""

MIN_MESSAGE: Final = 300
"""Octets of a BOOTP message; shorter ones are dropped by old relays."""

HEADER_OCTETS: Final = 240
MAX_PIECE: Final = 255
"""Octets of one instance of an option."""

BROADCAST_FLAG: Final = 0x8000

_COOKIE: Final = bytes.fromhex("63825363")
_HEADER: Final = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s4s")
_ZERO: Final = IPv4Address(0)


class Op(IntEnum):
    """Who sends."""

    REQUEST = 1
    REPLY = 2


class MessageType4(IntEnum):
    """Option 53."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


class Option4(IntEnum):
    """The options that Bootz looks at."""

    PAD = 0
    SUBNET_MASK = 1
    ROUTERS = 3
    NAME_SERVERS = 6
    HOST_NAME = 12
    DOMAIN_NAME = 15
    REQUESTED_ADDRESS = 50
    LEASE_TIME = 51
    OVERLOAD = 52
    MESSAGE_TYPE = 53
    SERVER_ID = 54
    PARAMETER_REQUEST_LIST = 55
    MESSAGE = 56
    MAX_MESSAGE_SIZE = 57
    RENEWAL_TIME = 58
    REBINDING_TIME = 59
    VENDOR_CLASS = 60
    CLIENT_ID = 61
    TFTP_SERVER_NAME = 66
    BOOT_FILE = 67
    RELAY_AGENT = 82
    SUBNET_SELECTION = 118
    VENDOR_CLASSES = 124
    REDIRECT = 143
    END = 255


@dataclass(frozen=True, slots=True)
class Message4:
    """One message. ``options`` have their pieces joined, in the order of first appearance.

    ``hardware_address`` is ``chaddr`` up to its length. ``server_name`` and ``file`` are the
    header's texts without NULs, empty where they hold options. ``bad_overload``: option 52 has
    a value that means nothing, and was ignored.
    """

    op: Op
    xid: int
    hardware_address: bytes
    options: Mapping[int, bytes] = field(default_factory=dict)
    secs: int = 0
    flags: int = 0
    client: IPv4Address = _ZERO
    """``ciaddr``"""
    yours: IPv4Address = _ZERO
    """``yiaddr``"""
    next_server: IPv4Address = _ZERO
    """``siaddr``"""
    relay: IPv4Address = _ZERO
    """``giaddr``"""
    hops: int = 0
    server_name: bytes = b""
    file: bytes = b""
    bad_overload: bool = False

    @property
    def type(self) -> MessageType4 | None:
        """Option 53; None where it is missing or unknown."""
        value = self.options.get(Option4.MESSAGE_TYPE, b"")
        try:
            return MessageType4(value[0]) if len(value) == 1 else None
        except ValueError:
            return None

    def address(self, code: int) -> IPv4Address | None:
        """Return an option that is one address; None where it is missing or of another size."""
        value = self.options.get(code, b"")
        return IPv4Address(value) if len(value) == 4 else None

    def number(self, code: int) -> int | None:
        """Return an option that is one number of 1 to 4 octets; None where it is not one."""
        value = self.options.get(code, b"")
        return int.from_bytes(value, "big") if 1 <= len(value) <= 4 else None


def decode_message4(data: bytes) -> Message4:
    """Read a message.

    Raises:
        WireError: ``dhcp-malformed``: too short, no DHCP, or an option that goes past the end.
    """
    if len(data) < HEADER_OCTETS:
        raise _malformed(f"{len(data)} octets are too few for a header")
    (
        op,
        _,
        length,
        hops,
        xid,
        secs,
        flags,
        client,
        yours,
        following,
        relay,
        hardware,
        server_name,
        file,
        cookie,
    ) = _HEADER.unpack_from(data)
    if cookie != _COOKIE:
        raise _malformed("the magic cookie is missing")
    if op not in (Op.REQUEST, Op.REPLY):
        raise _malformed(f"op is {op}")
    if length > 16:
        raise _malformed(f"the hardware address has {length} octets")
    options: dict[int, bytearray] = {}
    _read_options(data[HEADER_OCTETS:], options, "options")
    overload = bytes(options.get(Option4.OVERLOAD, b""))
    bad = Option4.OVERLOAD in options and overload not in (b"\x01", b"\x02", b"\x03")
    where = 0 if bad or not overload else overload[0]
    if where & 1:
        _read_options(file, options, "file")
        file = b""
    if where & 2:
        _read_options(server_name, options, "sname")
        server_name = b""
    if where:
        # One in the overloaded fields leads nowhere, and is no further piece of that one.
        options[Option4.OVERLOAD] = bytearray(overload)
    return Message4(
        Op(op),
        xid,
        hardware[:length],
        {code: bytes(value) for code, value in options.items()},
        secs,
        flags,
        IPv4Address(client),
        IPv4Address(yours),
        IPv4Address(following),
        IPv4Address(relay),
        hops,
        server_name.partition(b"\0")[0],
        file.partition(b"\0")[0],
        bad,
    )


def encode_message4(message: Message4) -> bytes:
    """Write a message; long options in pieces (RFC 3396), never with overload.

    Raises:
        ConfigError: ``dhcp-unwritable``: it does not fit a datagram, or a text its field.
    """
    if len(message.server_name) > 64 or len(message.file) > 128:
        raise ConfigError("dhcp-unwritable", "a text is longer than its header field")
    header = _HEADER.pack(
        message.op,
        1,
        len(message.hardware_address),
        message.hops,
        message.xid,
        message.secs,
        message.flags,
        message.client.packed,
        message.yours.packed,
        message.next_server.packed,
        message.relay.packed,
        message.hardware_address,
        message.server_name,
        message.file,
        _COOKIE,
    )
    whole = header + encode_options4(message.options)
    if len(whole) > MAX_MESSAGE:
        raise ConfigError("dhcp-unwritable", f"{len(whole)} octets are not a datagram")
    return whole.ljust(MIN_MESSAGE, b"\0")


def encode_options4(options: Mapping[int, bytes]) -> bytes:
    """Return the options area, with the end mark."""
    area = bytearray()
    for code, value in options.items():
        for at in range(0, max(len(value), 1), MAX_PIECE):
            piece = value[at : at + MAX_PIECE]
            area += bytes([code, len(piece)]) + piece
    return bytes(area) + bytes([Option4.END])


def addresses4(value: bytes) -> tuple[IPv4Address, ...] | None:
    """Return the addresses of an option; None where its length does not fit a list."""
    if not value or len(value) % 4:
        return None
    return tuple(IPv4Address(value[at : at + 4]) for at in range(0, len(value), 4))


def _read_options(area: bytes, options: dict[int, bytearray], where: str) -> None:
    at = 0
    while at < len(area):
        code = area[at]
        at += 1
        if code == Option4.PAD:
            continue
        if code == Option4.END:
            return
        if at == len(area) or at + 1 + area[at] > len(area):
            raise _malformed(f"option {code} goes past the end", where)
        end = at + 1 + area[at]
        options.setdefault(code, bytearray()).extend(area[at + 1 : end])
        at = end


def _malformed(detail: str, where: str = "header") -> WireError:
    return WireError("dhcp-malformed", detail, where=f"DHCPv4 {where}")
