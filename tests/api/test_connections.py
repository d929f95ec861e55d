"""Callers that keep the door waiting are cut off; the others are served all along.

docs/operator-ids.md: O17.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
import uvicorn
from uvicorn.server import ServerState

from bootz.server.api import connections
from bootz.server.api.connections import (
    BODY_S,
    HEAD_S,
    MAX_OF_ADDRESS,
    READER_S,
    DoorProtocol,
    cut_off_overdue,
)

Caller = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer /stream without end, /long with much at once, else with what the body was."""
    body = b""
    more = scope["path"] == "/"
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/stream":
        while True:
            await send({"type": "http.response.body", "body": b"x" * 4096, "more_body": True})
            # A stream that no one reads waits where it sends; others are served here.
            await asyncio.sleep(0)
    if scope["path"] == "/long":
        body = b"y" * (16 << 20)
    await send({"type": "http.response.body", "body": body})


class Served:
    def __init__(self, state: ServerState, port: int) -> None:
        self.connections: set[Any] = state.connections
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []

    async def call(self, *lines: str, body: bytes = b"") -> Caller:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1024)
        writer.write("".join(f"{line}\r\n" for line in lines).encode() + body)
        await writer.drain()
        self._writers.append(writer)
        return reader, writer

    async def hang_up(self) -> None:
        for each in self._writers:
            each.transport.abort()
            await asyncio.gather(each.wait_closed(), return_exceptions=True)

    async def until(self, holds: Callable[[DoorProtocol], bool]) -> DoorProtocol:
        """Return the connection for which it holds, once there is one."""
        async with asyncio.timeout(60):
            while True:
                for each in self.connections:
                    if holds(each):
                        return each  # type: ignore[no-any-return]
                await asyncio.sleep(0)


@asynccontextmanager
async def serving() -> AsyncIterator[Served]:
    config = uvicorn.Config(application, log_config=None, access_log=False, lifespan="off")
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: DoorProtocol(config, state, {}), "127.0.0.1", 0)
    try:
        served = Served(state, server.sockets[0].getsockname()[1])
        yield served
    finally:
        server.close()
        await served.hang_up()
        for each in tuple(state.connections):
            each.transport.abort()
        for task in tuple(state.tasks):
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)


def run(story: Callable[[Served], Awaitable[None]]) -> None:
    async def told() -> None:
        async with serving() as served:
            await asyncio.wait_for(story(served), 120)

    asyncio.run(told())


def clock() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("path", ["/stream", "/long"])
def test_who_reads_nothing_is_cut_off_with_what_waits(path: str) -> None:
    async def story(served: Served) -> None:
        _, writer = await served.call(f"GET {path} HTTP/1.1", "Host: x", "")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        full = await served.until(lambda each: each.transport.get_write_buffer_size() > 0)
        waiting = full.transport.get_write_buffer_size()
        assert full.overdue(clock()) == ""
        assert full.overdue(clock() + READER_S - 1) == ""
        # No more is made for it than what waits already.
        assert full.transport.get_write_buffer_size() == waiting
        assert full.overdue(clock() + READER_S + 1) == "it reads nothing"

        reader, _ = await served.call("GET /stream HTTP/1.1", "Host: x", "")
        with structlog.testing.capture_logs() as logs:
            full.cut("it reads nothing")
        assert logs == [
            {
                "event": "client-cut-off",
                "log_level": "warning",
                "peer": "127.0.0.1",
                "path": path,
                "detail": "it reads nothing",
                "waiting": waiting,
            }
        ]
        await served.until(lambda _: full not in served.connections)
        # Another reads on.
        assert len(await reader.readexactly(1 << 20)) == 1 << 20

    run(story)


def test_who_reads_slowly_is_not_cut_off() -> None:
    async def story(served: Served) -> None:
        reader, writer = await served.call("GET /long HTTP/1.1", "Host: x", "")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        full = await served.until(lambda each: each.transport.get_write_buffer_size() > 0)
        at = clock()
        assert full.overdue(at) == ""
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        for step in range(1, 4):
            before = full.transport.get_write_buffer_size()
            assert before
            while full.transport.get_write_buffer_size() >= before:
                await reader.read(1024)
            assert full.overdue(at + step * (READER_S - 1)) == ""

    run(story)


@pytest.mark.parametrize(
    ("sent", "after", "why"),
    [
        ((), HEAD_S, "it sends no request"),
        (("GET / HTTP/1.1",), HEAD_S, "it sends no request"),
        (
            ("POST / HTTP/1.1", "Host: x", "Content-Length: 9", "", "begun"),
            BODY_S,
            "it does not finish its request",
        ),
    ],
)
def test_who_does_not_finish_a_request_is_cut_off(
    sent: tuple[str, ...], after: float, why: str
) -> None:
    async def story(served: Served) -> None:
        await served.call(*sent)
        begun = await served.until(lambda _: True)
        if sent and after == BODY_S:
            await served.until(lambda each: each.cycle is not None)
        assert begun.overdue(clock() + after - 5) == ""
        assert begun.overdue(clock() + after + 1) == why

    run(story)


def test_more_of_a_head_is_no_progress_and_more_of_a_body_is() -> None:
    async def story(served: Served) -> None:
        _, writer = await served.call("GET / HTTP/1.1")
        dripping = await served.until(lambda each: bool(each.conn.trailing_data[0]))
        at = dripping.moved_at
        writer.write(b"X: y\r\n")
        await served.until(lambda each: b"X: y" in each.conn.trailing_data[0])
        assert dripping.moved_at == at
        writer.write(b"Host: x\r\nContent-Length: 9\r\n\r\n")
        await served.until(lambda each: each.cycle is not None)
        dripping.moved_at = at
        writer.write(b"abc")
        await served.until(lambda each: each.moved_at > at)

    run(story)


def test_between_two_requests_nothing_is_overdue_here() -> None:
    async def story(served: Served) -> None:
        reader, writer = await served.call("GET / HTTP/1.1", "Host: x", "")
        await reader.readuntil(b"\r\n\r\n")
        idle = await served.until(lambda each: each.cycle is not None)
        await served.until(lambda each: each.cycle.response_complete)
        assert idle.overdue(clock() + 3600) == ""
        writer.write(b"GET")
        await served.until(lambda each: bool(each.conn.trailing_data[0]))
        assert idle.overdue(clock() + HEAD_S + 1) == "it sends no request"

    run(story)


def test_one_address_does_not_take_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_OF_ADDRESS < connections.MAX_CONNECTIONS
    monkeypatch.setattr(connections, "MAX_OF_ADDRESS", 2)

    async def story(served: Served) -> None:
        for _ in range(2):
            await served.call()
        await served.until(lambda _: len(served.connections) == 2)
        reader, _ = await served.call()
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 429 ")
        assert json.loads(body)["reason"] == "requests-too-many"

    run(story)


def test_the_watch_goes_through_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "LOOK_S", 0)
    monkeypatch.setattr(connections, "HEAD_S", 0.0)

    async def story(served: Served) -> None:
        reader, _ = await served.call("GET / HTTP/1.1")
        await served.until(lambda each: bool(each.conn.trailing_data[0]))
        watch = asyncio.create_task(cut_off_overdue(served.connections))
        with structlog.testing.capture_logs() as logs, pytest.raises(ConnectionError):
            # Reset at once: what waits on either side is not finished first.
            assert await reader.read() == b""
            raise ConnectionResetError
        watch.cancel()
        assert [each["event"] for each in logs] == ["client-cut-off"]

    run(story)
