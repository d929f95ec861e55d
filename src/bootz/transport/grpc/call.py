"""One call, as the method that answers it sees it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from bootz.transport.grpc.headers import Metadata
from bootz.transport.grpc.inbox import PREFIX, Inbox
from bootz.transport.http2.engine import Headers
from bootz.transport.peer import PeerInfo


class Carrier(Protocol):
    """The connection below a call."""

    @property
    def peer(self) -> PeerInfo:
        """The other end."""

    def taken(self, stream_id: int, octets: int) -> None:
        """Say that so much of a stream was taken."""

    def waits_for_more(self, stream_id: int) -> None:
        """Say that a message is not whole."""

    def send(self, stream_id: int, message: bytes, *, first: bool) -> None:
        """Send a message, before the first one the headers."""

    def backed_up(self, stream_id: int) -> bool:
        """Tell whether so much waits that nothing should be added."""


class Call:
    """A call. Belongs to one task: the method's.

    A call that the peer gives up, or whose connection is lost, is cancelled.
    """

    def __init__(self, carrier: Carrier, stream_id: int, path: str, headers: Headers) -> None:
        self.stream_id = stream_id
        self.path = path
        self.inbox = Inbox()
        self.answering = False
        """Whether the headers of the answer have been sent."""
        self._carrier = carrier
        self._headers = headers
        self._waiting: asyncio.Future[None] | None = None
        self._sending = False

    @property
    def peer(self) -> PeerInfo:
        """The other end of the connection."""
        return self._carrier.peer

    @property
    def metadata(self) -> Metadata:
        """What the caller sent along."""
        return Metadata(self._headers)

    async def receive(self, max_bytes: int) -> bytes | None:
        """Return the next message, None where the caller has ended its side.

        Raises:
            WireError: longer than ``max_bytes`` (``message-too-large``), compressed, or cut.
        """
        inbox = self.inbox
        while True:
            message = inbox.take(max_bytes)
            if message is not None:
                self._carrier.taken(self.stream_id, len(message) + PREFIX)
                return message
            if inbox.ended:
                return None
            self._carrier.waits_for_more(self.stream_id)
            await self._wait()

    async def send(self, message: bytes) -> None:
        """Send a message; waits while the caller does not take what was sent before."""
        first, self.answering = not self.answering, True
        self._carrier.send(self.stream_id, message, first=first)
        while self._carrier.backed_up(self.stream_id):
            self._sending = True
            try:
                await self._wait()
            finally:
                self._sending = False

    def wake(self) -> None:
        """Let the method look again: something has arrived."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def relieve(self) -> None:
        """Let a method that waits to send look again: something has left."""
        if self._sending:
            self.wake()

    async def _wait(self) -> None:
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None


Method = Callable[[Call], Awaitable[None]]
"""Answers a call: receives and sends, and ends it well by returning, or by raising ``EndCall``."""
