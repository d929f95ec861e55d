"""Configurations of Kea: whole ones, and the reservations that ``sync`` merges.

Code and hex without a definition of the option: Kea before 2.3.6 has none built in, later ones
refuse another; this form fits both and gives exact octets (docs/protocol/dhcp.md#kea).
"""

from collections.abc import Mapping
from typing import Any, Final

from bootz.dhcp.records import DhcpCard, DhcpDevice, DhcpPlan, DhcpSubnet
from bootz.protocol.dhcp_offer import Family
from bootz.wire.dhcp4 import Option4
from bootz.wire.dhcp6 import Option6

CODES: Final = {Family.IPV4: int(Option4.REDIRECT), Family.IPV6: int(Option6.REDIRECT)}

_SOCKETS: Final = {
    Family.IPV4: "/run/kea/kea4-ctrl-socket",
    Family.IPV6: "/run/kea/kea6-ctrl-socket",
}


def managed_by(device: DhcpDevice) -> Mapping[str, Any]:
    """Return the mark that says a reservation is ours; Kea keeps it.

    Source: docs/protocol/dhcp.md#its-control-channel.
    """
    return {"bootz": {"managed": True, "device": device.name}}


def kea_reservations(device: DhcpDevice, family: Family) -> list[dict[str, Any]]:
    """Return the reservations of a device: one for each way in which its cards name themselves.

    Raises:
        ConfigError: ``redirect-unwritable``.
    """
    address = device.address(family)
    if address is None:
        return []
    option = {"code": CODES[family], "csv-format": False, "data": device.payload(family).hex()}
    options: list[dict[str, Any]] = [option]
    if family is Family.IPV4 and device.gateway is not None:
        options.insert(0, {"name": "routers", "data": str(device.gateway)})
    place: dict[str, Any] = (
        {"ip-address": str(address.ip)}
        if family is Family.IPV4
        else {"ip-addresses": [str(address.ip)]}
    )
    return [
        {kind: value, **place, "option-data": options, "user-context": managed_by(device)}
        for card in device.cards
        for kind, value in client_names(card, family)
    ]


def client_names(card: DhcpCard, family: Family) -> list[tuple[str, str]]:
    """Return by what Kea may know a card: kind of identifier and octets, as a reservation's."""
    names = [("hw-address", card.mac.hex(":"))] if card.mac else []
    if family is Family.IPV4:
        return [*names, ("client-id", card.sent_client_id.hex())]
    return [*names, *(("duid", duid.hex(":")) for duid in card.sent_duids)]


def render_kea(
    plan: DhcpPlan, family: Family, *, socket: str = "", interface: str = ""
) -> dict[str, Any]:
    """Return a whole configuration of kea-dhcp4 or kea-dhcp6.

    ``interface`` empty: those of the subnets, else all; ``socket`` the control channel's path.

    Raises:
        ConfigError: ``redirect-unwritable``.
    """
    subnets = plan.subnets_of(family)
    named = [interface] if interface else [s.interface for s in subnets if s.interface]
    interfaces: dict[str, Any] = {"interfaces": sorted(set(named)) or ["*"]}
    common: dict[str, Any] = {
        "interfaces-config": interfaces,
        "control-socket": {"socket-type": "unix", "socket-name": socket or _SOCKETS[family]},
        "lease-database": {"type": "memfile", "persist": False},
        "valid-lifetime": plan.lease_time,
        # Two cards of a router have one address.
        "ip-reservations-unique": False,
        # Unknown devices hear nothing; without this DHCPv6 even hands them the redirect.
        "client-classes": [{"name": "DROP", "test": "member('UNKNOWN')"}],
    }
    rows = [
        _subnet(number, subnet, plan, family, interface)
        for number, subnet in enumerate(subnets, start=1)
    ]
    if family is Family.IPV4:
        interfaces["dhcp-socket-type"] = "raw"
        return {
            "Dhcp4": {
                **common,
                "authoritative": True,
                "host-reservation-identifiers": ["hw-address", "client-id"],
                "subnet4": rows,
            }
        }
    return {
        "Dhcp6": {
            **common,
            # Without it Kea needs a writable state directory.
            "server-id": {"type": "LL", "persist": False},
            "preferred-lifetime": plan.lease_time * 3 // 4,
            "mac-sources": ["client-link-addr-option", "duid", "ipv6-link-local"],
            "host-reservation-identifiers": ["duid", "hw-address"],
            "subnet6": rows,
        }
    }


def _subnet(
    number: int, subnet: DhcpSubnet, plan: DhcpPlan, family: Family, interface: str
) -> dict[str, Any]:
    options: list[dict[str, str]] = []
    if subnet.gateway is not None:
        options.append({"name": "routers", "data": str(subnet.gateway)})
    if subnet.name_server is not None:
        name = "domain-name-servers" if family is Family.IPV4 else "dns-servers"
        options.append({"name": name, "data": str(subnet.name_server)})
    row: dict[str, Any] = {"id": number, "subnet": str(subnet.network)}
    on = subnet.interface or interface
    # DHCPv6 of a client on the link itself names no address by which to choose a subnet.
    if on and family is Family.IPV6:
        row["interface"] = on
    row["option-data"] = options
    row["reservations"] = [
        reservation
        for device, within in plan.placed(family)
        if within == subnet
        for reservation in kea_reservations(device, family)
    ]
    return row
