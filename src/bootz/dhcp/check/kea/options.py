"""Kea's options: definitions of the file, and what octets a place's option-data puts on the wire.

A definition that is not an array takes the first value of the data alone; what follows a comma is
lost without a word. Source: Kea Administrator Reference Manual, "Custom DHCPv4 Options".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bootz.dhcp.check.answers import Sent
from bootz.dhcp.check.kea.document import place_of
from bootz.dhcp.check.kea.standard import STANDARD, Definition
from bootz.dhcp.check.kea.values import (
    KINDS,
    ValueOpen,
    ValueProblem,
    hex_octets,
    split_values,
    write_value,
)
from bootz.dhcp.render_kea import CODES
from bootz.protocol.dhcp_offer import Family

REDIRECT_NAMES: Final = {Family.IPV4: "v4-sztp-redirect", Family.IPV6: "v6-sztp-redirect"}
"""What releases from 2.3.6 on call the option themselves."""

SPACES: Final = {Family.IPV4: "dhcp4", Family.IPV6: "dhcp6"}
_ADDRESSES: Final = {"ipv4-address": 4, "ipv6-address": 16}


@dataclass(frozen=True, slots=True)
class Option:
    """An option of one place. ``classes``: only clients in one of them get it (from Kea 2.7.4)."""

    code: int
    sent: Sent
    always: bool = False
    never: bool = False
    classes: tuple[str, ...] = ()
    data: str = ""


@dataclass(slots=True)
class Definitions:
    """The options that a file may name: Kea's own, and those that it defines.

    As (place, words): ``problems`` are what Kea refuses, ``open`` what depends on its release,
    ``by_release`` what later releases read otherwise.
    """

    family: Family
    by_name: dict[str, Definition] = field(default_factory=dict)
    by_code: dict[int, Definition] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)
    open: list[tuple[str, str]] = field(default_factory=list)
    by_release: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with Kea's own."""
        for definition in STANDARD[self.family].values():
            self.by_name[definition.name] = definition
            self.by_code[definition.code] = definition

    def define(self, row: Mapping[str, Any]) -> None:
        """Take a definition of the file."""
        place = place_of(row)
        if row.get("space", SPACES[self.family]) != SPACES[self.family]:
            return
        missing = [key for key in ("name", "code", "type") if key not in row]
        if missing:
            self.problems.append((place, f"a definition has no {', '.join(missing)}"))
            return
        name, code, kind = str(row["name"]), row["code"], str(row["type"])
        if not isinstance(code, int) or isinstance(code, bool):
            return
        fields = tuple(part.strip() for part in str(row.get("record-types", "")).split(","))
        made = Definition(name, code, kind, row.get("array") is True, fields)
        problem = self._problem(made)
        if problem:
            self.problems.append((place, f"the definition of {name!r}: {problem}"))
            return
        self.by_name[name] = self.by_code[code] = made

    def _problem(self, made: Definition) -> str:
        known = self.by_code.get(made.code)
        if known is not None:
            return f"option {made.code} is defined already"
        if made.name in self.by_name and self.by_name[made.name].own:
            return f"{made.name} is defined by Kea itself"
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?", made.name):
            return "its name has other characters than letters, digits, - and _"
        kinds = made.fields if made.kind == "record" else (made.kind,)
        wrong = [kind for kind in kinds if kind not in KINDS]
        if wrong:
            return f"there is no type {wrong[0]!r}"
        if made.kind == "record" and len(kinds) < 2:
            return "a record has two fields at least"
        ends = kinds if made.array else kinds[:-1]
        loose = [kind for kind in ends if kind in {"string", "binary", "empty", "internal"}]
        return f"a {loose[0]} of open length stands before something else" if loose else ""

    def read(self, row: Mapping[str, Any], *, outermost: bool = False) -> Option | None:
        """Return an option of a place, None where it is of another space or Kea refuses it.

        ``outermost``: in the global place alone csv-format is true where it is not said.
        """
        place = place_of(row)
        if outermost and "csv-format" not in row:
            row = {**row, "csv-format": True}
        space = row.get("space", SPACES[self.family])
        if space != SPACES[self.family]:
            other = str(space) in SPACES.values()
            if other or not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?", str(space)):
                self.problems.append((place, f"{space!r} is not an option space here"))
            return None
        code, name = row.get("code"), row.get("name")
        if code is None and name is None:
            self.problems.append((place, "an option has neither name nor code"))
            return None
        definition = self.by_code.get(code) if code is not None else self.by_name.get(str(name))
        if definition is None and self._is_newer(code, name, row):
            definition = Definition(
                REDIRECT_NAMES[self.family], CODES[self.family], "tuple", array=True, own=True
            )
            words = f"Kea before 2.3.6 does not know {definition.name}; it takes code and hex"
            self.open.append((place, words))
        if definition is None and code is None:
            self.problems.append((place, f"no option is named {name!r}"))
            return None
        if definition is not None and name not in {None, definition.name}:
            # Newer releases know the option of the bootstrap server by their own name.
            self.problems.append((place, f"option {code} is named {definition.name}, not {name}"))
            return None
        number = definition.code if definition is not None else code
        if number == CODES[self.family] and definition is None and "csv-format" not in row:
            words = "without csv-format, Kea from 2.3.6 on reads the data as text"
            self.by_release.append((place, words))
        if not isinstance(number, int) or not 0 < number < (255, 65536)[self.family is Family.IPV6]:
            self.problems.append((place, f"there is no option {number}"))
            return None
        try:
            octets: bytes | None = self._octets(row, definition)
            why = ""
        except ValueProblem as error:
            if row.get("never-send") is not True or "data" in row:
                self.problems.append((place, f"option {number}: {error}"))
                return None
            octets, why = b"", ""
        except ValueOpen as error:
            octets, why = None, str(error)
        classes = row.get("client-classes")
        return Option(
            number,
            Sent(octets, place, why),
            row.get("always-send") is True,
            row.get("never-send") is True,
            tuple(map(str, classes)) if isinstance(classes, list) else (),
            str(row.get("data", "")),
        )

    def _is_newer(self, code: object, name: object, row: Mapping[str, Any]) -> bool:
        """Return whether a row uses the definition that Kea has from 2.3.6 on."""
        if code is None:
            return name == REDIRECT_NAMES[self.family]
        if code != CODES[self.family] or row.get("csv-format") is False:
            return False
        if row.get("csv-format") is True:
            return True
        try:
            hex_octets(str(row.get("data", "")))
        except ValueProblem:
            return True
        return False

    def _octets(self, row: Mapping[str, Any], definition: Definition | None) -> bytes:
        data, csv = str(row.get("data", "")), row.get("csv-format")
        if definition is None or csv is False:
            if csv is True:
                raise ValueProblem("csv-format needs a definition, and there is none")
            octets = hex_octets(data)
            return octets if definition is None else _checked(octets, definition, self.family)
        return _written(split_values(data), definition, self.family)


def _written(values: Sequence[str], definition: Definition, family: Family) -> bytes:
    if definition.own and definition.kind in {"record", "internal"}:
        raise ValueOpen(f"the data of {definition.name} is not evaluated")
    stripped = [value.strip(" \t\r\n") for value in values]
    if definition.kind == "record":
        fields = list(definition.fields)
        if len(fields) > len(stripped):
            raise ValueProblem(f"it has {len(stripped)} values, and {len(fields)} fields")
        if definition.array:
            fields += fields[-1:] * (len(stripped) - len(fields))
        return b"".join(_value(k, v, definition, family) for k, v in zip(fields, stripped))  # noqa: B905 -- what is over is lost
    if definition.array:
        return b"".join(_value(definition.kind, text, definition, family) for text in stripped)
    if definition.kind == "empty":
        if stripped:
            raise ValueProblem("an empty option takes no data")
        return b""
    if not stripped:
        raise ValueProblem("it has no data")
    return _value(definition.kind, stripped[0], definition, family)


def _value(kind: str, text: str, definition: Definition, family: Family) -> bytes:
    # Kea's own definition of the option has lengths of two octets in both families.
    if definition.own and definition.code == CODES[family] and kind == "tuple":
        octets = text.encode("latin-1", "replace")
        return len(octets).to_bytes(2, "big") + octets
    return write_value(kind, text, family)


def _checked(octets: bytes, definition: Definition, family: Family) -> bytes:
    """Return octets that are given beside a definition, as Kea reads and writes them again."""
    kind = definition.kind
    if kind == "string":
        kept = octets.rstrip(b"\0")
        if not kept:
            raise ValueProblem("a string has no value")
        return kept
    if kind == "binary":
        return octets
    if kind in _ADDRESSES and definition.array:
        if len(octets) % _ADDRESSES[kind]:
            raise ValueProblem(f"{len(octets)} octets are not a list of addresses")
        return octets
    if definition.own and definition.code == CODES[family]:
        return octets
    raise ValueOpen(f"octets beside a definition of type {kind} are not evaluated")


def read_options(
    rows: Sequence[Mapping[str, Any]], definitions: Definitions, *, outermost: bool
) -> Iterator[Option]:
    """Return the options of a place; of two of the same code the last one counts."""
    for row in reversed(rows):
        option = definitions.read(row, outermost=outermost)
        if option is not None:
            yield option
