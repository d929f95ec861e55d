"""The sockets of a lab's DHCP server: on named interfaces, and on no other.

Source: docs/protocol/dhcp.md#the-labs-server; docs/protocol/dhcp.md#sockets.
"""

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

from bootz.dhcp.lab4 import Lab4
from bootz.dhcp.lab6 import Lab6
from bootz.dhcp.lab_faults import DELAY_S, Misbehaviour
from bootz.dhcp.lab_server import LabServer
from bootz.errors import ConfigError, Unavailable, WireError
from bootz.protocol.dhcp4_client import SERVER_PORT as PORT4
from bootz.protocol.dhcp6_client import ALL_SERVERS
from bootz.protocol.dhcp6_client import CLIENT_PORT as CLIENT6
from bootz.protocol.dhcp6_client import SERVER_PORT as PORT6
from bootz.protocol.dhcp_offer import Family
from bootz.transport.dhcp_ports import interface_mac
from bootz.transport.netlink import interface_addresses
from bootz.wire.dhcp4 import decode_message4
from bootz.wire.dhcp6 import decode_message6
from bootz.wire.dhcp_identity import duid_ll

BURST: Final = 64
"""Messages that are answered before others of the loop get their turn."""

MAX_LATE: Final = 256
"""Answers that wait, with the fault ``delay``; what comes beyond is dropped."""

_ALL_RELAYED_SERVERS: Final = IPv6Address("ff05::1:3")


@contextmanager
def listening(lab: LabServer, interfaces: Sequence[str]) -> Iterator[None]:
    """Serve until the block ends; must be entered in a running loop.

    Raises:
        Unavailable: ``dhcp-interface``: there is none of that name, or it is not allowed.
    """
    if not interfaces:
        raise ConfigError(
            "usage", "give the interfaces to serve: none is served by default", where="DHCP"
        )
    with ExitStack() as opened:
        for interface in interfaces:
            if Family.IPV4 in lab.options.families:
                opened.enter_context(_serving4(lab, interface))
            if Family.IPV6 in lab.options.families:
                opened.enter_context(_serving6(lab, interface))
        yield


@contextmanager
def _serving4(lab: LabServer, interface: str) -> Iterator[None]:
    address = _own_address(interface)
    server = Lab4(lab, interface, address)
    with _socket(interface, socket.AF_INET) as opened:
        _bind(opened, interface, ("0.0.0.0", PORT4))  # noqa: S104 -- bound to one interface
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)

        def read() -> None:
            data, _ = opened.recvfrom(1 << 16)
            answer = server.answer(decode_message4(data))
            if answer is not None:
                send(answer.data, (str(answer.address), answer.port))

        with _sending(lab, opened) as send, _reading(opened, read):
            yield


@contextmanager
def _serving6(lab: LabServer, interface: str) -> Iterator[None]:
    server = Lab6(lab, interface, duid_ll(interface_mac(interface)))
    with _socket(interface, socket.AF_INET6) as opened:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        index = socket.if_nametoindex(interface)
        _bind(opened, interface, ("::", PORT6))
        for group in (ALL_SERVERS, _ALL_RELAYED_SERVERS):
            member = group.packed + struct.pack("@I", index)
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)

        def read() -> None:
            data, sender = opened.recvfrom(1 << 16)
            source = IPv6Address(str(sender[0]).partition("%")[0])
            envelopes, message = decode_message6(data)
            answer = server.answer(envelopes, message, source)
            if answer is not None:
                port = PORT6 if envelopes else CLIENT6
                scope = index if source.is_link_local else 0
                send(answer, (str(source), port, 0, scope))

        with _sending(lab, opened) as send, _reading(opened, read):
            yield


@contextmanager
def _sending(lab: LabServer, opened: socket.socket) -> Iterator[Callable[[bytes, Any], None]]:
    """Give the way out: at once, or late on request."""

    def send_now(data: bytes, target: Any) -> None:
        opened.sendto(data, target)

    if lab.options.fault != Misbehaviour.DELAY.value:
        yield send_now
        return
    late: deque[asyncio.TimerHandle] = deque()
    loop = asyncio.get_running_loop()

    def deliver(data: bytes, target: Any) -> None:
        late.popleft()
        with contextlib.suppress(OSError):
            opened.sendto(data, target)

    def send(data: bytes, target: Any) -> None:
        if len(late) < MAX_LATE:
            late.append(loop.call_later(DELAY_S, deliver, data, target))

    try:
        yield send
    finally:
        for handle in late:
            handle.cancel()


@contextmanager
def _socket(interface: str, family: socket.AddressFamily) -> Iterator[socket.socket]:
    try:
        opened = socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error:
        raise _refused(interface, error) from error
    with opened:
        yield opened


def _bind(opened: socket.socket, interface: str, address: tuple[str, int]) -> None:
    try:
        socket.if_nametoindex(interface)
        name = interface.encode() + b"\0"
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name)
        opened.bind(address)
        opened.setblocking(False)
    except OSError as error:
        raise _refused(interface, error) from error


@contextmanager
def _reading(opened: socket.socket, read: Callable[[], None]) -> Iterator[None]:
    def readable() -> None:
        # Broken messages and links that went down cost nothing but the turn.
        with contextlib.suppress(BlockingIOError):
            for _ in range(BURST):
                try:
                    read()
                except (WireError, ConfigError):
                    continue
                except BlockingIOError:
                    raise
                except OSError:
                    return

    loop = asyncio.get_running_loop()
    loop.add_reader(opened.fileno(), readable)
    try:
        yield
    finally:
        loop.remove_reader(opened.fileno())


def _own_address(interface: str) -> IPv4Address:
    try:
        index = socket.if_nametoindex(interface)
        own = [a for a in interface_addresses(index) if isinstance(a, IPv4Address)]
    except OSError as error:
        raise _refused(interface, error) from error
    if not own:
        raise Unavailable("dhcp-interface", "it has no IPv4 address to serve from", where=interface)
    return own[0]


def _refused(interface: str, error: OSError) -> Unavailable:
    return Unavailable("dhcp-interface", error.strerror or str(error), where=interface)
