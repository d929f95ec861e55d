"""What a dnsmasq configuration consists of: ranges, hosts, options, and what sets tags."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from bootz.dhcp.check.answers import CheckNote, Sent
from bootz.dhcp.check.clients import Address
from bootz.protocol.dhcp_offer import Family


@dataclass(frozen=True, slots=True)
class Range:
    """A dhcp-range. ``network`` None: that of the interface, which the file does not say.

    ``needs`` are the tags that a client must have, ``sets`` the tag of whoever gets an address.
    """

    where: str
    family: Family
    first: Address
    last: Address
    network: IPv4Network | IPv6Network | None
    static: bool
    needs: tuple[str, ...] = ()
    sets: str = ""
    open: str = ""


@dataclass(frozen=True, slots=True)
class HardwareMatch:
    """A MAC address of a dhcp-host: octets, None where any does."""

    octets: tuple[int | None, ...]

    def fits(self, mac: bytes) -> bool:
        """Return whether a MAC address is meant."""
        return len(mac) == len(self.octets) and all(
            mine is None or mine == theirs for mine, theirs in zip(self.octets, mac, strict=True)
        )

    @property
    def exact(self) -> bool:
        """Whether one address alone is meant."""
        return None not in self.octets


@dataclass(slots=True)
class DnsmasqHost:
    """A dhcp-host. ``client`` is its client-id or DUID; ``needs`` tags, ``sets`` tags."""

    where: str
    macs: list[HardwareMatch] = field(default_factory=list)
    client: bytes | None = None
    address4: Address | None = None
    addresses6: list[Address] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    sets: list[str] = field(default_factory=list)
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class DnsmasqOption:
    """A dhcp-option for clients with all of its tags. ``forced``: also unasked."""

    family: Family
    code: int
    tags: tuple[str, ...]
    sent: Sent
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """What sets a tag: ``kind`` is the line's key; ``code`` and ``value`` what it looks for."""

    kind: str
    tag: str
    where: str
    family: Family | None = None
    code: int = 0
    value: bytes = b""
    hardware: HardwareMatch | None = None
    exact: bool = False


@dataclass(frozen=True, slots=True)
class TagIf:
    """Tags that are set where all of others are there."""

    sets: tuple[str, ...]
    needs: tuple[str, ...]


@dataclass(slots=True)
class DnsmasqConfig:
    """A configuration, of both families."""

    ranges: list[Range] = field(default_factory=list)
    hosts: list[DnsmasqHost] = field(default_factory=list)
    options: list[DnsmasqOption] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    tag_ifs: list[TagIf] = field(default_factory=list)
    ignores: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    boots: list[tuple[tuple[str, ...], str, str]] = field(default_factory=list)
    own_dns: bool = True
    ignore_client_id: bool = False
    settable: frozenset[str] = frozenset()
    """All tags that a client can have."""
    by_client: dict[bytes, list[DnsmasqHost]] = field(default_factory=dict)
    by_mac: dict[bytes, list[DnsmasqHost]] = field(default_factory=dict)
    wild: list[DnsmasqHost] = field(default_factory=list)
    reserved: frozenset[Address] = frozenset()

    def index(self) -> None:
        """List the hosts by their names, the last line first, as dnsmasq looks for them."""
        for host in reversed(self.hosts):
            if host.client is not None:
                self.by_client.setdefault(host.client, []).append(host)
            for mac in host.macs:
                if mac.exact:
                    octets = bytes(octet or 0 for octet in mac.octets)
                    self.by_mac.setdefault(octets, []).append(host)
            if any(not mac.exact for mac in host.macs):
                self.wild.append(host)
        places = ((host.address4, *host.addresses6) for host in self.hosts)
        self.reserved = frozenset(each for own in places for each in own if each is not None)

    refused: list[CheckNote] = field(default_factory=list)
    notes: list[CheckNote] = field(default_factory=list)
    doubts: list[CheckNote] = field(default_factory=list)
