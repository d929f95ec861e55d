"""The inventory as a DHCP server needs it: read here, and handed over as plain records."""

import ipaddress
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from bootz.cli.base import Cli
from bootz.cli.inventory.base import reading
from bootz.config.site import SiteConfig
from bootz.dhcp.records import (
    DhcpCard,
    DhcpDevice,
    DhcpPlan,
    DhcpSubnet,
    SoundPlan,
    check_plan,
    sound_part,
)
from bootz.errors import ConfigError
from bootz.model.kinds import CardKind
from bootz.protocol.dhcp_words import Family
from bootz.server.operations.chassis import list_chassis
from bootz.server.operations.chassis_record import CardRecord, ChassisRecord
from bootz.server.operations.dhcp_settings import identifier_octets
from bootz.server.operations.profiles import list_profiles
from bootz.server.operations.vendors import list_vendors
from bootz.wire.dhcp_identity import parse_mac
from bootz.wire.redirect import MAX_URIS, RedirectShape
from bootz.wire.uri import BootzUri, parse_bootz_uri


def read_plan(cli: Cli) -> DhcpPlan:
    """Return what DHCP hands out for the site's inventory; warnings are printed.

    Raises:
        ConfigError: ``dhcp-plan-invalid``: it would make a turn-up fail.
    """
    plan = whole_plan(cli)
    for warning in check_plan(plan):
        cli.output.warning(warning)
    return plan


def read_sound_plan(cli: Cli, families: Sequence[Family]) -> SoundPlan:
    """Return the devices that can be handed out; the others are told, as errors."""
    sound = sound_part(whole_plan(cli), families)
    for fault in sound.faults:
        cli.output.error(ConfigError("dhcp-plan-invalid", f"left out: {fault}", where="DHCP"))
    for warning in sound.warnings:
        cli.output.warning(warning)
    return sound


def whole_plan(cli: Cli) -> DhcpPlan:
    """Return all that the site's inventory says for DHCP, unchecked."""
    with reading(cli) as connection:
        return plan_of(connection, cli.site().config, list_chassis(connection))


def plan_of(
    connection: Connection,
    config: SiteConfig,
    records: Iterable[ChassisRecord],
    *,
    own_uris: bool = True,
) -> DhcpPlan:
    """Return what the inventory says for DHCP of these chassis, in their order; unchecked.

    ``own_uris``: where no URI is set, routers are told the site's own addresses.
    """
    vendors = {vendor.name: vendor.settings.redirect_shape for vendor in list_vendors(connection)}
    profiles = {
        profile.name: profile.document.redirect_shape for profile in list_profiles(connection)
    }
    devices = tuple(
        _device(
            record,
            config,
            record.overrides.redirect_shape
            or profiles.get(record.profile or "", "")
            or vendors.get(record.vendor, ""),
            own_uris=own_uris,
        )
        for record in records
    )
    subnets = tuple(
        DhcpSubnet(each.subnet, each.gateway, each.name_server, each.interface)
        for each in config.dhcp.subnets
    )
    return DhcpPlan(devices, subnets, config.dhcp.lease_seconds)


def _device(record: ChassisRecord, config: SiteConfig, shape: str, *, own_uris: bool) -> DhcpDevice:
    settings = record.dhcp
    given = tuple(map(parse_bootz_uri, settings.uris or config.dhcp.uris))

    def uris(family: Family, address: object) -> tuple[BootzUri, ...]:
        return given or (_site_uris(config, family) if address and own_uris else ())

    name = record.hostname or record.serial_number or record.cards[0].serial_number
    return DhcpDevice(
        name=name,
        cards=tuple(_card(card) for card in record.cards if card.kind is CardKind.CONTROL),
        ipv4=settings.ipv4,
        ipv6=settings.ipv6,
        gateway=settings.gateway,
        uris4=uris(Family.IPV4, settings.ipv4),
        uris6=uris(Family.IPV6, settings.ipv6),
        mark=RedirectShape(shape) if shape else None,
        vendor=record.vendor,
    )


def _card(card: CardRecord) -> DhcpCard:
    client_id = identifier_octets(card.client_id)
    if client_id is None:
        client_id = b"\0" + card.client_id.encode("ascii") if card.client_id else b""
    return DhcpCard(
        card.serial_number,
        parse_mac(card.mac) if card.mac else b"",
        client_id,
        identifier_octets(card.duid) or b"",
    )


def _site_uris(config: SiteConfig, family: Family) -> tuple[BootzUri, ...]:
    """Return the site's own addresses of a family, names first tried last; none is possible."""
    wanted = 4 if family is Family.IPV4 else 6
    port = config.endpoints[0].port
    hosts = [*config.advertised, *(endpoint.host for endpoint in config.endpoints)]
    names: list[str] = []
    addresses: list[str] = []
    for host in hosts:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            names.append(host)
            continue
        if address.version == wanted and not (address.is_unspecified or address.is_loopback):
            addresses.append(f"[{host}]" if wanted == 6 else host)
    return _unique(parse_bootz_uri(f"bootz://{host}:{port}") for host in [*addresses, *names])


def _unique(uris: Iterable[BootzUri]) -> tuple[BootzUri, ...]:
    return tuple(dict.fromkeys(uris))[:MAX_URIS]
