"""From the document of a Kea configuration to its nouns, with everything that Kea refuses.

Source: Kea Administrator Reference Manual, "DHCPv4 Server Configuration", "DHCPv6 ...".
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bootz.dhcp.check.answers import CheckNote
from bootz.dhcp.check.clients import Address
from bootz.dhcp.check.conditions import ExpressionProblem
from bootz.dhcp.check.kea.document import Document, place_of
from bootz.dhcp.check.kea.expressions import members_of, parse_test
from bootz.dhcp.check.kea.keywords import KEYWORDS, TYPES
from bootz.dhcp.check.kea.nouns import (
    Boot,
    KeaClass,
    KeaHost,
    Modes,
    Place,
    Pool,
    Shared,
    Subnet,
)
from bootz.dhcp.check.kea.options import Definitions, read_options
from bootz.dhcp.check.kea.values import ValueProblem, hex_octets
from bootz.dhcp.render_kea import CODES
from bootz.dhcp.sync import DEFAULT_IDENTIFIERS, rows_of
from bootz.protocol.dhcp_offer import Family

ROOTS: Final = {Family.IPV4: "Dhcp4", Family.IPV6: "Dhcp6"}
BUILT_IN: Final = frozenset({"ALL", "KNOWN", "UNKNOWN", "BOOTP", "DROP", "SKIP_DDNS"})
_KINDS: Final = {
    Family.IPV4: ("hw-address", "duid", "circuit-id", "client-id", "flex-id"),
    Family.IPV6: ("hw-address", "duid", "flex-id"),
}
_MOST: Final = {"hw-address": 20, "duid": 130, "client-id": 255}
_HARMLESS: Final = (
    "lease_cmds",
    "stat_cmds",
    "host_cmds",
    "subnet_cmds",
    "legal_log",
    "forensic_log",
)
"""Hooks that change no answer by themselves, by a part of their name."""


@dataclass(slots=True)
class KeaConfig:
    """A configuration of one family. ``refused``: why Kea does not start with it."""

    family: Family
    where: str
    top: Place
    definitions: Definitions
    subnets: list[Subnet] = field(default_factory=list)
    networks: list[Shared] = field(default_factory=list)
    classes: dict[str, KeaClass] = field(default_factory=dict)
    hosts: list[KeaHost] = field(default_factory=list)
    by_name: dict[tuple[str, bytes], KeaHost] = field(default_factory=dict)
    identifiers: tuple[str, ...] = ()
    mac_sources: tuple[str, ...] = ()
    refused: list[CheckNote] = field(default_factory=list)
    notes: list[CheckNote] = field(default_factory=list)
    doubts: list[CheckNote] = field(default_factory=list)


def read_config(document: Document, root: Mapping[str, Any], family: Family) -> KeaConfig:
    """Return the nouns of a configuration."""
    return _Reader(document, root, family).read()


@dataclass(slots=True)
class _Reader:
    document: Document
    root: Mapping[str, Any]
    family: Family
    config: KeaConfig = field(init=False)
    taken: dict[tuple[str, Address], str] = field(default_factory=dict)
    numbered: int = 0

    def __post_init__(self) -> None:
        where = ROOTS[self.family]
        self.config = KeaConfig(self.family, where, Place(where), Definitions(self.family))

    def read(self) -> KeaConfig:
        """Read everything, outermost first."""
        config, root = self.config, self.root
        for place, words in self.document.refused:
            self.refuse(place, words)
        if not root:
            self.refuse(config.where, "it is empty")
        self.keywords(root, "global", config.where)
        self.surroundings()
        for row in rows_of(root, "option-def"):
            self.keywords(row, "option-def", place_of(row))
            config.definitions.define(row)
        self.definition_of_redirect()
        self.fill(config.top, root)
        self.classes()
        listed = root.get("host-reservation-identifiers")
        config.identifiers = (
            tuple(map(str, listed))
            if isinstance(listed, list)
            else DEFAULT_IDENTIFIERS[self.family]
        )
        self.unlisted(listed)
        sources = root.get("mac-sources")
        config.mac_sources = tuple(map(str, sources)) if isinstance(sources, list) else ("any",)
        modes = self.modes(root, Modes())
        self.networks(modes)
        for row in rows_of(root, "reservations"):
            host = self.host(row, config.where, None)
            if host is not None:
                config.hosts.append(host)
                config.by_name[host.kind, host.octets] = host
        definitions = config.definitions
        config.refused += [
            CheckNote("refused", place, words) for place, words in definitions.problems
        ]
        config.notes += [
            CheckNote("not-evaluated", place, words) for place, words in definitions.open
        ]
        config.notes += [
            CheckNote("by-release", place, words) for place, words in definitions.by_release
        ]
        return config

    def refuse(self, where: str, words: str) -> None:
        self.config.refused.append(CheckNote("refused", where or self.config.where, words))

    def keywords(self, row: Mapping[str, Any], scope: str, where: str) -> None:
        """Refuse values of a wrong type; what is not a keyword here may be one of a later Kea."""
        known = KEYWORDS[self.family][scope]
        for key, value in row.items():
            kind = known.get(key)
            if kind is None:
                words = (
                    f"{key!r} is not a keyword of Kea's at this place ({place_of(row) or where})"
                )
                self.config.doubts.append(CheckNote("not-evaluated", where, words))
                continue
            right = isinstance(value, TYPES[kind])
            if isinstance(value, bool) and kind != "b":
                right = False
            if not right and not (value is None and kind == "s"):
                self.refuse(where, f"{key} has a value of a wrong type ({place_of(row)})")

    def surroundings(self) -> None:
        """Tell what stands outside the file, or answers beside it."""
        config, root = self.config, self.root
        for place, words in self.document.missing:
            config.doubts.append(CheckNote("not-evaluated", place, words))
        interfaces = root.get("interfaces-config")
        listed = interfaces.get("interfaces") if isinstance(interfaces, dict) else None
        if isinstance(interfaces, dict):
            self.keywords(interfaces, "interfaces-config", "interfaces-config")
        if not listed:
            words = "no interface is named: Kea answers no one until there is one"
            config.notes.append(CheckNote("not-evaluated", "interfaces-config", words))
        for row in rows_of(root, "hooks-libraries"):
            name = str(row.get("library", "")).rpartition("/")[2]
            if not any(part in name for part in _HARMLESS):
                words = f"the hook {name or '?'} may change what is sent"
                config.doubts.append(
                    CheckNote("not-evaluated", place_of(row) or config.where, words)
                )
        if root.get("hosts-database") or root.get("hosts-databases"):
            words = "reservations in a database are not looked at"
            config.doubts.append(CheckNote("not-evaluated", config.where, words))
        if root.get("config-control"):
            words = "a configuration in a database is not looked at"
            config.doubts.append(CheckNote("not-evaluated", config.where, words))

    def unlisted(self, listed: object) -> None:
        """Refuse identifiers that Kea does not know."""
        allowed = _KINDS[self.family]
        if isinstance(listed, list):
            wrong = [str(each) for each in listed if each not in allowed]
            if wrong or not listed:
                words = f"host-reservation-identifiers: {', '.join(wrong) or 'it is empty'}"
                self.refuse(self.config.where, words)

    def definition_of_redirect(self) -> None:
        """Warn of a definition of the option itself: later releases have one of their own."""
        code = CODES[self.family]
        made = self.config.definitions.by_code.get(code)
        if made is not None:
            kind = f"{made.kind}{' array' if made.array else ''}"
            words = f"option {code} is defined as {kind}; Kea from 2.3.6 on refuses that"
            self.config.notes.append(CheckNote("option-definition", self.config.where, words))

    def fill(self, place: Any, row: Mapping[str, Any]) -> Any:
        """Give a place its options, boot file and guards."""
        for option in rows_of(row, "option-data"):
            self.keywords(option, "option-data", f"{place.where} option-data")
        place.options = list(
            read_options(
                rows_of(row, "option-data"),
                self.config.definitions,
                outermost=place is self.config.top,
            )
        )
        next_server = str(row.get("next-server", ""))
        place.boot = Boot(
            str(row.get("boot-file-name") or ""),
            "" if next_server in {"", "0.0.0.0"} else next_server,  # noqa: S104 -- none is bound
        )
        return place

    def guard(self, place: Place, row: Mapping[str, Any]) -> None:
        """Give a network, a subnet or a pool the classes that it is for, and those it asks for."""
        one, several = row.get("client-class"), row.get("client-classes")
        if isinstance(one, str) and one:
            place.guards = (one,)
        elif isinstance(several, list):
            place.guards = tuple(map(str, several))
        for key in ("require-client-classes", "evaluate-additional-classes"):
            listed = row.get(key)
            if isinstance(listed, list):
                place.additional = tuple(map(str, listed))

    def classes(self) -> None:
        """Read the classes; a test may ask only for those before it."""
        rows = rows_of(self.root, "client-classes")
        if self.root.get("client-classes") == []:
            self.refuse(self.config.where, "client-classes is empty")
        for index, row in enumerate(rows):
            name = str(row.get("name", ""))
            where = f"class {name or index}"
            self.keywords(row, "class", where)
            if not name or name in self.config.classes:
                self.refuse(where, "it has no name" if not name else "it is defined twice")
                continue
            demand = row.get("only-if-required") or row.get("only-in-additional-list")
            made = KeaClass(where, name=name, on_demand=demand is True)
            self.fill(made, row)
            if "test" in row or "template-test" in row:
                self.test(made, row)
            self.config.classes[name] = made

    def test(self, made: KeaClass, row: Mapping[str, Any]) -> None:
        source = row.get("test")
        if not isinstance(source, str):
            made.opaque = True
            return
        try:
            made.test = parse_test(source, self.family)
        except ExpressionProblem as error:
            made.opaque = True
            words = f"its test is not understood: {error}"
            self.config.notes.append(CheckNote("not-evaluated", made.where, words))
            return
        asked = members_of(made.test)
        for name in sorted(asked):
            if (
                name not in self.config.classes
                and name not in BUILT_IN
                and not name.startswith(("VENDOR_CLASS_", "AFTER_", "EXTERNAL_", "HA_", "SPAWN_"))
            ):
                self.refuse(made.where, f"its test asks for {name!r}, which is not defined before")
        made.late = bool(asked & {"KNOWN", "UNKNOWN"}) or any(
            self.config.classes[name].late for name in asked if name in self.config.classes
        )

    def networks(self, modes: Modes) -> None:
        """Read subnets, alone and in shared networks."""
        key = "subnet4" if self.family is Family.IPV4 else "subnet6"
        prefixes: set[object] = set()
        numbers: set[int] = set()
        for holder, shared, around in self._holders(modes):
            for row in rows_of(holder, key):
                subnet = self.subnet(row, shared, around)
                if subnet is None:
                    continue
                self.unique(row, subnet, prefixes, numbers)
                self.config.subnets.append(subnet)
                if shared is not None:
                    shared.subnets.append(subnet)
        # Kea tries subnets in the order of their ids, not of the file.
        self.config.subnets.sort(key=lambda each: each.number)
        for shared in self.config.networks:
            shared.subnets.sort(key=lambda each: each.number)
            named = {each.interface for each in shared.subnets if each.interface}
            if len(named) > 1:
                self.refuse(shared.where, "its subnets name different interfaces")

    def _holders(self, modes: Modes) -> Iterator[tuple[Mapping[str, Any], Shared | None, Modes]]:
        names: set[str] = set()
        yield self.root, None, modes
        for index, row in enumerate(rows_of(self.root, "shared-networks")):
            name = str(row.get("name", ""))
            shared = Shared(f"shared network {name or index}")
            self.keywords(row, "shared-network", shared.where)
            if not name or name in names:
                self.refuse(shared.where, "it has no name" if not name else "it is defined twice")
            names.add(name)
            self.fill(shared, row)
            self.guard(shared, row)
            shared.interface = str(row.get("interface") or "")
            self.config.networks.append(shared)
            yield row, shared, self.modes(row, modes)

    def unique(
        self, row: Mapping[str, Any], subnet: Subnet, prefixes: set[object], numbers: set[int]
    ) -> None:
        """Refuse a prefix or a number that two subnets have."""
        if subnet.network in prefixes:
            self.refuse(subnet.where, "two subnets have this prefix")
        prefixes.add(subnet.network)
        number = row.get("id")
        if not isinstance(number, int) or not number:
            self.numbered += 1
            number = self.numbered
        if number in numbers:
            self.refuse(subnet.where, f"two subnets have the id {number}")
        numbers.add(number)
        subnet.number = number

    def subnet(self, row: Mapping[str, Any], shared: Shared | None, around: Modes) -> Subnet | None:
        text = row.get("subnet")
        where = f"subnet {text}"
        self.keywords(row, "subnet", where)
        prefix = str(text).partition("/")
        try:
            if not prefix[2].isdigit():
                raise ValueError("it has no prefix length")
            network = ipaddress.ip_network(f"{prefix[0].strip()}/{prefix[2]}", strict=False)
            if (network.version == 4) is not (self.family is Family.IPV4):
                raise ValueError("it is of the other family")
        except ValueError as error:
            self.refuse(place_of(row) or where, f"{where}: {error}")
            return None
        made = Subnet(where, network=network, shared=shared, modes=self.modes(row, around))
        self.fill(made, row)
        self.guard(made, row)
        made.interface = str(row.get("interface") or "")
        for pool in rows_of(row, "pools"):
            found = self.pool(pool, made)
            if found is not None:
                made.pools.append(found)
        for reservation in rows_of(row, "reservations"):
            host = self.host(reservation, where, made)
            if host is not None:
                self.place(host, made)
        return made

    def place(self, host: KeaHost, subnet: Subnet) -> None:
        """Put a reservation into its subnet; a name or an address stands there once."""
        name = (host.kind, host.octets)
        unique = self.root.get("ip-reservations-unique") is not False
        if name in subnet.by_name:
            self.refuse(host.where, "its identifier is reserved twice in the subnet")
        if unique and host.address is not None:
            key = (subnet.where, host.address)
            if key in self.taken:
                self.refuse(host.where, f"{host.address} is reserved already: {self.taken[key]}")
            self.taken[key] = host.where
        subnet.by_name.setdefault(name, host)
        subnet.hosts.append(host)

    def pool(self, row: Mapping[str, Any], subnet: Subnet) -> Pool | None:
        text = str(row.get("pool", ""))
        where = f"{subnet.where} pool {text}"
        self.keywords(row, "pool", where)
        try:
            first, last = _range(text)
        except ValueError as error:
            self.refuse(where, str(error))
            return None
        if int(first) > int(last) or first not in subnet.network or last not in subnet.network:
            self.refuse(where, "it is not a range of addresses in its subnet")
            return None
        made = Pool(where, first=int(first), last=int(last))
        if any(made.first <= each.last and each.first <= made.last for each in subnet.pools):
            self.refuse(where, "it overlaps another pool")
        self.fill(made, row)
        self.guard(made, row)
        return made

    def modes(self, row: Mapping[str, Any], around: Modes) -> Modes:
        """Return where reservations are looked for, of this place or those around it."""
        made = Modes(around.in_subnet, around.everywhere, around.out_of_pool)
        old = row.get("reservation-mode")
        if old is not None:
            table = {
                "disabled": Modes(in_subnet=False),
                "off": Modes(in_subnet=False),
                "out-of-pool": Modes(out_of_pool=True),
                "global": Modes(in_subnet=False, everywhere=True),
                "all": Modes(),
            }
            if old not in table:
                self.refuse(place_of(row), f"there is no reservation-mode {old!r}")
            made = table.get(str(old), made)
        for key, name in (
            ("reservations-in-subnet", "in_subnet"),
            ("reservations-global", "everywhere"),
            ("reservations-out-of-pool", "out_of_pool"),
        ):
            if isinstance(row.get(key), bool):
                setattr(made, name, row[key])
        return made

    def host(self, row: Mapping[str, Any], around: str, subnet: Subnet | None) -> KeaHost | None:
        kinds = [kind for kind in _KINDS[self.family] if kind in row]
        shown = str(row.get(kinds[0], "")) if kinds else "?"
        where = f"{around} reservation {kinds[0] if kinds else ''} {shown}"
        self.keywords(row, "reservation", where)
        if len(kinds) != 1:
            words = " and ".join(kinds) or "no identifier"
            self.refuse(where, f"a reservation has one identifier, this one {words}")
            return None
        (kind,) = kinds
        try:
            octets = hex_octets(shown)
        except ValueProblem:
            self.refuse(where, f"{shown!r} is not a {kind}: hex, with colons or without")
            return None
        if not octets or len(octets) > _MOST.get(kind, 128):
            self.refuse(where, f"a {kind} has no {len(octets)} octets")
            return None
        made = KeaHost(
            f"{around} reservation {kind} {octets.hex()}",
            kind=kind,
            octets=octets,
            classes=tuple(map(str, row.get("client-classes") or ())),
        )
        self.fill(made, row)
        self.address(made, row, subnet)
        says = ("hostname", "client-classes", "next-server", "server-hostname", "boot-file-name")
        more = ("prefixes", "option-data")
        if made.address is None and not any(row.get(key) for key in (*says, *more)):
            self.refuse(where, "it reserves nothing: no address, no option, no class")
        return made

    def address(self, made: KeaHost, row: Mapping[str, Any], subnet: Subnet | None) -> None:
        if self.family is Family.IPV4:
            listed: list[object] = [row["ip-address"]] if "ip-address" in row else []
        else:
            found = row.get("ip-addresses")
            listed = found if isinstance(found, list) else []
        for text in listed:
            try:
                address = ipaddress.ip_address(str(text))
            except ValueError:
                self.refuse(made.where, f"{str(text)[:50]!r} is not an address")
                continue
            if (address.version == 4) is not (self.family is Family.IPV4):
                self.refuse(made.where, f"{address} is of the other family")
                continue
            if subnet is not None and address not in subnet.network:
                self.refuse(made.where, f"{address} is not in its subnet")
            if made.address is None:
                made.address = address


def _range(text: str) -> tuple[Address, Address]:
    if "/" in text:
        network = ipaddress.ip_network(text.replace(" ", ""), strict=False)
        return network[0], network[-1]
    first, dash, last = text.partition("-")
    if not dash:
        raise ValueError("a pool is FIRST-LAST, or a prefix")
    return ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
