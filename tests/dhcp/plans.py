"""A plan with one fixed router, one modular one, and both families."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

from bootz.dhcp.records import DhcpCard, DhcpDevice, DhcpPlan, DhcpSubnet
from bootz.wire.dhcp_identity import parse_mac
from bootz.wire.uri import parse_bootz_uri

FIRST = parse_bootz_uri("bootz://10.0.0.1:15006")
SECOND = parse_bootz_uri("bootz://[2001:db8::1]:15006")


def device(name: str = "r1", host: int = 12, **changes: Any) -> DhcpDevice:
    made: Any = DhcpDevice(
        name,
        (DhcpCard("FOC12345678", parse_mac("02:aa:00:00:00:10")),),
        ip_interface(f"10.0.0.{host}/24"),  # type: ignore[arg-type]
        ip_interface(f"2001:db8::{host}/64"),  # type: ignore[arg-type]
        uris4=(FIRST, SECOND),
        uris6=(SECOND, FIRST),
    )
    return replace(made, **changes)


MODULAR = device(
    "r2",
    13,
    cards=(
        DhcpCard("RP0", parse_mac("02:aa:00:00:00:20")),
        DhcpCard("RP1", client_id=b"\x00rp-one"),
    ),
)
SUBNETS = (
    DhcpSubnet(
        ip_network("10.0.0.0/24"),
        ip_address("10.0.0.1"),  # type: ignore[arg-type]
        ip_address("10.0.0.53"),
    ),
    DhcpSubnet(ip_network("2001:db8::/64"), None, ip_address("2001:db8::53")),
)


def plan(*devices: DhcpDevice, **changes: Any) -> DhcpPlan:
    return replace(DhcpPlan(devices or (device(), MODULAR), SUBNETS), **changes)
