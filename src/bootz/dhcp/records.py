"""What a DHCP server must know of the routers, in plain records, and whether it can work.

Source: dhcp.md sections 4, 7, 8 and 12.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
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
    """A router: its cards share one lease. ``uris`` in the order of attempts, for each family."""

    name: str
    cards: tuple[DhcpCard, ...]
    ipv4: IPv4Interface | None = None
    ipv6: IPv6Interface | None = None
    gateway: IPv4Address | None = None
    uris4: tuple[BootzUri, ...] = ()
    uris6: tuple[BootzUri, ...] = ()
    shape: RedirectShape = RedirectShape.RFC8572

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


def check_plan(plan: DhcpPlan) -> tuple[str, ...]:
    """Refuse what would kill a turn-up; returns warnings.

    Raises:
        ConfigError: ``dhcp-plan-invalid``; names every fault.
    """
    faults: list[str] = []
    warnings: list[str] = []
    for family in Family:
        for device, subnet in plan.placed(family):
            _check_device(device, subnet, family, faults, warnings)
        addresses = [d.address(family) for d, _ in plan.placed(family)]
        for address, count in Counter(each.ip for each in addresses if each).items():
            if count > 1:
                faults.append(f"{address} is given to {count} devices")
    for what, values in (
        ("MAC address", (c.mac for d in plan.devices for c in d.cards if c.mac)),
        ("client-id", (c.sent_client_id for d in plan.devices for c in d.cards)),
        ("DUID", (x for d in plan.devices for c in d.cards for x in c.sent_duids)),
    ):
        for value, count in Counter(values).items():
            if count > 1:
                faults.append(f"{what} {value.hex(':')} belongs to {count} cards")
    if faults:
        raise ConfigError("dhcp-plan-invalid", "; ".join(faults[:20]), where="DHCP")
    warnings += [
        f"{device.name}: no address, so no DHCP server can serve it"
        for device in plan.devices
        if device.ipv4 is None and device.ipv6 is None
    ]
    return tuple(warnings)


def _check_device(
    device: DhcpDevice,
    subnet: DhcpSubnet,
    family: Family,
    faults: list[str],
    warnings: list[str],
) -> None:
    try:
        payload = device.payload(family)
    except ConfigError as error:
        faults.append(f"{device.name}: {family.value}: {error.detail}")
        return
    uris = device.uris4 if family is Family.IPV4 else device.uris6
    if subnet.name_server is None and any(uri.address is None for uri in uris):
        faults.append(f"{device.name}: a URI has a name, and {subnet.network} has no name-server")
    most, much = (MOST4, SPLIT4) if family is Family.IPV4 else (MOST6, LARGE6)
    if len(payload) > most:
        faults.append(f"{device.name}: the redirect has {len(payload)} octets, {most} are safe")
    elif len(payload) > much:
        warnings.append(f"{device.name}: the redirect has {len(payload)} octets and will be cut")
    gateway = device.gateway or subnet.gateway
    if family is Family.IPV4 and gateway is not None and gateway not in subnet.network:
        faults.append(f"{device.name}: gateway {gateway} is not in {subnet.network}")
