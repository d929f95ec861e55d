"""dhcpd's options: what a file defines, and the octets of a value as their type writes it.

Source: dhcp-options(5), "Defining New Options".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from bootz.dhcp.check.isc.standard import STANDARD
from bootz.dhcp.check.isc.statements import unescape
from bootz.protocol.dhcp_offer import Family


class ValueOpen(Exception):
    """A value whose octets are not told here; its text says why."""


class ValueProblem(Exception):
    """A value that dhcpd refuses; its text says why."""


@dataclass(frozen=True, slots=True)
class Definition:
    """An option: its code, and the types of its fields. ``array``: the fields come again."""

    code: int
    fields: tuple[str, ...]
    array: bool = False
    open: bool = False
    """Its type is not evaluated here."""


def _table(family: Family) -> dict[str, Definition]:
    space = "" if family is Family.IPV4 else "dhcp6."
    found = {}
    for kind, words in STANDARD[family].items():
        array, other = kind.endswith("[]"), kind == "other"
        fields = () if other else tuple(kind.removesuffix("[]").split(", "))
        for word in words.split():
            name, code = word.split("=")
            found[space + name] = Definition(int(code), fields, array, open=other)
    return found


KNOWN: Final = {family: _table(family) for family in Family}
"""dhcpd's own options by name."""

_UNNAMED: Final = {
    Family.IPV4: re.compile(r"(?:dhcp\.)?unknown-([0-9]{1,3})"),
    Family.IPV6: re.compile(r"dhcp6\.unknown-([0-9]{1,5})"),
}


@dataclass(slots=True)
class Options:
    """The options of a family that a file may name."""

    family: Family
    own: dict[str, Definition] = field(default_factory=dict)
    spaces: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    """Names that the file defines for the other family."""

    def find(self, name: str) -> Definition | None:
        """Return an option by its name, None for one of another space.

        Raises:
            ValueProblem: dhcpd knows none of this name.
        """
        if self.family is Family.IPV4:
            name = name.removeprefix("dhcp.")
        found = self.own.get(name) or KNOWN[self.family].get(name)
        if found is not None:
            return found
        unnamed = _UNNAMED[self.family].fullmatch(name)
        if unnamed:
            return Definition(int(unnamed[1]), ("string",))
        six = name.startswith("dhcp6.")
        if "." in name and not six:
            return None
        other = Family.IPV6 if self.family is Family.IPV4 else Family.IPV4
        if name in self.others or name in KNOWN[other] or _UNNAMED[other].fullmatch(name):
            return None
        raise ValueProblem(f"no option is named {name[:60]}")

    def of_other_family(self, name: str) -> Definition | None:
        """Return an option of the other family, whose values dhcpd reads too."""
        return KNOWN[Family.IPV6 if self.family is Family.IPV4 else Family.IPV4].get(name)

    def define(self, words: Sequence[str]) -> None:
        """Take a definition: ``option NAME code N = TYPE``.

        Raises:
            ValueProblem: dhcpd refuses it.
        """
        name, number, kind = words[1], words[3], list(words[5:])
        if not re.fullmatch(r"[0-9]{1,5}", number):
            raise ValueProblem(f"option code {number[:20]}")
        six = name.startswith("dhcp6.")
        if "." in name and not six:
            return
        if six is not (self.family is Family.IPV6):
            self.others.add(name)
            return
        self.own[name] = _definition(int(number), kind, SPACES | self.spaces)


def _definition(code: int, kind: list[str], spaces: frozenset[str]) -> Definition:
    array = kind[:2] == ["array", "of"]
    kind = kind[2:] if array else kind
    fields = [kind]
    if kind[:1] == ["{"]:
        fields = [field.split() for field in " ".join(kind[1:-1]).split(",")]
    found: list[str] = []
    known = True
    for at, words in enumerate(fields):
        inner = words[:2] == ["array", "of"]
        text = " ".join(words[2:] if inner else words)
        plain = text.removeprefix("signed ").removeprefix("unsigned ")
        last = at == len(fields) - 1
        if plain in _LAST or words[:1] == ["encapsulate"]:
            if array or inner or not last:
                raise ValueProblem(f"{text} stands alone, or at the end of a record")
            space = words[-1]
            if words[0] == "encapsulate" and space not in spaces:
                raise ValueProblem(f"no option space is named {space[:40]}")
        elif plain not in _SINGLE or (text != plain and not plain.startswith("integer")):
            raise ValueProblem(f"there is no type {text[:40]!r}")
        known = known and not inner and plain in _TYPES
        found.append(plain)
    return Definition(code, tuple(found), array, open=not known)


_SINGLE: Final = frozenset(
    {"boolean", "integer 8", "integer 16", "integer 32", "ip-address", "ip6-address"}
)
_LAST: Final = frozenset(
    {"text", "string", "domain-name", "domain-list", "domain-list compressed", "zerolen"}
)
"""Types of open length."""
_TYPES: Final = _SINGLE | {"text", "string"}
SPACES: Final = frozenset({"dhcp", "dhcp6", "agent", "nwip", "fqdn", "vendor-class", "vendor"})


def value_octets(words: Sequence[str], definition: Definition) -> bytes:
    """Return the octets of a value as a statement writes it: ``option NAME VALUE;``.

    Raises:
        ValueProblem: dhcpd refuses it.
        ValueOpen: it is not told here.
    """
    if definition.open:
        raise ValueOpen(f"a value of type {definition.fields[0] if definition.fields else '?'}")
    rest = list(words)
    octets = b""
    while True:
        for kind in definition.fields:
            piece, rest = _field(kind, rest)
            octets += piece
        if not (definition.array and rest[:1] == [","]):
            break
        rest = rest[1:]
    if rest:
        raise ValueProblem(f"{' '.join(rest)[:40]} behind the value")
    return octets


def _field(kind: str, words: list[str]) -> tuple[bytes, list[str]]:
    if not words:
        raise ValueProblem("a value is missing")
    word, rest = words[0], words[1:]
    quoted = word.startswith('"')
    match kind:
        case "text" if quoted or re.match(r"[A-Za-z]", word):
            return unescape(word[1:-1]) if quoted else word.encode("latin-1", "replace"), rest
        case "string" if quoted:
            return unescape(word[1:-1]), rest
        case "string":
            return colon_hex(word), rest
        case "boolean" if word.lower() in _BOOLEANS:
            return _BOOLEANS[word.lower()], rest
        case "ip-address" | "ip6-address":
            return _address(kind, word), rest
        case "integer 8" | "integer 16" | "integer 32":
            return number_octets(word, int(kind.split()[1])), rest
    raise ValueProblem(f"{word[:40]} is not a {kind}")


_BOOLEANS: Final = {
    "true": b"\x01",
    "on": b"\x01",
    "false": b"\0",
    "off": b"\0",
    "ignore": b"\x02",
}


def _address(kind: str, word: str) -> bytes:
    try:
        return (IPv4Address if kind == "ip-address" else IPv6Address)(word).packed
    except AddressValueError as error:
        if kind == "ip-address" and re.fullmatch(r"[0-9.]+", word):
            # dhcpd takes some addresses with fewer octets.
            raise ValueOpen(f"{word[:40]} is not evaluated as an address") from error
        if kind == "ip-address" and re.fullmatch(r"[A-Za-z][A-Za-z0-9.-]*", word):
            raise ValueOpen(f"the address of {word[:60]} is asked of the DNS") from error
        raise ValueProblem(f"{word[:40]} is not an address") from error


def colon_hex(word: str) -> bytes:
    """Return the octets of hex with colons between.

    Raises:
        ValueProblem: it is not.
    """
    parts = word.split(":")
    if not all(re.fullmatch(r"[0-9A-Fa-f]{1,2}", part) for part in parts):
        raise ValueProblem(f"{word[:40]} is neither a text in quotes nor hex with colons")
    return bytes(int(part, 16) for part in parts)


def number_octets(word: str, bits: int) -> bytes:
    """Return a number of a width.

    Raises:
        ValueProblem: it is not a number, or does not fit.
    """
    if not re.fullmatch(r"-?(0[xX][0-9A-Fa-f]{1,8}|[0-9]{1,10})", word):
        raise ValueProblem(f"{word[:40]} is not a number")
    digits = word.lstrip("-")
    base = 16 if digits[:2].lower() == "0x" else 8 if digits.startswith("0") else 10
    try:
        number = int(digits, base)
    except ValueError as error:
        raise ValueProblem(f"{word[:40]} is not a number") from error
    if number >= 1 << bits:
        raise ValueProblem(f"{word[:40]} does not fit {bits} bits")
    return (number if word[0] != "-" else -number % (1 << bits)).to_bytes(bits // 8, "big")
