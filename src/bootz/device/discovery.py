"""The router finds its server: DHCPv4, then DHCPv6, on its management port (W1 to W3).

One call of ``discover`` tries each family once, beginning behind the one whose servers failed
last; the workflow waits between rounds. A lease is held and renewed until it is released.
Source: docs/protocol/dhcp.md#the-routers-client.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

from bootz.device.events import Notify
from bootz.device.interface import Interface
from bootz.device.lease4 import LeaseClient4
from bootz.device.lease6 import LeaseClient6
from bootz.device.lease_client import LeaseClient, Timing
from bootz.device.names import NAME_TIMEOUT, resolve_name
from bootz.device.source import DiscoveryAccount
from bootz.errors import BootzError, PolicyError, Unavailable
from bootz.protocol.dhcp4_client import Client4
from bootz.protocol.dhcp6_client import Client6
from bootz.protocol.dhcp_offer import Family, NameServerPolicy, Offer, check_offer
from bootz.transport.dhcp_ports import interface_mac
from bootz.wire.dhcp_identity import DhcpIdentity
from bootz.wire.uri import BootzUri

MIN_RENEWAL_WAIT = 1.0
"""Seconds; a server that says T1 is 0 is not asked all the time."""


@dataclass(frozen=True, slots=True)
class DiscoveryOptions:
    """What a person may choose. ``mac`` None: that of the interface.

    ``ipv6_prefix_length``: of addresses by DHCPv6, which carries none; 128 where a router
    advertises the prefix, as on any real link.
    """

    families: tuple[Family, ...] = (Family.IPV4, Family.IPV6)
    secure: bool = True
    strict: bool = False
    name_servers: NameServerPolicy = NameServerPolicy.FAIL
    duid_ll: bool = False
    serial_trailer: bytes = b""
    with_vendor_classes: bool = False
    ipv6_prefix_length: int = 128
    timing: Timing = field(default_factory=Timing)


class DhcpSource:
    """One router's discovery on one interface; a ``UriSource``.

    Args:
        clock: aware UTC now, for the account alone.
        notify: told each event.
    """

    def __init__(
        self,
        interface: str,
        *,
        serial_number: str,
        vendor: str,
        platform: str,
        options: DiscoveryOptions,
        clock: Callable[[], datetime],
        notify: Notify,
    ) -> None:
        self._name = interface
        self._serial_number = serial_number
        self._vendor = vendor
        self._platform = platform
        self._options = options
        self._clock = clock
        self._notify = notify
        self._next = 0
        self._held: _Held | None = None
        self.account: DiscoveryAccount | None = None

    async def discover(self) -> Sequence[BootzUri]:
        """Return the servers of the first family with a usable lease, in their order.

        Raises:
            BootzError: no family has one; the first that said more than silence is told.
        """
        await self.release()
        families = self._options.families
        errors: list[BootzError] = []
        accounts: list[DiscoveryAccount] = []
        begin = self._next
        for step in range(len(families)):
            at = (begin + step) % len(families)
            family = families[at]
            self.account = None
            try:
                uris = await self._lease(family)
            except BootzError as error:
                errors.append(error)
                told = self.account or DiscoveryAccount(self._name, family.value, error.reason)
                accounts.append(replace(told, state=error.reason, message=str(error)))
                self.account = accounts[-1]
                self._notify(
                    "dhcp-failed",
                    {"family": family.value, "reason": error.reason, "detail": str(error)},
                )
            else:
                self._next = (at + 1) % len(families)
                return uris
        self._next = 0
        worst = next((i for i, each in enumerate(errors) if each.reason != "dhcp-no-answer"), 0)
        self.account = accounts[worst]
        raise errors[worst]

    async def release(self) -> None:
        """Give the lease back, and take its address off the interface."""
        held, self._held = self._held, None
        if held is not None:
            await held.end(release=True)
            self._notify("dhcp-released", {"address": str(held.lease.address)})
            if self.account is not None:
                self.account = replace(self.account, state="released")

    async def close(self) -> None:
        """End without a RELEASE: a router that is powered off keeps its lease."""
        held, self._held = self._held, None
        if held is not None:
            await held.end(release=False)

    async def locate(self, uri: BootzUri) -> str:
        """Return the host to connect to: an address, with the link where that needs one.

        Raises:
            Unavailable: ``dhcp-name-unresolved``.
        """
        if isinstance(uri.address, IPv6Address) and uri.address.is_link_local:
            return f"{uri.address}%{self._name}"
        if uri.address is not None:
            return uri.host
        servers = self._held.lease.name_servers[:1] if self._held else ()
        return await resolve_name(uri.host, servers, NAME_TIMEOUT)

    async def _lease(self, family: Family) -> Sequence[BootzUri]:
        """Get a lease and configure the interface, or give back what cannot be used."""
        options = self._options
        interface = Interface(self._name)
        interface.bring_up()
        client = self._client(family)
        try:
            self._notify("dhcp", {"family": family.value, "interface": self._name})
            lease = await client.acquire()
            self.account = self._account(lease)
            self._tell(lease)
            try:
                check_offer(lease, options.name_servers)
            except BootzError:
                client.release(lease)
                raise
            prefix = lease.prefix_length if family is Family.IPV4 else options.ipv6_prefix_length
            held = _Held(client, interface, lease, prefix)
            try:
                held.configure()
            except BaseException:
                await held.end(release=True)
                raise
        except BaseException:
            client.close()
            raise
        held.renewing = asyncio.create_task(self._renew(held))
        self._held = held
        return lease.uris()

    def _client(self, family: Family) -> LeaseClient:
        options = self._options
        identity = DhcpIdentity(
            interface_mac(self._name),
            self._serial_number,
            self._vendor,
            self._platform,
            options.duid_ll,
            options.serial_trailer,
        )
        if family is Family.IPV4:
            client = Client4(identity, options.secure, options.strict, options.with_vendor_classes)
            return LeaseClient4(self._name, client, options.timing, options.name_servers)
        return LeaseClient6(
            self._name,
            Client6(identity, options.secure, options.strict),
            options.timing,
            options.name_servers,
        )

    def _tell(self, lease: Offer) -> None:
        self._notify(
            "dhcp-lease",
            {
                "family": lease.family.value,
                "address": str(lease.address),
                "server": lease.server_name,
                "seconds": lease.lease_time,
                "uris": [str(uri) for uri in lease.uris()],
            },
        )
        if lease.boot_file and self._options.secure:
            # Also where there is no redirect: a boot file never is a way around ownership (W1).
            self._notify("dhcp-boot-file-ignored", {"boot_file": lease.boot_file})
        for warning in lease.warnings:
            self._notify("dhcp-warning", {"detail": warning})
        if len(lease.name_servers) > 1 and self._options.name_servers is NameServerPolicy.FIRST:
            detail = f"several name-servers; only {lease.name_servers[0]} is used"
            self._notify("dhcp-warning", {"detail": detail})

    def _account(self, lease: Offer) -> DiscoveryAccount:
        return DiscoveryAccount(
            interface=self._name,
            family=lease.family.value,
            state="bound",
            address=f"{lease.address}/{lease.prefix_length}",
            gateway=str(lease.gateway or ""),
            name_servers=tuple(map(str, lease.name_servers)),
            server=lease.server_name,
            expires_at=self._clock() + timedelta(seconds=lease.lease_time),
            shape=lease.redirect.shape.value if lease.redirect else "",
            uris=tuple(map(str, lease.uris())),
            ignored=lease.ignored(),
            boot_file=lease.boot_file,
        )

    async def _renew(self, held: "_Held") -> None:
        """Keep the lease: T1 asks its server, T2 anyone, until it ends."""
        scale = self._options.timing.scale
        while True:
            lease = held.lease
            begun = time.monotonic()
            ends = begun + lease.lease_time * scale
            wait = lease.renewal_time * scale
            while True:
                await asyncio.sleep(max(wait, MIN_RENEWAL_WAIT * scale))
                now = time.monotonic()
                if now >= ends:
                    self._lost("the lease has expired")
                    return
                try:
                    rebinding = now >= begun + lease.rebinding_time * scale
                    renewed = await held.client.extend(lease, rebinding=rebinding)
                    if renewed is not None:
                        held.lease = replace(renewed, redirect=lease.redirect)
                        held.configure()
                        break
                except PolicyError as error:
                    self._lost(str(error))
                    return
                except Unavailable as error:
                    self._notify("dhcp-warning", {"detail": str(error)})
                wait = (ends - time.monotonic()) / 2
            if self.account is not None:
                expires = self._clock() + timedelta(seconds=held.lease.lease_time)
                self.account = replace(self.account, expires_at=expires)
            self._notify(
                "dhcp-renewed",
                {"address": str(held.lease.address), "seconds": held.lease.lease_time},
            )

    def _lost(self, detail: str) -> None:
        if self._held is not None:
            self._held.unconfigure()
        if self.account is not None:
            self.account = replace(self.account, state="lost", message=detail)
        self._notify("dhcp-lost", {"detail": detail})


class _Held:
    """A lease that the interface wears."""

    def __init__(
        self, client: LeaseClient, interface: Interface, lease: Offer, prefix_length: int
    ) -> None:
        self.client = client
        self.lease = lease
        self.renewing: asyncio.Task[None] | None = None
        self._interface = interface
        self._prefix_length = prefix_length

    def configure(self) -> None:
        """Put address and gateway on the interface, for as long as the lease goes."""
        lease = self.lease
        assert lease.address is not None  # noqa: S101 -- check_offer has passed it
        self._interface.add_address(lease.address, self._prefix_length, lease.lease_time)
        if isinstance(lease.gateway, IPv4Address):
            self._interface.add_gateway(lease.gateway)

    def unconfigure(self) -> None:
        """Take both away; an interface that is gone has lost them already."""
        lease = self.lease
        with contextlib.suppress(Unavailable):
            if isinstance(lease.gateway, IPv4Address):
                self._interface.remove_gateway(lease.gateway)
        with contextlib.suppress(Unavailable):
            if lease.address is not None:
                self._interface.remove_address(lease.address, self._prefix_length)

    async def end(self, *, release: bool) -> None:
        """Stop renewing, tell the server if asked to, and clean the interface."""
        if self.renewing is not None:
            self.renewing.cancel()
            await asyncio.gather(self.renewing, return_exceptions=True)
        if release:
            with contextlib.suppress(Unavailable):
                self.client.release(self.lease)
        self.unconfigure()
        self.client.close()
