"""Names in bootz URIs, asked of the one name-server that the lease has.

Not of the host's resolver: a router has no other name-server than DHCP's.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

import dns.asyncresolver
import dns.exception
import dns.resolver

from bootz.errors import Unavailable

IpAddress = IPv4Address | IPv6Address


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
