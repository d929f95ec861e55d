"""The engine of libnghttp2, by way of ngh2: framing, HPACK and windows in compiled code.

ngh2 is young: it is used through its documented interface only, and ``pure`` can take its place.
"""

from collections.abc import Callable, Sequence
from functools import cache

import ngh2

from bootz.transport.http2.engine import (
    ConnectionEnded,
    DataArrived,
    EngineLimits,
    ErrorCode,
    Event,
    Headers,
    RequestArrived,
    StreamClosed,
    goaway_frame,
)

VERSION = ngh2.__version__


@cache
def _configuration(limits: EngineLimits) -> ngh2.Configuration:
    return ngh2.Configuration(
        # What a handler has not taken keeps the window closed.
        auto_window_update=False,
        max_inbound_header_list_size=limits.max_header_bytes,
        max_inbound_header_count=256,
    )


@cache
def _settings(limits: EngineLimits) -> dict[ngh2.Setting, int]:
    return {
        ngh2.Setting.MAX_CONCURRENT_STREAMS: limits.max_streams,
        ngh2.Setting.INITIAL_WINDOW_SIZE: limits.stream_window,
        ngh2.Setting.MAX_HEADER_LIST_SIZE: limits.max_header_bytes,
    }


class CompiledEngine:
    """Fills ``Engine``."""

    def __init__(self, limits: EngineLimits) -> None:
        self._connection = ngh2.Connection(ngh2.Role.SERVER, _configuration(limits))
        self._connection.initiate_connection(_settings(limits))
        self._connection.set_local_window_size(limits.connection_window)
        self._last_stream = 0
        self._broken: ErrorCode | None = None
        self._last_words = b""

    def receive(self, data: bytes) -> None:
        """Take bytes of the peer."""
        if self._broken is not None:
            return
        try:
            self._connection.receive_data(data)
        except ngh2.DenialOfServiceError:
            self._break(ErrorCode.ENHANCE_YOUR_CALM)
        except ngh2.ConnectionStateError:
            # It is closing, and what still comes counts no more.
            return
        except ngh2.ProtocolError:
            self._break(ErrorCode.PROTOCOL_ERROR)
        except (ngh2.NGH2Error, MemoryError):
            self._break(ErrorCode.INTERNAL_ERROR)

    def events(self) -> Sequence[Event]:
        """Return what has happened."""
        happened: list[Event] = []
        for event in self._connection.events():
            read = _READ.get(type(event))
            if read is not None:
                happened.append(read(event))
                if type(event) is ngh2.RequestReceived:
                    self._last_stream = event.stream_id
        if self._broken is not None:
            happened.append(ConnectionEnded(self._broken))
        return happened

    def output(self) -> bytes:
        """Return what is to be written."""
        if self._broken is not None:
            words, self._last_words = self._last_words, b""
            return words
        try:
            return self._connection.data_to_send()
        except (ngh2.NGH2Error, MemoryError):
            self._break(ErrorCode.INTERNAL_ERROR)
            return self._last_words

    def may_write(self) -> bool:
        """Tell whether there is something to be written."""
        return self._broken is not None or self._connection.want_write

    def respond(self, stream_id: int, headers: Headers, *, end: bool) -> None:
        """Send headers."""
        self._try(lambda: self._connection.send_response(stream_id, headers, end_stream=end))

    def send(self, stream_id: int, data: bytes) -> None:
        """Send part of a body."""
        self._try(lambda: self._connection.send_data(stream_id, data))

    def finish(self, stream_id: int, trailers: Headers) -> None:
        """Send trailers."""
        self._try(lambda: self._connection.send_trailers(stream_id, trailers))

    def unsent(self, stream_id: int) -> int:
        """Return what waits of a stream."""
        return self._connection.queued_body_size(stream_id)

    def reset(self, stream_id: int, error_code: ErrorCode) -> None:
        """End a stream."""
        self._try(lambda: self._connection.reset_stream(stream_id, error_code))

    def taken(self, stream_id: int, amount: int) -> None:
        """Open the windows."""
        self._try(lambda: self._connection.acknowledge_received_data(amount, stream_id))

    def end(self, error_code: ErrorCode) -> None:
        """End the connection."""
        self._try(lambda: self._connection.terminate_connection(error_code))

    def _try(self, call: Callable[[], None]) -> None:
        try:
            call()
        except (ngh2.StreamProtocolError, ngh2.ConnectionStateError):
            # The stream, or the connection, has gone.
            pass

    def _break(self, error_code: ErrorCode) -> None:
        """Say goodbye in the engine's place, whose state is lost."""
        self._broken = error_code
        self._last_words = goaway_frame(self._last_stream, error_code)


def _request(event: ngh2.RequestReceived) -> Event:
    return RequestArrived(event.stream_id, event.headers, event.end_stream)


def _data(event: ngh2.DataReceived) -> Event:
    return DataArrived(event.stream_id, event.data, event.end_stream)


def _trailers(event: ngh2.TrailersReceived) -> Event:
    return DataArrived(event.stream_id, b"", ended=True)


def _closed(event: ngh2.StreamClosed) -> Event:
    return StreamClosed(event.stream_id, event.error_code)


def _ended(event: ngh2.ConnectionClosed) -> Event:
    return ConnectionEnded(event.error_code)


_READ: dict[type, Callable[..., Event]] = {
    ngh2.RequestReceived: _request,
    ngh2.DataReceived: _data,
    ngh2.TrailersReceived: _trailers,
    ngh2.StreamClosed: _closed,
    ngh2.ConnectionClosed: _ended,
}
