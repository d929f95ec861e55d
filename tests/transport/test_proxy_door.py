"""Listeners behind a load balancer: the router's address counts, and whose header is believed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop
from grpclib.client import Channel, UnaryUnaryMethod
from images import depot_world
from pki import client_context
from structlog.testing import capture_logs
from transport.balancer import LOOPBACK, balancer, header
from transport.listener_world import LIMITS, World, run

from bootz.transport.calling import end_channel
from bootz.transport.codec import BytesCodec

ROUTER = header()


class Behind(World):
    """A listener that takes headers from loopback."""

    proxies = LOOPBACK


async def echo(world: World, address: tuple[str, int]) -> bytes:
    channel = Channel(*address, ssl=client_context(world.folder), codec=BytesCodec())
    try:
        method = UnaryUnaryMethod[bytes, bytes](channel, "/test.Echo/Echo", bytes, bytes)
        answer = await method(b"hello")
        assert answer is not None
        return answer
    finally:
        end_channel(channel)


async def sent(address: tuple[str, int], content: bytes, *, end: bool = False) -> bytes:
    """Send bytes on a connection of its own, and return what comes until it ends."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(content)
        if end:
            writer.write_eof()
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
@pytest.mark.parametrize(
    "pieces", [[ROUTER], [ROUTER[:5], ROUTER[5:16], ROUTER[16:20], ROUTER[20:]]]
)
def test_a_call_has_the_router_s_address_and_the_one_it_reached(
    pieces: list[bytes], runner: object, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        async with balancer(world.address, pieces) as address:
            assert await echo(world, address) == b"hello 0 198.51.100.1 192.0.2.7"
        assert world.listener.counts.proxy_headers_refused == 0

    run(story, tmp_path, runner=runner, made=Behind)  # type: ignore[arg-type]


def test_a_health_check_is_of_the_balancer(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        async with balancer(world.address, [header(command=0x20)]) as address:
            assert await echo(world, address) == b"hello 0 127.0.0.1 127.0.0.1"

    run(story, tmp_path, made=Behind)


@pytest.mark.parametrize(
    ("content", "end", "reason"),
    [
        (b"\x16\x03\x01\x02\x00", False, "proxy-header-missing"),
        (b"", True, "proxy-header-missing"),
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\n", False, "proxy-header-invalid"),
        (header()[:20], True, "proxy-header-invalid"),
        (header(length=65535), False, "proxy-header-invalid"),
        (header(kind=0x12), False, "proxy-header-invalid"),
        # A client that sends one itself, through the balancer.
        (header() + header(("203.0.113.9", 1)), False, "proxy-header-unexpected"),
    ],
)
def test_a_named_balancer_s_bad_header_ends_its_connection(
    content: bytes,
    end: bool,
    reason: str,
    tmp_path: Path,
) -> None:
    async def story(world: World) -> None:
        with capture_logs() as told:
            assert await sent(world.address, content, end=end) == b""
        (line,) = told
        assert (line["event"], line["reason"]) == ("proxy-header-refused", reason)
        host = "192.0.2.7" if reason == "proxy-header-unexpected" else "127.0.0.1"
        assert line["peer"].rpartition(":")[0] == host
        assert world.listener.counts.proxy_headers_refused == 1
        # Others are served on.
        async with balancer(world.address, [ROUTER]) as address:
            assert b"192.0.2.7" in await echo(world, address)

    run(story, tmp_path, made=Behind)


def test_a_header_that_does_not_come_is_waited_for_only_so_long(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        assert await sent(world.address, header()[:15]) == b""
        assert world.listener.counts.proxy_headers_refused == 1

    run(story, tmp_path, replace(LIMITS, handshake_timeout=0.2), made=Behind)


@pytest.mark.parametrize("content", [header(), b"PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\n"])
def test_a_header_from_an_address_that_is_not_named_is_refused(
    content: bytes, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        assert await sent(world.address, content) == b""
        assert world.listener.counts.proxy_headers_refused == 1
        # Without a header such a peer is served, as itself.
        assert await echo(world, world.address) == b"hello 0 127.0.0.1 127.0.0.1"

    run(story, tmp_path)


def test_routers_behind_one_balancer_have_a_bound_each(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        async with (
            balancer(world.address, [header(("192.0.2.1", 1))]) as first,
            balancer(world.address, [header(("192.0.2.2", 2))]) as second,
        ):
            channel = Channel(*first, ssl=client_context(world.folder), codec=BytesCodec())
            wait = UnaryUnaryMethod[bytes, bytes](channel, "/test.Echo/Wait", bytes, bytes)
            waiting = asyncio.create_task(wait(b""))
            await world.waiting.wait()
            # The bound is one connection for an address: that of the first is used up.
            assert b"192.0.2.2" in await echo(world, second)
            another = asyncio.create_task(echo(world, first))
            while world.listener.counts.bounds_met == 0:
                await asyncio.sleep(0)
            assert not another.done()
            world.release.set()
            assert await waiting == b"done"
            end_channel(channel)
            assert b"192.0.2.1" in await another

    run(story, tmp_path, replace(LIMITS, max_connections_per_address=1), made=Behind)


def test_an_image_is_sent_to_the_router_behind_a_balancer(tmp_path: Path) -> None:
    asked = f"GET {depot_world.PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()

    async def story(world: depot_world.World) -> None:
        with capture_logs() as told:
            answer = depot_world.parse(await sent(world.address, ROUTER + asked))
        assert (answer.status, answer.body) == (200, depot_world.CONTENT)
        assert [line["peer"] for line in told] == ["192.0.2.7:40000"]
        assert await sent(world.address, asked) == b""
        assert world.server.counts.proxy_headers_refused == 1

    depot_world.run(story, tmp_path, proxies=LOOPBACK)
