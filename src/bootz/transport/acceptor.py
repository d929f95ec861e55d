"""Accepts connections for any protocol, counted and shaken hands with, within bounds.

asyncio's own servers neither count connections per peer nor tell why a handshake failed.
"""

import asyncio
import contextvars
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from bootz.errors import Unavailable
from bootz.transport.tls import RefusedHandshake, refusal_sink

log = structlog.get_logger()

OnRefused = Callable[[str, RefusedHandshake], None]
"""Told the peer's address and why its handshake was refused."""

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
    def backlog(self) -> int:
        """Connections that the system keeps until they are accepted."""


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
        self._per_address: Counter[str] = Counter()
        self._accepting: set[asyncio.Task[None]] = set()
        self.changed = asyncio.Event()

    @property
    def connection_count(self) -> int:
        """Connections that are open or being accepted."""
        return sum(self._per_address.values())

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

    async def wait_empty(self, timeout: float) -> bool:
        """Wait until no connection is left, for at most ``timeout`` seconds."""
        try:
            async with asyncio.timeout(timeout):
                while self.connection_count:
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            return False
        return True

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
        self._per_address[host] += 1
        counted = True

        def release() -> None:
            nonlocal counted
            if counted:
                counted = False
                self._release(host)

        def ended(task: asyncio.Task[None]) -> None:
            self._accepting.discard(task)
            # Perhaps before it began, so that nothing in it could clean up.
            if task.cancelled():
                accepted.close()
                release()

        # Each handshake has its own context, in which its refusal is told.
        task = asyncio.get_running_loop().create_task(
            self._handshake(accepted, peer_address(host, port), release),
            context=contextvars.copy_context(),
        )
        self._accepting.add(task)
        task.add_done_callback(ended)

    async def _handshake(
        self, accepted: socket.socket, peer: str, release: Callable[[], None]
    ) -> None:
        refusals: list[RefusedHandshake] = []
        refusal_sink.set(refusals.append)
        timeout = None if self.context is None else self._limits.handshake_timeout
        try:
            if self._before_handshake is not None:
                await self._before_handshake()
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._factory(release),
                accepted,
                ssl=self.context,
                ssl_handshake_timeout=timeout,
            )
        except (OSError, EOFError) as error:
            accepted.close()
            release()
            if refusals and self._on_refused is not None:
                self._on_refused(peer, refusals[0])
            else:
                log.info("handshake-failed", peer=peer, error=type(error).__name__)

    def _release(self, host: str) -> None:
        self._per_address[host] -= 1
        if self._per_address[host] <= 0:
            del self._per_address[host]
        self.changed.set()
