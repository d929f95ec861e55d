"""From the lines of a dnsmasq configuration to its nouns.

Source: dnsmasq(8).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from bootz.dhcp.check.answers import CheckNote, Sent
from bootz.dhcp.check.clients import Address
from bootz.dhcp.check.dnsmasq.keywords import ALONE, EITHER, WITH_VALUE
from bootz.dhcp.check.dnsmasq.lines import Line, Source, octets, plain
from bootz.dhcp.check.dnsmasq.nouns import (
    DnsmasqConfig,
    DnsmasqHost,
    DnsmasqOption,
    HardwareMatch,
    Match,
    Range,
    TagIf,
)
from bootz.dhcp.check.dnsmasq.values import ValueOpen, ValueProblem, find_option, write_value
from bootz.protocol.dhcp_offer import Family

_TAG: Final = re.compile(r"(?:net|tag):(.*)", re.DOTALL)
_TIME: Final = re.compile(r"[0-9 ]+[wWdDhHmMsS]?")
_UNREAD: Final = frozenset({"conf-dir", "dhcp-hostsdir", "dhcp-optsdir", "conf-script"})
_RELAYED: Final = frozenset({"dhcp-circuitid", "dhcp-remoteid", "dhcp-subscrid"})
_BUILT_IN: Final = frozenset({"known", "known-othernet", "dhcpv6", "bootp", "cpewan-id"})
_MODES6: Final = frozenset({"ra-only", "slaac", "ra-names", "ra-advrouter", "off-link"})


def read_config(source: Source) -> DnsmasqConfig:
    """Return the nouns of a configuration."""
    reader = _Reader()
    for place, words in source.missing:
        reader.config.doubts.append(CheckNote("not-evaluated", place, words))
    for place, words in source.refused:
        reader.refuse(place, words)
    for line in source.lines:
        reader.line(line)
    config = reader.config
    config.index()
    config.settable = _BUILT_IN.union(
        (match.tag for match in config.matches),
        (tag for rule in config.tag_ifs for tag in rule.sets),
        (tag for host in config.hosts for tag in host.sets),
        (each.sets for each in config.ranges),
    )
    return config


@dataclass(slots=True)
class _Reader:
    config: DnsmasqConfig = field(default_factory=DnsmasqConfig)
    addresses: dict[Address, str] = field(default_factory=dict)

    def refuse(self, place: str, words: str) -> None:
        self.config.refused.append(CheckNote("refused", place, words))

    def line(self, line: Line) -> None:
        """Take a line; what dnsmasq does not take is told."""
        key = line.key
        if key not in ALONE and key not in WITH_VALUE and key not in EITHER:
            words = f"{plain(key)[:40]!r} is not an option of dnsmasq"
            self.config.doubts.append(CheckNote("not-evaluated", line.place, words))
            return
        if key in ALONE and line.value is not None:
            self.refuse(line.place, f"{key} takes no value")
            return
        if key in WITH_VALUE and line.value is None:
            self.refuse(line.place, f"{key} needs a value")
            return
        try:
            self.take(line)
        except (ValueProblem, ValueError) as error:
            self.refuse(line.place, f"{key}: {error}")

    def take(self, line: Line) -> None:
        actions: Mapping[str, Callable[[Line], None]] = {
            "dhcp-range": self.range,
            "dhcp-host": self.host,
            "dhcp-option": self.option,
            "dhcp-option-force": self.option,
            "dhcp-match": self.match,
            "dhcp-vendorclass": self.vendor_class,
            "dhcp-userclass": self.vendor_class,
            "dhcp-mac": self.mac,
            "dhcp-name-match": self.relayed,
            "tag-if": self.tag_if,
            "dhcp-ignore": self.ignore,
            "dhcp-boot": self.boot,
        }
        if line.key in actions:
            actions[line.key](line)
        elif line.key in _RELAYED:
            self.relayed(line)
        elif line.key in _UNREAD:
            words = f"{line.key} is not read: {plain(line.value or '')}"
            self.config.doubts.append(CheckNote("not-evaluated", line.place, words))
        elif line.key == "read-ethers":
            words = "/etc/ethers is not read"
            self.config.doubts.append(CheckNote("not-evaluated", line.place, words))
        elif line.key in {"no-dhcp-interface", "no-dhcpv4-interface", "no-dhcpv6-interface"}:
            words = f"{line.key}: whether it is the routers' link is not known"
            self.config.notes.append(CheckNote("not-evaluated", line.place, words))
        elif line.key == "port" and plain(line.value or "").strip() != "53":
            self.config.own_dns = False
        elif line.key == "dhcp-ignore-clid":
            self.config.ignore_client_id = True

    def range(self, line: Line) -> None:
        parts = line.parts()
        needs: list[str] = []
        sets = ""
        while len(parts) > 1 and not re.fullmatch(r"[ .:0-9A-Fa-f]*", parts[0]):
            part = parts.pop(0)
            tag = _TAG.fullmatch(part)
            if tag:
                needs += [plain(tag[1])] if tag[1] else []
            elif sets:
                raise ValueProblem("one tag may be set")
            else:
                sets = plain(part.removeprefix("set:"))
        if len(parts) < 2:
            raise ValueProblem("a range has two values at least")
        first = ip_address(plain(parts[0]))
        make = self._range4 if isinstance(first, IPv4Address) else self._range6
        made = make(first, parts, line.place, tuple(needs), sets)  # type: ignore[arg-type]
        if made is not None:
            self.config.ranges.append(made)

    def _range4(
        self, first: IPv4Address, parts: list[str], where: str, needs: tuple[str, ...], sets: str
    ) -> Range | None:
        static, proxy = parts[1] == "static", parts[1] == "proxy"
        last = first if static or proxy else IPv4Address(plain(parts[1]))
        first, last = min(first, last), max(first, last)
        rest = parts[2:]
        network = None
        if rest and "." in rest[0]:
            network = IPv4Network((first, plain(rest[0])), strict=False)
            rest = rest[1:]
            if last not in network:
                raise ValueProblem("its ends are not in one network")
            rest = rest[1:] if rest and "." in rest[0] else rest
        _lease(rest)
        if proxy:
            return None
        return Range(where, Family.IPV4, first, last, network, static, needs, sets)

    def _range6(
        self, first: IPv6Address, parts: list[str], where: str, needs: tuple[str, ...], sets: str
    ) -> Range | None:
        static = serves = False
        opened = ""
        last, prefix = first, 64
        rest = parts[1:]
        while rest:
            part = plain(rest[0])
            if part == "static":
                static = serves = True
            elif part == "ra-stateless":
                # It hands out the addresses of host lines alone.
                static = serves = True
            elif part.startswith("constructor:"):
                opened = "its prefix is that of an interface"
            elif ":" in part and not serves:
                last = IPv6Address(part)
                serves = True
            elif part not in _MODES6:
                break
            rest = rest[1:]
        if rest and rest[0].isdigit() and int(rest[0]) <= 128:
            prefix = int(rest[0])
            rest = rest[1:]
        if prefix < 64:
            raise ValueProblem("a prefix has 64 bits at least")
        network = IPv6Network((first, prefix), strict=False)
        if last not in network:
            raise ValueProblem("its ends are not in one network")
        _lease(rest)
        if not serves:
            return None
        first, last = min(first, last), max(first, last)
        return Range(where, Family.IPV6, first, last, network, static, needs, sets, opened)

    def host(self, line: Line) -> None:
        made = DnsmasqHost(f"{line.place} dhcp-host")
        for part in line.parts():
            self._host_part(part, made)
        known = self.addresses.get(made.address4) if made.address4 is not None else None
        if known is not None:
            raise ValueProblem(f"{made.address4} stands in {known} too")
        if made.address4 is not None:
            self.addresses[made.address4] = made.where
        self.config.hosts.append(made)

    @staticmethod
    def _host_part(part: str, made: DnsmasqHost) -> None:
        if ":" in part:
            if part[:3].lower() == "id:":
                # A star: dnsmasq does not look at the client's own, and the MAC address decides.
                if part[3:4] != "*":
                    made.client = _identifier(part[3:])
            elif part[:4] in {"net:", "set:"}:
                made.sets.append(plain(part[4:]))
            elif part[:4] == "tag:":
                made.needs.append(plain(part[4:]))
            elif part.startswith("[") and part.endswith("]"):
                made.addresses6.append(IPv6Address(part[1:-1].partition("/")[0]))
            else:
                made.macs.append(_hardware(part))
            return
        try:
            made.address4 = IPv4Address(part)
        except ValueError:
            if part == "ignore":
                made.ignored = True
            elif part and part != "infinite" and not _TIME.fullmatch(part):
                _check_name(plain(part))

    def option(self, line: Line) -> None:
        parts = line.parts()
        tags: list[str] = []
        elsewhere = False
        while parts:
            found = find_option(parts[0], matching=False)
            if found is not None:
                break
            part = parts.pop(0)
            if part.startswith(("vendor:", "encap:", "vi-encap:")):
                elsewhere = True
            else:
                tag = _TAG.fullmatch(part)
                tags.append(plain(tag[1] if tag else part.removeprefix("set:")))
        else:
            raise ValueProblem("it names no option")
        family, known = found
        rest = parts[1:]
        place = f"{line.place} {line.key}"
        try:
            made = write_value(",".join(rest), known, family) if rest else b""
            sent = Sent(made, place)
        except ValueOpen as error:
            sent = Sent(None, place, str(error))
        if not elsewhere:
            forced = line.key == "dhcp-option-force"
            self.config.options.append(DnsmasqOption(family, known.code, tuple(tags), sent, forced))

    def match(self, line: Line) -> None:
        parts = line.parts()
        tag = plain(parts[0].removeprefix("set:"))
        if len(parts) < 2:
            raise ValueProblem("it names no option")
        if parts[1].startswith("vi-encap:"):
            self.config.matches.append(Match("open", tag, line.place))
            return
        found = find_option(parts[1], matching=True)
        if found is None:
            raise ValueProblem("it names no option")
        family, known = found
        rest = parts[2:]
        value = ",".join(rest)
        if not rest:
            made = b""
        elif "*" in value:
            self.config.matches.append(Match("open", tag, line.place, family, known.code))
            return
        else:
            try:
                made = write_value(value, known, family)
            except ValueOpen:
                self.config.matches.append(Match("open", tag, line.place, family, known.code))
                return
        exact = re.fullmatch(r"[0-9A-Fa-f:]+", value) is not None and ":" in value
        self.config.matches.append(
            Match(line.key, tag, line.place, family, known.code, made, exact=exact)
        )

    def vendor_class(self, line: Line) -> None:
        parts = line.parts()
        if len(parts) < 2:
            raise ValueProblem("it names no class")
        tag = plain(re.sub(r"^(set|net):", "", parts[0]))
        self.config.matches.append(Match("open", tag, line.place))

    def mac(self, line: Line) -> None:
        parts = line.parts()
        if len(parts) != 2:
            raise ValueProblem("it is TAG,MAC")
        tag = plain(re.sub(r"^(set|net):", "", parts[0]))
        self.config.matches.append(Match(line.key, tag, line.place, hardware=_hardware(parts[1])))

    def relayed(self, line: Line) -> None:
        tag = plain(re.sub(r"^(set|net):", "", line.parts()[0]))
        self.config.matches.append(Match("open", tag, line.place))

    def tag_if(self, line: Line) -> None:
        sets = [plain(part[4:]) for part in line.parts() if part.startswith("set:")]
        needs = [plain(part[4:]) for part in line.parts() if part.startswith("tag:")]
        if not sets or len(sets) + len(needs) != len(line.parts()):
            raise ValueProblem("it is set:TAG,tag:TAG")
        self.config.tag_ifs.append(TagIf(tuple(sets), tuple(needs)))

    def ignore(self, line: Line) -> None:
        tags = [plain(_bare(part)) for part in line.parts()]
        self.config.ignores.append((tuple(tags), line.place))

    def boot(self, line: Line) -> None:
        parts = line.parts()
        tags: list[str] = []
        while parts and _TAG.fullmatch(parts[0]):
            tags.append(plain(_bare(parts.pop(0))))
        if parts:
            self.config.boots.append((tuple(tags), plain(parts[0]), line.place))


def _bare(part: str) -> str:
    tag = _TAG.fullmatch(part)
    return tag[1] if tag else part


def _lease(rest: list[str]) -> None:
    if len(rest) > 1:
        raise ValueProblem("it has too many values")
    for part in rest:
        if part not in {"infinite", "deprecated", ""} and not _TIME.fullmatch(part):
            raise ValueProblem(f"{plain(part)[:40]!r} is not a lease time")


def _identifier(text: str) -> bytes:
    if ":" not in text:
        return octets(text)
    parts = [part for part in re.split(r"[: -]", text) if part]
    if not all(re.fullmatch(r"[0-9A-Fa-f]+", part) for part in parts):
        raise ValueProblem(f"{plain(text)[:40]!r} is not hex")
    return b"".join(_pairs(part) for part in parts)


def _pairs(part: str) -> bytes:
    """Return hex digits as octets: two by two from the left, what is left alone."""
    return bytes(int(part[at : at + 2], 16) for at in range(0, len(part), 2))


def _hardware(text: str) -> HardwareMatch:
    found: list[int | None] = []
    kind, dash, rest = text.partition("-")
    if dash and re.fullmatch(r"[0-9A-Fa-f]{1,2}", kind) and ":" in rest:
        text = rest if int(kind, 16) in {0, 1} else "fe:fe"
    for part in re.split(r"[:-]", text):
        if part == "*":
            found.append(None)
        elif re.fullmatch(r"[0-9A-Fa-f]+", part):
            found += _pairs(part)
        elif part:
            raise ValueProblem(f"{plain(text)[:40]!r} is not a MAC address")
    return HardwareMatch(tuple(found[:16]))


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_./-]*[A-Za-z0-9_.])?", name):
        raise ValueProblem(f"{name[:40]!r} is not a host name")
