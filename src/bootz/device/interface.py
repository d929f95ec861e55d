"""The router's management port in the kernel: up, an address for the time of a lease, a gateway.

Source: rtnetlink(7); docs/protocol/dhcp.md#the-routers-client (16).
"""

import errno
import socket
import struct
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from bootz.errors import Unavailable
from bootz.transport.netlink import (
    CREATE_OR_REPLACE,
    REQUEST_ACKNOWLEDGED,
    RTM_DELADDR,
    RTM_DELROUTE,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWROUTE,
    ask_kernel,
    attribute,
)

ROUTE_METRIC: Final = 4096
"""Worse than any usual route: a router that is tried on a laptop does not take its default."""

_IFF_UP: Final = 1
_IFA_ADDRESS: Final = 1
_IFA_LOCAL: Final = 2
_IFA_CACHEINFO: Final = 6
_IFA_NO_DETECTION: Final = 2
_RTA_OUTPUT: Final = 4
_RTA_GATEWAY: Final = 5
_RTA_METRIC: Final = 6
_TABLE_MAIN: Final = 254
_PROTOCOL_DHCP: Final = 16
_UNICAST: Final = 1
_ADDRESS: Final = struct.Struct("=BBBBI")
_ROUTE: Final = struct.Struct("=BBBBBBBBI")


class Interface:
    """An interface of this network namespace."""

    def __init__(self, name: str) -> None:
        """Find it.

        Raises:
            Unavailable: ``dhcp-interface``: there is none of that name.
        """
        self.name = name
        try:
            self.index = socket.if_nametoindex(name)
        except OSError as error:
            raise Unavailable("dhcp-interface", "there is no such interface", where=name) from error

    def bring_up(self) -> None:
        """Set it up.

        Raises:
            Unavailable: ``dhcp-interface``: not allowed.
        """
        body = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, self.index, _IFF_UP, _IFF_UP)
        self._ask(RTM_NEWLINK, REQUEST_ACKNOWLEDGED, body)

    def add_address(
        self, address: IPv4Address | IPv6Address, prefix_length: int, seconds: int
    ) -> None:
        """Put an address on it, which the kernel takes away when the lease ends.

        Raises:
            Unavailable: ``dhcp-interface``: not allowed.
        """
        life = struct.pack("=IIII", seconds, seconds, 0, 0)
        body = self._address(address, prefix_length) + attribute(_IFA_CACHEINFO, life)
        self._ask(RTM_NEWADDR, REQUEST_ACKNOWLEDGED | CREATE_OR_REPLACE, body)

    def remove_address(self, address: IPv4Address | IPv6Address, prefix_length: int) -> None:
        """Take an address away; harmless when it is gone.

        Raises:
            Unavailable: ``dhcp-interface``: not allowed.
        """
        body = self._address(address, prefix_length)
        self._ask(RTM_DELADDR, REQUEST_ACKNOWLEDGED, body, harmless=errno.EADDRNOTAVAIL)

    def add_gateway(self, gateway: IPv4Address) -> None:
        """Route everything else through a gateway on this link.

        Raises:
            Unavailable: ``dhcp-interface``: not allowed, or the gateway is not on the link.
        """
        self._ask(RTM_NEWROUTE, REQUEST_ACKNOWLEDGED | CREATE_OR_REPLACE, self._default(gateway))

    def remove_gateway(self, gateway: IPv4Address) -> None:
        """Take the route away; harmless when it is gone.

        Raises:
            Unavailable: ``dhcp-interface``: not allowed.
        """
        self._ask(RTM_DELROUTE, REQUEST_ACKNOWLEDGED, self._default(gateway), harmless=errno.ESRCH)

    def _address(self, address: IPv4Address | IPv6Address, prefix_length: int) -> bytes:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        # Without duplicate detection: for its seconds the router could not speak, and the
        # server has given this address to no other client.
        flags = 0 if address.version == 4 else _IFA_NO_DETECTION
        return (
            _ADDRESS.pack(family, prefix_length, flags, 0, self.index)
            + attribute(_IFA_LOCAL, address.packed)
            + attribute(_IFA_ADDRESS, address.packed)
        )

    def _default(self, gateway: IPv4Address) -> bytes:
        head = _ROUTE.pack(socket.AF_INET, 0, 0, 0, _TABLE_MAIN, _PROTOCOL_DHCP, 0, _UNICAST, 0)
        return (
            head
            + attribute(_RTA_GATEWAY, gateway.packed)
            + attribute(_RTA_OUTPUT, struct.pack("=I", self.index))
            + attribute(_RTA_METRIC, struct.pack("=I", ROUTE_METRIC))
        )

    def _ask(self, kind: int, flags: int, body: bytes, *, harmless: int = 0) -> None:
        try:
            ask_kernel(kind, flags, body)
        except OSError as error:
            if error.errno not in {harmless, errno.ENODEV if harmless else 0}:
                raise Unavailable(
                    "dhcp-interface", error.strerror or str(error), where=self.name
                ) from error
