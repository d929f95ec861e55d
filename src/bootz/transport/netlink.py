"""The kernel's word on interfaces, addresses and routes: one request, its answers.

Source: netlink(7), rtnetlink(7).
"""

import os
import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_interface
from typing import Final

RTM_NEWLINK: Final = 16
RTM_NEWADDR: Final = 20
RTM_DELADDR: Final = 21
RTM_GETADDR: Final = 22
RTM_NEWROUTE: Final = 24
RTM_DELROUTE: Final = 25

REQUEST_DUMP: Final = 0x301
REQUEST_ACKNOWLEDGED: Final = 0x005
CREATE_OR_REPLACE: Final = 0x500

_ERROR: Final = 2
_DONE: Final = 3
_TIMEOUT: Final = 5.0
_HEADER: Final = struct.Struct("=IHHII")
_ADDRESS: Final = struct.Struct("=BBBBI")
_IFA_ADDRESS: Final = 1
_IFA_LOCAL: Final = 2
_ATTRIBUTE: Final = struct.Struct("=HH")


def interface_addresses(index: int | None = None) -> tuple[IPv4Address | IPv6Address, ...]:
    """Return the addresses of an interface, or of all, in the kernel's order.

    Raises:
        OSError: the kernel does not tell.
    """
    return tuple(each.ip for each in interface_networks(index))


def interface_networks(index: int | None = None) -> tuple[IPv4Interface | IPv6Interface, ...]:
    """Return the addresses of an interface with their prefixes, in the kernel's order.

    ``index`` None: those of all interfaces.

    Raises:
        OSError: the kernel does not tell.
    """
    found: list[IPv4Interface | IPv6Interface] = []
    question = _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
    for kind, body in ask_kernel(RTM_GETADDR, REQUEST_DUMP, question):
        if kind != RTM_NEWADDR or len(body) < _ADDRESS.size:
            continue
        _, prefix, _, _, of = _ADDRESS.unpack_from(body)
        if index is not None and of != index:
            continue
        attributes = read_attributes(body[_ADDRESS.size :])
        # On a point-to-point link IFA_ADDRESS is the other end.
        raw = attributes.get(_IFA_LOCAL, attributes.get(_IFA_ADDRESS, b""))
        if len(raw) in {4, 16}:
            found.append(ip_interface((raw, prefix)))
    return tuple(found)


def ask_kernel(kind: int, flags: int, body: bytes) -> tuple[tuple[int, bytes], ...]:
    """Send a request and return the answers: kind and body of each message.

    Raises:
        OSError: the kernel refuses, with its errno, or does not answer.
    """
    found: list[tuple[int, bytes]] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as asking:
        asking.settimeout(_TIMEOUT)
        asking.bind((0, 0))
        asking.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, 1, 0) + body)
        while True:
            for answered, content in _messages(asking.recv(1 << 16)):
                if answered == _DONE:
                    return tuple(found)
                if answered == _ERROR:
                    code = -int(struct.unpack_from("=i", content)[0])
                    if code:
                        raise OSError(code, os.strerror(code))
                    return tuple(found)
                found.append((answered, content))


def attribute(kind: int, value: bytes) -> bytes:
    """Return an attribute, padded."""
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(-length % 4)


def read_attributes(data: bytes) -> dict[int, bytes]:
    """Return the attributes of a message; of repeated ones the last."""
    attributes: dict[int, bytes] = {}
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        length = max(length, _ATTRIBUTE.size)
        attributes[kind] = data[_ATTRIBUTE.size : length]
        data = data[(length + 3) & ~3 :]
    return attributes


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(data)
        length = max(length, _HEADER.size)
        yield kind, data[_HEADER.size : length]
        data = data[(length + 3) & ~3 :]
