"""Accepts connections for any protocol, counted and shaken hands with, within bounds.

asyncio's own servers neither count connections per peer nor tell why a handshake failed.
"""

import asyncio
import contextvars
import socket
import ssl
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from bootz.errors import Unavailable
from bootz.log import get_logger
from bootz.transport.tls import RefusedHandshake, refusal_sink

log = get_logger()

OnRefused = Callable[[str, RefusedHandshake], None]
"""Told the peer's address and why its handshake was refused."""

_TCP_INFO_BYTES: Final = 128
_BYTES_ACKED: Final = slice(120, 128)
"""Where ``tcpi_bytes_acked`` stands in Linux's ``struct tcp_info`` (include/uapi/linux/tcp.h)."""

_LOOK_S: Final = 0.1
"""Seconds between two looks at the connections that are to end."""

ProtocolFactory = Callable[[Callable[[], None]], asyncio.Protocol]
"""Makes the protocol of one connection, which calls its argument when the connection is lost."""


def peer_address(host: str, port: int) -> str:
    """Return host and port as one text, IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class AcceptorLimits(Protocol):
    """The bounds that an acceptor keeps; times in seconds."""

    @property
    def max_connections(self) -> int:
        """Connections of all peers together."""

    @property
    def max_connections_per_address(self) -> int:
        """Connections of one peer."""

    @property
    def handshake_timeout(self) -> float:
        """The time a TLS handshake may take."""

    @property
    def goodbye_timeout(self) -> float:
        """The time in which a peer must answer a goodbye, or take something of what was sent."""

    @property
    def backlog(self) -> int:
        """Connections that the system keeps until they are accepted."""


class _Place:
    """The place of one connection among those that are counted."""

    def __init__(
        self, host: str, accepted: socket.socket, on_left: Callable[["_Place"], None]
    ) -> None:
        self.host = host
        self.transport: asyncio.Transport | None = None
        """None until the handshake is done."""
        self._accepted = accepted
        self._on_left: Callable[[_Place], None] | None = on_left
        self._taken = -1
        self._quiet_since = 0.0

    def leave(self) -> None:
        """Give the place back; only the first call counts."""
        if self._on_left is not None:
            on_left, self._on_left = self._on_left, None
            on_left(self)

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


class Acceptor:
    """Listens and gives each connection a protocol.

    Args:
        factory: makes the protocol of a connection.
        limits: bounds for each peer and all together.
        context: the TLS context of connections to come; assign another to reload. None: no TLS.
        on_refused: told of handshakes that failed for the peer's certificate or protocol.
        before_handshake: awaited before each handshake, so that ``context`` can be brought up
            to date; must not fail.
    """

    def __init__(
        self,
        factory: ProtocolFactory,
        *,
        limits: AcceptorLimits,
        context: ssl.SSLContext | None,
        on_refused: OnRefused | None = None,
        before_handshake: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.context = context
        self._factory = factory
        self._limits = limits
        self._on_refused = on_refused
        self._before_handshake = before_handshake
        self._sockets: list[socket.socket] = []
        self._places: set[_Place] = set()
        self._per_address: Counter[str] = Counter()
        self._accepting: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    @property
    def connection_count(self) -> int:
        """Connections that are open or being accepted."""
        return len(self._places)

    async def start(self, addresses: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
        """Listen; return the addresses with the ports that the system chose for 0.

        Raises:
            Unavailable: an address cannot be listened on; then none is.
        """
        loop = asyncio.get_running_loop()
        bound: list[tuple[str, int]] = []
        where = ""
        try:
            for host, port in addresses:
                where = peer_address(host, port)
                found = await loop.getaddrinfo(
                    host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
                )
                family, kind, protocol, _, address = found[0]
                listening = socket.socket(family, kind, protocol)
                self._sockets.append(listening)
                listening.setblocking(False)
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listening.bind(address)
                listening.listen(self._limits.backlog)
                bound.append((host, listening.getsockname()[1]))
        except OSError as error:
            self._close_sockets()
            raise Unavailable(
                "listen-failed", f"cannot listen: {error.strerror or error}", where=where
            ) from error
        for listening in self._sockets:
            loop.add_reader(listening, self._accept_some, listening)
        return tuple(bound)

    async def stop(self) -> None:
        """Stop accepting and give up handshakes; connections that are made stay."""
        loop = asyncio.get_running_loop()
        for listening in self._sockets:
            loop.remove_reader(listening)
        self._close_sockets()
        for task in tuple(self._accepting):
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)

    async def finish(self, timeout: float, close_idle: Callable[[], None] = lambda: None) -> None:
        """Wait until every connection is gone, for at most ``timeout`` seconds, then cut the rest.

        ``close_idle`` is called again and again, to close what has nothing left to do. A connection
        that is closed, but whose peer neither answers nor takes what was sent, is cut early.
        """
        loop = asyncio.get_running_loop()
        give_up = loop.time() + timeout
        while self._places and (now := loop.time()) < give_up:
            close_idle()
            for place in tuple(self._places):
                place.cut_if_silent(now, self._limits.goodbye_timeout)
            await self._wait_empty(min(give_up - now, _LOOK_S))
        for place in tuple(self._places):
            if place.transport is not None:
                place.transport.abort()
        await self._wait_empty(_LOOK_S)

    async def _wait_empty(self, timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                while self._places:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass

    def _close_sockets(self) -> None:
        for listening in self._sockets:
            listening.close()
        self._sockets.clear()

    def _accept_some(self, listening: socket.socket) -> None:
        for _ in range(64):
            try:
                accepted, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # out of descriptors: leave the rest in the backlog
                log.warning("accept-failed", error=error.strerror)
                return
            self._take(accepted, str(address[0]), int(address[1]))

    def _take(self, accepted: socket.socket, host: str, port: int) -> None:
        full = self.connection_count >= self._limits.max_connections
        if full or self._per_address[host] >= self._limits.max_connections_per_address:
            accepted.close()
            log.warning("connection-refused", peer=host, reason="too many connections")
            return
        accepted.setblocking(False)
        place = _Place(host, accepted, self._left)
        self._places.add(place)
        self._per_address[host] += 1

        def ended(task: asyncio.Task[None]) -> None:
            self._accepting.discard(task)
            # Perhaps before it began, so that nothing in it could clean up.
            if task.cancelled():
                accepted.close()
                place.leave()

        # Each handshake has its own context, in which its refusal is told.
        task = asyncio.get_running_loop().create_task(
            self._handshake(accepted, peer_address(host, port), place),
            context=contextvars.copy_context(),
        )
        self._accepting.add(task)
        task.add_done_callback(ended)

    async def _handshake(self, accepted: socket.socket, peer: str, place: _Place) -> None:
        refusals: list[RefusedHandshake] = []
        refusal_sink.set(refusals.append)
        timeout = None if self.context is None else self._limits.handshake_timeout
        try:
            if self._before_handshake is not None:
                await self._before_handshake()
            place.transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._factory(place.leave),
                accepted,
                ssl=self.context,
                ssl_handshake_timeout=timeout,
            )
        except (OSError, EOFError) as error:
            accepted.close()
            place.leave()
            if refusals and self._on_refused is not None:
                self._on_refused(peer, refusals[0])
            else:
                log.info("handshake-failed", peer=peer, error=type(error).__name__)

    def _left(self, place: _Place) -> None:
        self._places.discard(place)
        self._per_address[place.host] -= 1
        if self._per_address[place.host] <= 0:
            del self._per_address[place.host]
        self._changed.set()
