"""The addresses of this machine's interfaces, from the kernel.

Source: rtnetlink(7), RTM_GETADDR; netlink(7).
"""

import ipaddress
import socket
import struct
from collections.abc import Iterator
from typing import Final

from bootz.errors import Unavailable
from bootz.trust.issuing import IpAddress

_RTM_NEWADDR: Final = 20
_RTM_GETADDR: Final = 22
_NLM_F_REQUEST_DUMP: Final = 0x301
_NLMSG_ERROR: Final = 2
_NLMSG_DONE: Final = 3
_IFA_ADDRESS: Final = 1
_IFA_LOCAL: Final = 2
_HEADER: Final = struct.Struct("=IHHII")
_ADDRESS: Final = struct.Struct("=BBBBI")
_ATTRIBUTE: Final = struct.Struct("=HH")


def interface_addresses() -> tuple[IpAddress, ...]:
    """Return every address of every interface, of both families.

    Raises:
        Unavailable: the kernel does not tell.
    """
    found: set[IpAddress] = set()
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as asking:
            asking.settimeout(5)
            asking.bind((0, 0))
            size = _HEADER.size + _ADDRESS.size
            header = _HEADER.pack(size, _RTM_GETADDR, _NLM_F_REQUEST_DUMP, 1, 0)
            asking.send(header + _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0))
            done = False
            while not done:
                for kind, body in _messages(asking.recv(1 << 16)):
                    done = done or kind in {_NLMSG_DONE, _NLMSG_ERROR}
                    if kind == _RTM_NEWADDR:
                        found.update(_address(body))
    except (OSError, struct.error) as error:
        raise Unavailable(
            "interfaces-unreadable", f"the kernel does not tell: {error}", where="netlink"
        ) from error
    return tuple(sorted(found, key=lambda address: (address.version, int(address))))


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(data)
        length = max(length, _HEADER.size)
        yield kind, data[_HEADER.size : length]
        data = data[(length + 3) & ~3 :]


def _address(body: bytes) -> Iterator[IpAddress]:
    attributes: dict[int, bytes] = {}
    rest = body[_ADDRESS.size :]
    while len(rest) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(rest)
        length = max(length, _ATTRIBUTE.size)
        attributes[kind] = rest[_ATTRIBUTE.size : length]
        rest = rest[(length + 3) & ~3 :]
    # On a point-to-point link IFA_ADDRESS is the other end.
    raw = attributes.get(_IFA_LOCAL, attributes.get(_IFA_ADDRESS, b""))
    if len(raw) in {4, 16}:
        yield ipaddress.ip_address(raw)
