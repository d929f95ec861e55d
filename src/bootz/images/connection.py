"""One HTTP connection of the image server; gone when its time is over, whatever its peer does."""

import asyncio
import socket
from collections.abc import Callable

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bootz.images.limits import ImageLimits
from bootz.log import get_logger
from bootz.transport.binding import peer_address
from bootz.transport.http_connection import HttpConnection
from bootz.transport.proxy_header import Announced

log = get_logger()


class ImageConnection(HttpConnection):
    """An HTTP connection whose peer must take what it asked for.

    ``announced`` is what a load balancer told of the peer.
    """

    __slots__ = ("_announced", "_limits", "_stall", "lost", "stalled")

    def __init__(
        self,
        manager: web.Server,
        limits: ImageLimits,
        on_lost: Callable[[], None],
        announced: Announced | None = None,
    ) -> None:
        super().__init__(
            manager,
            on_lost,
            keepalive_timeout=limits.idle_timeout,
            max_line_size=limits.max_line_bytes,
            max_field_size=limits.max_line_bytes,
            max_headers=limits.max_headers,
        )
        self._limits = limits
        self._announced = announced
        self._stall: asyncio.TimerHandle | None = None
        self.lost: asyncio.Future[None] = self._loop.create_future()
        """Done when the connection is lost, or was cut."""
        self.stalled = False
        """Whether the connection was cut because its peer did not take what was sent."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin HTTP; writing waits until the system has taken all that was written before."""
        super().connection_made(transport)
        if self._transport is not None:
            self._transport.set_write_buffer_limits(high=1)

    def pause_writing(self) -> None:
        """Give the peer some time to take what was written, also while the connection closes."""
        super().pause_writing()
        self._stall = self._loop.call_later(self._limits.stall_timeout, self._cut)

    def resume_writing(self) -> None:
        """Go on."""
        self._forget_stall()
        super().resume_writing()

    def _cut(self) -> None:
        self.stalled = True
        self.abort()

    def _tell_lost(self) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    def _forget_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        self._forget_stall()
        self._tell_lost()
        super().connection_lost(exc)

    def abort(self) -> None:
        """Cut the connection at once."""
        self._tell_lost()
        if self._transport is not None:
            self._transport.abort()

    def plain_socket(self) -> socket.socket | None:
        """Return the socket; None where TLS is above it.

        Raises:
            ConnectionError: the connection is lost.
        """
        transport = self._transport
        if transport is None:
            raise ConnectionResetError("the connection is lost")
        if transport.get_extra_info("sslcontext") is not None:
            return None
        found: socket.socket = transport.get_extra_info("socket")
        return found

    async def all_written(self) -> None:
        """Wait until all that was written has left.

        Raises:
            ConnectionError: the connection is lost.
        """
        # Paused as long as a single octet waits.
        await self._drain_helper()

    @property
    def now(self) -> float:
        """The event loop's clock, in seconds."""
        return self._loop.time()

    def close_if_idle(self) -> bool:
        """Close it where nothing is asked on it; tell whether it was so."""
        idle = self._waiter is not None
        if idle:
            self.close()
        return idle

    @property
    def host(self) -> str:
        """The peer's address, without its port."""
        name = self._name()
        return str(name[0]) if name else ""

    @property
    def peer(self) -> str:
        """The peer's address and port as one text."""
        name = self._name()
        return peer_address(str(name[0]), int(name[1])) if name else "unknown"

    def _name(self) -> tuple[str, int] | None:
        if self._announced is not None:
            return self._announced.source
        found: tuple[str, int] | None = (
            None if self._transport is None else self._transport.get_extra_info("peername")
        )
        return found

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not be read, or what failed, without a word of either."""
        return super().handle_error(request, status, exc, f"{status}\n")

    def log_exception(self, *args: object, **kw: object) -> None:
        """One line for what a peer got wrong, and the traceback for what we did."""
        error = kw.get("exc_info")
        if isinstance(error, HttpProcessingError | ConnectionError):
            log.info("http-request-refused", peer=self.peer, error=type(error).__name__)
        elif isinstance(error, BaseException):
            log.error("http-request-failed", peer=self.peer, exc_info=error)
