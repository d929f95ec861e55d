"""The streams that are open: how many, how long one may be idle, and who makes room for whom.

Opening a stream costs a peer nothing, so that a bound alone would let anyone keep all others
out. At the bound the stream that has waited longest without proving anything is closed.
"""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from bootz.errors import BootzError, OrderError, Unavailable
from bootz.transport.bounded_waits import BoundedWaits
from bootz.transport.limits import StreamLimits

_T = TypeVar("_T")


class OpenStream:
    """A place among the open streams, of the task that has taken it.

    ``waits`` bounds what the task waits for; nothing else does so at the same time.
    """

    def __init__(self, streams: "OpenStreams", idle_timeout: float) -> None:
        self.waits = BoundedWaits()
        self._streams = streams
        self._idle_timeout = idle_timeout
        self._evicted = False

    async def receive(self, message: Awaitable[_T], *, proven: bool) -> _T:
        """Wait for the next message; a stream that has proven nothing may have to make room.

        Raises:
            OrderError: ``stream-idle``.
            Unavailable: ``streams-full``: it had to make room.
        """
        try:
            with self.waits.within(self._idle_timeout):
                if not proven:
                    self._streams.waits(self)
                return await message
        except TimeoutError as error:
            raise self._closed() from error
        finally:
            self._streams.works(self)

    def evict(self) -> None:
        """End the wait at once."""
        self._evicted = True
        self.waits.lose()

    def _closed(self) -> BootzError:
        if self._evicted:
            return Unavailable(
                "streams-full",
                "the stream had not proven an identity and was closed to make room",
                where="stream",
            )
        return OrderError(
            "stream-idle",
            "no message arrived in time",
            where="stream",
            expected=f"a message within {self._idle_timeout:g} s",
            seen="none",
        )


class OpenStreams:
    """All open streams of a process; belongs to one event loop."""

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits
        self._open = 0
        # A dict keeps the order: who waits longest comes first.
        self._waiting: dict[OpenStream, None] = {}

    def __len__(self) -> int:
        return self._open

    @contextmanager
    def entered(self) -> Iterator[OpenStream]:
        """Take a place for a new stream.

        Raises:
            Unavailable: ``streams-full``, and no stream can make room.
        """
        if self._open >= self._limits.max_open:
            oldest = next(iter(self._waiting), None)
            if oldest is None:
                raise Unavailable(
                    "streams-full", "all open streams are proven or at work", where="stream"
                )
            self.works(oldest)
            oldest.evict()
        self._open += 1
        stream = OpenStream(self, self._limits.idle_timeout)
        try:
            yield stream
        finally:
            self._open -= 1
            stream.waits.end()

    def waits(self, stream: OpenStream) -> None:
        """Say that a stream, which has proven nothing, waits for its peer."""
        self._waiting[stream] = None

    def works(self, stream: OpenStream) -> None:
        """Say that it does not wait, or not any more."""
        self._waiting.pop(stream, None)
