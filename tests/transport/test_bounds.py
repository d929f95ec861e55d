"""At a bound peers wait, and are served in their turn: over real sockets and real TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

import pytest
from grpclib.client import UnaryUnaryMethod
from pki import client_context
from structlog.testing import capture_logs
from transport.listener_world import World, no_descriptor, run

from bootz.transport.calling import end_channel
from bootz.transport.limits import ListenerLimits
from bootz.transport.pressure import LoadCounts, PeerLines, Pressure

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def opened(world: World, host: str, tls: ssl.SSLContext | None = None) -> Stream:
    """Connect from an address of this machine; with TLS it returns when it is served."""
    return await asyncio.open_connection(*world.address, ssl=tls, local_addr=(host, 0))


async def bound_met(world: World) -> None:
    while not world.listener.counts.bounds_met:
        await asyncio.sleep(0.001)


async def waiting(world: World, count: int) -> None:
    while world.listener.connection_count != count:
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("bound", ["max_connections", "max_connections_per_address"])
def test_at_a_bound_of_connections_a_call_waits_for_its_turn(tmp_path: Path, bound: str) -> None:
    async def story(world: World) -> None:
        context = client_context(tmp_path)
        running = asyncio.create_task(world.call(context, b"", method="Wait"))
        await world.waiting.wait()
        with capture_logs() as logs:
            late = [asyncio.create_task(world.call(context, b"%d" % each)) for each in range(3)]
            await bound_met(world)
            await waiting(world, 4)
        assert [each["bound"] for each in logs if each["event"] == "connection-bound-met"] == [
            bound
        ]
        assert not any(each.done() for each in late)
        world.release.set()
        assert await running == b"done"
        assert [(await each)[:1] for each in late] == [b"0", b"1", b"2"]

    run(story, tmp_path, ListenerLimits(**{bound: 1}))


def test_an_idle_connection_makes_room_for_one_that_waits(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        context = client_context(tmp_path)
        reader, writer = await opened(world, "127.0.0.1", context)
        assert (await world.call(context, b"waits")).startswith(b"waits")
        # It was told so, in order.
        assert await reader.read()
        writer.close()

    run(story, tmp_path, ListenerLimits(max_connections=1))


def test_silent_peers_stand_in_nobodys_way(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        held = [await opened(world, "127.0.0.1") for _ in range(20)]
        assert (await world.call(client_context(tmp_path), b"a")).startswith(b"a")
        for _, writer in held:
            writer.transport.abort()

    limits = ListenerLimits(max_connections=1, max_handshakes=1, idle_timeout=60)
    run(story, tmp_path, limits)


@pytest.mark.parametrize("begun", [1, 5, 100], ids=["type", "header", "part"])
def test_part_of_a_hello_stands_in_nobodys_way(tmp_path: Path, begun: int) -> None:
    async def story(world: World) -> None:
        context = client_context(tmp_path)
        to_server = ssl.MemoryBIO()
        tls = context.wrap_bio(ssl.MemoryBIO(), to_server, server_hostname="127.0.0.1")
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        hello = to_server.read()
        reader, writer = await opened(world, "127.0.0.1")
        writer.write(hello[:begun])
        assert (await world.call(context, b"a")).startswith(b"a")
        # What it began goes on when the rest is there: a record of the handshake comes back.
        writer.write(hello[begun:])
        assert (await reader.readexactly(1)) == b"\x16"
        writer.transport.abort()

    limits = ListenerLimits(max_connections=1, max_handshakes=1, handshake_timeout=60)
    run(story, tmp_path, limits)


def test_peers_that_said_no_hello_are_counted(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        held = [await opened(world, "127.0.0.1") for _ in range(2)]
        held[0][1].write(b"\x16\x03")
        for reader, writer in held:
            assert await reader.read() == b""
            writer.close()
        assert world.listener.counts.handshakes_failed == 2

    run(story, tmp_path, ListenerLimits(handshake_timeout=0.2, idle_timeout=0.4))


def test_silent_peers_go_when_others_find_no_place_to_wait(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        held = [await opened(world, f"127.0.0.{number}") for number in (2, 3)]
        await waiting(world, 2)
        # The kernel keeps it until one of them has gone.
        assert (await world.call(client_context(tmp_path), b"a")).startswith(b"a")
        for reader, writer in held:
            assert await reader.read() == b""
            writer.close()

    run(story, tmp_path, ListenerLimits(max_waiting=2, idle_timeout=60))


def test_silent_peers_go_when_no_descriptor_is_free_for_others(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        context = client_context(tmp_path)
        reader, writer = await opened(world, "127.0.0.2")
        await waiting(world, 1)
        with socket.socket() as late, no_descriptor():
            late.setblocking(False)
            await asyncio.get_running_loop().sock_connect(late, world.address)
            _, other = await asyncio.open_connection(
                sock=late, ssl=context, server_hostname="127.0.0.1", ssl_handshake_timeout=50
            )
            assert await reader.read() == b""
            other.transport.abort()
            writer.close()

    run(story, tmp_path, ListenerLimits(idle_timeout=600))


def test_one_address_leaves_places_to_others(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        held = [await opened(world, "127.0.0.2") for _ in range(7)]
        await waiting(world, 7)
        reader, writer = await opened(world, "127.0.0.2")
        assert await reader.read() == b""
        writer.close()
        assert (await world.call(client_context(tmp_path), b"a")).startswith(b"a")
        for _, writer in held:
            writer.transport.abort()

    run(story, tmp_path, ListenerLimits(max_waiting=8, idle_timeout=60))


def test_many_peers_that_fare_alike_are_told_by_their_number(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        # All are there when the first is accepted.
        refused = [socket.create_connection(world.address) for _ in range(50)]
        with capture_logs() as logs:
            while world.listener.counts.turned_away < 43 or logs[-1]["event"] != "lines-left-out":
                await asyncio.sleep(0.001)
        for each in refused:
            each.close()
        told = [each for each in logs if each["event"] == "connection-refused"]
        (left_out,) = [each for each in logs if each["event"] == "lines-left-out"]
        assert len(told) == 4
        assert (left_out["of"], left_out["lines"]) == ("connection-refused", 39)

    run(story, tmp_path, ListenerLimits(max_waiting=8, idle_timeout=60))


def test_each_kind_of_line_is_told_again_after_a_look() -> None:
    lines = PeerLines()
    with capture_logs() as logs:
        assert [lines.may_tell("a") for _ in range(6)] == [True] * 4 + [False] * 2
        assert lines.may_tell("b")
        lines.look()
        assert lines.may_tell("a")
        lines.look()
    assert [(each["event"], each["of"], each["lines"]) for each in logs] == [
        ("lines-left-out", "a", 2)
    ]


def test_a_lack_of_descriptors_is_told_once_a_minute() -> None:
    pressure = Pressure(LoadCounts())
    with capture_logs() as logs:
        for now in (0.0, 0.1, 59.9, 60.0, 119.0):
            pressure.cannot_accept(OSError(24, "Too many open files"), now)
    assert [(each["event"], each["error"]) for each in logs] == [
        ("accept-failed", "Too many open files")
    ] * 2


@pytest.mark.parametrize("answers", [1, 2])
def test_each_answer_lets_one_connection_of_its_address_go_before_first_contacts(
    tmp_path: Path, answers: int
) -> None:
    """The listener's method Echo may be followed by another connection."""

    async def story(world: World) -> None:
        context = client_context(tmp_path)
        channel = world.channel(context)
        methods = (
            UnaryUnaryMethod[bytes, bytes](channel, f"/test.Echo/{name}", bytes, bytes)
            for name in ("Echo", "Wait")
        )
        echo, wait = methods
        for _ in range(answers):
            await echo(b"answered")
        running = asyncio.create_task(wait(b""))
        await world.waiting.wait()
        tasks = []
        for host in ("127.0.0.2", "127.0.0.1", "127.0.0.1"):
            tasks.append(asyncio.create_task(opened(world, host, context)))
            await waiting(world, 1 + len(tasks))
        world.release.set()
        await running
        end_channel(channel)
        # Those behind that address for whom there is no answer come as everybody.
        order = [*tasks[1 : 1 + answers], tasks[0], *tasks[1 + answers :]]
        for number, task in enumerate(order):
            _, writer = await task
            assert not any(later.done() for later in order[number + 1 :])
            writer.transport.abort()

    run(story, tmp_path, ListenerLimits(max_connections=1))


def test_one_that_left_while_it_waited_is_forgotten(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        running = asyncio.create_task(world.call(client_context(tmp_path), b"", method="Wait"))
        await world.waiting.wait()
        _, silent = await opened(world, "127.0.0.1")
        _, spoken = await opened(world, "127.0.0.1")
        spoken.write(b"no ClientHello")
        await bound_met(world)
        await waiting(world, 3)
        silent.close()
        spoken.close()
        await waiting(world, 1)
        world.release.set()
        await running

    run(story, tmp_path, ListenerLimits(max_connections=1))


def test_those_that_wait_are_let_go_at_the_end(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        running = asyncio.create_task(world.call(client_context(tmp_path), b"", method="Wait"))
        await world.waiting.wait()
        reader, writer = await opened(world, "127.0.0.1")
        await waiting(world, 2)
        draining = asyncio.create_task(world.listener.drain(60))
        assert await reader.read() == b""
        writer.close()
        world.release.set()
        assert await running == b"done"
        await draining

    run(story, tmp_path)


def test_long_waits_are_told_once_and_counted(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        context = client_context(tmp_path)
        running = asyncio.create_task(world.call(context, b"", method="Wait"))
        await world.waiting.wait()
        late = [asyncio.create_task(world.call(context, b"x")) for _ in range(2)]
        with capture_logs() as logs:
            while not any(each["event"] == "connections-wait" for each in logs):
                await asyncio.sleep(0.01)
            world.release.set()
            await asyncio.gather(running, *late)
            while not any(each["event"] == "connections-waited" for each in logs):
                await asyncio.sleep(0.01)
        told = [each["event"] for each in logs if each["event"].startswith("connections-wait")]
        assert told == ["connections-wait", "connections-waited"]
        assert world.listener.counts.long_waits == 2
        assert world.listener.counts.longest_wait > 1

    run(story, tmp_path, ListenerLimits(max_connections=1))
