"""What dnsmasq sends a router: its range, its host line, its tags, and the options that they pick.

Of several options of a code a tagged one counts before an untagged one, one for the client's tags
before one for its range's, and the later line before the earlier (seen in 2.90).
Source: dnsmasq(8), --dhcp-option and --tag-if; docs/dhcp.md#what-the-servers-do.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network
from itertools import chain, islice
from typing import Final

from bootz.dhcp.check.answers import CheckedAnswer, Sent
from bootz.dhcp.check.clients import Address, Client, Unclear
from bootz.dhcp.check.dnsmasq.nouns import (
    DnsmasqConfig,
    DnsmasqHost,
    DnsmasqOption,
    Match,
    Range,
)
from bootz.dhcp.check.doubts import World
from bootz.protocol.dhcp_offer import Family

_SERVERS: Final = {Family.IPV4: (6, 4), Family.IPV6: (23, 16)}
_BOOT: Final = {Family.IPV4: (67, 66), Family.IPV6: (59,)}
_DEFAULTS: Final = frozenset({1, 3, 6, 12, 15, 28})
"""Options of DHCPv4 that an empty line leaves out, where another would be sent empty."""

MOST_CANDIDATES: Final = 8


@dataclass(slots=True)
class Conversation:
    """One question of one router, in one world."""

    config: DnsmasqConfig
    client: Client
    world: World
    tags: list[str] = field(default_factory=list)
    ranges: list[Range] = field(default_factory=list)

    def answer(self) -> CheckedAnswer:
        """Return what the router gets."""
        six = self.client.family is Family.IPV6
        self.ranges = self.ranges_here()
        if not self.ranges:
            return CheckedAnswer("dnsmasq", silence="no dhcp-range is for its link")
        self.tags = ["dhcpv6"] if six else []
        for match in self.config.matches:
            if self._matches(match):
                self.tags.append(match.tag)
        host = self._host(self.ranges)
        if host is not None:
            self.tags += [*host.sets, "known"]
        elif self._host(None) is not None:
            self.tags.append("known-othernet")
        all_tags = self._tag_if(self.tags)
        where = host.where if host is not None else self.ranges[0].where
        for needs, place in self.config.ignores:
            if needs and self._has(needs, all_tags):
                return CheckedAnswer(place, silence="it is ignored (dhcp-ignore)")
        if host is not None and host.ignored:
            return CheckedAnswer(host.where, silence="it is ignored (dhcp-host)")
        found = self._address(host, all_tags)
        if found is None:
            words = "no address is reserved for it on its link, and no range has one"
            return CheckedAnswer(where, silence="" if six else words)
        chosen, address = found
        options = self._options(chosen.sets)
        return self._answer(where, address, options, chosen)

    def ranges_here(self) -> list[Range]:
        """Return the ranges of the router's link."""
        mine = [each for each in self.config.ranges if each.family is self.client.family]
        link = self.client.link
        if link is None:
            for each in mine[:-1]:
                words = f"{self.client.name} is on the link of {each.where}"
                if self.world.holds(words, each.where):
                    return [other for other in mine if _same_link(other, each)]
            return mine[-1:]
        return [_on(each, link) for each in mine if self._has_link(each, link)]

    def _has_link(self, each: Range, link: Address) -> bool:
        if each.open:
            words = f"{each.where} is for {link} ({each.open})"
            return self.world.holds(words, each.where)
        if each.network is not None:
            return link in each.network
        near, far = _around(each, 24), _around(each, 8)
        if link in near:
            return True
        words = f"the network of the interface has {link} and {each.first}"
        return link in far and self.world.holds(words, each.where)

    def _matches(self, match: Match) -> bool:
        client = self.client
        words = f"{client.name} gets the tag {match.tag}"
        if match.hardware is not None:
            if isinstance(client.mac, Unclear):
                return self.world.holds(words, match.where)
            return match.hardware.fits(client.mac)
        if match.family is not None and match.family is not client.family:
            return False
        if match.kind == "open":
            if match.family is not None and client.sends(match.code) is False:
                return False
            return self.world.holds(words, match.where)
        if not match.value:
            sends = client.sends(match.code)
            return self.world.holds(words, match.where) if sends is None else sends
        value = client.option(match.code)
        if isinstance(value, Unclear):
            return self.world.holds(words, match.where)
        if value is None:
            return False
        if match.exact:
            return value.startswith(match.value)
        return match.value in value

    def _host(self, ranges: Sequence[Range] | None) -> DnsmasqHost | None:
        """Return the host line of a client, on some ranges; None of them: wherever it is."""
        if self.client.stranger:
            return None
        tags = self._tag_if(self.tags)
        for tagged in (True, False):

            def usable(host: DnsmasqHost, *, tagged: bool = tagged) -> bool:
                fits = self._has(host.needs, tags) if host.needs else not tagged
                return fits and self._in_ranges(host, ranges)

            found = self._find(usable)
            if found is not None:
                return found
        return self._perhaps(ranges) if ranges is not None else None

    def _find(self, usable: Callable[[DnsmasqHost], bool]) -> DnsmasqHost | None:
        """Return the first line for a client: by its client-id, its MAC address, a pattern."""
        client, config = self.client, self.config
        six = client.family is Family.IPV6
        sent = client.duid if six else client.client_id
        if isinstance(sent, bytes) and sent and (six or not self.config.ignore_client_id):
            # Of a client-id dnsmasq takes away the octet 0 that says that it is a text.
            short = sent[1:] if not six and sent[:1] == b"\0" else sent
            hosts = [*config.by_client.get(sent, ())]
            if short != sent:
                hosts = self._in_order([*hosts, *config.by_client.get(short, ())])
            found: DnsmasqHost | None = next(filter(usable, hosts), None)
            if found is not None:
                return found
        if isinstance(client.mac, Unclear):
            return None
        mac = client.mac
        exact: DnsmasqHost | None = next(filter(usable, config.by_mac.get(mac, [])), None)
        if exact is not None:
            return exact
        wild: list[tuple[int, DnsmasqHost]] = [
            (sum(octet is not None for octet in one.octets), host)
            for host in filter(usable, config.wild)
            for one in host.macs
            if not one.exact and one.fits(mac)
        ]
        return max(wild, key=lambda each: each[0])[1] if wild else None

    def _in_order(self, hosts: list[DnsmasqHost]) -> list[DnsmasqHost]:
        """Return lines as dnsmasq comes to them: the last one of the file first."""
        return [each for each in reversed(self.config.hosts) if any(each is h for h in hosts)]

    def _perhaps(self, ranges: Sequence[Range]) -> DnsmasqHost | None:
        """Return a line that may be the router's, of which no MAC address is on record."""
        if not self.client.mac_wanted:
            return None
        client = self.client
        free = (
            host
            for mac, listed in self.config.by_mac.items()
            if mac not in client.others
            for host in listed
            if client.link is None or client.link in self._own(host) or not self._own(host)
        )
        for host in islice(chain(self.config.wild, free), MOST_CANDIDATES):
            words = f"{host.where} is that of {client.name}"
            if self._in_ranges(host, ranges) and self.world.holds(words, host.where):
                return host
        return None

    def _in_ranges(self, host: DnsmasqHost, ranges: Sequence[Range] | None) -> bool:
        if ranges is None or (host.address4 is None and not host.addresses6):
            return True
        return any(_holds(each, address) for each in ranges for address in self._own(host))

    def _own(self, host: DnsmasqHost) -> list[Address]:
        if self.client.family is Family.IPV6:
            return list(host.addresses6)
        return [] if host.address4 is None else [host.address4]

    def _address(
        self, host: DnsmasqHost | None, tags: Sequence[str]
    ) -> tuple[Range, Address] | None:
        if host is not None:
            for address in self._own(host):
                chosen = self._narrow(address, tags)
                if chosen is not None:
                    return chosen, address
        for filtered in (True, False):
            for each in self.ranges:
                if each.static or (not each.needs if filtered else False):
                    continue
                if not self._has(each.needs, tags):
                    continue
                count = sum(
                    each.first.version == one.version
                    and int(each.first) <= int(one) <= int(each.last)
                    for one in self.config.reserved
                )
                if int(each.last) - int(each.first) + 1 > count:
                    return each, each.first
        return None

    def _narrow(self, address: Address, tags: Sequence[str]) -> Range | None:
        """Return the range that an address belongs to: first one that has it, then a static one."""
        fits = [each for each in self.ranges if self._has(each.needs, tags)]
        inside = [e for e in fits if not e.static and int(e.first) <= int(address) <= int(e.last)]
        near = [each for each in fits if _holds(each, address)]
        static = [each for each in near if each.static]
        return next(iter([*inside, *static, *near]), None)

    def _tag_if(self, tags: Sequence[str]) -> list[str]:
        found = list(tags)
        for rule in self.config.tag_ifs:
            if self._has(rule.needs, found, wild=True):
                found += rule.sets
        return found

    def _has(self, needs: Iterable[str], tags: Sequence[str], *, wild: bool = False) -> bool:
        """Return whether all tags are there; those with ! must not be."""
        for need in needs:
            negated = need[:1] in {"!", "#"}
            name = need[1:] if negated else need
            there = name in tags
            if wild and name.endswith("*"):
                there = any(tag.startswith(name[:-1]) for tag in tags)
            if not there and name not in self.config.settable:
                # A tag that no line sets may be the name of the interface.
                there = self.world.holds(f"the routers' interface is named {name}", "dnsmasq")
            if there is negated:
                return False
        return True

    def _options(self, context: str) -> list[DnsmasqOption]:
        """Return the options for the router's tags, of each code one."""
        mine = [o for o in reversed(self.config.options) if o.family is self.client.family]
        tags = self._tag_if(self.tags)
        chosen = [bool(o.tags) and self._has(o.tags, tags) for o in mine]
        if context:
            more = self._tag_if([context, *self.tags])
            chosen = [c and self._has(o.tags, more) for c, o in zip(chosen, mine, strict=True)]
            for at, option in enumerate(mine):
                taken = any(c and o.code == option.code for c, o in zip(chosen, mine, strict=True))
                if option.tags and not chosen[at] and not taken and self._has(option.tags, more):
                    chosen[at] = True
        for at, option in enumerate(mine):
            taken = any(c and o.code == option.code for c, o in zip(chosen, mine, strict=True))
            if not option.tags and not taken:
                chosen[at] = True
        found: dict[int, DnsmasqOption] = {}
        for option, taken in zip(mine, chosen, strict=True):
            if taken:
                found.setdefault(option.code, option)
        return list(found.values())

    def _answer(
        self, where: str, address: Address, options: Sequence[DnsmasqOption], chosen: Range
    ) -> CheckedAnswer:
        family = self.client.family
        four = family is Family.IPV4
        sent: dict[int, Sent] = {}
        for option in options:
            empty = option.sent.octets == b""
            if not (four and empty and option.code in _DEFAULTS):
                sent[option.code] = option.sent
        code, width = _SERVERS[family]
        if self.config.own_dns and not any(option.code == code for option in options):
            # dnsmasq names itself; which address that is, is not asked here.
            sent[code] = Sent(bytes(width - 1) + b"\x01", chosen.where)
        tags = self._tag_if([chosen.sets, *self.tags] if chosen.sets else self.tags)
        boot = next(
            (
                (name, place)
                for needs, name, place in reversed(self.config.boots)
                if four and self._has(needs, tags)
            ),
            ("", ""),
        )
        for number in _BOOT[family]:
            told = sent.get(number)
            if told is not None and not boot[0]:
                boot = ((told.octets or b"?").decode("latin-1"), told.where)
        return CheckedAnswer(where, address, options=sent, boot_file=boot)


def _around(each: Range, bits: int) -> IPv4Network:
    """Return a network around the addresses of a range of DHCPv4, of so many bits or fewer."""
    network = IPv4Network((int(each.first), bits), strict=False)
    while each.last not in network and network.prefixlen:
        network = network.supernet()
    return network


def _on(each: Range, link: Address) -> Range:
    """Return a range on a link; one whose prefix is that of an interface takes the link's."""
    if not each.open:
        return each
    network = IPv6Network((int(link), 64), strict=False)
    low = (1 << 64) - 1
    first, last = network[int(each.first) & low], network[int(each.last) & low]
    return replace(each, first=first, last=last, network=network)


def is_suffix(address: Address) -> bool:
    """Return whether an IPv6 address is only the part behind the prefix of whatever link it is."""
    return address.version == 6 and int(address) < 1 << 64


def _holds(each: Range, address: Address) -> bool:
    if is_suffix(address) and each.family is Family.IPV6:
        return True
    network: IPv4Network | IPv6Network | None = each.network
    if network is None:
        network = _around(each, 24)
    return address in network


def _same_link(one: Range, other: Range) -> bool:
    return _holds(one, other.first) or _holds(other, one.first)
