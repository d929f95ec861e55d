"""Names in bootz URIs, asked of the one name-server that the lease has.

Not of the host's resolver: a router has no other name-server than DHCP's.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import dns.asyncresolver
import dns.exception
import dns.resolver

from bootz.device.grpc_client import Locate
from bootz.device.hardware import Hardware
from bootz.device.source import UriSource
from bootz.errors import Unavailable
from bootz.wire.uri import BootzUri

NAME_TIMEOUT: Final = 10.0
"""Seconds for a name of a URI."""

IpAddress = IPv4Address | IPv6Address


def locating(hardware: Hardware, source: UriSource) -> Locate:
    """Return what finds the address of a URI whenever one is used.

    Without a lease of its own, as after a restart, a router asks the name-server of its last one:
    the server of the stored data may be known by name, and DHCP is not run again for it (S4).
    """

    async def locate(uri: BootzUri) -> str:
        bound = source.account is not None and source.account.state == "bound"
        if uri.address is None and not bound:
            last = hardware.load_state().discovery
            if last is not None and last.name_servers:
                servers = [ip_address(last.name_servers[0])]
                return await resolve_name(uri.host, servers, NAME_TIMEOUT)
        return await source.locate(uri)

    return locate


async def resolve_name(name: str, servers: Sequence[IpAddress], seconds: float) -> str:
    """Return an address of a name: IPv4 where there is one, else IPv6.

    Raises:
        Unavailable: ``dhcp-name-unresolved``.
    """
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [str(server) for server in servers]
    resolver.lifetime = seconds
    told = "there is no name-server"
    for kind in ("A", "AAAA") if servers else ():
        try:
            answer = await resolver.resolve(name, kind, search=False)
        except (dns.exception.DNSException, OSError) as error:
            told = str(error)[:200]
            if isinstance(error, dns.resolver.NXDOMAIN):
                break
            continue
        return str(next(iter(answer)))
    raise Unavailable("dhcp-name-unresolved", told, where=name)
