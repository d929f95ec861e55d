"""A gRPC listener that bounds what its peers cost and can be reloaded while it serves.

grpclib speaks gRPC on each connection; accepting, counting, TLS handshakes, idle connections
and draining are here, because grpclib leaves them to asyncio's defaults.
"""

import asyncio
import contextvars
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import h2.config
import structlog
from grpclib.config import Configuration
from grpclib.const import Cardinality
from grpclib.const import Handler as Method
from grpclib.events import _DispatchServerEvents
from grpclib.protocol import H2Protocol
from grpclib.protocol import Stream as H2Stream
from grpclib.server import Handler, Stream
from h2.settings import SettingCodes

from bootz.errors import PolicyError, Unavailable
from bootz.transport.codec import BytesCodec
from bootz.transport.limits import ListenerLimits
from bootz.transport.status import grpc_error
from bootz.transport.tls import RefusedHandshake, refusal_sink

_H2_CONFIG = h2.config.H2Configuration(
    client_side=False,
    header_encoding="ascii",
    validate_inbound_headers=False,
    validate_outbound_headers=False,
    normalize_inbound_headers=False,
    normalize_outbound_headers=False,
)

log = structlog.get_logger()

OnRefused = Callable[[str, RefusedHandshake], None]
"""Told the peer's address and why its handshake was refused."""


async def _unknown_method(stream: Stream[Any, Any]) -> None:
    raise grpc_error(PolicyError("method-unknown", "there is no such method"))


_UNKNOWN_METHOD = Method(_unknown_method, Cardinality.UNARY_UNARY, bytes, bytes)


class _Methods(dict[str, Method]):
    """The method table, with an answer for every path.

    grpclib refuses an unknown path without a content type, which other clients take for a
    broken server instead of an unknown method.
    """

    def get(self, key: str, default: Any = None) -> Any:
        """Return the row of a path, or the one that says that there is none."""
        return super().get(key, default or _UNKNOWN_METHOD)


class _Calls(Handler):
    """The calls of one connection; knows how many run and when the last one ended."""

    active = 0

    def __init__(self, methods: Mapping[str, Method], dispatch: _DispatchServerEvents) -> None:
        super().__init__(_Methods(methods), BytesCodec(), None, dispatch)
        self.last_progress = time.monotonic()

    def accept(
        self, stream: H2Stream, headers: list[tuple[str, str]], release_stream: Callable[[], Any]
    ) -> None:
        """Start a call; its end is progress, bytes that dribble in are not."""
        self.active += 1

        def released() -> None:
            self.active -= 1
            self.last_progress = time.monotonic()
            release_stream()

        super().accept(stream, headers, released)


class _Connection(H2Protocol):
    """One connection of a listener."""

    def __init__(
        self,
        calls: _Calls,
        limits: ListenerLimits,
        on_made: Callable[["_Connection"], None],
        on_lost: Callable[["_Connection"], None],
    ) -> None:
        window = max(limits.max_message_bytes + 65536, 65535)
        config = Configuration(
            http2_connection_window_size=2 * window, http2_stream_window_size=window
        ).__for_server__()
        super().__init__(calls, config, _H2_CONFIG)
        self.calls = calls
        self._limits = limits
        self._on_made = on_made
        self._on_lost = on_lost

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin HTTP/2 with a bound on concurrent calls."""
        super().connection_made(transport)
        h2_connection = self.connection._connection  # noqa: SLF001
        h2_connection.update_settings(
            {SettingCodes.MAX_CONCURRENT_STREAMS: self._limits.max_streams_per_connection}
        )
        self.connection.flush()
        self._on_made(self)

    def data_received(self, data: bytes) -> None:
        """Feed bytes; whatever a broken peer provokes below ends its own connection only."""
        try:
            super().data_received(data)
        except Exception as error:
            log.info("connection-broken", error=type(error).__name__)
            self.processor.close("Protocol error")

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        self._on_lost(self)

    def close(self) -> None:
        """Close it from this side."""
        self.connection.close()


class GrpcListener:
    """Serves a table of gRPC methods on any number of addresses.

    Args:
        methods: path of a method to grpclib's handler row.
        limits: bounds for each peer and all together.
        context: the TLS context of connections to come; assign another to reload.
        on_refused: told of handshakes that failed for the peer's certificate or protocol.
    """

    def __init__(
        self,
        methods: Mapping[str, Method],
        *,
        limits: ListenerLimits,
        context: ssl.SSLContext | None,
        on_refused: OnRefused | None = None,
    ) -> None:
        self.context = context
        self._methods = methods
        self._limits = limits
        self._on_refused = on_refused
        self._dispatch = _DispatchServerEvents()
        self._sockets: list[socket.socket] = []
        self._per_address: Counter[str] = Counter()
        self._connections: set[_Connection] = set()
        self._accepting: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    async def start(self, addresses: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
        """Listen; return the addresses with the ports that the system chose for 0.

        Raises:
            Unavailable: an address cannot be listened on; then none is.
        """
        loop = asyncio.get_running_loop()
        bound: list[tuple[str, int]] = []
        try:
            for host, port in addresses:
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
                "listen-failed",
                f"cannot listen: {error.strerror or error}",
                where=f"{host}:{port}",
            ) from error
        for listening in self._sockets:
            loop.add_reader(listening, self._accept_some, listening)
        self._sweeper = loop.create_task(self._sweep())
        return tuple(bound)

    def _accept_some(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(64):
            try:
                accepted, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # out of descriptors: leave the rest in the backlog
                log.warning("accept-failed", error=error.strerror)
                return
            host = str(address[0])
            full = sum(self._per_address.values()) >= self._limits.max_connections
            if full or self._per_address[host] >= self._limits.max_connections_per_address:
                accepted.close()
                log.warning("connection-refused", peer=host, reason="too many connections")
                continue
            accepted.setblocking(False)
            self._per_address[host] += 1
            task = loop.create_task(
                self._handshake(accepted, host, f"{host}:{address[1]}"),
                context=contextvars.copy_context(),
            )
            self._accepting.add(task)
            task.add_done_callback(self._accepting.discard)

    async def _handshake(self, accepted: socket.socket, host: str, peer: str) -> None:
        refusals: list[RefusedHandshake] = []
        refusal_sink.set(refusals.append)
        loop = asyncio.get_running_loop()
        made: list[_Connection] = []

        def lost(connection: _Connection) -> None:
            self._connections.discard(connection)
            self._release(host)

        def on_made(connection: _Connection) -> None:
            made.append(connection)
            self._connections.add(connection)

        def factory() -> _Connection:
            calls = _Calls(self._methods, self._dispatch)
            return _Connection(calls, self._limits, on_made, lost)

        timeout = None if self.context is None else self._limits.handshake_timeout
        try:
            await loop.connect_accepted_socket(
                factory, accepted, ssl=self.context, ssl_handshake_timeout=timeout
            )
        except (OSError, ssl.SSLError, EOFError) as error:
            accepted.close()
            if refusals and self._on_refused is not None:
                self._on_refused(peer, refusals[0])
            else:
                log.info("handshake-failed", peer=peer, error=type(error).__name__)
        finally:
            if not made:
                self._release(host)

    def _release(self, host: str) -> None:
        self._per_address[host] -= 1
        if self._per_address[host] <= 0:
            del self._per_address[host]
        self._changed.set()

    async def _sweep(self) -> None:
        interval = max(min(self._limits.idle_timeout / 4, 5.0), 0.05)
        while True:
            await asyncio.sleep(interval)
            oldest = time.monotonic() - self._limits.idle_timeout
            for connection in tuple(self._connections):
                if not connection.calls.active and connection.calls.last_progress < oldest:
                    connection.close()

    @property
    def connection_count(self) -> int:
        """Connections that are open or being accepted."""
        return sum(self._per_address.values())

    def _close_sockets(self) -> None:
        for listening in self._sockets:
            listening.close()
        self._sockets.clear()

    async def drain(self, timeout: float) -> None:
        """Stop accepting, let running calls end for at most ``timeout`` seconds, then close."""
        loop = asyncio.get_running_loop()
        for listening in self._sockets:
            loop.remove_reader(listening)
        self._close_sockets()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for task in tuple(self._accepting):
            task.cancel()
        give_up = loop.time() + timeout
        while self._connections:
            for connection in tuple(self._connections):
                if not connection.calls.active:
                    connection.close()
            remaining = give_up - loop.time()
            if not self._connections or remaining <= 0:
                break
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), min(remaining, 0.1))
            except TimeoutError:
                continue
        for connection in tuple(self._connections):
            connection.close()
        await asyncio.gather(*self._accepting, return_exceptions=True)
