"""What a DHCP server must know of the routers, in plain records, and whether it can work.

Source: docs/protocol/dhcp.md#the-uri; docs/protocol/dhcp.md#one-name-server;
docs/protocol/dhcp.md#kea.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from typing import Final

from bootz.errors import ConfigError
from bootz.protocol.dhcp_offer import Family
from bootz.wire.dhcp_identity import client_id_of, duid_en
from bootz.wire.redirect import RedirectShape, encode_redirect
from bootz.wire.uri import BootzUri

MOST4: Final = 1024
"""Octets of option 143 that still fit a message of any server."""
SPLIT4: Final = 253
"""Octets beyond which servers cut option 143 into pieces."""
MOST6: Final = 8192
LARGE6: Final = 1200
"""Octets of option 136 beyond which a message is cut into IP fragments."""

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class DhcpCard:
    """A card on a management port. ``mac`` is 6 octets or empty.

    ``client_id`` and ``duid`` are octets; empty: those made of the serial number, which Bootz
    routers send.
    """

    serial_number: str
    mac: bytes = b""
    client_id: bytes = b""
    duid: bytes = b""

    @property
    def sent_client_id(self) -> bytes:
        """Option 61 as the card sends it."""
        return self.client_id or client_id_of(self.serial_number)

    @property
    def sent_duids(self) -> tuple[bytes, ...]:
        """The DUIDs that the card may send: real IOS XR adds a NUL to the serial number."""
        if self.duid:
            return (self.duid,)
        return (duid_en(self.serial_number), duid_en(self.serial_number) + b"\0")


@dataclass(frozen=True, slots=True)
class DhcpDevice:
    """A router: its cards share one lease. ``uris`` in the order of attempts, for each family.

    ``mark``: the form of the list that its platform is known to read; None: nothing is known.
    """

    name: str
    cards: tuple[DhcpCard, ...]
    ipv4: IPv4Interface | None = None
    ipv6: IPv6Interface | None = None
    gateway: IPv4Address | None = None
    uris4: tuple[BootzUri, ...] = ()
    uris6: tuple[BootzUri, ...] = ()
    mark: RedirectShape | None = None
    vendor: str = ""

    @property
    def shape(self) -> RedirectShape:
        """How its list is written: as its platform is marked, else as RFC 8572 has it."""
        return self.mark or RedirectShape.RFC8572

    @property
    def row(self) -> str:
        """The device as the inventory lists it: vendor, serial number, hostname."""
        serial = self.cards[0].serial_number if self.cards else ""
        words = f"{self.vendor} {serial}".strip()
        return f"{words} ({self.name})" if words and self.name != serial else words or self.name

    def address(self, family: Family) -> IPv4Interface | IPv6Interface | None:
        """Return the address in a family."""
        return self.ipv4 if family is Family.IPV4 else self.ipv6

    def payload(self, family: Family) -> bytes:
        """Return the redirect option's octets.

        Raises:
            ConfigError: ``redirect-unwritable``.
        """
        uris = self.uris4 if family is Family.IPV4 else self.uris6
        return encode_redirect(uris, self.shape)


@dataclass(frozen=True, slots=True)
class DhcpSubnet:
    """A link: what every device on it is told. ``interface`` empty: the server chooses."""

    network: Network
    gateway: IPv4Address | None = None
    name_server: IPv4Address | IPv6Address | None = None
    interface: str = ""

    @property
    def family(self) -> Family:
        """The family of its addresses."""
        return Family.IPV4 if self.network.version == 4 else Family.IPV6


@dataclass(frozen=True, slots=True)
class DhcpPlan:
    """Everything that is to be handed out. ``lease_time`` in seconds."""

    devices: tuple[DhcpDevice, ...]
    subnets: tuple[DhcpSubnet, ...] = ()
    lease_time: int = 3600

    def subnets_of(self, family: Family) -> tuple[DhcpSubnet, ...]:
        """Return the subnets of a family, with those that only devices' addresses imply."""
        found = {subnet.network: subnet for subnet in self.subnets if subnet.family is family}
        for device in self.devices:
            address = device.address(family)
            if address is not None and not any(address.ip in known for known in found):
                found[address.network] = DhcpSubnet(address.network)
        return tuple(found.values())

    def placed(self, family: Family) -> Iterator[tuple[DhcpDevice, DhcpSubnet]]:
        """Return the devices that have an address in a family, with their subnets."""
        subnets = self.subnets_of(family)
        for device in self.devices:
            address = device.address(family)
            if address is not None:
                yield device, next(each for each in subnets if address.ip in each.network)


@dataclass(frozen=True, slots=True)
class SoundPlan:
    """The part of a plan that can be handed out.

    ``faults`` name each device that was left out, both of two that have the same; ``warnings``
    are about devices that were kept.
    """

    plan: DhcpPlan
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def check_plan(plan: DhcpPlan) -> tuple[str, ...]:
    """Refuse what would make a turn-up fail; returns warnings.

    Raises:
        ConfigError: ``dhcp-plan-invalid``; names every fault.
    """
    sound = sound_part(plan)
    if sound.faults:
        raise ConfigError("dhcp-plan-invalid", "; ".join(sound.faults[:20]), where="DHCP")
    return sound.warnings


def sound_part(plan: DhcpPlan, families: Sequence[Family] = tuple(Family)) -> SoundPlan:
    """Return the devices with which DHCP works in these families, and say what the others lack.

    Of two devices with the same address or name both are left out: which one is meant is not
    known here.
    """
    left_out: set[DhcpDevice] = set()
    faults: list[str] = []
    warnings: list[str] = []
    for family in families:
        for device, subnet in plan.placed(family):
            told, also = _judge(device, subnet, family)
            if told:
                left_out.add(device)
                faults += [f"{device.row}: {each}" for each in told]
            warnings += [f"{device.name}: {each}" for each in also if not told]
    for what, owners in _claims(plan, families).items():
        if len(owners) > 1:
            left_out.update(owners)
            rows = " and ".join(dict.fromkeys(device.row for device in owners))
            faults.append(f"{what} belongs to {rows}")
    kept = tuple(device for device in plan.devices if device not in left_out)
    warnings += [
        f"{device.name}: no address, so no DHCP server can serve it"
        for device in kept
        if device.ipv4 is None and device.ipv6 is None
    ]
    return SoundPlan(replace(plan, devices=kept), tuple(faults), tuple(warnings))


def _claims(plan: DhcpPlan, families: Sequence[Family]) -> dict[str, list[DhcpDevice]]:
    """Return everything that may belong to one card alone, with the devices of which it is told."""
    claims: dict[str, list[DhcpDevice]] = {}
    for device in plan.devices:
        told = [f"hostname {device.name.lower()}"]
        for family in families:
            address = device.address(family)
            told += [f"address {address.ip}"] if address is not None else []
        for card in device.cards:
            told += [f"MAC address {card.mac.hex(':')}"] if card.mac else []
            if Family.IPV4 in families:
                told.append(f"client-id {card.sent_client_id.hex(':')}")
            if Family.IPV6 in families:
                told += [f"DUID {duid.hex(':')}" for duid in card.sent_duids]
        for each in told:
            claims.setdefault(each, []).append(device)
    return claims


def _judge(device: DhcpDevice, subnet: DhcpSubnet, family: Family) -> tuple[list[str], list[str]]:
    """Return what forbids to hand a device its list, and what only deserves a warning."""
    uris = device.uris4 if family is Family.IPV4 else device.uris6
    if not uris:
        where = "set `advertised` or `dhcp.uris` in bootz.yaml"
        return [f"no {family.value} address of the server is known; {where}"], []
    try:
        payload = device.payload(family)
    except ConfigError as error:
        return [f"{family.value}: {error.detail}"], []
    faults: list[str] = []
    warnings: list[str] = []
    if subnet.name_server is None and any(uri.address is None for uri in uris):
        faults.append(f"a URI has a host name, and {subnet.network} has no name-server")
    most, much = (MOST4, SPLIT4) if family is Family.IPV4 else (MOST6, LARGE6)
    if len(payload) > most:
        faults.append(f"the redirect has {len(payload)} octets, {most} are safe")
    elif len(payload) > much:
        warnings.append(f"the redirect has {len(payload)} octets and will be cut")
    gateway = device.gateway or subnet.gateway
    if family is Family.IPV4 and gateway is not None and gateway not in subnet.network:
        faults.append(f"gateway {gateway} is not in {subnet.network}")
    return faults, warnings
