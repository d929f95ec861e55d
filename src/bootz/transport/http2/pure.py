"""The engine of h2: pure Python, slow, and everywhere.

h2 sends no more than the peer's windows allow and leaves the waiting to its user; the bodies that
wait are kept here. It also takes a GOAWAY of the client for the end of the connection, which it
is not: what the client has asked for is still to be answered (RFC 9113 section 6.8). So that frame
is kept from it.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    RemoteSettingsChanged,
    RequestReceived,
    SettingsAcknowledged,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.events import Event as H2Event
from h2.exceptions import H2Error, ProtocolError
from h2.settings import SettingCodes, Settings

from bootz.transport.http2.engine import (
    FRAME_BYTES,
    INITIAL_WINDOW,
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

VERSION = version("h2")

_CONFIGURATION: Final = H2Configuration(
    client_side=False,
    header_encoding=None,
    validate_inbound_headers=True,
    normalize_inbound_headers=False,
    # What this side sends is its own.
    validate_outbound_headers=False,
    normalize_outbound_headers=False,
)
_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEADER_BYTES: Final = 9
_SETTINGS: Final = 4
_EMPTY_DATA: Final = bytes(4)
"""The length and type of a DATA frame without content."""
_GOAWAY: Final = 7


@dataclass(slots=True)
class _Stream:
    waiting: deque[bytes] = field(default_factory=deque)
    trailers: Headers | None = None
    arrived_all: bool = False
    sent_all: bool = False


class PureEngine:
    """Fills ``Engine``."""

    def __init__(self, limits: EngineLimits) -> None:
        settings = {
            SettingCodes.MAX_CONCURRENT_STREAMS: limits.max_streams,
            SettingCodes.INITIAL_WINDOW_SIZE: limits.stream_window,
            SettingCodes.MAX_HEADER_LIST_SIZE: limits.max_header_bytes,
        }
        self._h2 = H2Connection(_CONFIGURATION)
        self._h2.local_settings = Settings(client=False, initial_values=settings)
        self._h2.decoder.max_header_list_size = limits.max_header_bytes
        self._h2.initiate_connection()
        # A stream too many is not worth the connection; who uses the engine refuses it.
        settings[SettingCodes.MAX_CONCURRENT_STREAMS] = (1 << 31) - 1
        # The peer may send more than a smaller window until it has acknowledged that.
        settings[SettingCodes.INITIAL_WINDOW_SIZE] = max(limits.stream_window, INITIAL_WINDOW)
        self._h2.local_settings = Settings(client=False, initial_values=settings)
        self._h2.local_settings.initial_window_size = limits.stream_window
        self._h2.increment_flow_control_window(
            limits.connection_window - self._h2.inbound_flow_control_window
        )
        self._streams: dict[int, _Stream] = {}
        self._events: list[Event] = []
        self._partial = b""
        self._begun = self._too_large = False
        self._last_stream = 0
        self._ended = False
        self._own_frames: list[bytes] = []

    def receive(self, data: bytes) -> None:
        """Take bytes of the peer."""
        if self._ended:
            return
        try:
            for part in self._without_goaway(data):
                self._let_nothing_in(part)
                for event in self._h2.receive_data(part):
                    self._take(event)
            if self._too_large:
                self.end(ErrorCode.FRAME_SIZE_ERROR)
        except ProtocolError as error:
            self._end(int(error.error_code))
        except (H2Error, ValueError, LookupError, TypeError) as error:
            # What a peer provokes below costs its own connection; the rest is h2's affair.
            del error
            self._own_frames.append(goaway_frame(self._last_stream, ErrorCode.PROTOCOL_ERROR))
            self._end(ErrorCode.PROTOCOL_ERROR)

    def events(self) -> Sequence[Event]:
        """Return what has happened."""
        happened, self._events = self._events, []
        return happened

    def output(self) -> bytes:
        """Return what is to be written."""
        out = self._h2.data_to_send()
        if self._own_frames:
            out += b"".join(self._own_frames)
            self._own_frames.clear()
        return out

    def may_write(self) -> bool:
        """Tell whether there may be something to be written; h2 keeps that to itself."""
        return True

    def respond(self, stream_id: int, headers: Headers, *, end: bool) -> None:
        """Send headers."""
        stream = self._streams.get(stream_id)
        if stream is None:
            return
        self._h2.send_headers(stream_id, headers, end_stream=end)
        if end:
            self._said_all(stream_id, stream)

    def send(self, stream_id: int, data: bytes) -> None:
        """Send part of a body."""
        stream = self._streams.get(stream_id)
        if stream is not None:
            stream.waiting.append(data)
            self._pump(stream_id, stream)

    def finish(self, stream_id: int, trailers: Headers) -> None:
        """Send trailers."""
        stream = self._streams.get(stream_id)
        if stream is not None:
            stream.trailers = trailers
            self._pump(stream_id, stream)

    def unsent(self, stream_id: int) -> int:
        """Return what waits of a stream."""
        stream = self._streams.get(stream_id)
        return 0 if stream is None else sum(map(len, stream.waiting))

    def reset(self, stream_id: int, error_code: ErrorCode) -> None:
        """End a stream."""
        if self._streams.pop(stream_id, None) is not None:
            self._h2.reset_stream(stream_id, ErrorCodes(error_code))
            self._events.append(StreamClosed(stream_id, error_code))

    def taken(self, stream_id: int, amount: int) -> None:
        """Open the windows."""
        if not self._ended:
            self._h2.acknowledge_received_data(amount, stream_id)

    def end(self, error_code: ErrorCode) -> None:
        """End the connection."""
        if not self._ended:
            self._h2.close_connection(error_code)
            self._end(error_code)

    def _end(self, error_code: int) -> None:
        self._ended = True
        self._streams.clear()
        self._events.append(ConnectionEnded(error_code))

    def _let_nothing_in(self, part: bytes) -> None:
        """Let DATA without content pass a window that has become smaller than what was sent.

        h2 refuses it there (RFC 9113 section 6.9.1 does not).
        """
        stream_id = int.from_bytes(part[5:_HEADER_BYTES], "big")
        if part[:4] == _EMPTY_DATA and stream_id in self._streams:
            missing = -self._h2.remote_flow_control_window(stream_id)
            if missing > 0:
                self._h2.increment_flow_control_window(missing, stream_id)

    def _without_goaway(self, data: bytes) -> list[bytes]:
        """Return all whole frames of what has arrived but GOAWAY; the rest waits.

        DATA without content begins a part of its own.
        """
        data = self._partial + data
        position = 0
        if not self._begun:
            wanted = len(_PREFACE) + _HEADER_BYTES
            if len(data) < wanted and _PREFACE.startswith(data[: len(_PREFACE)]):
                self._partial = data
                return []
            # h2 itself takes any frame for the first one (RFC 9113 section 3.4).
            if not data.startswith(_PREFACE) or data[len(_PREFACE) + 3] != _SETTINGS:
                raise ValueError("no preface of a client")
            self._begun = True
            position = len(_PREFACE)
        begin, kept = 0, []
        while position + _HEADER_BYTES <= len(data):
            length = int.from_bytes(data[position : position + 3], "big")
            end = position + _HEADER_BYTES + length
            if length > FRAME_BYTES:
                # Refused by its header alone; h2 would keep all of it first.
                self._too_large = True
                break
            if end > len(data):
                break
            # With stream 0 and both its fields; any other is a mistake that h2 shall see.
            if data[position + 3] == _GOAWAY and length >= 8 and not any(data[position + 5 :][:4]):
                kept.append(data[begin:position])
                begin = end
            elif data[position : position + 4] == _EMPTY_DATA:
                kept.append(data[begin:position])
                begin = position
            position = end
        kept.append(data[begin:position])
        self._partial = data[position:]
        return kept

    def _take(self, event: H2Event) -> None:
        match event:
            case RequestReceived(stream_id=int(stream_id)):
                self._last_stream = max(self._last_stream, stream_id)
                opened = self._streams[stream_id] = _Stream()
                opened.arrived_all = event.stream_ended is not None
                headers = [(bytes(name), bytes(value)) for name, value in event.headers or ()]
                self._events.append(RequestArrived(stream_id, headers, opened.arrived_all))
            case DataReceived(stream_id=int(stream_id)):
                data = bytes(event.data or b"")
                self.taken(stream_id, (event.flow_controlled_length or 0) - len(data))
                if stream_id not in self._streams:
                    self.taken(stream_id, len(data))
                    return
                ended = event.stream_ended is not None
                self._events.append(DataArrived(stream_id, data, ended))
                self._heard_all(stream_id, ended=ended)
            case StreamEnded(stream_id=int(stream_id)):
                stream = self._streams.get(stream_id)
                if stream is not None and not stream.arrived_all:
                    # By trailers; the last part of a body has said so itself.
                    self._events.append(DataArrived(stream_id, b"", ended=True))
                    self._heard_all(stream_id, ended=True)
            case StreamReset(stream_id=int(stream_id)):
                if self._streams.pop(stream_id, None) is not None:
                    self._events.append(StreamClosed(stream_id, int(event.error_code or 0)))
            case WindowUpdated(stream_id=int(stream_id)):
                self._pump_all([stream_id] if stream_id else tuple(self._streams))
            case RemoteSettingsChanged():
                self._pump_all(tuple(self._streams))
            case SettingsAcknowledged():
                # Of a window that is smaller now so much may have been taken that it is to be told.
                for stream_id in self._streams:
                    self.taken(stream_id, 0)
            case _:
                pass

    def _pump_all(self, stream_ids: Iterable[int]) -> None:
        for stream_id in stream_ids:
            stream = self._streams.get(stream_id)
            if stream is not None:
                self._pump(stream_id, stream)

    def _pump(self, stream_id: int, stream: _Stream) -> None:
        """Send as much of what waits as the windows allow."""
        while stream.waiting:
            room = min(
                self._h2.local_flow_control_window(stream_id), self._h2.max_outbound_frame_size
            )
            if room <= 0:
                return
            chunk = stream.waiting.popleft()
            if len(chunk) > room:
                stream.waiting.appendleft(chunk[room:])
                chunk = chunk[:room]
            self._h2.send_data(stream_id, chunk)
        if stream.trailers is not None and not stream.sent_all:
            self._h2.send_headers(stream_id, stream.trailers, end_stream=True)
            self._said_all(stream_id, stream)

    def _heard_all(self, stream_id: int, *, ended: bool) -> None:
        stream = self._streams[stream_id]
        stream.arrived_all |= ended
        self._close_if_over(stream_id, stream)

    def _said_all(self, stream_id: int, stream: _Stream) -> None:
        stream.sent_all = True
        self._close_if_over(stream_id, stream)

    def _close_if_over(self, stream_id: int, stream: _Stream) -> None:
        if stream.arrived_all and stream.sent_all:
            del self._streams[stream_id]
            self._events.append(StreamClosed(stream_id, ErrorCode.NO_ERROR))
