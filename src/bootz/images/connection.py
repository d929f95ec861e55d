"""One HTTP connection of the image server; gone when its time is over, whatever its peer does."""

import asyncio
from collections.abc import Callable
from typing import cast

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bootz.images.limits import ImageLimits

log = structlog.get_logger()


class ImageConnection(web.RequestHandler):
    """aiohttp's protocol with bounds; tells when it is lost."""

    __slots__ = ("_limits", "_on_lost", "_stall", "_transport", "stalled")

    def __init__(
        self, manager: web.Server, limits: ImageLimits, on_lost: Callable[[], None]
    ) -> None:
        super().__init__(
            manager,
            loop=asyncio.get_running_loop(),
            # Also the time until the headers of a request are complete.
            keepalive_timeout=limits.idle_timeout,
            max_line_size=limits.max_line_bytes,
            max_field_size=limits.max_line_bytes,
            max_headers=limits.max_headers,
            # A request has no content; who sends some is not listened to.
            lingering_time=0,
        )
        self.access_logger = None
        self._logging_enabled = False
        self._limits = limits
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._stall: asyncio.TimerHandle | None = None
        self.stalled = False
        """Whether the connection was cut because its peer did not take what was sent."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin HTTP; writing waits until the system has taken all that was written before."""
        # Not checked: the transports of uvloop are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=1)
        super().connection_made(transport)

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

    def _forget_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        self._forget_stall()
        super().connection_lost(exc)
        self._transport = None
        self._on_lost()

    def abort(self) -> None:
        """Cut the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def peer(self) -> str:
        """The peer's address and port as one text."""
        name = None if self._transport is None else self._transport.get_extra_info("peername")
        if not name:
            return "unknown"
        host, port = name[0], name[1]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

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
