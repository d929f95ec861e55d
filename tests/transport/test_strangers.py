"""Peers that shake hands and ask for nothing: what they may take from those who come to ask."""

from __future__ import annotations

import asyncio
import gc
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from engines import ENGINES
from pki import client_context
from structlog.testing import capture_logs
from transport.http2_peer import ACK, GOAWAY, HEADERS, PREFACE, SETTINGS, Peer, call, settings
from transport.listener_world import LIMITS, World, run

from bootz.transport.fruitless import Fruitless
from bootz.transport.http2.engines import EngineName
from bootz.transport.http2.resting import RestingEngine
from bootz.transport.limits import ListenerLimits
from bootz.transport.turns import Rank
from bootz.transport.under_way import UnderWay


async def stranger(world: World, host: str, tls: ssl.SSLContext) -> Peer:
    """Connect from an address, shake hands, and say hello."""
    peer = Peer(*await asyncio.open_connection(*world.address, ssl=tls, local_addr=(host, 0)))
    peer.send(PREFACE + settings())
    await peer.settle()
    # What we have said is acknowledged.
    assert await peer.until(SETTINGS) is not None
    return peer


async def waiting(world: World, count: int) -> None:
    while world.listener.connection_count != count:
        await asyncio.sleep(0.001)


def test_strangers_leave_half_of_the_places_to_whoever_comes(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        context = client_context(tmp_path)
        with capture_logs() as logs:
            peers = [await stranger(world, f"127.0.0.{2 + each}", context) for each in range(5)]
            # Others are free, no one waits, and the one that came first is told to go.
            assert await peers[0].until(GOAWAY) is not None
            assert await peers[0].frame() is None
        told = [each for each in logs if each["event"] == "connections-make-room"]
        assert [each["times_ever"] for each in told] == [1]
        peers[0].writer.close()
        await waiting(world, 4)
        assert world.listener.counts.made_room == 1
        assert world.listener.counts.fruitless == 1
        for peer in peers[1:]:
            peer.send(call())
            assert (await peer.answer())[5:].startswith(b"hello")
            peer.writer.close()

    run(story, tmp_path, ListenerLimits(max_connections=8))


def test_who_asked_for_nothing_comes_after_first_contacts(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        context = client_context(tmp_path)
        before = await stranger(world, "127.0.0.3", context)
        before.writer.close()
        await waiting(world, 0)
        running = asyncio.create_task(world.call(context, b"", method="Wait"))
        await world.waiting.wait()
        again = asyncio.create_task(stranger(world, "127.0.0.3", context))
        await waiting(world, 2)
        first = asyncio.create_task(stranger(world, "127.0.0.2", context))
        await waiting(world, 3)
        world.release.set()
        await running
        peer = await first
        assert not again.done()
        peer.writer.close()
        # It has its turn, too.
        (await again).writer.close()

    run(story, tmp_path, ListenerLimits(max_connections=1))


def test_who_asked_for_something_stays_where_strangers_want_room(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        context = client_context(tmp_path)
        before = await stranger(world, "127.0.0.3", context)
        before.writer.close()
        await waiting(world, 0)
        asker = await stranger(world, "127.0.0.4", context)
        asker.send(call())
        assert await asker.answer()
        idle = await stranger(world, "127.0.0.5", context)
        again = asyncio.create_task(stranger(world, "127.0.0.3", context))
        # It came later, and goes nevertheless.
        assert await idle.until(GOAWAY) is not None
        idle.writer.close()
        last = await again
        asker.send(call(stream_id=3))
        assert await asker.answer(3)
        for peer in (asker, last):
            peer.writer.close()

    run(story, tmp_path, ListenerLimits(max_connections=2))


@pytest.mark.parametrize("name", ENGINES)
def test_who_rests_after_the_hello_is_answered_when_it_asks(
    tmp_path: Path, name: EngineName
) -> None:
    class Chosen(World):
        engine = name

    async def story(world: World) -> None:
        context = client_context(tmp_path)
        peers = []
        for _ in range(2):
            peers.append(Peer(*await asyncio.open_connection(*world.address, ssl=context)))
            peers[-1].send(PREFACE + settings())
        while sum(isinstance(each, RestingEngine) for each in gc.get_objects()) < 2:
            await asyncio.sleep(0.05)
        peers[0].send(call())
        said = []
        while (found := await peers[0].frame()) is not None and found.kind != HEADERS:
            said.append((found.kind, found.flags, found.payload))
        assert found is not None
        # Its settings, and that it has heard ours; nothing is said twice.
        assert [flags for kind, flags, _ in said if kind == SETTINGS] == [0, ACK]
        assert len(set(said)) == len(said)
        peers[0].send(call(stream_id=3))
        assert (await peers[0].answer(3))[5:].startswith(b"hello")
        # The other rests on, and is told to go in its time.
        goodbye = await peers[1].until(GOAWAY)
        assert goodbye is not None
        assert goodbye.error_code == 0
        for peer in peers:
            peer.writer.close()

    run(story, tmp_path, replace(LIMITS, idle_timeout=4), made=Chosen)


def test_turns_are_shared_by_what_is_known_of_an_address() -> None:
    turns = UnderWay(8, calls_told=True)
    for each in range(2):
        assert turns.last() is Rank.FRUITLESS
        turns.begin(("fruitless", each), Rank.FRUITLESS, 0.0)
    for each in range(4):
        assert turns.last() is Rank.FIRST
        turns.begin(("first", each), Rank.FIRST, 0.0)
    for each in range(2):
        assert turns.last() is Rank.RETURNING
        turns.begin(("returning", each), Rank.RETURNING, 0.0)
    assert turns.last() is None
    assert turns.end(("fruitless", 0))
    assert not turns.end(("fruitless", 0))
    assert turns.last() is Rank.FRUITLESS


@pytest.mark.parametrize(
    ("shaken", "asked", "busy", "seconds"),
    [
        # It waits for its peer, or works on what that has asked.
        (False, False, False, 0.25),
        (True, True, False, 0.25),
        # It has said nothing since its handshake's end.
        (True, False, False, 0.5),
        (False, False, True, 3.0),
        (True, False, True, 3.0),
    ],
)
def test_a_turn_ends_when_others_have_waited_long_enough(
    shaken: bool, asked: bool, busy: bool, seconds: float
) -> None:
    turns = UnderWay(1, calls_told=True)
    turns.begin("a", Rank.FIRST, 100.0)
    if shaken:
        turns.shaken("a", 100.0)
    if asked:
        turns.asked("a")
    turns.end_long(100.0 + seconds - 0.01, busy=busy)
    assert turns.last() is None
    turns.end_long(100.0 + seconds, busy=busy)
    assert turns.last() is not None
    fruitless = shaken and not asked
    assert turns.strangers(100.0 + seconds) is fruitless
    assert not turns.strangers(100.0 + seconds + 1)


def test_where_calls_are_not_told_all_peers_are_alike() -> None:
    turns = UnderWay(2, calls_told=False)
    turns.begin("a", Rank.FIRST, 0.0)
    turns.shaken("a", 0.0)
    assert turns.last() is Rank.FRUITLESS
    turns.end_long(0.25, busy=False)
    assert len(turns) == 0
    assert not turns.strangers(0.25)


def test_a_connection_without_a_call_is_held_against_its_address_for_ten_minutes() -> None:
    now = [1000.0]
    fruitless = Fruitless(monotonic=lambda: now[0])
    assert "192.0.2.1" not in fruitless
    fruitless.add("192.0.2.1")
    fruitless.add("192.0.2.3")
    assert "192.0.2.1" in fruitless
    assert "192.0.2.2" not in fruitless
    fruitless.discard("192.0.2.2")
    fruitless.discard("192.0.2.3")
    assert "192.0.2.3" not in fruitless
    now[0] += 600
    assert "192.0.2.1" in fruitless
    now[0] += 1
    assert "192.0.2.1" not in fruitless
