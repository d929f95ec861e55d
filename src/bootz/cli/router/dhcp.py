"""The options of ``bootz router boot`` on where routers learn their servers: typed, or DHCP."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from bootz.cli.manufacturer import now
from bootz.device.board import Notify
from bootz.device.discovery import DhcpSource, DiscoveryOptions
from bootz.device.hardware import Hardware
from bootz.device.lease_client import Timing
from bootz.device.source import FixedUris, UriSource
from bootz.errors import ConfigError
from bootz.protocol.dhcp_offer import Family, NameServerPolicy
from bootz.wire.uri import parse_bootz_uri

_F = TypeVar("_F", bound=Callable[..., Any])

SourceFor = Callable[[Hardware, Notify], UriSource]

_DUIDS = {"serial": (False, b""), "serial-nul": (False, b"\0"), "mac": (True, b"")}

_OPTIONS = (
    click.option(
        "--uri",
        "uris",
        multiple=True,
        metavar="bootz://HOST:PORT",
        help="Bootstrap server; repeatable, tried in order. Instead of it: --dhcp-interface.",
    ),
    click.option(
        "--dhcp-interface",
        "dhcp_interfaces",
        multiple=True,
        metavar="IF",
        help="Learn the servers by DHCP on this interface; one for each DIR, in the same order.",
    ),
    click.option(
        "--dhcp-family",
        "dhcp_families",
        multiple=True,
        type=click.Choice([family.value for family in Family]),
        help="Address families in the order of attempts. Default: ipv4, then ipv6.",
    ),
    click.option(
        "--dhcp-name-servers",
        type=click.Choice([policy.value for policy in NameServerPolicy]),
        default=NameServerPolicy.FAIL.value,
        show_default=True,
        help="What to do with several name-servers: fail, or use the first.",
    ),
    click.option(
        "--dhcp-duid",
        type=click.Choice(list(_DUIDS)),
        default="serial",
        show_default=True,
        help="Type of DUID that the router sends.",
    ),
    click.option(
        "--dhcp-vendor-classes", is_flag=True, help="Send option 124 in addition to option 60."
    ),
    click.option("--dhcp-strict", is_flag=True, help="Accept only the list format of RFC 8572."),
    click.option(
        "--dhcp6-prefix-length",
        type=click.IntRange(1, 128),
        default=128,
        show_default=True,
        help="Prefix length of DHCPv6 addresses, if no router advertises the prefix.",
    ),
    click.option(
        "--dhcp-time-scale", default=1.0, show_default=True, help="Factor for all DHCP timers."
    ),
)


def source_options(function: _F) -> _F:
    """Add the options that say where routers learn their servers."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def sources(options: Mapping[str, Any], folders: Sequence[object]) -> list[SourceFor]:
    """Return for each router what makes its source.

    Raises:
        ConfigError: neither servers nor interfaces are named, or both, or not one for each.
        WireError: one is not a bootz URI.
    """
    interfaces: Sequence[str] = options["dhcp_interfaces"]
    uris = [parse_bootz_uri(uri) for uri in options["uris"]]
    if bool(uris) == bool(interfaces):
        raise ConfigError(
            "usage", "give servers with --uri, or interfaces with --dhcp-interface", where="boot"
        )
    if uris:
        return [lambda _hardware, _notify: FixedUris(uris)] * len(folders)
    if len(interfaces) != len(folders) or len(set(interfaces)) != len(interfaces):
        raise ConfigError(
            "usage", "each router needs an interface of its own", where="--dhcp-interface"
        )
    if options["dhcp_time_scale"] <= 0:
        raise ConfigError("usage", "must be above 0", where="--dhcp-time-scale")
    by_mac, trailer = _DUIDS[options["dhcp_duid"]]
    chosen = DiscoveryOptions(
        families=tuple(map(Family, dict.fromkeys(options["dhcp_families"]))) or tuple(Family),
        strict=options["dhcp_strict"],
        name_servers=NameServerPolicy(options["dhcp_name_servers"]),
        duid_ll=by_mac,
        serial_trailer=trailer,
        with_vendor_classes=options["dhcp_vendor_classes"],
        ipv6_prefix_length=options["dhcp6_prefix_length"],
        timing=Timing(scale=options["dhcp_time_scale"]),
    )
    return [_by_dhcp(interface, chosen) for interface in interfaces]


def _by_dhcp(interface: str, options: DiscoveryOptions) -> SourceFor:
    def make(hardware: Hardware, notify: Notify) -> UriSource:
        record = hardware.record
        return DhcpSource(
            interface,
            serial_number=record.active.serial_number,
            vendor=record.manufacturer,
            platform=record.part_number,
            options=options,
            clock=now,
            notify=notify,
        )

    return make
