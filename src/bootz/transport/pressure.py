"""What a listener tells of its load and of its peers: a counter for each kind, and a line when it
begins; of many peers that fare alike, a few lines and their number.
"""

import math
import socket
import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bootz.log import get_logger

log = get_logger()

LONG_WAIT_S: Final = 1.0
"""A wait that is told."""

_TELL_AGAIN_S: Final = 60.0
"""Seconds between two lines about connections that are read more slowly, or make room."""

_TOLD_AT_ONCE: Final = 4
"""Lines about peers that fare alike, between two looks: beyond it the log would cost more than
those peers did."""

_SOMAXCONN: Final = Path("/proc/sys/net/core/somaxconn")
_ENOUGH_BACKLOG: Final = 4096
"""Linux's own default since 5.4."""

_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("9I")
"""``enum sk_meminfo`` of Linux (include/uapi/linux/sock_diag.h); the last one counts drops."""


@dataclass(slots=True)
class LoadCounts:
    """What has happened since the start."""

    bounds_met: int = 0
    """Times that a bound of ``limits`` was met, and connections began to wait for it."""
    long_waits: int = 0
    """Connections that waited for longer than a second."""
    longest_wait: float = 0.0
    """Seconds."""
    queue_overflows: int = 0
    """Connections that the kernel could not keep until they were accepted."""
    handshakes_done: int = 0
    handshakes_refused: int = 0
    """For the certificate or protocol of the peer."""
    handshakes_failed: int = 0
    """Lost, silent or too slow."""
    turned_away: int = 0
    """Connections of an address of which too many waited already."""
    fruitless: int = 0
    """Connections that ended without a call, their handshake done or not."""
    made_room: int = 0
    """Idle connections that were closed because others needed their places."""
    slowed: int = 0
    """Times that a connection was read more slowly, as its frames cost more than they moved."""
    proxy_headers_refused: int = 0
    """Connections with a header of the PROXY protocol that was not accepted, or without one."""


class PeerLines:
    """Says what became of a peer, and of many only how many they were."""

    def __init__(self) -> None:
        self._told: Counter[str] = Counter()

    def may_tell(self, event: str) -> bool:
        """Tell whether one more line may be written of an event; if not, it is counted."""
        self._told[event] += 1
        return self._told[event] <= _TOLD_AT_ONCE

    def look(self) -> None:
        """Say how many lines were left out since the last look; about ten times a second."""
        for event, lines in self._told.items():
            if lines > _TOLD_AT_ONCE:
                log.info("lines-left-out", of=event, lines=lines - _TOLD_AT_ONCE)
        self._told.clear()


class SlowedPeers:
    """Counts connections that are read more slowly, and says so once a minute."""

    def __init__(self, counts: LoadCounts) -> None:
        self._counts = counts
        self._told_at = -math.inf

    def slowed(self, peer: str, now: float) -> None:
        """A connection is read more slowly; ``now`` is seconds on a clock that only rises."""
        self._counts.slowed += 1
        if now - self._told_at >= _TELL_AGAIN_S:
            self._told_at = now
            log.warning("connection-slowed", peer=peer, times_ever=self._counts.slowed)


class Pressure:
    """Counts, and says each thing once until it is over.

    Args:
        counts: what is counted.
    """

    def __init__(self, counts: LoadCounts) -> None:
        self._counts = counts
        self._bounds: set[str] = set()
        self._long = False
        self._long_before = 0
        self._drops: dict[int, int] = {}
        self._room_told_at = self._failure_told_at = -math.inf

    def met(self, bound: str, *, waiting: int, host: str | None = None) -> None:
        """A bound of ``limits`` was met, by one address or by all together."""
        if bound not in self._bounds:
            self._bounds.add(bound)
            self._counts.bounds_met += 1
            log.warning("connection-bound-met", bound=bound, peer=host, waiting=waiting)

    def made_room(self, connections: int, now: float) -> None:
        """So many idle ones were closed; ``now`` is seconds on a clock that only rises."""
        self._counts.made_room += connections
        if connections and now - self._room_told_at >= _TELL_AGAIN_S:
            self._room_told_at = now
            log.warning("connections-make-room", times_ever=self._counts.made_room)

    def cannot_accept(self, error: OSError, now: float) -> None:
        """No descriptor was free for one; ``now`` as of ``made_room``."""
        if now - self._failure_told_at >= _TELL_AGAIN_S:
            self._failure_told_at = now
            log.warning("accept-failed", error=error.strerror)

    def waits(self, seconds: float, *, waiting: int) -> None:
        """The one that has waited longest has waited so long."""
        if seconds > LONG_WAIT_S and not self._long:
            self._long = True
            self._long_before = self._counts.long_waits
            log.warning("connections-wait", waiting=waiting, seconds=round(seconds, 1))

    def begins(self, waited: float) -> None:
        """A connection has waited so many seconds, and is served now."""
        if waited > LONG_WAIT_S:
            self._counts.long_waits += 1
            self._counts.longest_wait = max(self._counts.longest_wait, waited)

    def over(self) -> None:
        """None waits any more."""
        self._bounds.clear()
        if self._long:
            self._long = False
            log.info(
                "connections-waited",
                connections=self._counts.long_waits - self._long_before,
                longest_ever_seconds=round(self._counts.longest_wait, 1),
            )

    def look_at_queues(self, listening: Iterable[socket.socket]) -> None:
        """Find out whether the kernel has dropped connections that were to be accepted."""
        for each in listening:
            dropped = _dropped(each)
            before = self._drops.get(each.fileno(), 0)
            self._drops[each.fileno()] = dropped
            if dropped > before:
                self._counts.queue_overflows += dropped - before
                log.warning("listen-queue-overflow", dropped=dropped - before)


def backlog(wanted: int) -> int:
    """Return how many connections the kernel may keep for a listener; say where that is few."""
    try:
        most = int(_SOMAXCONN.read_text())
    except (OSError, ValueError):
        return wanted
    if most < min(wanted, _ENOUGH_BACKLOG):
        log.warning(
            "listen-queue-small",
            connections=most,
            detail=f"a burst of routers needs more: sysctl -w net.core.somaxconn={_ENOUGH_BACKLOG}",
        )
    return min(wanted, most)


def _dropped(listening: socket.socket) -> int:
    try:
        told = listening.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
    except OSError:
        return 0
    return int(_MEMINFO.unpack(told)[-1]) if len(told) == _MEMINFO.size else 0
