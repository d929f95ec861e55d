"""A peer that has said hello and asks for nothing needs no engine: its octets are kept in place.

An engine has some 20 KiB of tables and buffers. What it knows before the first request it knows
from what the peer has sent, so that another one can be made from that.
"""

from collections.abc import Callable, Sequence
from typing import Final

from bootz.transport.http2.engine import Engine, ErrorCode, Event, Headers, goaway_frame

MOST_BYTES: Final = 512
"""Octets that are kept of a peer: preface, SETTINGS, and what acknowledges ours."""


class RestingEngine:
    """Fills ``Engine``, in the place of one whose output was taken, while nothing is received.

    Args:
        heard: all that the peer has sent, without a request.
    """

    def __init__(self, heard: bytes) -> None:
        self._heard = heard
        self._last_words = b""

    def wake(self, make: Callable[[], Engine]) -> Engine:
        """Return an engine in the state of the one before."""
        engine = make()
        engine.receive(self._heard)
        engine.events()
        # It was sent before.
        engine.output()
        return engine

    def receive(self, data: bytes) -> None:
        """Do nothing: wake it first."""

    def events(self) -> Sequence[Event]:
        """Return nothing."""
        return ()

    def output(self) -> bytes:
        """Return the goodbye."""
        words, self._last_words = self._last_words, b""
        return words

    def may_write(self) -> bool:
        """Tell whether there is a goodbye."""
        return bool(self._last_words)

    def respond(self, stream_id: int, headers: Headers, *, end: bool) -> None:
        """Do nothing: there is no stream."""

    def send(self, stream_id: int, data: bytes) -> None:
        """Do nothing: there is no stream."""

    def finish(self, stream_id: int, trailers: Headers) -> None:
        """Do nothing: there is no stream."""

    def unsent(self, stream_id: int) -> int:
        """Return 0: there is no stream."""
        return 0

    def reset(self, stream_id: int, error_code: ErrorCode) -> None:
        """Do nothing: there is no stream."""

    def taken(self, stream_id: int, amount: int) -> None:
        """Do nothing: there is no stream."""

    def end(self, error_code: ErrorCode) -> None:
        """End the connection."""
        self._last_words = goaway_frame(0, error_code)
