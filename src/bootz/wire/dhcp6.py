"""DHCPv6 messages, both ways: options, addresses, and the envelopes of relays.

Source: RFC 8415 sections 8, 9 and 21; RFC 6939 section 4 (option 79);
docs/protocol/dhcp.md#options.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv6Address
from typing import Final

from bootz.errors import ConfigError, WireError

MAX_MESSAGE: Final = 65507
MAX_RELAYS: Final = 8
"""Envelopes around one message (RFC 8415 section 7.6, HOP_COUNT_LIMIT)."""


class MessageType6(IntEnum):
    """The kinds of messages."""

    SOLICIT = 1
    ADVERTISE = 2
    REQUEST = 3
    CONFIRM = 4
    RENEW = 5
    REBIND = 6
    REPLY = 7
    RELEASE = 8
    DECLINE = 9
    INFORMATION_REQUEST = 11
    RELAY_FORW = 12
    RELAY_REPL = 13


class Option6(IntEnum):
    """The options that Bootz looks at."""

    CLIENT_ID = 1
    SERVER_ID = 2
    IA_NA = 3
    IA_ADDRESS = 5
    REQUEST_LIST = 6
    PREFERENCE = 7
    ELAPSED_TIME = 8
    RELAY_MESSAGE = 9
    STATUS = 13
    USER_CLASS = 15
    VENDOR_CLASS = 16
    INTERFACE_ID = 18
    NAME_SERVERS = 23
    DOMAIN_LIST = 24
    BOOT_FILE = 59
    LINK_LAYER_ADDRESS = 79
    REDIRECT = 136


class Status6(IntEnum):
    """Option 13."""

    SUCCESS = 0
    UNSPECIFIED = 1
    NO_ADDRESSES = 2
    NO_BINDING = 3
    NOT_ON_LINK = 4
    USE_MULTICAST = 5


Options6 = tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Message6:
    """A message of a client or a server. Options stand in their order and may repeat."""

    type: MessageType6
    transaction: int
    options: Options6 = ()

    def option(self, code: int) -> bytes | None:
        """Return the first instance of an option."""
        return first_option(self.options, code)

    def count(self, code: int) -> int:
        """Return how many instances there are."""
        return sum(seen == code for seen, _ in self.options)


@dataclass(frozen=True, slots=True)
class RelayEnvelope:
    """What a relay put around a message; ``options`` without the message itself."""

    hops: int
    link: IPv6Address
    peer: IPv6Address
    options: Options6 = ()

    def option(self, code: int) -> bytes | None:
        """Return the first instance of an option."""
        return first_option(self.options, code)


@dataclass(frozen=True, slots=True)
class IaAddress:
    """One address of a lease; times in seconds."""

    address: IPv6Address
    preferred: int
    valid: int
    status: int = Status6.SUCCESS


@dataclass(frozen=True, slots=True)
class IaNa:
    """An association of addresses (option 3). T1 and T2 in seconds."""

    iaid: int
    t1: int = 0
    t2: int = 0
    addresses: tuple[IaAddress, ...] = ()
    status: int = Status6.SUCCESS


def first_option(options: Options6, code: int) -> bytes | None:
    """Return the first instance of an option."""
    return next((value for seen, value in options if seen == code), None)


def decode_message6(data: bytes) -> tuple[tuple[RelayEnvelope, ...], Message6]:
    """Read a message; the envelopes of relays come outermost first.

    Raises:
        WireError: ``dhcp-malformed``: cut, an unknown kind, or over 8 envelopes.
    """
    envelopes: list[RelayEnvelope] = []
    while data[:1] in (b"\x0c", b"\x0d"):
        if len(envelopes) == MAX_RELAYS:
            raise _malformed(f"over {MAX_RELAYS} relays")
        if len(data) < 34:
            raise _malformed("a relay's header is truncated")
        options = _read_options(data[34:])
        inner = first_option(options, Option6.RELAY_MESSAGE)
        if inner is None:
            raise _malformed("a relay's envelope is empty")
        kept = tuple(pair for pair in options if pair[0] != Option6.RELAY_MESSAGE)
        envelopes.append(
            RelayEnvelope(data[1], IPv6Address(data[2:18]), IPv6Address(data[18:34]), kept)
        )
        data = inner
    if len(data) < 4:
        raise _malformed("the header is truncated")
    try:
        kind = MessageType6(data[0])
    except ValueError:
        raise _malformed(f"message type {data[0]}") from None
    message = Message6(kind, int.from_bytes(data[1:4], "big"), _read_options(data[4:]))
    return tuple(envelopes), message


def encode_message6(
    message: Message6,
    envelopes: Sequence[RelayEnvelope] = (),
    kind: MessageType6 = MessageType6.RELAY_REPL,
) -> bytes:
    """Write a message into the envelopes, outermost first; each gets the kind of ``kind``.

    Raises:
        ConfigError: ``dhcp-unwritable``: an option or the whole does not fit.
    """
    data = (
        bytes([message.type]) + message.transaction.to_bytes(3, "big") + _options(message.options)
    )
    for envelope in reversed(envelopes):
        head = bytes([kind, envelope.hops]) + envelope.link.packed + envelope.peer.packed
        data = head + _options((*envelope.options, (Option6.RELAY_MESSAGE, data)))
    if len(data) > MAX_MESSAGE:
        raise ConfigError("dhcp-unwritable", f"{len(data)} octets are not a datagram")
    return data


def decode_ia_na(value: bytes) -> IaNa:
    """Read option 3.

    Raises:
        WireError: ``dhcp-malformed``.
    """
    if len(value) < 12:
        raise _malformed("IA_NA is truncated")
    iaid, t1, t2 = struct.unpack_from("!III", value)
    options = _read_options(value[12:])
    return IaNa(iaid, t1, t2, tuple(_addresses(options)), decode_status(options))


def encode_ia_na(association: IaNa) -> bytes:
    """Write option 3."""
    parts: list[tuple[int, bytes]] = [
        (
            Option6.IA_ADDRESS,
            each.address.packed + struct.pack("!II", each.preferred, each.valid),
        )
        for each in association.addresses
    ]
    if association.status != Status6.SUCCESS:
        parts.append((Option6.STATUS, encode_status(association.status)))
    head = struct.pack("!III", association.iaid, association.t1, association.t2)
    return head + _options(tuple(parts))


def decode_status(options: Options6) -> int:
    """Return the status among options; without one it is success (RFC 8415 section 21.13)."""
    value = first_option(options, Option6.STATUS)
    if value is None:
        return Status6.SUCCESS
    return int.from_bytes(value[:2], "big") if len(value) >= 2 else Status6.UNSPECIFIED


def encode_status(status: int, text: str = "") -> bytes:
    """Write option 13."""
    return status.to_bytes(2, "big") + text.encode()


def addresses6(value: bytes) -> tuple[IPv6Address, ...] | None:
    """Return the addresses of an option; None where its length does not fit a list."""
    if not value or len(value) % 16:
        return None
    return tuple(IPv6Address(value[at : at + 16]) for at in range(0, len(value), 16))


def request_codes6(value: bytes) -> tuple[int, ...]:
    """Return the codes of option 6; half a code at the end is dropped."""
    return tuple(
        int.from_bytes(value[at : at + 2], "big") for at in range(0, len(value) // 2 * 2, 2)
    )


def _addresses(options: Options6) -> Iterator[IaAddress]:
    for code, value in options:
        if code != Option6.IA_ADDRESS:
            continue
        if len(value) < 24:
            raise _malformed("an address of an IA_NA is truncated")
        preferred, valid = struct.unpack_from("!II", value, 16)
        status = decode_status(_read_options(value[24:]))
        yield IaAddress(IPv6Address(value[:16]), preferred, valid, status)


def _read_options(data: bytes) -> Options6:
    options: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        if at + 4 > len(data):
            raise _malformed("an option's header is truncated")
        code, length = struct.unpack_from("!HH", data, at)
        end = at + 4 + length
        if end > len(data):
            raise _malformed(f"option {code} goes past the end")
        options.append((code, data[at + 4 : end]))
        at = end
    return tuple(options)


def _options(options: Options6) -> bytes:
    if any(len(value) > 0xFFFF for _, value in options):
        raise ConfigError("dhcp-unwritable", "an option has over 65535 octets")
    return b"".join(struct.pack("!HH", code, len(value)) + value for code, value in options)


def _malformed(detail: str) -> WireError:
    return WireError("dhcp-malformed", detail, where="DHCPv6")
