"""What a peer can and cannot do to a listener, over real sockets and real TLS."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop
from engines import ENGINES
from grpclib.client import UnaryUnaryMethod
from grpclib.const import Cardinality, Status
from grpclib.exceptions import GRPCError, StreamTerminatedError
from pki import Pair, client_context, make_pair, silent_peer
from transport.listener_world import LIMITS, World, run

from bootz.errors import Unavailable
from bootz.transport.calling import end_channel
from bootz.transport.limits import ListenerLimits
from bootz.transport.listener import GrpcListener


@pytest.fixture(params=ENGINES, autouse=True)
def _engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Play every story of this module on each engine."""
    monkeypatch.setattr(World, "engine", request.param)


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_certificate_is_optional_and_seen_with_its_chain(
    tmp_path: Path, version: ssl.TLSVersion, runner: Callable[..., None]
) -> None:
    async def story(world: World) -> None:
        with_one = client_context(tmp_path, world.device, version=version)
        without = client_context(tmp_path, version=version)
        # Leaf, intermediate and root were sent; all three are told as DER.
        assert await world.call(with_one, b"a") == b"a 3 127.0.0.1 127.0.0.1"
        assert await world.call(without, b"b") == b"b 0 127.0.0.1 127.0.0.1"

    run(story, tmp_path, runner=runner)


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("flaw", "alert", "told"),
    [
        ("self-signed", "unknown ca", "self-signed certificate"),
        ("foreign", "unknown ca", "unable to get"),
        ("expired", "certificate expired", "certificate has expired"),
    ],
)
def test_refused_certificate_gets_an_alert_and_is_told(
    tmp_path: Path,
    version: ssl.TLSVersion,
    flaw: str,
    alert: str,
    told: str,
    runner: Callable[..., None],
) -> None:
    async def story(world: World) -> None:
        pair = {
            "self-signed": lambda: make_pair("rogue"),
            "foreign": lambda: make_pair("device", make_pair("other CA", ca=True)),
            "expired": lambda: make_pair("device", world.intermediate, expired=True),
        }[flaw]()
        if flaw == "foreign":
            pair = Pair(pair.key, pair.certificate)
        reader, writer = None, None
        with pytest.raises(ssl.SSLError) as caught:
            reader, writer = await asyncio.open_connection(
                *world.address, ssl=client_context(tmp_path, pair, version=version)
            )
            while await reader.read(100):
                pass
        assert alert in str(caught.value).lower().replace("_", " ")
        if writer is not None:
            writer.transport.abort()
        await world.refusal.wait()
        ((peer, refusal),) = world.refused
        assert peer.startswith("127.0.0.1:")
        assert refusal.certificate
        assert told in refusal.reason

    run(story, tmp_path, runner=runner)


def test_message_over_the_bound_is_refused_before_it_is_read(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        context = client_context(tmp_path)
        assert (await world.call(context, b"x" * 100)).startswith(b"x" * 100)
        with pytest.raises(GRPCError) as caught:
            await world.call(context, b"x" * 101)
        assert caught.value.status is Status.RESOURCE_EXHAUSTED
        assert str(caught.value.message).startswith("message-too-large")

    run(story, tmp_path)


@pytest.mark.parametrize(
    ("frame", "status", "reason"),
    [
        (struct.pack(">BI", 1, 3) + b"abc", Status.UNIMPLEMENTED, "message-compressed"),
        (struct.pack(">BI", 0, 50) + b"abc", Status.INVALID_ARGUMENT, "message-cut"),
        (b"\x00\x00", Status.INVALID_ARGUMENT, "message-cut"),
        (struct.pack(">BI", 0, 2**32 - 1), Status.RESOURCE_EXHAUSTED, "message-too-large"),
    ],
)
def test_lying_length_prefix_is_refused(
    tmp_path: Path, frame: bytes, status: Status, reason: str
) -> None:
    async def story(world: World) -> None:
        channel = world.channel(client_context(tmp_path))
        try:
            async with channel.request(
                "/test.Echo/Echo", Cardinality.UNARY_UNARY, bytes, bytes
            ) as stream:
                await stream.send_request()
                await stream._stream.send_data(frame, end_stream=True)
                stream._end_done = stream._send_message_done = True
                with pytest.raises(GRPCError) as caught:
                    await stream.recv_message()
                assert caught.value.status is status
                assert str(caught.value.message).startswith(reason)
        finally:
            end_channel(channel)

    run(story, tmp_path)


def test_unknown_method_is_unimplemented(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        with pytest.raises(GRPCError) as caught:
            await world.call(client_context(tmp_path), b"", method="Nothing")
        assert caught.value.status is Status.UNIMPLEMENTED

    run(story, tmp_path)


def test_garbage_instead_of_http2_ends_only_its_own_connection(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        context = client_context(tmp_path)
        reader, writer = await asyncio.open_connection(*world.address, ssl=context)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 20)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            while True:
                await reader.readexactly(1000)
        writer.transport.abort()
        assert await world.call(context, b"alive") == b"alive 0 127.0.0.1 127.0.0.1"

    run(story, tmp_path)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (ListenerLimits(idle_timeout=0.2), b""),
        # The first octets of a TLS record, and no more.
        (ListenerLimits(handshake_timeout=0.2), b"\x16\x03\x01"),
    ],
    ids=["silent", "begun"],
)
def test_peers_that_do_not_shake_hands_are_cut(
    tmp_path: Path, limits: ListenerLimits, said: bytes
) -> None:
    async def story(world: World) -> None:
        reader, writer = await asyncio.open_connection(*world.address)
        writer.write(said)
        assert await reader.read() == b""
        writer.close()

    run(story, tmp_path, limits)


def test_idle_connections_are_closed_by_the_server(tmp_path: Path) -> None:
    limits = ListenerLimits(idle_timeout=0.2)

    async def story(world: World) -> None:
        reader, writer = await asyncio.open_connection(*world.address, ssl=client_context(tmp_path))
        while await reader.read(1000):
            pass
        writer.close()

    run(story, tmp_path, limits)


def test_streams_of_one_connection_are_bounded(tmp_path: Path) -> None:
    limits = ListenerLimits(max_streams_per_connection=1)

    async def story(world: World) -> None:
        channel = world.channel(client_context(tmp_path))
        wait = UnaryUnaryMethod[bytes, bytes](channel, "/test.Echo/Wait", bytes, bytes)
        echo = UnaryUnaryMethod[bytes, bytes](channel, "/test.Echo/Echo", bytes, bytes)
        first = asyncio.create_task(wait(b""))
        await world.waiting.wait()
        second = asyncio.create_task(echo(b"later"))
        third = await world.call(client_context(tmp_path), b"other connection")
        assert third.startswith(b"other connection")
        assert not second.done()
        world.release.set()
        assert await first == b"done"
        assert (await second or b"").startswith(b"later")
        end_channel(channel)

    run(story, tmp_path, limits)


def test_reloaded_context_counts_for_new_connections(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        other = make_pair("new server", ip="127.0.0.1")
        strict = client_context(tmp_path, anchor=other.der)
        with pytest.raises(ssl.SSLError):
            await world.call(strict, b"too early")
        world.listener.context = world.context(other)
        assert (await world.call(strict, b"now")).startswith(b"now")

    run(story, tmp_path)


def test_drain_lets_running_calls_end_and_takes_no_new_ones(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        context = client_context(tmp_path)
        running = asyncio.create_task(world.call(context, b"", method="Wait"))
        await world.waiting.wait()
        draining = asyncio.create_task(world.listener.drain(60))
        await asyncio.sleep(0)
        with pytest.raises(OSError):
            await world.call(context, b"late")
        world.release.set()
        assert await running == b"done"
        await draining

    run(story, tmp_path)


def test_drain_cuts_what_does_not_end(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        running = asyncio.create_task(world.call(client_context(tmp_path), b"", method="Wait"))
        await world.waiting.wait()
        await world.listener.drain(0.1)
        with pytest.raises((GRPCError, StreamTerminatedError, OSError)):
            await running

    run(story, tmp_path)


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_drain_does_not_wait_for_peers_that_are_silent(
    tmp_path: Path, runner: Callable[..., None]
) -> None:
    async def story(world: World) -> None:
        context = client_context(tmp_path)
        # One says nothing from the start, one after its handshake, one is in the midst of a frame.
        before = socket.create_connection(world.address)
        after = await asyncio.to_thread(silent_peer, world.address, context)
        midst = await asyncio.to_thread(silent_peer, world.address, context)
        midst.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00")
        with before, after, midst:
            # Only the end that is waited for makes this test pass.
            await world.listener.drain(3600)
            assert world.listener.connection_count == 0

    run(story, tmp_path, replace(LIMITS, goodbye_timeout=0.2), runner)


def test_drain_waits_for_a_peer_that_takes_what_was_sent(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        running = asyncio.create_task(world.call(client_context(tmp_path), b"", method="Wait"))
        silent = await asyncio.to_thread(silent_peer, world.address, client_context(tmp_path))
        await world.waiting.wait()
        draining = asyncio.create_task(world.listener.drain(3600))
        with silent:
            # The silent one is cut, the call beside it goes on.
            assert await asyncio.to_thread(_drained, silent) == b""
        assert not draining.done()
        world.release.set()
        assert await running == b"done"
        await draining

    run(story, tmp_path, replace(LIMITS, goodbye_timeout=0.2))


def test_address_in_use_is_one_clear_error_and_nothing_stays_open(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        second = GrpcListener({}, limits=LIMITS, context=None)
        with pytest.raises(Unavailable) as caught:
            await second.start([("127.0.0.1", 0), world.address])
        assert caught.value.reason == "listen-failed"
        assert caught.value.where == f"127.0.0.1:{world.address[1]}"

    run(story, tmp_path)


def test_ipv6_is_served(tmp_path: Path) -> None:
    async def play() -> None:
        world = World(tmp_path)
        if not socket.has_ipv6:
            pytest.fail("this machine has no IPv6, which the product needs")
        (world.address,) = await world.listener.start([("::1", 0)])
        answer = await world.call(client_context(tmp_path), b"six")
        assert answer == b"six 0 ::1 ["
        await world.listener.drain(5)

    asyncio.run(play())


async def _ended(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


def _drained(connection: ssl.SSLSocket) -> bytes:
    """Read the bare bytes below TLS until the peer has gone; return b"" for its end."""
    with socket.socket(fileno=os.dup(connection.fileno())) as bare:
        while True:
            try:
                if not bare.recv(65536):
                    return b""
            except ConnectionError:
                return b""
