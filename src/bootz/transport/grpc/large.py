"""Messages that are larger than a stream's window: they arrive one after the other.

What has arrived of a stream and was not taken keeps its window closed. A message that fills the
window before it is whole would never be: so what is there of it is taken ahead, and is kept within
a bound for all streams of a connection. Without it several large messages at once would fill the
connection's window with their parts, and none would end.
"""

from dataclasses import dataclass
from typing import Final

from bootz.transport.http2.engine import INITIAL_WINDOW, EngineLimits
from bootz.transport.http2.meter import EARNING_OCTETS
from bootz.transport.limits import ListenerLimits

_LEAST: Final = 2 * EARNING_OCTETS
"""Octets of a stream's window: a window is told of when half of it is taken, and that much in a
frame costs its peer nothing."""


@dataclass(frozen=True, slots=True)
class Windows:
    """What a connection may keep for its peer. Sizes in octets.

    ``stream``: what a stream may send that is not taken; ``connection``: the same of all; ``kept``:
    what of it a peer that keeps within its windows can send; ``ahead``: of messages that have
    begun, taken ahead.
    """

    stream: int
    connection: int
    kept: int
    ahead: int

    def engine_limits(self, max_streams: int) -> EngineLimits:
        """Return what of it an engine keeps."""
        return EngineLimits(
            max_streams, stream_window=self.stream, connection_window=self.connection
        )

    def holds(self, octets: int) -> bool:
        """Tell whether so much of a stream always finds room in its window.

        Of what was taken before, somewhat less than half a window may not have been told.
        """
        return octets <= self.stream // 2


def windows(limits: ListenerLimits) -> Windows:
    """Share a message, and a first window, among the streams of a connection.

    As much again is for what is taken ahead, and for what a peer sends before it has heard of its
    windows. Half of the connection's window is left when all streams have filled theirs: so much
    may have been taken before a peer is told.
    """
    message, streams = limits.max_message_bytes, limits.max_streams_per_connection
    stream = max(_LEAST, (message + INITIAL_WINDOW + 1) // streams)
    kept = streams * stream + INITIAL_WINDOW
    return Windows(stream, 2 * (kept + 1), kept, message)


class LargeMessages:
    """Which streams of a connection may have their messages taken ahead: those that came first.

    Args:
        octets: that may be kept so.
    """

    def __init__(self, octets: int) -> None:
        self._most = self._free = octets
        self._let: dict[int, int] = {}
        self._waiting: dict[int, int] = {}

    def let(self, stream: int, length: int) -> bool:
        """Tell whether a message of so many octets may be taken ahead; if not, it waits."""
        if stream not in self._let and stream not in self._waiting:
            self._waiting[stream] = min(length, self._most)
            self._admit()
        return stream in self._let

    def done(self, stream: int) -> list[int]:
        """Hear that a message is whole, or given up; return whose turn it is now."""
        self._waiting.pop(stream, None)
        self._free += self._let.pop(stream, 0)
        return self._admit()

    def _admit(self) -> list[int]:
        admitted = []
        for stream, length in tuple(self._waiting.items()):
            if length > self._free:
                break
            del self._waiting[stream]
            self._let[stream] = length
            self._free -= length
            admitted.append(stream)
        return admitted
