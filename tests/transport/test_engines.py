"""Both engines without a network: any bytes, cut anywhere, and the same events from both."""

from __future__ import annotations

import sys
from itertools import pairwise

import pytest
from engines import ENGINES
from hypothesis import given
from hypothesis import strategies as st
from transport.http2_peer import (
    CALL,
    DATA,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    PREFACE,
    WINDOW_UPDATE,
    block,
    call,
    frame,
    message,
    opened,
    settings,
)

from bootz.errors import ConfigError
from bootz.transport import http2
from bootz.transport.http2.engine import (
    ConnectionEnded,
    DataArrived,
    Engine,
    EngineLimits,
    ErrorCode,
    RequestArrived,
    StreamClosed,
)
from bootz.transport.http2.engines import engine_kind
from bootz.transport.http2.meter import ALLOWANCE, LONGEST_WAIT, Bucket, FrameMeter

LIMITS = EngineLimits(max_streams=4, stream_window=70_000, connection_window=140_000)
BEGIN = PREFACE + settings()

FRAMES = st.one_of(
    st.builds(
        frame,
        st.integers(0, 12),
        st.binary(max_size=40),
        flags=st.integers(0, 255),
        stream_id=st.integers(0, 9),
    ),
    st.builds(call, st.binary(max_size=40), stream_id=st.sampled_from([1, 3, 5, 7])),
    st.binary(max_size=30),
)


def made(name: str) -> Engine:
    return engine_kind(name).make(LIMITS)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ENGINES)
@given(sent=st.lists(FRAMES, max_size=8), cuts=st.lists(st.integers(0, 400), max_size=4))
def test_any_bytes_are_taken_and_nothing_is_raised(
    name: str, sent: list[bytes], cuts: list[int]
) -> None:
    engine = made(name)
    data = BEGIN + b"".join(sent)
    borders = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for begin, end in pairwise(borders):
        engine.receive(data[begin:end])
        for event in engine.events():
            if isinstance(event, RequestArrived):
                engine.respond(event.stream_id, [(b":status", b"200")], end=False)
                engine.send(event.stream_id, b"body")
                engine.finish(event.stream_id, [(b"x", b"y")])
            if isinstance(event, DataArrived):
                engine.taken(event.stream_id, len(event.data))
        engine.output()
    # Late words to whatever there was: nothing comes of them, and nothing breaks.
    for stream_id in (1, 3, 5, 99):
        engine.send(stream_id, b"late")
        engine.finish(stream_id, [(b"x", b"y")])
        engine.reset(stream_id, ErrorCode.CANCEL)
        assert engine.unsent(stream_id) >= 0
    engine.end(ErrorCode.NO_ERROR)
    engine.output()
    engine.events()


def told(engine: Engine, data: bytes, step: int) -> list[object]:
    """Return what an engine tells of bytes in pieces; bodies joined, as their cuts may differ."""
    events: list[object] = []
    for begin in range(0, len(data), step):
        engine.receive(data[begin : begin + step])
        for event in engine.events():
            if isinstance(event, DataArrived):
                engine.taken(event.stream_id, len(event.data))
                events.append((event.stream_id, event.data, event.ended))
            elif isinstance(event, RequestArrived):
                headers = tuple((bytes(name), bytes(value)) for name, value in event.headers)
                events.append((event.stream_id, headers, event.ended))
            else:
                events.append(event)
        engine.output()
    return events


@given(step=st.integers(1, 400), bodies=st.lists(st.binary(max_size=300), min_size=1, max_size=3))
def test_engines_tell_the_same_however_the_bytes_are_cut(step: int, bodies: list[bytes]) -> None:
    sent = BEGIN + b"".join(
        call(body, stream_id=2 * number + 1) + frame(PING, b"8octets!")
        for number, body in enumerate(bodies)
    )
    sent += opened(stream_id=21, ended=True)
    first, second = (told(made(name), sent, step) for name in ENGINES)
    assert first == second
    assert len(first) == 2 * len(bodies) + 1


@pytest.mark.parametrize("name", ENGINES)
def test_a_whole_exchange_closes_its_stream(name: str) -> None:
    engine = made(name)
    engine.receive(BEGIN + call())
    assert [type(event) for event in engine.events()] == [RequestArrived, DataArrived]
    engine.taken(1, len(message()))
    engine.respond(1, [(b":status", b"200")], end=False)
    engine.send(1, b"z" * 100_000)
    engine.finish(1, [(b"grpc-status", b"0")])
    engine.output()
    assert engine.unsent(1) == 100_000 - 65_535
    assert not engine.events()
    more = b"\0\1\0\0"
    engine.receive(frame(WINDOW_UPDATE, more) + frame(WINDOW_UPDATE, more, stream_id=1))
    engine.output()
    assert engine.unsent(1) == 0
    assert list(engine.events()) == [StreamClosed(1, 0)]


@pytest.mark.parametrize("name", ENGINES)
def test_the_end_of_a_connection_is_told_once_it_is_written(name: str) -> None:
    engine = made(name)
    engine.receive(BEGIN + frame(DATA, b"x", stream_id=1))
    out = engine.output()
    kinds = []
    while out:
        kinds.append(out[3])
        out = out[9 + int.from_bytes(out[:3], "big") :]
    assert kinds[-1] == GOAWAY
    ended = [event for event in engine.events() if isinstance(event, ConnectionEnded)]
    assert ended
    assert ended[0].error_code == ErrorCode.PROTOCOL_ERROR


def test_an_engine_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "bootz.transport.http2.compiled", raising=False)
    monkeypatch.delattr(http2, "compiled", raising=False)
    monkeypatch.setitem(sys.modules, "ngh2", None)
    with pytest.raises(ConfigError) as caught:
        engine_kind("ngh2")
    assert caught.value.reason == "http2-engine-missing"
    assert engine_kind("auto").name.startswith("h2 ")
    assert engine_kind("h2").name.startswith("h2 ")


def test_the_compiled_engine_is_taken_where_it_is_installed() -> None:
    assert engine_kind("auto").name.startswith("ngh2 ")


@given(
    sent=st.lists(
        st.tuples(st.sampled_from([DATA, HEADERS, PING]), st.integers(0, 3_000)), max_size=300
    ),
    step=st.integers(1, 5_000),
)
def test_a_meter_admits_at_borders_and_no_more_than_it_says(
    sent: list[tuple[int, int]], step: int
) -> None:
    frames = [frame(kind, bytes(length), stream_id=1) for kind, length in sent]
    data = PREFACE + b"".join(frames)
    borders = {len(PREFACE) + sum(map(len, frames[:count])) for count in range(len(frames) + 1)}
    meter = FrameMeter(Bucket(64.0))
    fed = 0
    for begin in range(0, len(data), step):
        piece = data[begin : begin + step]
        admitted = meter.admit(piece, 5.0)
        fed += admitted
        if admitted < len(piece):
            break
    costly = 0
    position = len(PREFACE)
    for (kind, length), each in zip(sent, frames, strict=True):
        if position + 9 <= fed:
            costly += kind != DATA or length < 1024
        position += len(each)
    # All at once: the allowance, and what the slower of both buckets holds.
    assert costly <= ALLOWANCE + 32
    if fed < len(data):
        assert costly == ALLOWANCE + 32
        assert meter.wait() > 0
        # Nothing of the next frame but what had come of its header before.
        assert any(0 <= fed - border < 9 for border in borders)


def test_a_meter_gives_time_back() -> None:
    meter = FrameMeter(Bucket(1_000.0))
    meter.admit(PREFACE, 0.0)
    flood = frame(PING, b"8octets!") * 1_000
    first = meter.admit(flood, 0.0)
    assert meter.admit(flood[first:], 0.0) == 0
    again = meter.admit(flood[first:], meter.wait())
    assert again == 16 * 17


def test_a_flood_that_goes_on_is_looked_at_ever_more_seldom() -> None:
    meter = FrameMeter(Bucket(1_000.0))
    meter.admit(PREFACE, 0.0)
    flood = frame(PING, b"8octets!") * 10_000
    now, at, waits = 0.0, meter.admit(flood, 0.0), []
    for _ in range(20):
        waits.append(meter.wait())
        now += waits[-1]
        at += meter.admit(flood[at:], now)
    assert waits == sorted(waits)
    assert waits[0] <= 1.0
    assert waits[-1] == LONGEST_WAIT
    # A call in earnest counts for more.
    meter.earn_answer()
    assert meter.admit(flood[at:], now) == 8 * 17
    assert meter.wait() == waits[0]


def test_headers_of_a_call_are_bounded_on_both() -> None:
    for name in ENGINES:
        engine = made(name)
        wide = block([*CALL, *((f"x-{each}", "y" * 1_000) for each in range(40))])
        parts = [wide[begin : begin + 16_000] for begin in range(0, len(wide), 16_000)]
        sent = frame(HEADERS, parts[0], stream_id=1)
        for part in parts[1:-1]:
            sent += frame(9, part, stream_id=1)
        engine.receive(BEGIN + sent + frame(9, parts[-1], flags=4, stream_id=1))
        engine.output()
        assert not [event for event in engine.events() if isinstance(event, RequestArrived)]


def test_the_last_part_of_a_body_says_so() -> None:
    for name in ENGINES:
        engine = made(name)
        engine.receive(BEGIN + opened() + frame(DATA, b"ab", flags=END_STREAM, stream_id=1))
        assert list(engine.events())[1] == DataArrived(1, b"ab", ended=True)
