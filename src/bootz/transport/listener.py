"""A gRPC listener that bounds what its peers cost and can be reloaded while it serves.

grpclib speaks gRPC on each connection; accepting, counting and TLS handshakes are ``acceptor``'s,
idle connections and draining are here, because grpclib leaves them to asyncio's defaults.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

import h2.config
from grpclib.config import Configuration
from grpclib.const import Cardinality
from grpclib.const import Handler as Method
from grpclib.events import _DispatchServerEvents
from grpclib.protocol import H2Protocol
from grpclib.protocol import Stream as H2Stream
from grpclib.server import Handler, Stream
from h2.settings import SettingCodes

from bootz.errors import PolicyError
from bootz.log import get_logger
from bootz.transport.acceptor import Acceptor, OnRefused
from bootz.transport.codec import BytesCodec
from bootz.transport.limits import ListenerLimits
from bootz.transport.status import grpc_error
from bootz.transport.turn import TurnTransport

_H2_CONFIG = h2.config.H2Configuration(
    client_side=False,
    header_encoding="ascii",
    validate_inbound_headers=False,
    validate_outbound_headers=False,
    normalize_inbound_headers=False,
    normalize_outbound_headers=False,
)

log = get_logger()


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
        super().connection_made(TurnTransport(cast("asyncio.Transport", transport)))
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
        before_handshake: awaited before each handshake, so that ``context`` can be brought up
            to date; must not fail.
    """

    def __init__(
        self,
        methods: Mapping[str, Method],
        *,
        limits: ListenerLimits,
        context: ssl.SSLContext | None,
        on_refused: OnRefused | None = None,
        before_handshake: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._methods = methods
        self._limits = limits
        self._dispatch = _DispatchServerEvents()
        self._connections: set[_Connection] = set()
        self._sweeper: asyncio.Task[None] | None = None
        self._acceptor = Acceptor(
            self._connection,
            limits=limits,
            context=context,
            on_refused=on_refused,
            before_handshake=before_handshake,
        )

    @property
    def context(self) -> ssl.SSLContext | None:
        """The TLS context of connections to come; assign another to reload."""
        return self._acceptor.context

    @context.setter
    def context(self, context: ssl.SSLContext | None) -> None:
        self._acceptor.context = context

    @property
    def connection_count(self) -> int:
        """Connections that are open or being accepted."""
        return self._acceptor.connection_count

    async def start(self, addresses: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
        """Listen; return the addresses with the ports that the system chose for 0.

        Raises:
            Unavailable: an address cannot be listened on; then none is.
        """
        bound = await self._acceptor.start(addresses)
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep())
        return bound

    async def drain(self, timeout: float) -> None:
        """Stop accepting, let running calls end for at most ``timeout`` seconds, then close."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        await self._acceptor.stop()
        await self._acceptor.finish(timeout, self._close_idle)

    def _close_idle(self) -> None:
        for connection in tuple(self._connections):
            if not connection.calls.active:
                connection.close()

    def _connection(self, release: Callable[[], None]) -> _Connection:
        def lost(connection: _Connection) -> None:
            self._connections.discard(connection)
            release()

        calls = _Calls(self._methods, self._dispatch)
        return _Connection(calls, self._limits, self._connections.add, lost)

    async def _sweep(self) -> None:
        interval = max(min(self._limits.idle_timeout / 4, 5.0), 0.05)
        while True:
            await asyncio.sleep(interval)
            oldest = time.monotonic() - self._limits.idle_timeout
            for connection in tuple(self._connections):
                if not connection.calls.active and connection.calls.last_progress < oldest:
                    connection.close()
