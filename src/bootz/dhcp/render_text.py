"""Configurations of ISC dhcpd and of dnsmasq, as text (docs/protocol/dhcp.md#other-servers)."""

import re
from ipaddress import IPv4Network

from bootz.dhcp.records import DhcpDevice, DhcpPlan, DhcpSubnet
from bootz.dhcp.render_kea import CODES
from bootz.errors import ConfigError
from bootz.protocol.dhcp_offer import Family

MOST_DNSMASQ = 255
"""Octets; dnsmasq refuses a longer option."""


def render_isc(plan: DhcpPlan, family: Family) -> str:
    """Return a configuration of dhcpd, or of dhcpd -6; colon hex gives exact octets.

    Raises:
        ConfigError: ``redirect-unwritable``.
    """
    name = "bootz-redirect" if family is Family.IPV4 else "dhcp6.bootz-redirect"
    lines = [
        "# Written by `bootz dhcp render isc`.",
        f"option {name} code {CODES[family]} = string;",
        f"default-lease-time {plan.lease_time};",
        f"max-lease-time {plan.lease_time};",
        "deny unknown-clients;",
    ]
    if family is Family.IPV4:
        lines.append("authoritative;")
    lines += [_isc_subnet(subnet) for subnet in plan.subnets_of(family)]
    labels = labels_of(plan)
    for device, _ in plan.placed(family):
        lines += _isc_hosts(device, family, name, labels[device])
    return "\n".join(lines) + "\n"


def render_dnsmasq(plan: DhcpPlan) -> str:
    """Return lines for dnsmasq.conf, of both families.

    Raises:
        ConfigError: ``redirect-unwritable``, also where an option is over 255 octets.
    """
    lines = ["# Written by `bootz dhcp render dnsmasq`.", "dhcp-ignore=tag:!known"]
    labels = labels_of(plan)
    for family in Family:
        for subnet in plan.subnets_of(family):
            lines += _dnsmasq_subnet(subnet, plan.lease_time)
        for device, subnet in plan.placed(family):
            lines += _dnsmasq_device(device, subnet, family, labels[device])
    return "\n".join(lines) + "\n"


def _isc_subnet(subnet: DhcpSubnet) -> str:
    network = subnet.network
    options = []
    if subnet.gateway is not None:
        options.append(f"  option routers {subnet.gateway};")
    if subnet.name_server is not None:
        name = "domain-name-servers" if network.version == 4 else "dhcp6.name-servers"
        options.append(f"  option {name} {subnet.name_server};")
    head = (
        f"subnet {network.network_address} netmask {network.netmask} {{"
        if isinstance(network, IPv4Network)
        else f"subnet6 {network} {{"
    )
    return "\n".join([head, *options, "}"])


def _isc_hosts(device: DhcpDevice, family: Family, option: str, called: str) -> list[str]:
    address = device.address(family)
    assert address is not None  # noqa: S101 -- it is placed
    names: list[str] = []
    for card in device.cards:
        if card.mac:
            names.append(f"hardware ethernet {card.mac.hex(':')};")
        if family is Family.IPV4:
            names.append(f"option dhcp-client-identifier {card.sent_client_id.hex(':')};")
        else:
            names += [
                f"host-identifier option dhcp6.client-id {duid.hex(':')};"
                for duid in card.sent_duids
            ]
    place = "fixed-address" if family is Family.IPV4 else "fixed-address6"
    lines: list[str] = []
    for number, name in enumerate(names):
        lines += [
            f"host {called}-{number} {{",
            f"  {name}",
            f"  {place} {address.ip};",
        ]
        if family is Family.IPV4 and device.gateway is not None:
            lines.append(f"  option routers {device.gateway};")
        lines += [f"  option {option} {device.payload(family).hex(':')};", "}"]
    return lines


def _dnsmasq_subnet(subnet: DhcpSubnet, lease_time: int) -> list[str]:
    network = subnet.network
    tag = _subnet_tag(subnet)
    if isinstance(network, IPv4Network):
        lines = [
            f"dhcp-range=set:{tag},{network.network_address},static,{network.netmask},{lease_time}"
        ]
        if subnet.gateway is not None:
            lines.append(f"dhcp-option=tag:{tag},option:router,{subnet.gateway}")
        server = f"option:dns-server,{subnet.name_server}"
    else:
        lines = [
            f"dhcp-range=set:{tag},{network.network_address},static,{network.prefixlen},{lease_time}"
        ]
        server = f"option6:dns-server,[{subnet.name_server}]"
    if subnet.name_server is not None:
        lines.append(f"dhcp-option=tag:{tag},{server}")
    return lines


def _dnsmasq_device(device: DhcpDevice, subnet: DhcpSubnet, family: Family, name: str) -> list[str]:
    address = device.address(family)
    assert address is not None  # noqa: S101 -- it is placed
    payload = device.payload(family)
    if len(payload) > MOST_DNSMASQ:
        raise ConfigError(
            "redirect-unwritable",
            f"dnsmasq takes {MOST_DNSMASQ} octets of an option",
            where=device.name,
            seen=str(len(payload)),
        )
    tag = f"{name}-{'v4' if family is Family.IPV4 else 'v6'}"
    place = str(address.ip) if family is Family.IPV4 else f"[{address.ip}]"
    option = f"{CODES[family]}" if family is Family.IPV4 else f"option6:{CODES[family]}"
    lines = [f"dhcp-host={each},set:{tag},{place}" for each in _dnsmasq_names(device, family)]
    if family is Family.IPV4:
        lines += [
            f"# {card.serial_number}: dnsmasq supports one client-id per address; set its MAC "
            "address"
            for card in device.cards[1:]
            if not card.mac
        ]
    if family is Family.IPV4 and device.gateway is not None and device.gateway != subnet.gateway:
        lines.append(f"dhcp-option=tag:{tag},option:router,{device.gateway}")
    lines.append(f"dhcp-option=tag:{tag},{option},{payload.hex(':')}")
    return lines


def _dnsmasq_names(device: DhcpDevice, family: Family) -> list[str]:
    """Return the names of a device: in IPv4 on one line, because an address may appear once."""
    if family is Family.IPV6:
        return [f"id:{duid.hex(':')}" for card in device.cards for duid in card.sent_duids]
    macs = [card.mac.hex(":") for card in device.cards if card.mac]
    return [",".join([*macs, f"id:{device.cards[0].sent_client_id.hex(':')}"])]


def labels_of(plan: DhcpPlan) -> dict[DhcpDevice, str]:
    """Return a label for each device: ``r-1`` and ``r.1`` do not get the same."""
    labels: dict[DhcpDevice, str] = {}
    taken: set[str] = set()
    for device in plan.devices:
        wanted, number = label(device.name), 2
        found = wanted
        while found.lower() in taken:
            found, number = f"{wanted}--{number}", number + 1
        taken.add(found.lower())
        labels[device] = found
    return labels


def label(name: str) -> str:
    """Return a name as configuration files take it."""
    return re.sub(r"[^A-Za-z0-9-]", "-", name) or "device"


def _subnet_tag(subnet: DhcpSubnet) -> str:
    return f"net-{label(str(subnet.network))}"
