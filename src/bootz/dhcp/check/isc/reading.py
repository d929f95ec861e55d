"""From the statements of a dhcpd configuration to its nouns.

Source: dhcpd.conf(5).
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bootz.dhcp.check.answers import CheckNote, Sent
from bootz.dhcp.check.clients import Address
from bootz.dhcp.check.conditions import ExpressionProblem, ExpressionRefused
from bootz.dhcp.check.isc.actions import Compiler
from bootz.dhcp.check.isc.expressions import parse_condition, parse_data
from bootz.dhcp.check.isc.keywords import DECLARATIONS
from bootz.dhcp.check.isc.nouns import (
    HostGroup,
    IscClass,
    IscHost,
    Permit,
    Pool,
    SetOption,
    Shared,
    Subnet,
)
from bootz.dhcp.check.isc.options import Options, ValueProblem, colon_hex
from bootz.dhcp.check.isc.statements import Source, Statement, every, is_definition, unescape
from bootz.protocol.dhcp_offer import Family

_PERMITS: Final = frozenset(
    {"known-clients", "unknown-clients", "all-clients", "dynamic-bootp-clients"}
)


@dataclass(slots=True)
class IscConfig:
    """A configuration of dhcpd. ``refused``: why it does not start with it."""

    family: Family
    top: HostGroup
    options: Options
    links: list[Shared] = field(default_factory=list)
    hosts: list[IscHost] = field(default_factory=list)
    classes: list[IscClass] = field(default_factory=list)
    refused: list[CheckNote] = field(default_factory=list)
    notes: list[CheckNote] = field(default_factory=list)
    doubts: list[CheckNote] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    first: dict[tuple[str, bytes], IscHost] = field(default_factory=dict)
    """The first host declaration of each identifier."""
    by_option: list[IscHost] = field(default_factory=list)


def family_of(source: Source) -> Family:
    """Return the family for which a configuration is written."""
    words = {word for each in every(source.statements) for word in each.words}
    six = "subnet6" in words or any(word.startswith("dhcp6.") for word in words)
    return Family.IPV6 if six and "subnet" not in words else Family.IPV4


def read_config(source: Source) -> IscConfig:
    """Return the nouns of a configuration."""
    family = family_of(source)
    config = IscConfig(family, HostGroup("global"), Options(family))
    config.doubts += [CheckNote("not-evaluated", place, words) for place, words in source.missing]
    _undefined(source, config)
    _Reader(config).block(source.statements, config.top, None, None)
    return config


def _undefined(source: Source, config: IscConfig) -> None:
    """Refuse options that are used before they are defined, and statements without an end."""
    statements = list(every(source.statements))
    later = {each.words[1] for each in statements if is_definition(each.words)}
    for each in statements:
        if is_definition(each.words):
            later.discard(each.words[1])
            continue
        for word in later.intersection(each.words):
            words = f"option {word} is used before it is defined"
            config.refused.append(CheckNote("refused", each.place, words))
    for place, words in source.unended:
        config.refused.append(CheckNote("refused", place, words))


@dataclass(slots=True)
class _Reader:
    config: IscConfig
    compiler: Compiler = field(init=False)

    def __post_init__(self) -> None:
        self.compiler = Compiler(self.config.options, self.config.refused, self.config.doubts)

    def refuse(self, place: str, words: str) -> None:
        self.config.refused.append(CheckNote("refused", place, words))

    def block(
        self,
        statements: Sequence[Statement],
        group: HostGroup,
        shared: Shared | None,
        subnet: Subnet | None,
    ) -> None:
        """Read a block: declarations become nouns, other statements actions of the group."""
        rest: list[Statement] = []
        for each in statements:
            if not each.words:
                self.refuse(each.place, "a block has no name")
            elif is_definition(each.words):
                self.define(each)
            elif each.words[:2] == ["option", "space"]:
                self.config.options.spaces.update(each.words[2:3])
            elif each.words[0] in DECLARATIONS:
                self.declare(each, group, shared, subnet)
            else:
                rest.append(each)
        group.actions += self.compiler.actions(rest, group.where)

    def define(self, each: Statement) -> None:
        words = each.words
        if len(words) < 6 or words[0] != "option" or words[4] != "=":
            self.refuse(each.place, f"{' '.join(words)[:60]} is not a definition of an option")
            return
        try:
            self.config.options.define(words)
        except ValueProblem as error:
            self.refuse(each.place, str(error))

    def declare(
        self, each: Statement, group: HostGroup, shared: Shared | None, subnet: Subnet | None
    ) -> None:
        match each.words[0]:
            case "subnet" | "subnet6":
                self.subnet(each, group, shared)
            case "shared-network":
                made = Shared(HostGroup(f"shared network {' '.join(each.words[1:2])}", group))
                self.config.links.append(made)
                self.block(each.block or (), made.group, made, None)
            case "pool" | "pool6":
                self.pool(each, group, shared, subnet)
            case "group":
                inner = HostGroup(f"{each.place} group", group)
                self.block(each.block or (), inner, shared, subnet)
            case "host":
                self.host(each, group)
            case "class" | "subclass":
                self.client_class(each, group)
            case "range" | "range6":
                if subnet is None:
                    self.refuse(each.place, "a range stands outside of a subnet")
                else:
                    self.range(each, subnet.pool)
            case _:
                # Keys, zones, failover: they tell routers nothing.
                return

    def subnet(self, each: Statement, group: HostGroup, shared: Shared | None) -> None:
        words = each.words
        try:
            if words[0] == "subnet6":
                network: ipaddress.IPv4Network | ipaddress.IPv6Network = ipaddress.IPv6Network(
                    words[1]
                )
            elif len(words) == 4 and words[2] == "netmask":
                network = ipaddress.IPv4Network(f"{words[1]}/{words[3]}")
            else:
                raise ValueError("subnet ADDRESS netmask MASK")
        except (ValueError, IndexError) as error:
            self.refuse(each.place, f"{' '.join(words)[:60]}: {error}")
            return
        if (network.version == 4) is not (self.config.family is Family.IPV4):
            self.refuse(each.place, f"{words[0]} is for the server of the other family")
            return
        if any(network.overlaps(known.network) for known in self.subnets()):
            told = f"subnet {network} overlaps another: which one dhcpd takes is not evaluated"
            self.config.doubts.append(CheckNote("not-evaluated", each.place, told))
        inner = HostGroup(f"subnet {network}", group)
        link = shared
        if link is None:
            link = Shared(group)
            self.config.links.append(link)
        made = Subnet(inner, network, link, Pool(HostGroup(inner.where, link.group)))
        link.subnets.append(made)
        self.block(each.block or (), inner, link, made)
        if made.pool.ranges:
            link.pools.append(made.pool)

    def subnets(self) -> list[Subnet]:
        return [subnet for link in self.config.links for subnet in link.subnets]

    def pool(
        self, each: Statement, group: HostGroup, shared: Shared | None, subnet: Subnet | None
    ) -> None:
        if shared is None:
            self.refuse(each.place, "a pool stands outside of a network")
            return
        made = Pool(HostGroup(f"{each.place} pool", group))
        rest: list[Statement] = []
        for inner in each.block or ():
            if inner.words[:1] in (["range"], ["range6"]):
                self.range(inner, made)
            elif inner.words[:1] in (["allow"], ["deny"]) and self.permit(inner, made):
                continue
            else:
                rest.append(inner)
        self.block(rest, made.group, shared, subnet)
        shared.pools.append(made)

    @staticmethod
    def permit(each: Statement, pool: Pool) -> bool:
        allowed, rest = each.words[0] == "allow", each.words[1:]
        if rest[:2] == ["members", "of"] and len(rest) == 3:
            name = unescape(rest[2].strip('"')).decode("latin-1")
            pool.permits.append(Permit(allowed, "members", name))
            return True
        who = "-".join(rest)
        if who in _PERMITS:
            pool.permits.append(Permit(allowed, who))
            return True
        if rest[-1:] == ["clients"] or rest[:1] == ["after"]:
            pool.permits.append(Permit(allowed, "open", " ".join(rest)))
            return True
        return False

    def range(self, each: Statement, pool: Pool) -> None:
        words = [word for word in each.words[1:] if word not in {"dynamic-bootp", "temporary"}]
        try:
            if len(words) == 1 and "/" in words[0]:
                network = ipaddress.ip_network(words[0])
                low, high = network[0], network[-1]
            else:
                low, high = ipaddress.ip_address(words[0]), ipaddress.ip_address(words[-1])
        except (ValueError, IndexError):
            self.refuse(each.place, f"{' '.join(each.words)[:60]} is not a range of addresses")
            return
        found = next((known for known in self.subnets() if low in known.network), None)
        if found is None or high not in found.network:
            self.refuse(each.place, f"{' '.join(each.words)[:60]} is not in its subnet")
            return
        pool.ranges.append((low, high))

    def host(self, each: Statement, around: HostGroup) -> None:
        name = each.words[1] if len(each.words) == 2 else ""
        where = f"{each.place} host {name}"
        if not name or name in self.config.names:
            words = "has no name" if not name else f"{name} is declared twice"
            self.refuse(each.place, f"a host {words}")
            return
        self.config.names.add(name)
        made = IscHost(name, HostGroup(where, around))
        rest = [inner for inner in each.block or () if not self.names_host(inner, made)]
        self.block(rest, made.group, None, None)
        if self.config.family is Family.IPV4 or not made.uid:
            made.uid = made.uid or self.client_identifier(made.group)
        self.enter(made)
        self.config.hosts.append(made)

    def names_host(self, each: Statement, host: IscHost) -> bool:
        """Take a statement that says who a host is, or which address it has."""
        head, rest = each.words[0] if each.words else "", each.words[1:]
        match head:
            case "hardware":
                if len(rest) == 2:
                    try:
                        host.mac = colon_hex(rest[1])
                    except ValueProblem as error:
                        self.refuse(each.place, str(error))
                    if rest[0] != "ethernet":
                        host.mac = b""
                else:
                    self.refuse(each.place, "hardware TYPE ADDRESS")
            case "fixed-address" | "fixed-address6":
                host.has_fixed = True
                if any((word == ",") is not bool(at % 2) for at, word in enumerate(rest)):
                    self.refuse(each.place, "addresses have commas between; or a semicolon misses")
                for word in rest[::2]:
                    self.fixed(word, each, host)
            case "host-identifier":
                self.identifier(rest, each, host)
            case "uid":
                return False
            case _:
                return False
        return True

    def fixed(self, word: str, each: Statement, host: IscHost) -> None:
        try:
            address: Address = ipaddress.ip_address(word)
        except ValueError:
            if re.fullmatch(r"[A-Za-z0-9.-]+", word) and not re.fullmatch(r"[0-9.]+", word):
                host.names.append(word)
            else:
                self.refuse(each.place, f"{word[:60]} is not an address")
            return
        if (address.version == 4) is not (self.config.family is Family.IPV4):
            self.refuse(each.place, f"{address} is of the other family")
            return
        host.fixed.append(address)

    def identifier(self, rest: list[str], each: Statement, host: IscHost) -> None:
        if rest[:1] != ["option"] or len(rest) < 3:
            host.by_option = (-1, b"")
            return
        try:
            found = self.config.options.find(rest[1])
        except ValueProblem as error:
            self.refuse(each.place, str(error))
            return
        octets = self.compiler.constant(rest[2:], each.place)
        if found is None or octets is None:
            host.by_option = (-1, b"")
        elif found.code == (61 if self.config.family is Family.IPV4 else 1):
            host.uid = octets
        else:
            host.by_option = (found.code, octets)

    def client_identifier(self, group: HostGroup) -> bytes:
        """Return the client-id that a host's own option statement names."""
        for action in group.actions:
            if (
                isinstance(action, SetOption)
                and action.code == 61
                and isinstance(action.sent, Sent)
                and self.config.family is Family.IPV4
            ):
                return action.sent.octets or b""
        return b""

    def enter(self, host: IscHost) -> None:
        """Chain a host behind those with the same identifier, as dhcpd does."""
        linked = False
        if host.by_option is not None:
            self.config.by_option.append(host)
        for name, value in (("mac", host.mac), ("uid", host.uid)):
            if not value:
                continue
            first = self.config.first.setdefault((name, value), host)
            if first is host or linked:
                continue
            last = first
            while last.next is not None and last is not host:
                last = last.next
            if last is not host:
                last.next = host
                linked = True

    def client_class(self, each: Statement, around: HostGroup) -> None:
        name = unescape(each.words[1].strip('"')).decode("latin-1") if each.words[1:] else ""
        known = next((made for made in self.config.classes if made.name == name), None)
        if each.words[0] == "subclass":
            self.subclass(each, known)
            return
        made = known or IscClass(name, HostGroup(f"{each.place} class {name}", around))
        if known is None:
            self.config.classes.append(made)
        rest: list[Statement] = []
        for inner in each.block or ():
            words = inner.words
            if words[:2] == ["match", "if"]:
                try:
                    made.condition = parse_condition(words[2:], self.config.options)
                except ExpressionRefused as error:
                    self.refuse(inner.place, str(error))
                except ExpressionProblem as error:
                    made.open = f"its condition is not understood: {error}"
            elif words[:1] == ["match"]:
                try:
                    made.match = parse_data(words[1:], self.config.options)
                except ExpressionRefused as error:
                    self.refuse(inner.place, str(error))
                except ExpressionProblem as error:
                    made.open = f"what it matches is not understood: {error}"
            elif words[:2] == ["spawn", "with"]:
                made.open = "it makes subclasses by itself"
            elif words[:2] != ["lease", "limit"]:
                rest.append(inner)
        self.block(rest, made.group, None, None)

    def subclass(self, each: Statement, known: IscClass | None) -> None:
        if known is None:
            self.refuse(each.place, f"subclass of no class: {' '.join(each.words)[:60]}")
            return
        octets = self.compiler.constant(each.words[2:], each.place)
        group = HostGroup(f"{each.place} subclass of {known.name}", known.group)
        self.block(each.block or (), group, None, None)
        if octets is None:
            known.open = f"a subclass is not understood ({each.place})"
        else:
            known.subclasses.append((octets, group))
