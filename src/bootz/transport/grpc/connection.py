"""One connection of a gRPC listener: an HTTP/2 engine below, a task for each call above.

Everything that one turn of the event loop writes leaves at once: the headers, the message and
the trailers of an answer are one TLS record.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, cast

from bootz.errors import BootzError, PolicyError
from bootz.log import get_logger
from bootz.transport.grpc.call import Call, Method
from bootz.transport.grpc.headers import (
    ANSWER,
    CallHead,
    NoCall,
    only_trailers,
    read_head,
    trailers,
)
from bootz.transport.grpc.inbox import PREFIX, framed
from bootz.transport.grpc.large import LargeMessages, Windows
from bootz.transport.http2.engine import (
    ConnectionEnded,
    DataArrived,
    Engine,
    ErrorCode,
    Event,
    RequestArrived,
    StreamClosed,
)
from bootz.transport.http2.meter import Bucket, FrameMeter
from bootz.transport.http2.resting import MOST_BYTES, RestingEngine
from bootz.transport.peer import PeerInfo, peer_info
from bootz.transport.proxy_header import Announced
from bootz.transport.status import EndCall, Status, end_of

log = get_logger()

_HIGH_WATER: Final = 1 << 16
"""Octets of an answer that may wait for the peer before its method waits, too."""

_LATER_S: Final = 0.1
"""Seconds that acknowledgements wait for the answer of a call that runs, to leave with it, and
this side's preface for the peer's."""

_MAX_HELD: Final = 1 << 20
"""Octets of a peer that is read slowly; its transport was paused long before."""


class OnCalled(Protocol):
    """Told of calls that have ended."""

    def __call__(self, path: str, *, well: bool) -> None:
        """A call of this path has ended, ``well`` with the status OK."""


@dataclass(slots=True)
class _Open:
    """A stream that is open, and its task while there is one."""

    call: Call
    task: "asyncio.Task[None] | None" = None
    begun: bool = False
    """Whether the task has run: one that is cancelled before never does."""
    large: bool = False
    """Whether its message is, or waits to be, among those taken ahead."""


class GrpcConnection(asyncio.Protocol):
    """Serves a method table on one connection.

    Args:
        methods: by path.
        make_engine: makes the engine of this connection.
        max_streams: calls at once.
        windows: what is kept for the peer; the engine has its part of that.
        address_bucket: tokens for control frames of all connections of an address.
        on_made, on_lost: told of the connection's begin and end.
        on_asked: told when there is a first request.
        on_called: told the path of each call that has ended, and whether it ended well.
        on_slowed: told the peer's address and the loop's time when its frames cost too much, so
            that it is read more slowly.
        announced: what a load balancer told of the peer.
    """

    def __init__(
        self,
        methods: Mapping[str, Method],
        make_engine: Callable[[], Engine],
        *,
        max_streams: int,
        windows: Windows,
        address_bucket: Callable[[str], Bucket],
        on_made: Callable[["GrpcConnection"], None],
        on_lost: Callable[["GrpcConnection"], None],
        on_asked: Callable[["GrpcConnection"], None],
        on_called: "OnCalled",
        on_slowed: Callable[[str, float], None],
        announced: Announced | None = None,
    ) -> None:
        self._methods = methods
        self._make_engine = make_engine
        self._engine: Engine = make_engine()
        # All of it, until there is a request, or too much.
        self._heard: bytes | None = b""
        self._max_streams = max_streams
        self._windows = windows
        self._kept = 0
        self._large = LargeMessages(windows.ahead)
        self._address_bucket = address_bucket
        self._on_made = on_made
        self._on_lost = on_lost
        self._on_asked = on_asked
        self._on_called = on_called
        self._on_slowed = on_slowed
        self._announced = announced
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._open: dict[int, _Open] = {}
        self._running = 0
        self._asked = False
        self._finished: list[int] = []
        self._held = b""
        self._paused = self._flushing = self._ended = self._greeted = False
        self._later: asyncio.TimerHandle | None = None
        self.last_progress = self._loop.time()
        """When the last call ended, before one when the handshake did; bytes that dribble in are
        no progress."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin HTTP/2."""
        # Not checked: the transports of uvloop are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._peer = peer_info(transport, self._announced)
        self._meter = FrameMeter(self._address_bucket(self._peer.host))
        self.last_progress = self._loop.time()
        self._on_made(self)
        # Every caller speaks first, and at once (RFC 9113 section 3.4): what this side has to say
        # leaves with the answer to that, in one record.
        self._flush_later()

    def data_received(self, data: bytes) -> None:
        """Take bytes; whatever a broken peer provokes ends its own connection only."""
        if self._held:
            self._held += data
            if len(self._held) > _MAX_HELD:
                self._engine.end(ErrorCode.ENHANCE_YOUR_CALM)
                self._flush()
            return
        self._process(data)

    def _process(self, data: bytes) -> None:
        admitted = self._meter.admit(data, self._loop.time())
        if admitted < len(data):
            self._slow_down(data[admitted:])
            data = data[:admitted]
        if self._heard is not None:
            self._hear(self._heard, data)
        self._engine.receive(data)
        self._react()

    def _hear(self, heard: bytes, data: bytes) -> None:
        if isinstance(self._engine, RestingEngine):
            self._engine = self._engine.wake(self._make_engine)
        self._heard = heard + data if len(heard) + len(data) <= MOST_BYTES else None

    @property
    def rests(self) -> bool:
        """Whether it has given back what HTTP/2 takes of memory, or has asked for something."""
        return self._heard is None or isinstance(self._engine, RestingEngine)

    def rest(self) -> None:
        """Give back what HTTP/2 takes of memory, where the peer has said hello and nothing else.

        Nothing is done while something of either side is still to be handled.
        """
        under_way = self._flushing or self._later or self._paused or self._held or self._ended
        if self._heard is not None and not self.rests and not under_way:
            self._engine = RestingEngine(self._heard)

    def _slow_down(self, rest: bytes) -> None:
        """Read no more until the peer's frames may cost something again."""
        self._held = rest
        if self._transport is not None:
            self._transport.pause_reading()
        self._on_slowed(self._peer.address, self._loop.time())
        self._loop.call_later(self._meter.wait(), self._go_on)

    def _go_on(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        held, self._held = self._held, b""
        self._process(held)
        if not self._held:
            self._transport.resume_reading()

    def _react(self) -> None:
        """Do what the engine has told, and write what it has to say in this turn."""
        for event in self._engine.events():
            self._take(event)
        self._flush_in_time()

    def _take(self, event: Event) -> None:
        match event:
            case RequestArrived():
                self._begin(event)
            case DataArrived(stream_id, data, ended):
                self._meter.earn(len(data))
                self._kept += len(data)
                stream = self._open.get(stream_id)
                if stream is None or stream.task is None:
                    # Nobody reads it any more.
                    self._give_back(stream_id, len(data))
                if self._kept > self._windows.kept:
                    # It has not heard, or ignores, what a stream may send.
                    self._engine.end(ErrorCode.ENHANCE_YOUR_CALM)
                if stream is not None:
                    stream.call.inbox.put(data if stream.task else b"", ended=ended)
                    stream.call.wake()
            case StreamClosed(stream_id):
                stream = self._open.pop(stream_id, None)
                if stream is not None:
                    self._give_back(stream_id, stream.call.inbox.drop())
                    self._give_up(stream)
            case ConnectionEnded(error_code):
                if error_code and not self._ended:
                    log.info("connection-broken", peer=self._peer.address, error=error_code)
                self._ended = True

    def _begin(self, request: RequestArrived) -> None:
        stream_id = request.stream_id
        if not self._asked:
            self._asked = True
            self._heard = None
            self._on_asked(self)
        if len(self._open) >= self._max_streams:
            self._engine.reset(stream_id, ErrorCode.REFUSED_STREAM)
            return
        head = read_head(request.headers)
        path = head.path.decode("latin-1") if isinstance(head, CallHead) else ""
        call = Call(self, stream_id, path, request.headers)
        call.inbox.put(b"", ended=request.ended)
        stream = self._open[stream_id] = _Open(call)
        if isinstance(head, NoCall):
            self._end_stream(call, head.status, head.words, http_status=head.http_status)
            return
        method = self._methods.get(path, _unknown_method)
        stream.task = self._loop.create_task(self._run(stream, method, head.timeout))
        self._running += 1

    async def _run(self, stream: _Open, method: Method, timeout: float | None) -> None:
        """Run a method, and turn however it ends into the call's status: the one place."""
        call = stream.call
        stream.begun = True
        status, words = Status.OK, ""
        try:
            if timeout is None:
                await method(call)
            else:
                async with asyncio.timeout(timeout):
                    await method(call)
        except EndCall as end:
            status, words = end.status, end.words
        except BootzError as error:
            refusal = end_of(error)
            status, words = refusal.status, refusal.words
        except TimeoutError:
            log.info("request-timeout", peer=self._peer.address, rpc=call.path)
            status, words = Status.DEADLINE_EXCEEDED, "request-timeout"
        except Exception:
            # A defect of ours: bland outside, the traceback inside.
            log.exception("call-failed", rpc=call.path)
            status, words = Status.INTERNAL, "internal"
        finally:
            stream.task = None
            self._running -= 1
            self._no_large(stream)
            self.last_progress = self._loop.time()
        if status is Status.OK:
            self._meter.earn_answer()
        self._end_stream(call, status, words)
        self._on_called(call.path, well=status is Status.OK)

    def _give_up(self, stream: _Open) -> None:
        if stream.task is not None:
            stream.task.cancel()
            if not stream.begun:
                stream.task = None
                self._running -= 1

    def _end_stream(
        self, call: Call, status: Status, words: str, *, http_status: int = 200
    ) -> None:
        stream_id = call.stream_id
        if stream_id not in self._open:
            return
        self._give_back(stream_id, call.inbox.drop())
        if call.answering:
            self._engine.finish(stream_id, trailers(status, words))
        else:
            headers = only_trailers(status, words, http_status=http_status)
            self._engine.respond(stream_id, headers, end=True)
        if not call.inbox.ended:
            self._finished.append(stream_id)
        self._flush_soon()

    @property
    def peer(self) -> PeerInfo:
        """The other end of the connection."""
        return self._peer

    def taken(self, stream_id: int, octets: int) -> None:
        """Say that so much of a stream was taken, so that as much more may come."""
        stream = self._open.get(stream_id)
        if stream is not None and stream.large:
            octets -= stream.call.inbox.took_ahead()
            self._no_large(stream)
        self._give_back(stream_id, octets)
        self._flush_in_time()

    def _give_back(self, stream_id: int, octets: int) -> None:
        self._kept -= octets
        self._engine.taken(stream_id, octets)

    def waits_for_more(self, stream_id: int) -> None:
        """Take what is there ahead, where the window is smaller than the message."""
        stream = self._open.get(stream_id)
        if stream is None or self._windows.holds(stream.call.inbox.begun + PREFIX):
            return
        stream.large = True
        if self._large.let(stream_id, stream.call.inbox.begun):
            self._give_back(stream_id, stream.call.inbox.take_ahead())
            # The caller waits for it.
            self._flush_soon()

    def _no_large(self, stream: _Open) -> None:
        if stream.large:
            stream.large = False
            for stream_id in self._large.done(stream.call.stream_id):
                if (other := self._open.get(stream_id)) is not None:
                    other.call.wake()

    def send(self, stream_id: int, message: bytes, *, first: bool) -> None:
        """Send a message of a call, before the first one the headers."""
        if first:
            self._engine.respond(stream_id, ANSWER, end=False)
        self._engine.send(stream_id, framed(message))
        self._meter.earn(len(message))
        self._flush_soon()

    def backed_up(self, stream_id: int) -> bool:
        """Tell whether so much of a stream waits that nothing should be added."""
        if self._engine.unsent(stream_id) <= _HIGH_WATER:
            return False
        self._flush()
        return self._engine.unsent(stream_id) > _HIGH_WATER

    def pause_writing(self) -> None:
        """Keep what is to be written in the engine: the peer does not take it."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on writing."""
        self._paused = False
        self._flush()

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush_in_time(self) -> None:
        """Write what no caller waits for: with the answer where a call runs, else soon.

        The bounds of this side are told at once: until then a caller may open too many streams.
        """
        if not (self._ended or self._finished or self._engine.may_write()):
            return
        if self._running and self._greeted:
            self._flush_later()
        else:
            self._flush_soon()

    def _flush_later(self) -> None:
        if not self._flushing and self._later is None:
            self._later = self._loop.call_later(_LATER_S, self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._later is not None:
            self._later.cancel()
            self._later = None
        transport = self._transport
        if transport is None or self._paused or transport.is_closing():
            return
        self._greeted = True
        out = self._engine.output()
        if self._finished:
            out += self._reset_finished()
        if out:
            transport.write(out)
        for event in self._engine.events():
            self._take(event)
        for stream in self._open.values():
            stream.call.relieve()
        if self._ended:
            transport.close()

    def _reset_finished(self) -> bytes:
        """Tell callers that still send after their call has ended that it has no use."""
        waiting = [stream_id for stream_id in self._finished if self._engine.unsent(stream_id)]
        for stream_id in self._finished:
            if stream_id in self._open and stream_id not in waiting:
                self._engine.reset(stream_id, ErrorCode.NO_ERROR)
        self._finished = waiting
        return self._engine.output()

    @property
    def running(self) -> bool:
        """Whether a call runs."""
        return self._running > 0

    @property
    def busy(self) -> bool:
        """Whether a call runs, or part of an answer has not left."""
        return self._running > 0 or any(self._engine.unsent(each) for each in self._open)

    def refuse_calls(self) -> None:
        """Take no more calls; those that run go on.

        No GOAWAY says so: there are clients that give up their running calls at one.
        """
        self._max_streams = 0

    def close(self) -> None:
        """Close it from this side."""
        if self._transport is not None and not self._transport.is_closing():
            self._engine.end(ErrorCode.NO_ERROR)
            self._ended = True
            self._paused = False
            self._flush()

    def cut(self) -> None:
        """End it without a goodbye."""
        if self._transport is not None:
            self._transport.abort()

    def eof_received(self) -> None:
        """Let go of a peer that has said goodbye and waits for nothing; goodbyes cost a record."""
        if self._transport is not None and not self._open:
            self._transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection, and give up its calls."""
        self._transport = None
        if self._later is not None:
            self._later.cancel()
        for stream in self._open.values():
            self._give_up(stream)
        self._open.clear()
        self._on_lost(self)


async def _unknown_method(_call: Call) -> None:
    raise PolicyError("method-unknown", "there is no such method")
