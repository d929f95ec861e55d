"""The addresses of this machine's interfaces, from the kernel."""

import struct

from bootz.errors import Unavailable
from bootz.transport import netlink
from bootz.trust.issuing import IpAddress


def interface_addresses() -> tuple[IpAddress, ...]:
    """Return every address of every interface, of both families, each once and sorted.

    Raises:
        Unavailable: the kernel does not tell.
    """
    try:
        found = set(netlink.interface_addresses())
    except (OSError, struct.error) as error:
        raise Unavailable(
            "interfaces-unreadable", f"the kernel does not list them: {error}", where="netlink"
        ) from error
    return tuple(sorted(found, key=lambda address: (address.version, int(address))))
