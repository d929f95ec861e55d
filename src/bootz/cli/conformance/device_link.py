"""``--interface``: DHCP, server, images and vouchers for a router on a link, and its person.

The chassis, its vouchers, the owner's keys and the vendor's CAs are those of the site; DHCP
serves that chassis and no other.
"""

import socket
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import IPv4Interface, IPv6Interface
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress, TextColumn

from bootz.cli.base import Cli
from bootz.cli.conformance.device_material import MAX_IMAGE_BYTES, read_device_content
from bootz.cli.dhcp.plan import plan_of
from bootz.cli.inventory.base import reading
from bootz.cli.output import stderr
from bootz.conformance.device.adapter import Device, DeviceAdapter
from bootz.conformance.device.answers import DeviceContent
from bootz.conformance.device.by_hand.adapter import OperatedDevice, Patience, Screen
from bootz.conformance.device.material import Authority, KeptVouchers, Owner
from bootz.conformance.device.run import Bench
from bootz.dhcp.lab_listener import listening
from bootz.dhcp.lab_server import LabServer, LabServerOptions
from bootz.dhcp.records import DhcpDevice, DhcpPlan
from bootz.errors import ConfigError, Unavailable
from bootz.images.depot import Depot
from bootz.keystore.files import load_private_key
from bootz.keystore.pkcs11_uri import SCHEME as PKCS11_SCHEME
from bootz.model.identity import IdentityKind
from bootz.model.kinds import CardKind
from bootz.processes import run_command
from bootz.protocol.dhcp_offer import Family
from bootz.server.operations.chassis import find_chassis, list_chassis
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.intent import IntendedImage, chassis_intent
from bootz.server.operations.vendors import VendorRecord, anchors_of, find_vendor
from bootz.server.operations.vouchers.records import list_vouchers
from bootz.server.site import Site
from bootz.transport.binding import peer_address
from bootz.transport.netlink import interface_networks
from bootz.wire.uri import parse_bootz_uri

_DEFAULT_PORT = 15006


@dataclass(frozen=True, slots=True)
class _Link:
    """The addresses of this machine on the link: at most one of each family."""

    interface: str
    ipv4: IPv4Interface | None
    ipv6: IPv6Interface | None

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(str(each.ip) for each in (self.ipv4, self.ipv6) if each is not None)


@dataclass(frozen=True, slots=True)
class _Record:
    """What the site has on record of the chassis under test."""

    chassis: ChassisRecord
    vendor: VendorRecord
    dhcp: DhcpDevice
    vouchers: tuple[bytes, ...]
    image: IntendedImage | None


@asynccontextmanager
async def operated_device(
    cli: Cli, options: dict[str, Any]
) -> AsyncIterator[tuple[DeviceAdapter, Bench]]:
    """Serve a link, and yield the device that a person operates on it.

    Raises:
        ConfigError: the site has no such chassis, or its material cannot be used.
        Unavailable: the interface cannot be served.
    """
    if options["adapter"] is not None:
        raise click.UsageError("--interface takes the place of --adapter")
    site = cli.site()
    link = _link(options["interface"])
    record = _read(cli, options["chassis"])
    port = options["port"] or _DEFAULT_PORT
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bootz-link-")))
        for number, cms in enumerate(reversed(record.vouchers)):
            (folder / f"{number:06}.vcj").write_bytes(cms)
        content = read_device_content(options, await _rendered(site, record))
        screen = stack.enter_context(_screen())
        device = OperatedDevice(
            _devices(record), Patience(options["seconds"], options["quiet_time"]), screen
        )
        plan = DhcpPlan((_placed(record.dhcp, link, port),))
        stack.enter_context(_dhcp(plan, link, screen))
        yield (
            device,
            Bench(
                owner=_owner(site, link),
                vouchers=KeptVouchers(folder),
                vendor_anchors=anchors_of(
                    record.vendor.idevid_ca, legacy=record.vendor.settings.legacy
                ),
                content=content,
                listen=link.hosts[0],
                port=port,
                advertised=link.hosts[0],
                interface=options["router_interface"],
                # The device has its own patience; this only ends what hangs.
                seconds=3 * options["seconds"] + options["quiet_time"],
                also=link.hosts[1:],
                on_begin=device.begin,
            ),
        )


def _link(interface: str) -> _Link:
    try:
        known = interface_networks(socket.if_nametoindex(interface))
    except OSError as error:
        raise Unavailable(
            "dhcp-interface", f"no such interface: {error.strerror}", where=interface
        ) from error
    ipv4 = next((each for each in known if isinstance(each, IPv4Interface)), None)
    ipv6 = next(
        (each for each in known if isinstance(each, IPv6Interface) and not each.is_link_local),
        None,
    )
    if ipv4 is None and ipv6 is None:
        raise Unavailable(
            "dhcp-interface",
            f"it has no address; give it one: ip address add 192.0.2.1/24 dev {interface}",
            where=interface,
        )
    return _Link(interface, ipv4, ipv6)


def _read(cli: Cli, serial: str | None) -> _Record:
    with reading(cli) as connection:
        if serial is None:
            known = list(list_chassis(connection))
            if len(known) != 1:
                raise click.UsageError(
                    f"the site has {len(known)} chassis: name one with --chassis"
                )
            chassis = known[0]
        else:
            chassis = find_chassis(connection, serial)
        vendor = find_vendor(connection, chassis.vendor)
        (dhcp,) = plan_of(connection, cli.site().config, [chassis]).devices
        now = cli.site().clock()
        held = [
            each.raw
            for each in list_vouchers(connection, vendor=chassis.vendor)
            if each.expires_on is None or each.expires_on > now
        ]
        image = chassis_intent(connection, chassis.key).image
    if not held:
        raise ConfigError("voucher-not-found", "the site has no voucher", where=chassis.vendor)
    return _Record(chassis, vendor, dhcp, tuple(held), image)


async def _rendered(site: Site, record: _Record) -> DeviceContent:
    """Return the chassis's own configuration and image as content, where it has them."""
    content = DeviceContent.make()
    chassis = record.chassis
    serial = chassis.serial_number or chassis.cards[0].serial_number
    shown: Any = await run_command("--site", site.root, "chassis", "render", serial)
    text = str(shown["responses"][0].get("boot_config", {}).get("vendor_config", ""))
    lines = [line.strip() for line in text.splitlines() if line.strip(" !\t")]
    if lines:
        content = replace(content, vendor_config=text.encode(), marker=lines[0])
    image = record.image
    if image is not None and not image.url and image.size <= MAX_IMAGE_BYTES:
        with Depot(site.images_folder).open(image.sha256) as file:
            content = content.with_image(file.read(), image.name, image.version)
    return content


def _devices(record: _Record) -> dict[IdentityKind, Device]:
    """Return the device by every identity of which the inventory knows the key."""
    cards = [each for each in record.chassis.cards if each.kind is CardKind.CONTROL]
    first = cards[0]
    device = Device(
        record.vendor.name,
        first.serial_number,
        record.chassis.serial_number or "",
        tuple(each.serial_number for each in cards[1:]),
        first.tpm.ek,
        first.tpm.ppk,
    )
    found = {IdentityKind.IDEVID: device}
    if device.ek is not None:
        found[IdentityKind.TPM20_EK] = found[IdentityKind.TPM12_EK] = device
    return found


def _placed(device: DhcpDevice, link: _Link, port: int) -> DhcpDevice:
    """Return the device with an address on the link, and this machine as its server."""
    uris = {host: parse_bootz_uri(f"bootz://{peer_address(host, port)}") for host in link.hosts}
    ipv4, ipv6 = link.ipv4, link.ipv6
    return replace(
        device,
        ipv4=None if ipv4 is None else _address(device.ipv4, ipv4),
        ipv6=None if ipv6 is None else _address(device.ipv6, ipv6),
        gateway=None,
        uris4=() if ipv4 is None else (uris[str(ipv4.ip)],),
        uris6=() if ipv6 is None else (uris[str(ipv6.ip)],),
    )


def _address(known: Any, own: Any) -> Any:
    """Return the address of the inventory where it is on the link, else the first that is free."""
    if known is not None and known.ip in own.network and known.ip != own.ip:
        return type(own)((known.ip, own.network.prefixlen))
    free = next((each for each in own.network.hosts() if each != own.ip), None)
    if free is None:
        raise Unavailable("dhcp-interface", "its network has no other address", where=str(own))
    return type(own)((free, own.network.prefixlen))


@contextmanager
def _dhcp(plan: DhcpPlan, link: _Link, screen: Screen) -> Iterator[None]:
    families = [
        family
        for family, address in ((Family.IPV4, link.ipv4), (Family.IPV6, link.ipv6))
        if address is not None
    ]

    def tell(event: Mapping[str, object]) -> None:
        if address := event.get("address"):
            screen.say(f"  DHCP: {event.get('event')} {address}")

    lab = LabServer(plan, LabServerOptions(tuple(families)), lambda: datetime.now(UTC), tell)
    with listening(lab, [link.interface]):
        screen.say(
            f"serving {link.interface}: {', '.join(link.hosts)}, DHCP for {plan.devices[0].row}"
        )
        yield


def _owner(site: Site, link: _Link) -> Owner:
    files = site.owner_files()
    if files.key.startswith(PKCS11_SCHEME):
        raise ConfigError(
            "conformance-material",
            "the owner's key is in a token; the suite signs with a key file",
            where="owner",
        )
    key = load_private_key(Path(files.key), passphrase_file=files.passphrase_file)
    authority = Authority(files.certificate, key, files.intermediates)
    return Owner.make(*link.hosts, owner=(files.pinned_domain_cert, authority))


@contextmanager
def _screen() -> Iterator[Screen]:
    """Show what is said on stderr; the countdown only where that is a terminal."""
    console = stderr()
    with Progress(
        TextColumn("  waiting for {task.description}"), console=console, transient=True
    ) as bar:
        task = bar.add_task("", visible=False)

        def count(what: str, left: float) -> None:
            minutes, seconds = divmod(int(left), 60)
            words = f"{what}: {minutes}:{seconds:02} left"
            # At once: others write to the terminal when nothing is waited for any more.
            bar.update(task, description=words, visible=bool(what), refresh=not what)

        yield Screen(lambda text: console.print(text, highlight=False, markup=False), count)
