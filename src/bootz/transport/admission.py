"""The place of a connection at an acceptor, and the bounds on such places."""

import asyncio
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from bootz.transport.proxy_header import Announced

_TCP_INFO_BYTES: Final = 128
_BYTES_ACKED: Final = slice(120, 128)
"""Where ``tcpi_bytes_acked`` stands in Linux's ``struct tcp_info`` (include/uapi/linux/tcp.h)."""


class AcceptorLimits(Protocol):
    """The bounds that an acceptor keeps; times in seconds."""

    @property
    def max_connections(self) -> int:
        """Connections of all peers together."""

    @property
    def max_connections_per_address(self) -> int:
        """Connections of one peer."""

    @property
    def max_handshakes(self) -> int:
        """Connections between their handshake's begin and the end of their first call."""

    @property
    def max_waiting(self) -> int:
        """Connections that wait for one of these places."""

    @property
    def handshake_timeout(self) -> float:
        """The time a TLS handshake may take, from its first octet."""

    @property
    def idle_timeout(self) -> float:
        """The time until a peer begins to speak."""

    @property
    def goodbye_timeout(self) -> float:
        """The time in which a peer must answer a goodbye, or take something of what was sent."""

    @property
    def backlog(self) -> int:
        """Connections that the system keeps until they are accepted, if it may be so many."""


@dataclass(frozen=True, slots=True)
class RoomWanted:
    """Idle connections that should be closed, because others need their places.

    ``host``: of this address; None: of any. ``connections``: how many are needed, those included
    that are being closed already. ``idle_for``: seconds for which they have been idle.
    ``fruitless``: none that has ever asked for something.
    """

    host: str | None
    connections: int
    idle_for: float
    fruitless: bool


class Admission:
    """The place of one connection among those that are counted.

    Args:
        on_left: told when it is given back.
        on_served: told when others need not wait for it any more.
        on_asked: told when its peer has asked for something.
        on_answered: told when its peer was answered, and may come on one more connection; and
            whether that is for who answered it.
        announced: what a load balancer told of the peer.
    """

    def __init__(
        self,
        host: str,
        accepted: socket.socket,
        *,
        on_left: Callable[["Admission"], None],
        on_served: Callable[["Admission"], None],
        on_asked: Callable[["Admission"], None],
        on_answered: Callable[["Admission", bool], None],
        announced: Announced | None = None,
    ) -> None:
        self.host = host
        self.announced = announced
        self.transport: asyncio.Transport | None = None
        """None until the handshake is done."""
        self.fruitful = False
        """Whether the peer has asked for something."""
        self._accepted = accepted
        self._on_left: Callable[[Admission], None] | None = on_left
        self._on_served = on_served
        self._on_asked = on_asked
        self._on_answered = on_answered
        self._taken = -1
        self._quiet_since = 0.0

    def leave(self) -> None:
        """Give the place back; only the first call counts."""
        if self._on_left is not None:
            on_left, self._on_left = self._on_left, None
            on_left(self)

    def served(self) -> None:
        """Let others have their turn; may be told again and again."""
        self._on_served(self)

    def asked(self) -> None:
        """Say that the peer has asked for something; once is enough."""
        self.fruitful = True
        self._on_asked(self)

    def answered(self, *, to_be_followed: bool) -> None:
        """Say that the peer has what it came for.

        Args:
            to_be_followed: whether it comes back on another connection, about this answer.
        """
        self._on_answered(self, to_be_followed)

    def cut_if_silent(self, now: float, goodbye_timeout: float) -> None:
        """Cut a connection that was closed here, and whose peer no longer takes part in it."""
        if self.transport is None or not self.transport.is_closing():
            return
        taken = _acknowledged(self._accepted)
        if taken != self._taken:
            self._taken, self._quiet_since = taken, now
        elif now - self._quiet_since >= goodbye_timeout:
            self.transport.abort()


def _acknowledged(connection: socket.socket) -> int:
    """Return how many bytes the peer's system has acknowledged, 0 where ours does not tell."""
    try:
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    except (AttributeError, OSError):
        return 0
    return int.from_bytes(told[_BYTES_ACKED], sys.byteorder)
