"""The octets of an option's value, written as Kea's types write them.

Source: Kea Administrator Reference Manual, "Custom DHCPv4 Options", "List of option types".
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from bootz.protocol.dhcp_offer import Family


class ValueProblem(Exception):
    """A value that Kea refuses; its text says why."""


class ValueOpen(Exception):
    """A value whose octets are not told here; its text says why."""


_INTEGERS: Final = {
    "uint8": (1, False),
    "uint16": (2, False),
    "uint32": (4, False),
    "int8": (1, True),
    "int16": (2, True),
    "int32": (4, True),
}
KINDS: Final = frozenset(
    {
        *_INTEGERS,
        *("binary", "boolean", "empty", "fqdn", "ipv4-address", "ipv6-address", "ipv6-prefix"),
        *("internal", "psid", "record", "string", "tuple"),
    }
)


def split_values(data: str) -> list[str]:
    r"""Return the values of a text: at commas, but not at ``\,``; empty ones are lost."""
    values: list[str] = []
    value, begun, escaped = "", False, False
    for character in data:
        if character == ",":
            if begun and escaped:
                value += ","
                escaped = False
            elif begun:
                values += [value] if value else []
                value, begun = "", False
            continue
        begun = True
        if character == "\\":
            value += "\\" if escaped else ""
            escaped = not escaped
            continue
        value += f"\\{character}" if escaped else character
        escaped = False
    if escaped:
        value += "\\"
    return [*values, value] if value else values


def hex_octets(data: str) -> bytes:
    """Return the octets of a text that is not a list of values: hex, or a text in quotes.

    Raises:
        ValueProblem: it is neither.
    """
    stripped = data.strip()
    if len(stripped) > 1 and stripped[0] == stripped[-1] == "'":
        quoted = stripped[1:-1].strip().encode("latin-1", "replace")
        if quoted:
            return quoted
    for separator in (":", " "):
        if separator in data:
            parts = data.split(separator)
            if all(re.fullmatch(r"[0-9A-Fa-f]{1,2}", part) for part in parts):
                return bytes(int(part, 16) for part in parts)
            raise ValueProblem(f"{data[:40]!r} is not hex")
    digits = data[2:] if data.startswith("0x") and len(data) > 2 else data
    digits = f"0{digits}" if len(data) % 2 else digits
    if not re.fullmatch(r"([0-9A-Fa-f]{2})*", digits):
        raise ValueProblem(f"{data[:40]!r} is not hex")
    return bytes.fromhex(digits)


def write_value(kind: str, text: str, family: Family) -> bytes:
    """Return the octets of one value.

    Raises:
        ValueProblem: Kea refuses it.
        ValueOpen: it is not told here.
    """
    if kind in _INTEGERS:
        return _integer(kind, text)
    if kind in _WRITERS:
        return _WRITERS[kind](text, family)
    raise ValueOpen(f"a value of type {kind} is not evaluated")


def _integer(kind: str, text: str) -> bytes:
    width, signed = _INTEGERS[kind]
    if re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        number = int(text)
    elif re.fullmatch(r"(0[xX])?[0-9A-Fa-f]{1,15}", text):
        # Kea reads what is no decimal number as a hexadecimal one, also without 0x.
        number = int(text, 16)
    else:
        raise ValueProblem(f"{text[:40]!r} is not a {kind}")
    try:
        return number.to_bytes(width, "big", signed=signed)
    except OverflowError as error:
        raise ValueProblem(f"{text[:40]} does not fit {kind}") from error


def _binary(text: str, family: Family) -> bytes:
    digits = f"0{text}" if len(text) % 2 else text
    if not re.fullmatch(r"([0-9A-Fa-f]{2})*", digits):
        raise ValueProblem(f"{text[:40]!r} is not hex")
    return bytes.fromhex(digits)


def _boolean(text: str, family: Family) -> bytes:
    if text.lower() in {"true", "1"}:
        return b"\x01"
    if text.lower() in {"false", "0"}:
        return b"\0"
    raise ValueProblem(f"{text[:40]!r} is neither true nor false")


def _string(text: str, family: Family) -> bytes:
    octets = text.encode("latin-1", "replace")
    if not octets.rstrip(b"\0"):
        raise ValueProblem("a string has no value")
    return octets


def _address4(text: str, family: Family) -> bytes:
    try:
        return IPv4Address(text).packed
    except AddressValueError as error:
        raise ValueProblem(f"{text[:40]!r} is not an IPv4 address") from error


def _address6(text: str, family: Family) -> bytes:
    try:
        return IPv6Address(text.partition("%")[0]).packed
    except AddressValueError as error:
        raise ValueProblem(f"{text[:40]!r} is not an IPv6 address") from error


def _tuple(text: str, family: Family) -> bytes:
    octets = text.encode("latin-1", "replace")
    # A definition of the file has lengths of one octet in DHCPv4 and of two in DHCPv6.
    width = 1 if family is Family.IPV4 else 2
    if len(octets) >= 1 << (8 * width):
        raise ValueProblem(f"a tuple has {len(octets)} octets")
    return len(octets).to_bytes(width, "big") + octets


def _fqdn(text: str, family: Family) -> bytes:
    labels = text.removesuffix(".").encode("latin-1", "replace").split(b".")
    if not all(0 < len(label) < 64 for label in labels):
        raise ValueProblem(f"{text[:40]!r} is not a name")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


_WRITERS: Final = {
    "binary": _binary,
    "boolean": _boolean,
    "fqdn": _fqdn,
    "ipv4-address": _address4,
    "ipv6-address": _address6,
    "string": _string,
    "tuple": _tuple,
}
