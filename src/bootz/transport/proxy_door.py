"""Reads the header of the PROXY protocol from connections of load balancers, before anything else.

A connection costs a descriptor and its header until that is whole. What has no valid header, or
not in time, ends with one line in the log, and is counted.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from bootz.errors import WireError
from bootz.log import get_logger
from bootz.transport.binding import peer_address
from bootz.transport.pressure import LoadCounts, PeerLines
from bootz.transport.proxy_header import (
    HEAD_BYTES,
    SIGNATURE,
    Announced,
    check_begin,
    looks_like_header,
    parse_header,
    rest_length,
)

log = get_logger()

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_AGAIN: Final = (BlockingIOError, InterruptedError)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A connection that has come: its peer, and since when (the event loop's seconds).

    ``announced`` is what a load balancer told; then host and port are of the router behind it.
    """

    host: str
    port: int
    since: float
    announced: Announced | None = None


@dataclass(slots=True, eq=False)
class _Coming:
    accepted: socket.socket = field(repr=False)
    arrival: Arrival
    header: bytes = b""
    wanted: int = HEAD_BYTES


class ProxyDoor:
    """Where connections of load balancers say whom they serve.

    Args:
        trusted: the addresses from which a header is demanded, and believed; from all others one
            is refused.
        counts: takes what is refused.
        lines: tells what may be told of it.
        on_arrived: told each connection whose header is read.
    """

    def __init__(
        self,
        trusted: Collection[Network],
        counts: LoadCounts,
        lines: PeerLines,
        on_arrived: Callable[[socket.socket, Arrival], None],
    ) -> None:
        self._trusted = tuple(trusted)
        self._counts = counts
        self._lines = lines
        self._on_arrived = on_arrived
        self._coming: dict[int, _Coming] = {}

    def __len__(self) -> int:
        return len(self._coming)

    def take(self, accepted: socket.socket, arrival: Arrival) -> None:
        """Take a connection that was accepted: at once, or when its header is there."""
        if not self._demands(arrival.host):
            self._on_arrived(accepted, arrival)
            return
        coming = _Coming(accepted, arrival)
        self._coming[accepted.fileno()] = coming
        asyncio.get_running_loop().add_reader(accepted, self._read, coming)

    def refuses(self, accepted: socket.socket, host: str, port: int) -> bool:
        """Close a connection that begins with a header which is not believed, and tell so."""
        try:
            begin = accepted.recv(len(SIGNATURE), socket.MSG_PEEK)
        except OSError:
            return False
        if not looks_like_header(begin):
            return False
        error = WireError(
            "proxy-header-unexpected",
            "a header from an address that is not named, or a second one",
            where="PROXY protocol",
        )
        self._refuse(accepted, peer_address(host, port), error)
        return True

    def end_late(self, before: float) -> None:
        """End those that came before a time, and still have no header."""
        for coming in tuple(self._coming.values()):
            if coming.arrival.since > before:
                break
            self._end(
                coming,
                WireError(
                    "proxy-header-missing", "it did not come in time", where="PROXY protocol"
                ),
            )

    def close(self) -> None:
        """End all that come."""
        for coming in tuple(self._coming.values()):
            self._forget(coming)
            coming.accepted.close()

    def _demands(self, host: str) -> bool:
        if not self._trusted:
            return False
        address = ipaddress.ip_address(host.partition("%")[0])
        return any(address in network for network in self._trusted)

    def _read(self, coming: _Coming) -> None:
        """Take no byte beyond the header: what follows is for TLS."""
        try:
            while len(coming.header) < coming.wanted:
                more = coming.accepted.recv(coming.wanted - len(coming.header))
                if not more:
                    self._end(coming, _cut(coming))
                    return
                coming.header += more
                check_begin(coming.header)
                if len(coming.header) == HEAD_BYTES:
                    coming.wanted += rest_length(coming.header)
            announced = parse_header(coming.header)
        except _AGAIN:
            return
        except WireError as error:
            self._end(coming, error)
            return
        except OSError:
            self._end(coming, _cut(coming))
            return
        self._forget(coming)
        arrival = coming.arrival
        if announced is not None:
            arrival = Arrival(*announced.source, arrival.since, announced)
        self._on_arrived(coming.accepted, arrival)

    def _end(self, coming: _Coming, error: WireError) -> None:
        self._forget(coming)
        self._refuse(coming.accepted, peer_address(coming.arrival.host, coming.arrival.port), error)

    def _refuse(self, accepted: socket.socket, peer: str, error: WireError) -> None:
        accepted.close()
        self._counts.proxy_headers_refused += 1
        if not self._lines.may_tell("proxy-header-refused"):
            return
        log.warning(
            "proxy-header-refused",
            peer=peer,
            reason=error.reason,
            detail=error.detail,
            expected=error.expected or None,
            seen=error.seen or None,
        )

    def _forget(self, coming: _Coming) -> None:
        asyncio.get_running_loop().remove_reader(coming.accepted)
        del self._coming[coming.accepted.fileno()]


def _cut(coming: _Coming) -> WireError:
    if not coming.header:
        return WireError(
            "proxy-header-missing", "the peer left without one", where="PROXY protocol"
        )
    return WireError(
        "proxy-header-invalid",
        "it is cut",
        where="PROXY protocol",
        expected=f"{coming.wanted} bytes",
        seen=f"{len(coming.header)} bytes",
    )
