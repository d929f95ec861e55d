"""What a peer of HTTP/2 may do, and what it gets for what it may not, on both engines.

After RFC 9113: the cases that h2spec has, and attacks that other servers were found open to.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable

import pytest
from engines import ENGINES
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from transport.http2_peer import (
    ACK,
    CALL,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Peer,
    Pouring,
    block,
    call,
    frame,
    message,
    opened,
    settings,
)

from bootz.transport.grpc.call import Call
from bootz.transport.grpc.large import windows
from bootz.transport.http2.engines import EngineName
from bootz.transport.http2.meter import ADDRESS_RATE, ALLOWANCE, CONNECTION_RATE
from bootz.transport.limits import ListenerLimits
from bootz.transport.listener import GrpcListener

MAX_MESSAGE = 100_000


class Server:
    """Echoes, with a count of the calls that were begun."""

    def __init__(self, engine: EngineName, **limits: float) -> None:
        bounds = ListenerLimits(max_message_bytes=MAX_MESSAGE, **limits)  # type: ignore[arg-type]
        self.begun = 0
        self.given_up = asyncio.Event()
        self.listener = GrpcListener(
            {"/test.Echo/Echo": self._echo, "/test.Echo/Wait": self._wait},
            limits=bounds,
            context=None,
            engine=engine,
        )
        self.address = ("", 0)

    async def _echo(self, asked: Call) -> None:
        self.begun += 1
        while (body := await asked.receive(MAX_MESSAGE)) is not None:
            await asked.send(body)

    async def _wait(self, asked: Call) -> None:
        self.begun += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up.set()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> EngineName:
    return request.param  # type: ignore[no-any-return]


def run(engine: EngineName, story: Callable[[Server], Awaitable[None]], **limits: float) -> Server:
    """Play a story, and see that the server then still answers others."""

    async def play(server: Server) -> None:
        await story(server)
        other = await Peer.meet(server.address)
        other.send(call(b"alive"))
        assert await other.answer() == message(b"alive")
        other.close()

    return alone(engine, play, **limits)


def alone(
    engine: EngineName, story: Callable[[Server], Awaitable[None]], **limits: float
) -> Server:
    """Play a story."""
    made: list[Server] = []

    async def play() -> None:
        server = Server(engine, **limits)
        made.append(server)
        (server.address,) = await server.listener.start([("127.0.0.1", 0)])
        try:
            async with asyncio.timeout(60):
                await story(server)
        finally:
            await server.listener.drain(0)

    asyncio.run(play())
    return made[0]


BROKEN = {
    "no preface": (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 4, False),
    "preface cut by another": (PREFACE[:20] + b"XXXXXX" + settings(), False),
    "a frame before SETTINGS": (PREFACE + frame(PING, b"8octets!"), True),
    "a frame that is too large": (frame(DATA, b"x" * 16385, stream_id=1), True),
    # Nothing of it is waited for: it might be 16 MiB.
    "the header of a frame that is too large": (
        frame(DATA, b"x" * 16385, stream_id=1)[:9],
        True,
    ),
    "PING of 7 octets": (frame(PING, b"7octets"), True),
    "PING on a stream": (frame(PING, b"8octets!", stream_id=1), True),
    "SETTINGS of 5 octets": (frame(SETTINGS, b"12345"), True),
    "SETTINGS acknowledged with content": (frame(SETTINGS, b"123456", flags=ACK), True),
    "SETTINGS on a stream": (frame(SETTINGS, b"", stream_id=1), True),
    "a window that is too large": (settings(window=1 << 31), True),
    "a frame size that is too small": (settings(frame=16383), True),
    "push switched on and off": (settings(push=2), True),
    "HEADERS on stream 0": (frame(HEADERS, block(CALL), flags=END_HEADERS), True),
    "HEADERS on an even stream": (opened(stream_id=2), True),
    "DATA on stream 0": (frame(DATA, b"x"), True),
    "DATA on an idle stream": (frame(DATA, b"x", stream_id=1), True),
    "padding longer than DATA": (
        opened() + frame(DATA, b"\xffabc", flags=PADDED, stream_id=1),
        True,
    ),
    "RST_STREAM on stream 0": (frame(RST_STREAM, bytes(4)), True),
    "RST_STREAM on an idle stream": (frame(RST_STREAM, bytes(4), stream_id=1), True),
    "RST_STREAM of 3 octets": (opened() + frame(RST_STREAM, bytes(3), stream_id=1), True),
    "PRIORITY of 4 octets on stream 0": (frame(PRIORITY, bytes(4)), True),
    "WINDOW_UPDATE of 3 octets": (frame(WINDOW_UPDATE, bytes(3)), True),
    "WINDOW_UPDATE of nothing": (frame(WINDOW_UPDATE, bytes(4)), True),
    "WINDOW_UPDATE on an idle stream": (frame(WINDOW_UPDATE, b"\0\0\0\1", stream_id=1), True),
    "a window of the connection that overflows": (
        frame(WINDOW_UPDATE, b"\x7f\xff\xff\xff") * 2,
        True,
    ),
    "PUSH_PROMISE": (
        opened() + frame(PUSH_PROMISE, b"\0\0\0\2" + block(CALL), flags=4, stream_id=1),
        True,
    ),
    "CONTINUATION without HEADERS": (
        frame(CONTINUATION, block(CALL), flags=END_HEADERS, stream_id=1),
        True,
    ),
    "PING inside a header block": (
        frame(HEADERS, block(CALL), stream_id=1) + frame(PING, b"8octets!"),
        True,
    ),
    "CONTINUATION of another stream": (
        frame(HEADERS, block(CALL), stream_id=1)
        + frame(CONTINUATION, b"", flags=END_HEADERS, stream_id=3),
        True,
    ),
    "GOAWAY on a stream": (frame(GOAWAY, bytes(8), stream_id=1), True),
    "GOAWAY of 7 octets": (frame(GOAWAY, bytes(7)), True),
    "an index that no table has": (
        frame(HEADERS, b"\xff\xff\x7f", flags=END_HEADERS, stream_id=1),
        True,
    ),
    "Huffman code with a broken end": (
        frame(HEADERS, b"\x00\x81\xff\x81\xff", flags=END_HEADERS, stream_id=1),
        True,
    ),
    "a header block without end": (
        frame(HEADERS, block(CALL), stream_id=1) + frame(CONTINUATION, b"", stream_id=1) * 100,
        False,
    ),
    "more headers than are taken": (
        frame(HEADERS, block(CALL), stream_id=1)
        + frame(CONTINUATION, block([("x", "y" * 15_000)]), stream_id=1) * 4
        + frame(CONTINUATION, b"", flags=END_HEADERS, stream_id=1),
        False,
    ),
    "a header block that is larger than it was sent": (
        # One entry of 4,000 octets in the table, then 1,000 references of one octet each.
        frame(
            HEADERS,
            b"\x40\x01x\x7f\xa1\x1e" + b"y" * 4000 + b"\xbe" * 1000,
            flags=END_HEADERS,
            stream_id=1,
        ),
        False,
    ),
}
"""What ends a connection; and whether SETTINGS come before it."""


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_a_connection_ends_it_and_no_other(engine: EngineName, name: str) -> None:
    sent, begun = BROKEN[name]
    whole = sent if sent.startswith((b"GET", PREFACE[:20])) else PREFACE + settings() + sent
    assert begun or not sent.startswith(PREFACE)

    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address, whole)
        last: int | None = None
        while (found := await peer.frame()) is not None:
            if found.kind == GOAWAY:
                last = int.from_bytes(found.payload[4:8], "big")
        # With words, and not those that all is well.
        assert last not in {None, 0}
        peer.close()

    run(engine, story)


REFUSED = {
    "no method": [pair for pair in CALL if pair[0] != ":method"],
    "no path": [pair for pair in CALL if pair[0] != ":path"],
    "an empty path": [(name, "" if name == ":path" else value) for name, value in CALL],
    "no scheme": [pair for pair in CALL if pair[0] != ":scheme"],
    "a method twice": [CALL[0], *CALL],
    "a pseudo-header that there is not": [*CALL[:4], (":nonsense", "x"), *CALL[4:]],
    "a pseudo-header of answers": [*CALL[:4], (":status", "200"), *CALL[4:]],
    "a pseudo-header after others": [*CALL[4:], *CALL[:4]],
    "a name in upper case": [*CALL, ("X-Upper", "x")],
    "a header of HTTP/1": [*CALL, ("connection", "keep-alive")],
    "te other than trailers": [*CALL[:5], ("te", "gzip")],
    "a line feed in a value": [*CALL, ("x", "a\nb")],
    "a NUL in a value": [*CALL, ("x", "a\0b")],
    "a blank at the end of a value": [*CALL, ("authorization", "Bearer ")],
    "a name with a blank": [*CALL, ("x y", "z")],
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_with_bad_headers_is_never_answered(engine: EngineName, name: str) -> None:
    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address)
        peer.send(opened(REFUSED[name]), frame(DATA, message(), flags=END_STREAM, stream_id=1))
        found = await peer.until(HEADERS, DATA, RST_STREAM, GOAWAY)
        assert found is not None
        assert found.kind in {RST_STREAM, GOAWAY}
        assert found.error_code != 0
        peer.close()

    assert run(engine, story).begun == 1  # by the other, who asks afterwards


def test_a_stream_that_is_older_than_another_is_never_answered(engine: EngineName) -> None:
    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address)
        peer.send(call(stream_id=5))
        assert await peer.answer(5) == message()
        peer.send(call(stream_id=3), frame(PING, b"8octets!"))
        found = await peer.until(HEADERS, DATA, PING, GOAWAY)
        assert found is not None
        # Ignored, or the end of the connection.
        assert found.kind in {PING, GOAWAY}
        peer.close()

    assert run(engine, story).begun == 2


NO_CALLS = {
    "GET": ([(":method", "GET"), *CALL[1:]], "405"),
    "no content type": ([pair for pair in CALL if pair[0] != "content-type"], "415"),
    "JSON": ([*CALL[:4], ("content-type", "application/json")], "415"),
    "gRPC in JSON": ([*CALL[:4], ("content-type", "application/grpc+json")], "415"),
    "a timeout that is none": ([*CALL, ("grpc-timeout", "soon")], "200"),
    "a timeout of nine digits": ([*CALL, ("grpc-timeout", "123456789S")], "200"),
}


@pytest.mark.parametrize("name", NO_CALLS)
def test_a_request_that_is_no_call_is_told_so(engine: EngineName, name: str) -> None:
    headers, status = NO_CALLS[name]

    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address)
        peer.send(opened(headers), frame(DATA, message(), flags=END_STREAM, stream_id=1))
        found = await peer.until(HEADERS, RST_STREAM, GOAWAY)
        assert found is not None
        assert found.kind == HEADERS
        assert found.flags & END_STREAM
        assert found.headers[":status"] == status
        assert found.headers["grpc-status"] in {"2", "3"}
        # The connection goes on.
        peer.send(call(b"again", stream_id=3))
        assert await peer.answer(3) == message(b"again")
        peer.close()

    run(engine, story)


def test_frames_in_small_pieces_and_padding_are_taken(engine: EngineName) -> None:
    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address, b"")
        padded = b"\x05" + message() + bytes(5)
        whole = (
            PREFACE
            + settings(window=70_000)
            + frame(99, b"a frame of a kind that is not known", stream_id=7)
            + frame(HEADERS, b"\0\0\0\0\x10" + block(CALL)[:3], flags=0x20, stream_id=1)
            + frame(CONTINUATION, block(CALL)[3:], flags=END_HEADERS, stream_id=1)
            + frame(DATA, padded, flags=PADDED, stream_id=1)
            + frame(DATA, b"", flags=END_STREAM, stream_id=1)
        )
        for octet in whole:
            peer.send(bytes([octet]))
            await asyncio.sleep(0)
        assert await peer.answer() == message()
        peer.close()

    run(engine, story)


def test_trailers_end_a_request(engine: EngineName) -> None:
    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address)
        trailers = frame(
            HEADERS, block([("x-checksum", "1")]), flags=END_HEADERS | END_STREAM, stream_id=1
        )
        peer.send(opened(), frame(DATA, message(), stream_id=1), trailers)
        assert await peer.answer() == message()
        peer.close()

    run(engine, story)


@pytest.mark.parametrize(
    "trailers", [[(":path", "/x")], [("X-Upper", "1")]], ids=["pseudo", "upper case"]
)
def test_trailers_that_may_not_be_break_their_stream(
    engine: EngineName, trailers: list[tuple[str, str]]
) -> None:
    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address)
        last = frame(HEADERS, block(trailers), flags=END_HEADERS | END_STREAM, stream_id=1)
        peer.send(opened([*CALL[:2], (":path", "/test.Echo/Wait"), *CALL[3:]]), last)
        found = await peer.until(DATA, RST_STREAM, GOAWAY)
        assert found is not None
        assert found.kind in {RST_STREAM, GOAWAY}
        peer.close()

    run(engine, story)


def test_a_client_that_says_goodbye_still_gets_its_answer(engine: EngineName) -> None:
    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address)
        peer.send(opened(), frame(GOAWAY, bytes(8)), frame(PING, b"8octets!"))
        peer.send(frame(DATA, message(), flags=END_STREAM, stream_id=1))
        assert await peer.answer() == message()
        peer.close()

    run(engine, story)


def test_a_stream_that_the_peer_resets_gives_up_its_call(engine: EngineName) -> None:
    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address)
        peer.send(opened([*CALL[:2], (":path", "/test.Echo/Wait"), *CALL[3:]]))
        peer.send(call(b"beside", stream_id=3))
        assert await peer.answer(3) == message(b"beside")
        peer.send(frame(RST_STREAM, struct.pack(">I", 8), stream_id=1))
        await server.given_up.wait()
        peer.close()

    run(engine, story)


def test_an_answer_leaves_as_the_windows_allow(engine: EngineName) -> None:
    body = bytes(range(256)) * 300

    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address, PREFACE + settings(window=10))
        await peer.settle()
        peer.send(opened())
        for start in range(0, len(message(body)), 16_384):
            peer.send(frame(DATA, message(body)[start : start + 16_384], stream_id=1))
        peer.send(frame(DATA, b"", flags=END_STREAM, stream_id=1))
        found = await peer.until(DATA)
        assert found is not None
        assert found.payload == message(body)[:10]
        # The rest: first the stream may, then the connection, which had 65,535.
        peer.send(frame(WINDOW_UPDATE, struct.pack(">I", 1 << 20), stream_id=1))
        got = found.payload
        while len(got) < 65_535:
            found = await peer.until(DATA)
            assert found is not None
            got += found.payload
        assert len(got) == 65_535
        peer.send(frame(WINDOW_UPDATE, struct.pack(">I", 1 << 20)))
        assert got + await peer.answer() == message(body)
        peer.close()

    run(engine, story, max_streams_per_connection=1)


def test_more_than_the_window_is_not_taken(engine: EngineName) -> None:
    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address)
        peer.send(opened([*CALL[:2], (":path", "/test.Echo/Wait"), *CALL[3:]]))
        peer.send(frame(DATA, bytes(16_384), stream_id=1) * 20)
        found = await peer.until(RST_STREAM, GOAWAY)
        assert found is not None
        await server.given_up.wait()
        peer.close()

    run(engine, story, max_streams_per_connection=1)


@pytest.mark.parametrize("streams", [2, 4, 16, 100])
def test_large_messages_at_once_all_become_whole(engine: EngineName, streams: int) -> None:
    bodies = {1 + 2 * each: bytes([each]) * (MAX_MESSAGE - each) for each in range(streams)}

    async def story(server: Server) -> None:
        peer = await Pouring.meet(server.address)
        for stream_id, body in bodies.items():
            # The second one waits behind the first.
            peer.open(stream_id, message(body) * 2)
        answers = await peer.answers()
        assert answers == {each: message(body) * 2 for each, body in bodies.items()}
        peer.close()

    run(engine, story, max_streams_per_connection=streams)


@pytest.mark.parametrize("streams", [1, 2, 4, 16, 1000])
@pytest.mark.parametrize("before", [0.01, 0.45, 0.9])
def test_a_message_finds_room_after_the_one_before_it(
    engine: EngineName, streams: int, before: float
) -> None:
    window = windows(
        ListenerLimits(max_message_bytes=MAX_MESSAGE, max_streams_per_connection=streams)
    ).stream
    sizes = [int(window * before), window - 5, window * 2, window // 2 - 5, window // 2 - 4]
    body = b"".join(message(bytes(min(size, MAX_MESSAGE))) for size in sizes)

    async def story(server: Server) -> None:
        peer = await Pouring.meet(server.address)
        await peer.stuck()
        peer.open(1, body)
        assert await peer.stuck() == len(body)
        assert await peer.answers() == {1: body}
        peer.close()

    run(engine, story, max_streams_per_connection=streams)


def test_a_peer_is_not_slowed_by_windows_that_are_small(engine: EngineName) -> None:
    async def story(server: Server) -> None:
        peer = await Pouring.meet(server.address)
        await peer.stuck()
        peer.open(1, message(bytes(MAX_MESSAGE)) * 4)
        assert await peer.answers() == {1: message(bytes(MAX_MESSAGE)) * 4}
        peer.close()

    with capture_logs() as logs:
        run(engine, story, max_streams_per_connection=1000)
    assert "connection-slowed" not in {log["event"] for log in logs}


@given(st.integers(4096, 64 << 20), st.integers(1, 1000))
def test_what_a_connection_keeps_is_bounded(message_bytes: int, streams: int) -> None:
    found = windows(
        ListenerLimits(max_message_bytes=message_bytes, max_streams_per_connection=streams)
    )
    share = max(message_bytes + 65_536, streams * 2048)
    assert found.kept + found.ahead <= message_bytes + 65_536 + share
    # With half of it untold, a peer can go on.
    assert found.connection // 2 > found.kept


def test_a_call_that_is_given_up_at_once_keeps_nothing_waiting(engine: EngineName) -> None:
    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address)
        await peer.settle()
        code = struct.pack(">I", 8)
        peer.send(opened() + frame(RST_STREAM, code, stream_id=1) + frame(PING, b"anything"))
        assert await peer.until(PING) is not None
        # Without a call that runs there is nothing to wait for.
        await server.listener.drain(3600)
        assert await peer.until(GOAWAY) is not None
        peer.close()

    alone(engine, story)


@pytest.mark.parametrize("end", ["reset", "cut"])
def test_a_large_message_that_is_given_up_makes_room_for_the_next(
    engine: EngineName, end: str
) -> None:
    async def story(server: Server) -> None:
        peer = await Pouring.meet(server.address)
        *others, last = range(1, 33, 2)
        for stream_id in (*others, last):
            peer.open(stream_id, message(bytes(MAX_MESSAGE))[:-1])
        # No more is kept of messages that do not end.
        sent = await peer.stuck()
        assert MAX_MESSAGE < sent <= 2 * (MAX_MESSAGE + 65_536)
        for stream_id in others:
            (peer.give_up if end == "reset" else peer.end)(stream_id)
        peer.add(last, bytes(1))
        assert (await peer.answers())[last] == message(bytes(MAX_MESSAGE))
        peer.close()

    run(engine, story)


def test_many_messages_of_one_stream_do_not_close_its_window(engine: EngineName) -> None:
    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address)
        peer.send(frame(WINDOW_UPDATE, struct.pack(">I", 1 << 30)))
        peer.send(opened(), frame(WINDOW_UPDATE, struct.pack(">I", 1 << 30), stream_id=1))
        body = message(bytes(8_000))
        for _ in range(100):
            peer.send(frame(DATA, body, stream_id=1))
            got = b""
            while len(got) < len(body):
                found = await peer.until(DATA, RST_STREAM, GOAWAY)
                assert found is not None
                assert found.kind == DATA
                got += found.payload
        peer.close()

    run(engine, story)


def test_calls_beyond_the_bound_are_refused_and_the_others_answered(engine: EngineName) -> None:
    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address)
        for stream_id in (1, 3, 5):
            peer.send(opened(stream_id=stream_id))
        found = await peer.until(RST_STREAM, GOAWAY)
        assert found is not None
        if found.kind == RST_STREAM:
            assert (found.stream_id, found.error_code) == (5, 7)
            peer.send(frame(DATA, message(), flags=END_STREAM, stream_id=1))
            assert await peer.answer(1) == message()
        peer.close()

    run(engine, story, max_streams_per_connection=2)


def test_an_unknown_method_and_a_deadline_have_their_status(engine: EngineName) -> None:
    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address)
        for stream_id, path, extra, status in (
            (1, "/test.Echo/Nothing", [], "12"),
            (3, "/test.Echo/Wait", [("grpc-timeout", "1m")], "4"),
        ):
            peer.send(opened([*CALL[:2], (":path", path), *CALL[3:], *extra], stream_id=stream_id))
            found = await peer.until(HEADERS)
            assert found is not None
            assert found.flags & END_STREAM
            assert found.headers["grpc-status"] == status
            # The call is over while this side still could send: it is told not to.
            reset = await peer.until(RST_STREAM)
            assert reset is not None
            assert (reset.stream_id, reset.error_code) == (stream_id, 0)
        await server.given_up.wait()
        peer.close()

    run(engine, story)


def test_a_peer_that_begins_hears_the_bounds_of_this_side(engine: EngineName) -> None:
    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address, PREFACE[:3])
        first = await peer.frame()
        assert first is not None
        assert (first.kind, first.flags) == (SETTINGS, 0)
        peer.close()

    run(engine, story)


def test_the_bounds_of_this_side_do_not_wait_for_an_answer(engine: EngineName) -> None:
    async def story(server: Server) -> None:
        waiting = [*CALL[:2], (":path", "/test.Echo/Wait"), *CALL[3:]]
        peer = await Peer.meet(server.address, PREFACE + settings() + opened(waiting))
        first, second = await peer.until(SETTINGS), await peer.until(SETTINGS)
        assert first is not None
        assert second is not None
        assert [first.flags, second.flags] == [0, ACK]
        peer.close()
        await server.given_up.wait()

    run(engine, story)


FLOODS = {
    "PING": lambda _: frame(PING, b"8octets!"),
    "SETTINGS": lambda _: settings(window=65_535),
    "PRIORITY": lambda number: frame(PRIORITY, bytes(5), stream_id=2 * number + 1),
    "WINDOW_UPDATE": lambda _: frame(WINDOW_UPDATE, b"\0\0\0\1"),
    "frames of no known kind": lambda _: frame(77, b""),
    "streams that are reset at once": lambda number: (
        opened(stream_id=2 * number + 1) + frame(RST_STREAM, bytes(4), stream_id=2 * number + 1)
    ),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_of_frames_is_read_slowly_and_stops_nobody(engine: EngineName, name: str) -> None:
    flood = b"".join(FLOODS[name](number) for number in range(20_000))
    answered = {"PING": PING, "SETTINGS": SETTINGS}.get(name)

    async def story(server: Server) -> None:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        floods = [await Peer.meet(server.address) for _ in range(4)]
        acknowledged = 0

        async def pour(peer: Peer) -> None:
            nonlocal acknowledged
            peer.send(flood)
            while (found := await peer.frame()) is not None:
                acknowledged += found.kind == answered and bool(found.flags & ACK)

        pouring = [asyncio.create_task(pour(peer)) for peer in floods]
        for number in range(50):
            honest = await Peer.meet(server.address)
            honest.send(call(b"%d" % number))
            assert await honest.answer() == message(b"%d" % number)
            honest.close()
        elapsed = loop.time() - begin
        bound = 4 * (ALLOWANCE + CONNECTION_RATE) + ADDRESS_RATE * (1 + elapsed)
        assert acknowledged <= bound
        assert server.begun - 50 <= bound
        if answered is not None:
            assert acknowledged >= ALLOWANCE / 2
        # Counted, and told once: a line for each would be a flood of its own.
        assert server.listener.counts.slowed >= len(floods)
        for peer, task in zip(floods, pouring, strict=True):
            peer.close()
            await task

    with capture_logs() as told:
        run(engine, story)
    assert [line["log_level"] for line in told if line["event"] == "connection-slowed"] == [
        "warning"
    ]


def test_an_honest_peer_is_never_slowed_however_long_it_stays(engine: EngineName) -> None:
    async def story(server: Server) -> None:
        peer = await Peer.meet(server.address)
        # 1,200 frames: a flood of as many would have been read at another pace.
        for number in range(400):
            stream_id = 2 * number + 1
            peer.send(call(b"x", stream_id=stream_id), frame(PING, b"8octets!"))
            assert await peer.answer(stream_id) == message(b"x")
        assert server.listener.counts.slowed == 0
        peer.close()

    run(engine, story)
