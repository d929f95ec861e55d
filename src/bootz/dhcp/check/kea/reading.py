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
from bootz.dhcp.check.kea.config import ROOTS, KeaConfig
from bootz.dhcp.check.kea.document import Document, place_of
from bootz.dhcp.check.kea.expressions import members_of, parse_test
from bootz.dhcp.check.kea.nouns import (
    KeaClass,
    Modes,
    Place,
    Pool,
    Shared,
    Subnet,
)
from bootz.dhcp.check.kea.options import Definitions
from bootz.dhcp.check.kea.places import PlaceReader
from bootz.dhcp.check.kea.reservations import KINDS, ReservationReader
from bootz.dhcp.render_kea import CODES
from bootz.dhcp.sync import DEFAULT_IDENTIFIERS, rows_of
from bootz.protocol.dhcp_offer import Family

BUILT_IN: Final = frozenset({"ALL", "KNOWN", "UNKNOWN", "BOOTP", "DROP", "SKIP_DDNS"})
_HARMLESS: Final = (
    "lease_cmds",
    "stat_cmds",
    "host_cmds",
    "subnet_cmds",
    "legal_log",
    "forensic_log",
)
"""Hooks that change no answer by themselves, by a part of their name."""


def read_config(document: Document, root: Mapping[str, Any], family: Family) -> KeaConfig:
    """Return the nouns of a configuration."""
    return _Reader(document, root, family).read()


@dataclass(slots=True)
class _Reader:
    document: Document
    root: Mapping[str, Any]
    family: Family
    config: KeaConfig = field(init=False)
    places: PlaceReader = field(init=False)
    hosts: ReservationReader = field(init=False)
    numbered: int = 0

    def __post_init__(self) -> None:
        where = ROOTS[self.family]
        self.config = KeaConfig(self.family, where, Place(where), Definitions(self.family))
        self.places = PlaceReader(self.config)
        unique = self.root.get("ip-reservations-unique") is not False
        self.hosts = ReservationReader(self.places, unique)

    def read(self) -> KeaConfig:
        """Read everything, outermost first."""
        config, root = self.config, self.root
        for place, words in self.document.refused:
            self.places.refuse(place, words)
        if not root:
            self.places.refuse(config.where, "it is empty")
        self.places.keywords(root, "global", config.where)
        self.surroundings()
        for row in rows_of(root, "option-def"):
            self.places.keywords(row, "option-def", place_of(row))
            config.definitions.define(row)
        self.definition_of_redirect()
        self.places.fill(config.top, root)
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
        modes = self.places.modes(root, Modes())
        self.networks(modes)
        for row in rows_of(root, "reservations"):
            host = self.hosts.read(row, config.where, None)
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

    def surroundings(self) -> None:
        """Tell what stands outside the file, or answers beside it."""
        config, root = self.config, self.root
        for place, words in self.document.missing:
            config.doubts.append(CheckNote("not-evaluated", place, words))
        interfaces = root.get("interfaces-config")
        listed = interfaces.get("interfaces") if isinstance(interfaces, dict) else None
        if isinstance(interfaces, dict):
            self.places.keywords(interfaces, "interfaces-config", "interfaces-config")
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
        allowed = KINDS[self.family]
        if isinstance(listed, list):
            wrong = [str(each) for each in listed if each not in allowed]
            if wrong or not listed:
                words = f"host-reservation-identifiers: {', '.join(wrong) or 'it is empty'}"
                self.places.refuse(self.config.where, words)

    def definition_of_redirect(self) -> None:
        """Warn of a definition of the option itself: later releases have one of their own."""
        code = CODES[self.family]
        made = self.config.definitions.by_code.get(code)
        if made is not None:
            kind = f"{made.kind}{' array' if made.array else ''}"
            words = f"option {code} is defined as {kind}; Kea from 2.3.6 on refuses that"
            self.config.notes.append(CheckNote("option-definition", self.config.where, words))

    def classes(self) -> None:
        """Read the classes; a test may ask only for those before it."""
        rows = rows_of(self.root, "client-classes")
        if self.root.get("client-classes") == []:
            self.places.refuse(self.config.where, "client-classes is empty")
        for index, row in enumerate(rows):
            name = str(row.get("name", ""))
            where = f"class {name or index}"
            self.places.keywords(row, "class", where)
            if not name or name in self.config.classes:
                self.places.refuse(where, "it has no name" if not name else "it is defined twice")
                continue
            demand = row.get("only-if-required") or row.get("only-in-additional-list")
            made = KeaClass(where, name=name, on_demand=demand is True)
            self.places.fill(made, row)
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
                self.places.refuse(
                    made.where, f"its test asks for {name!r}, which is not defined before"
                )
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
                self.places.refuse(shared.where, "its subnets name different interfaces")

    def _holders(self, modes: Modes) -> Iterator[tuple[Mapping[str, Any], Shared | None, Modes]]:
        names: set[str] = set()
        yield self.root, None, modes
        for index, row in enumerate(rows_of(self.root, "shared-networks")):
            name = str(row.get("name", ""))
            shared = Shared(f"shared network {name or index}")
            self.places.keywords(row, "shared-network", shared.where)
            if not name or name in names:
                self.places.refuse(
                    shared.where, "it has no name" if not name else "it is defined twice"
                )
            names.add(name)
            self.places.fill(shared, row)
            self.places.guard(shared, row)
            shared.interface = str(row.get("interface") or "")
            self.config.networks.append(shared)
            yield row, shared, self.places.modes(row, modes)

    def unique(
        self, row: Mapping[str, Any], subnet: Subnet, prefixes: set[object], numbers: set[int]
    ) -> None:
        """Refuse a prefix or a number that two subnets have."""
        if subnet.network in prefixes:
            self.places.refuse(subnet.where, "two subnets have this prefix")
        prefixes.add(subnet.network)
        number = row.get("id")
        if not isinstance(number, int) or not number:
            self.numbered += 1
            number = self.numbered
        if number in numbers:
            self.places.refuse(subnet.where, f"two subnets have the id {number}")
        numbers.add(number)
        subnet.number = number

    def subnet(self, row: Mapping[str, Any], shared: Shared | None, around: Modes) -> Subnet | None:
        text = row.get("subnet")
        where = f"subnet {text}"
        self.places.keywords(row, "subnet", where)
        prefix = str(text).partition("/")
        try:
            if not prefix[2].isdigit():
                raise ValueError("it has no prefix length")
            network = ipaddress.ip_network(f"{prefix[0].strip()}/{prefix[2]}", strict=False)
            if (network.version == 4) is not (self.family is Family.IPV4):
                raise ValueError("it is of the other family")
        except ValueError as error:
            self.places.refuse(place_of(row) or where, f"{where}: {error}")
            return None
        made = Subnet(where, network=network, shared=shared, modes=self.places.modes(row, around))
        self.places.fill(made, row)
        self.places.guard(made, row)
        made.interface = str(row.get("interface") or "")
        for pool in rows_of(row, "pools"):
            found = self.pool(pool, made)
            if found is not None:
                made.pools.append(found)
        for reservation in rows_of(row, "reservations"):
            host = self.hosts.read(reservation, where, made)
            if host is not None:
                self.hosts.put(host, made)
        return made

    def pool(self, row: Mapping[str, Any], subnet: Subnet) -> Pool | None:
        text = str(row.get("pool", ""))
        where = f"{subnet.where} pool {text}"
        self.places.keywords(row, "pool", where)
        try:
            first, last = _range(text)
        except ValueError as error:
            self.places.refuse(where, str(error))
            return None
        if int(first) > int(last) or first not in subnet.network or last not in subnet.network:
            self.places.refuse(where, "it is not a range of addresses in its subnet")
            return None
        made = Pool(where, first=int(first), last=int(last))
        if any(made.first <= each.last and each.first <= made.last for each in subnet.pools):
            self.places.refuse(where, "it overlaps another pool")
        self.places.fill(made, row)
        self.places.guard(made, row)
        return made


def _range(text: str) -> tuple[Address, Address]:
    if "/" in text:
        network = ipaddress.ip_network(text.replace(" ", ""), strict=False)
        return network[0], network[-1]
    first, dash, last = text.partition("-")
    if not dash:
        raise ValueError("a pool is FIRST-LAST, or a prefix")
    return ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
