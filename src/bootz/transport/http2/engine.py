"""What an HTTP/2 engine is: bytes in; requests, resets and windows out.

An engine keeps the state of one connection (RFC 9113). It knows nothing of gRPC, of sockets and
of time. It validates what the peer sends: a request that it tells of has the pseudo-headers that
it must have, and nothing that is not allowed in it. A stream that has gone takes nothing more and
says nothing: whoever answers it late has not made a mistake.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol

Headers = Sequence[tuple[bytes, bytes]]

INITIAL_WINDOW: Final = 65_535
"""Octets that a peer may send on a stream, and on all, before it knows the bounds of this side
(RFC 9113 section 6.9.2)."""

FRAME_BYTES: Final = 16_384
"""Octets of the largest frame that is taken: the initial SETTINGS_MAX_FRAME_SIZE."""


class ErrorCode(IntEnum):
    """Why a stream or a connection ends (RFC 9113 section 7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    ENHANCE_YOUR_CALM = 11


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """What a peer may make an engine keep. Sizes in octets.

    ``max_streams`` is told to the peer and enforced by whoever uses the engine, because it counts
    only once the peer has acknowledged it. ``stream_window`` and ``connection_window`` bound what
    has arrived and was not taken; ``max_header_bytes`` the headers of one request, decoded.
    """

    max_streams: int
    stream_window: int
    connection_window: int
    max_header_bytes: int = 32_768


@dataclass(frozen=True, slots=True)
class RequestArrived:
    """A stream has been opened; ``ended``: without anything to follow its headers."""

    stream_id: int
    headers: Headers
    ended: bool


@dataclass(frozen=True, slots=True)
class DataArrived:
    """Part of a stream's body; ``ended``: the last of it. Trailers are an empty last part.

    Whoever takes it says so with ``taken``, or the peer's window closes.
    """

    stream_id: int
    data: bytes
    ended: bool


@dataclass(frozen=True, slots=True)
class StreamClosed:
    """A stream is over: reset from either side, or both sides have said all (``error_code`` 0)."""

    stream_id: int
    error_code: int


@dataclass(frozen=True, slots=True)
class ConnectionEnded:
    """The connection is over: once the output is written, close it."""

    error_code: int


Event = RequestArrived | DataArrived | StreamClosed | ConnectionEnded


class Engine(Protocol):
    """The state of one connection. Ask for ``output`` and ``events`` after every other call."""

    def receive(self, data: bytes) -> None:
        """Take bytes of the peer, cut anywhere. What is wrong with them becomes an event."""

    def events(self) -> Sequence[Event]:
        """Return what has happened since the last call, in its order."""

    def output(self) -> bytes:
        """Return what is to be written; body bytes only as far as the peer's windows allow."""

    def may_write(self) -> bool:
        """Tell whether there may be something to be written."""

    def respond(self, stream_id: int, headers: Headers, *, end: bool) -> None:
        """Send the headers of an answer; ``end``: and nothing else."""

    def send(self, stream_id: int, data: bytes) -> None:
        """Send part of an answer's body; it waits here until the peer's windows allow it."""

    def finish(self, stream_id: int, trailers: Headers) -> None:
        """Send trailers after the body, and end this side of the stream."""

    def unsent(self, stream_id: int) -> int:
        """Return how many octets of a stream's answer wait for the peer's windows."""

    def reset(self, stream_id: int, error_code: ErrorCode) -> None:
        """End a stream at once; what waits is lost."""

    def taken(self, stream_id: int, amount: int) -> None:
        """Say that so many octets of a stream were taken, so that as many more may come."""

    def end(self, error_code: ErrorCode) -> None:
        """End the connection."""


def goaway_frame(last_stream_id: int, error_code: int) -> bytes:
    """Return a GOAWAY frame without debug data (RFC 9113 section 6.8)."""
    return struct.pack(">HBBBIII", 0, 8, 7, 0, 0, last_stream_id, error_code)
