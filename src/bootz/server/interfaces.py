"""The addresses of this machine's interfaces, from the kernel.

Source: rtnetlink(7), RTM_GETADDR.
"""

import ipaddress
import socket
import struct
from collections.abc import Iterator
from typing import Final

from bootz.errors import Unavailable
from bootz.transport.netlink import (
    REQUEST_DUMP,
    RTM_GETADDR,
    RTM_NEWADDR,
    ask_kernel,
    read_attributes,
)
from bootz.trust.issuing import IpAddress

_IFA_ADDRESS: Final = 1
_IFA_LOCAL: Final = 2
_ADDRESS: Final = struct.Struct("=BBBBI")


def interface_addresses() -> tuple[IpAddress, ...]:
    """Return every address of every interface, of both families.

    Raises:
        Unavailable: the kernel does not tell.
    """
    found: set[IpAddress] = set()
    try:
        question = _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
        for kind, body in ask_kernel(RTM_GETADDR, REQUEST_DUMP, question):
            if kind == RTM_NEWADDR:
                found.update(_address(body))
    except (OSError, struct.error) as error:
        raise Unavailable(
            "interfaces-unreadable", f"the kernel does not tell: {error}", where="netlink"
        ) from error
    return tuple(sorted(found, key=lambda address: (address.version, int(address))))


def _address(body: bytes) -> Iterator[IpAddress]:
    attributes = read_attributes(body[_ADDRESS.size :])
    # On a point-to-point link IFA_ADDRESS is the other end.
    raw = attributes.get(_IFA_LOCAL, attributes.get(_IFA_ADDRESS, b""))
    if len(raw) in {4, 16}:
        yield ipaddress.ip_address(raw)
