"""A router's discovery in its namespace, and everything that passed on its wire."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from bootz.device.discovery import DhcpSource, DiscoveryOptions
from bootz.device.lease_client import Timing
from bootz.device.source import DiscoveryAccount
from bootz.errors import BootzError
from bootz.lab.namespaces import ROUTER_INTERFACE, Namespace
from bootz.protocol.dhcp_offer import Family
from bootz.wire.frames import decode_frame
from bootz.wire.uri import BootzUri

SERIAL = "FOC12345678"
CLIENT_ID = "00464f433132333435363738"
DUID = "00:02:00:00:00:09:46:4f:43:31:32:33:34:35:36:37:38"

_T = TypeVar("_T")


@dataclass
class Told:
    """What one discovery brought."""

    uris: tuple[BootzUri, ...] = ()
    account: DiscoveryAccount | None = None
    error: BootzError | None = None
    events: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    def named(self, name: str) -> list[Mapping[str, object]]:
        return [fields for event, fields in self.events if event == name]


def quick(**changes: Any) -> Timing:
    """Few tries, each with time enough: silence is told soon, and a slow machine is not silence."""
    times: dict[str, Any] = {"discover": (5, 5), "solicit": (5, 5), "offer_wait": 0.3}
    return Timing(**(times | changes))


def discover(
    router: Namespace,
    *families: Family,
    serial: str = SERIAL,
    during: Callable[[DhcpSource, Told], Awaitable[None]] | None = None,
    timing: Timing | None = None,
    **changes: Any,
) -> Told:
    """Discover once in a router's namespace; ``during`` runs while the lease is held."""

    async def story() -> Told:
        told = Told()
        source = DhcpSource(
            ROUTER_INTERFACE,
            serial_number=serial,
            vendor="Cisco",
            platform="8808",
            options=DiscoveryOptions(
                families=families or tuple(Family), timing=timing or quick(), **changes
            ),
            clock=lambda: datetime.now(UTC),
            notify=lambda name, fields: told.events.append((name, fields)),
        )
        try:
            told.uris = tuple(await source.discover())
            if during is not None:
                await asyncio.wait_for(during(source, told), 60)
        except BootzError as error:
            told.error = error
        finally:
            told.account = source.account
            await source.release()
            await source.close()
        return told

    return router.call_inside(lambda: asyncio.run(story()))


@contextmanager
def captured(router: Namespace) -> Iterator[list[bytes]]:
    """Collect every frame that the router's port hears and says."""
    frames: list[bytes] = []

    def open_socket() -> socket.socket:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        opened.bind((ROUTER_INTERFACE, 3))
        opened.settimeout(0.05)
        return opened

    hearing = router.call_inside(open_socket)
    ended = threading.Event()

    def hear() -> None:
        while True:
            try:
                frames.append(hearing.recv(65536))
            except TimeoutError:
                # Only once nothing has come any more.
                if ended.is_set():
                    return
            except OSError:
                # The port is set up while we listen.
                continue

    thread = threading.Thread(target=hear)
    thread.start()
    try:
        yield frames
    finally:
        ended.set()
        thread.join()
        hearing.close()


def payloads4(frames: list[bytes], source_port: int = 67) -> list[bytes]:
    """Return the DHCPv4 messages from a port."""
    decoded = [decode_frame(frame) for frame in frames]
    return [frame.payload for frame in decoded if frame and frame.source_port == source_port]


def payloads6(frames: list[bytes], source_port: int = 547) -> list[bytes]:
    """Return the DHCPv6 messages from a port."""
    return [
        frame[62:]
        for frame in frames
        if frame[12:14] == b"\x86\xdd"
        and frame[20] == 17
        and frame[54:56] == source_port.to_bytes(2, "big")
    ]
