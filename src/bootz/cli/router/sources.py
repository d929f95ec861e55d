"""What the options of ``bootz router boot`` make: where a router learns its servers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bootz.cli.manufacturer import now
from bootz.cli.router.dhcp import DUIDS
from bootz.device.discovery import DhcpSource, DiscoveryOptions
from bootz.device.events import Notify
from bootz.device.hardware import Hardware
from bootz.device.lease_client import Timing
from bootz.device.source import FixedUris, UriSource
from bootz.errors import ConfigError
from bootz.protocol.dhcp_words import Family, NameServerPolicy
from bootz.wire.uri import parse_bootz_uri

_DUIDS: Final = dict(zip(DUIDS, ((False, b""), (False, b"\0"), (True, b"")), strict=True))
"""Whether by the MAC address, and what stands behind the serial number."""

SourceFor = Callable[[Hardware, Notify], UriSource]


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
