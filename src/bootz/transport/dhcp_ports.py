"""The sockets of a DHCP client: a port without an address speaks and hears.

IPv4 goes through a packet socket, because a port without an address has no route; IPv6 through
UDP on the link-local address. Both are bound to one interface, of the network namespace in which
they are opened. Source: docs/protocol/dhcp.md#sockets; packet(7).
"""

import asyncio
import ctypes
import errno
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Generic, Self, TypeVar

from bootz.errors import Unavailable
from bootz.wire.frames import BROADCAST_MAC, ETHERNET_IPV4, UdpFrame, decode_frame, encode_frame

MAX_WAITING: Final = 256
"""Datagrams that wait to be read; what comes beyond is dropped, as the network may."""

_SO_ATTACH_FILTER: Final = 26
_SO_BINDTODEVICE: Final = 25
_PACKET_OUTGOING: Final = 4
_NOT_YET: Final = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN, errno.EAGAIN})

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Datagram6:
    """A UDP datagram with its sender."""

    source: IPv6Address
    payload: bytes


class _Port(Generic[_T]):
    """A socket that is read by the loop into a bounded queue."""

    def __init__(self, opened: socket.socket, read: Callable[[], _T | None]) -> None:
        self._socket = opened
        self._read = read
        self._waiting: asyncio.Queue[_T] = asyncio.Queue(MAX_WAITING)
        opened.setblocking(False)
        asyncio.get_running_loop().add_reader(opened.fileno(), self._readable)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket; harmless when it is closed."""
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()

    async def receive(self) -> _T:
        """Return the next datagram."""
        return await self._waiting.get()

    def _readable(self) -> None:
        try:
            received = self._read()
        except OSError:
            # The link went down, or a neighbour sent an ICMP error: nothing to read.
            return
        if received is not None and not self._waiting.full():
            self._waiting.put_nowait(received)


class PacketPort(_Port[UdpFrame]):
    """UDP over IPv4 on an interface without an address; hears what is sent to ``port``."""

    def __init__(self, interface: str, port: int) -> None:
        """Open it.

        Raises:
            Unavailable: ``dhcp-interface``: there is no such interface, or it is not allowed.
        """
        opened = _open(socket.AF_PACKET, socket.SOCK_RAW, 0, interface)
        try:
            opened.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, _filter(port))
            opened.bind((interface, ETHERNET_IPV4))
            self.mac: bytes = opened.getsockname()[4]
        except OSError as error:
            opened.close()
            raise _refused(interface, error) from error
        self._interface = interface
        self._port = port
        super().__init__(opened, self._next)

    def send(
        self,
        payload: bytes,
        target_port: int,
        *,
        source_mac: bytes | None = None,
        source: IPv4Address = IPv4Address(0),  # noqa: B008 -- immutable
        target: IPv4Address = IPv4Address("255.255.255.255"),  # noqa: B008 -- immutable
        target_mac: bytes = BROADCAST_MAC,
    ) -> None:
        """Send one datagram.

        Raises:
            Unavailable: ``dhcp-interface``: the link is down or gone.
        """
        frame = UdpFrame(
            source_mac or self.mac, target_mac, source, target, self._port, target_port, payload
        )
        try:
            self._socket.send(encode_frame(frame))
        except OSError as error:
            raise _refused(self._interface, error) from error

    def _next(self) -> UdpFrame | None:
        data, address = self._socket.recvfrom(1 << 16)
        if address[2] == _PACKET_OUTGOING:
            return None
        frame = decode_frame(data)
        return frame if frame is not None and frame.target_port == self._port else None


class LinkPort6(_Port[Datagram6]):
    """UDP over IPv6 on the link-local address of an interface."""

    def __init__(self, interface: str, port: int) -> None:
        """Open it.

        Raises:
            Unavailable: ``dhcp-interface``: there is no such interface, or it is not allowed.
        """
        opened = _open(socket.AF_INET6, socket.SOCK_DGRAM, 0, interface)
        try:
            self._index = socket.if_nametoindex(interface)
            opened.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, interface.encode() + b"\0")
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            opened.bind(("::", port))
        except OSError as error:
            opened.close()
            raise _refused(interface, error) from error
        self._interface = interface
        super().__init__(opened, self._next)

    def send(self, payload: bytes, target: IPv6Address, target_port: int) -> bool:
        """Send one datagram; False where the link's address is not ready yet.

        Raises:
            Unavailable: ``dhcp-interface``: the interface is gone.
        """
        try:
            self._socket.sendto(payload, (str(target), target_port, 0, self._index))
        except OSError as error:
            # After link-up duplicate detection runs for seconds.
            if error.errno in _NOT_YET:
                return False
            raise _refused(self._interface, error) from error
        return True

    def _next(self) -> Datagram6:
        data, address = self._socket.recvfrom(1 << 16)
        return Datagram6(IPv6Address(str(address[0]).partition("%")[0]), data)


def interface_mac(interface: str) -> bytes:
    """Return the MAC address of an interface.

    Raises:
        Unavailable: ``dhcp-interface``: there is no such interface, or it is not allowed.
    """
    with _open(socket.AF_PACKET, socket.SOCK_RAW, 0, interface) as opened:
        try:
            opened.bind((interface, 0))
        except OSError as error:
            raise _refused(interface, error) from error
        mac: bytes = opened.getsockname()[4]
        return mac


def _open(family: int, kind: int, protocol: int, interface: str) -> socket.socket:
    if not interface or len(interface.encode()) > 15:
        raise Unavailable("dhcp-interface", "this is not an interface name", where=interface[:40])
    try:
        return socket.socket(family, kind, protocol)
    except OSError as error:
        raise _refused(interface, error) from error


def _refused(interface: str, error: OSError) -> Unavailable:
    return Unavailable("dhcp-interface", error.strerror or str(error), where=interface)


def _filter(port: int) -> bytes:
    """Return ``struct sock_fprog`` of a program that passes UDP over IPv4 to ``port`` alone.

    So traffic of the link that is none of ours never wakes this process.
    """
    program = (
        (0x28, 0, 0, 12),  # the EtherType
        (0x15, 0, 8, ETHERNET_IPV4),
        (0x30, 0, 0, 23),  # the protocol
        (0x15, 0, 6, socket.IPPROTO_UDP),
        (0x28, 0, 0, 20),  # a later fragment has no ports
        (0x45, 4, 0, 0x1FFF),
        (0xB1, 0, 0, 14),  # the length of the IP header
        (0x48, 0, 0, 16),  # the port behind it
        (0x15, 0, 1, port),
        (0x06, 0, 0, 0xFFFF),
        (0x06, 0, 0, 0),
    )
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    _FILTERS[port] = buffer = _FILTERS.get(port) or ctypes.create_string_buffer(code, len(code))
    return struct.pack("@HP", len(program), ctypes.addressof(buffer))


_FILTERS: Final[dict[int, "ctypes.Array[ctypes.c_char]"]] = {}
"""The programs by port; the kernel reads them through an address, so they must stay."""
