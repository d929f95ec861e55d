"""What a broken, slow or hostile peer of the depot costs: itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from images.depot_world import CONTENT, DIGEST, LIMITS, PATH, World, both_loops, run
from structlog.testing import capture_logs


def test_malformed_and_oversized_requests_end_their_connection_only(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        start = f"GET {PATH} HTTP/1.1\r\n".encode()
        hostile = [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 50 + b"\r\n\r\n",
            b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
            start + b"A: " + b"x" * 100_000 + b"\r\n\r\n",
            start + b"A: b\r\n" * 1000 + b"\r\n",
            start + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            start + b"Content-Length: -1\r\n\r\n",
            b"GET * HTTP/1.1\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ]
        for request in hostile:
            answer = await world.raw(request)
            assert b" 200 " not in answer[:20]
            assert CONTENT[:8] not in answer
        assert (await world.ask()).body == CONTENT

    with capture_logs() as logs:
        run(story, tmp_path)
    assert {line["event"] for line in logs} <= {
        "http-request-refused",
        "image-sent",
        "image-not-found",
    }


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5))
def test_any_bytes_leave_the_server_serving(tmp_path: Path, noise: list[bytes]) -> None:
    async def story(world: World) -> None:
        for request in noise:
            # The blank lines end whatever was begun; the second request ends the connection.
            await world.raw(
                request + b"\r\n\r\nGET / HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n\r\n"
            )
        assert (await world.ask()).body == CONTENT

    run(story, tmp_path, limits=replace(LIMITS, idle_timeout=0.2))


def test_connection_is_kept_for_the_next_request_and_bodies_end_it(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        get = f"GET {PATH} HTTP/1.1\r\nHost: d\r\nRange: bytes=0-3\r\n"
        data = await world.raw(f"{get}\r\n{get}\r\n{get}Connection: close\r\n\r\n".encode())
        assert data.count(b"HTTP/1.1 206") == 3
        # Who promises a body and does not send it is answered, and not waited for.
        data = await world.raw(f"{get}Content-Length: 1000000\r\n\r\n".encode())
        assert data.count(b"HTTP/1.1 206") == 1

    run(story, tmp_path)


@both_loops
def test_a_long_download_is_told_of_while_it_goes_on(
    tmp_path: Path, runner: Callable[..., None]
) -> None:

    async def story(world: World) -> None:
        path = world.sparse(3 << 20)
        assert (await world.ask(path)).status == 200
        told = [await world.downloads.get()]
        while not told[-1].ended:
            told.append(await world.downloads.get())
        sizes = [download.bytes_sent for download in told]
        # How much leaves at once is the kernel's affair; never all of it.
        assert len(told) > 2
        assert sizes == sorted(sizes)
        assert sizes[-1] == 3 << 20
        assert [download.complete for download in told] == [False] * (len(told) - 1) + [True]

    run(story, tmp_path, replace(LIMITS, progress_interval=0, chunk_bytes=1 << 16), runner)


@both_loops
def test_stalled_reader_is_cut_and_delays_nobody(
    tmp_path: Path, runner: Callable[..., None]
) -> None:

    async def story(world: World) -> None:
        path = world.sparse(64 << 20)
        reader, writer = await world.connect()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        # It reads no more; others are served meanwhile.
        for _ in range(5):
            assert (await world.ask()).body == CONTENT
            assert (await world.downloads.get()).sha256 == DIGEST
        download = await world.downloads.get()
        assert (download.file_name, download.complete) == ("big", False)
        assert download.bytes_sent < download.size

    run(story, tmp_path, replace(LIMITS, stall_timeout=0.5, chunk_bytes=1 << 20), runner)


@both_loops
def test_who_asks_and_asks_and_never_reads_is_cut(
    tmp_path: Path, runner: Callable[..., None]
) -> None:
    async def story(world: World) -> None:
        reader, writer = await world.connect()
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        ask = b"GET /nothing HTTP/1.1\r\nHost: d\r\n\r\n" * 1000
        with pytest.raises(ConnectionError):
            while True:
                writer.write(ask)
                await writer.drain()

    run(story, tmp_path, replace(LIMITS, stall_timeout=0.3), runner)


@both_loops
@pytest.mark.parametrize("begun", [b"", b"GET /images/", b"GET / HTTP/1.1\r\nA: "])
def test_silent_and_dribbling_peers_are_closed(
    tmp_path: Path, runner: Callable[..., None], begun: bytes
) -> None:
    async def story(world: World) -> None:
        assert await world.raw(begun) == b""

    run(story, tmp_path, replace(LIMITS, idle_timeout=0.1), runner)


def test_connections_beyond_the_bound_of_an_address_wait(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        path = world.sparse(64 << 20)
        held = [await world.connect() for _ in range(2)]
        for reader, writer in held:
            # Downloads that go on: their peers read no more than the first line.
            writer.write(f"GET {path} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        late = asyncio.create_task(world.raw(b"GET / HTTP/1.0\r\n\r\n"))
        while not world.server.counts.bounds_met:
            await asyncio.sleep(0.001)
        assert not late.done()
        held[0][1].transport.abort()
        assert b"404" in await late
        held[1][1].transport.abort()

    run(story, tmp_path, replace(LIMITS, max_connections_per_address=2))


def test_an_idle_connection_makes_room_for_one_that_waits(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        reader, writer = await world.connect()
        writer.write(b"GET / HTTP/1.1\r\nHost: d\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 404 Not Found\r\n"
        assert b"404" in await world.raw(b"GET / HTTP/1.0\r\n\r\n")
        # The first one was closed for it.
        await reader.read()

    run(story, tmp_path, replace(LIMITS, max_connections=1, idle_timeout=600))


def test_peer_that_leaves_is_told_as_cut(tmp_path: Path) -> None:

    async def story(world: World) -> None:
        path = world.sparse(64 << 20)
        reader, writer = await world.connect()
        writer.write(f"GET {path}?c=t HTTP/1.1\r\nHost: d\r\nRange: bytes=100-\r\n\r\n".encode())
        await reader.readexactly(1000)
        writer.transport.abort()
        download = await world.downloads.get()
        assert (download.url_tag, download.start, download.complete) == ("t", 100, False)

    run(story, tmp_path)
