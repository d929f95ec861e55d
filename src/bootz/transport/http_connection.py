"""One HTTP connection, as every door of this program that speaks HTTP has it.

aiohttp reads the requests; counting is ``acceptor``'s, so the connection tells when it is lost.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from aiohttp import web


class HttpConnection(web.RequestHandler):
    """aiohttp's protocol without a log of its own; it ends at once when it is idle.

    Args:
        manager: handles the requests.
        on_lost: called when the connection is lost.
        keepalive_timeout: seconds until the headers of the next request are complete.
        max_line_size, max_field_size: bytes of a request's first line, and of a header.
        max_headers: how many headers a request may have.
    """

    __slots__ = ("_on_lost", "_transport")

    def __init__(
        self,
        manager: web.Server,
        on_lost: Callable[[], None],
        *,
        keepalive_timeout: float,
        max_line_size: int = 8190,
        max_field_size: int = 8190,
        max_headers: int = 128,
    ) -> None:
        super().__init__(
            manager,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=keepalive_timeout,
            max_line_size=max_line_size,
            max_field_size=max_field_size,
            max_headers=max_headers,
            # What is left of a request's content after its answer is not listened to.
            lingering_time=0,
        )
        self.access_logger = None
        self._logging_enabled = False
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin HTTP."""
        # Not checked: the transports of uvloop are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        self._transport = None
        self._on_lost()

    def close(self) -> None:
        """Take no further request; close at once where none is being answered."""
        idle = self._waiter is not None
        super().close()
        # aiohttp itself ends the task that waits for a request, and leaves the connection open.
        if idle and self._transport is not None:
            self._transport.close()
