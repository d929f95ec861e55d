"""Connections of the door's callers: how many, and how long one may keep the door waiting.

A caller that reads nothing of what it is sent, or does not finish what it sends, holds a
connection and its buffers. It is cut off, and the log says so; others are served all along.

Source: docs/api.md.
"""

import asyncio
import json
from collections.abc import Collection
from typing import Any, Final

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from bootz.errors import Unavailable
from bootz.server.api.problems import MEDIA_TYPE, problem_of

log = structlog.get_logger()

MAX_CONNECTIONS: Final = 1024
"""Connections of all callers together."""
MAX_OF_ADDRESS: Final = 512
"""Those of one address, so that one machine does not lock out the others."""
READER_S: Final = 30.0
"""Seconds in which a caller takes no byte of what waits for it; then it is cut off."""
BODY_S: Final = 60.0
"""Seconds in which no byte comes of a request that has begun; then it is cut off."""
HEAD_S: Final = 20.0
"""Seconds from the connection, or from a later request's first byte, to the end of its head."""
LOOK_S: Final = 5.0
"""Seconds between two looks at all connections."""


class DoorProtocol(H11Protocol):
    """A connection that counts with its address, and knows since when nothing has moved."""

    moved_at = 0.0
    """Loop time at which a byte came or went."""
    _left = 0

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        """Take a connection, or refuse it where its address has enough of them."""
        super().connection_made(transport)
        self.moved_at = self.loop.time()
        # What the system does not take counts from its first byte. Not 0: asyncio's TLS takes an
        # empty buffer for a full one then, and what is written next may never be sent.
        transport.set_write_buffer_limits(high=1)
        host = self.client[0] if self.client else ""
        others = sum(1 for each in self.connections if _host(each) == host)
        if others > MAX_OF_ADDRESS:
            transport.write(_too_many())
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Take what came; more of an unfinished head does not count as progress."""
        if not self._in_head():
            self.moved_at = self.loop.time()
        super().data_received(data)

    def overdue(self, now: float) -> str:
        """Return what has been waited for too long, empty where nothing was.

        ``now`` is the loop's time, in seconds.
        """
        left = self.transport.get_write_buffer_size()
        if left:
            if left < self._left or not self._left:
                self.moved_at = now
            self._left = left
            return "it reads nothing" if now - self.moved_at >= READER_S else ""
        if self._left:
            self._left, self.moved_at = 0, now
        if self._in_head():
            return "it sends no request" if now - self.moved_at >= HEAD_S else ""
        if self.cycle.response_complete:
            # Between two requests uvicorn's own timer runs.
            return ""
        unsent = self.conn.their_state is h11.SEND_BODY and not self.cycle.waiting_for_100_continue
        if unsent and not self.flow.read_paused and now - self.moved_at >= BODY_S:
            return "it does not finish its request"
        return ""

    def _in_head(self) -> bool:
        """Return whether the first request, or a later one that has begun, lacks its head."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None:
            return True
        return cycle.response_complete and bool(self.conn.trailing_data[0])

    def cut(self, why: str) -> None:
        """End the connection at once, with whatever waits to be sent."""
        # Browsers open connections that they may need; one that was never used is not worth a line.
        if self.conn.trailing_data[0] or self.cycle is not None:
            scope: Any = getattr(self, "scope", None)
            log.warning(
                "client-cut-off",
                peer=self.client[0] if self.client else "",
                path=scope["path"] if scope else "",
                detail=why,
                waiting=self.transport.get_write_buffer_size(),
            )
        self.transport.abort()


async def cut_off_overdue(connections: Collection[object]) -> None:
    """Look after the connections of a server until it is cancelled."""
    clock = asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(LOOK_S)
        now = clock()
        for each in tuple(connections):
            if isinstance(each, DoorProtocol) and (why := each.overdue(now)):
                each.cut(why)


def _host(protocol: object) -> str:
    client = getattr(protocol, "client", None)
    return client[0] if client else ""


def _too_many() -> bytes:
    error = Unavailable("requests-too-many", f"{MAX_OF_ADDRESS} connections of this address")
    problem = problem_of(error)
    body = json.dumps(problem.model_dump()).encode()
    head = (
        f"HTTP/1.1 {problem.status} Too Many Requests\r\nContent-Type: {MEDIA_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\nRetry-After: 5\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
