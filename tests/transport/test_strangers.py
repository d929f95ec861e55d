"""Peers that shake hands and ask for nothing: what they may take from those who come to ask."""

from __future__ import annotations

import asyncio
import gc
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from engines import ENGINES
from hypothesis import given
from hypothesis import strategies as st
from pki import client_context
from structlog.testing import capture_logs
from transport.http2_peer import ACK, GOAWAY, HEADERS, PREFACE, SETTINGS, Peer, call, settings
from transport.listener_world import LIMITS, World, run

from bootz.transport.fruitless import Fruitless
from bootz.transport.http2.engines import EngineName
from bootz.transport.http2.resting import RestingEngine
from bootz.transport.limits import ListenerLimits
from bootz.transport.spare_time import SpareTime
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


def test_strangers_leave_half_of_the_places_of_their_address_to_routers_behind_it(
    tmp_path: Path,
) -> None:
    async def story(world: World) -> None:
        context = client_context(tmp_path)
        peers = [await stranger(world, "127.0.0.2", context) for _ in range(3)]
        # Many are free, for others and of this address; the one that came first is told to go.
        assert await peers[0].until(GOAWAY) is not None
        peers[0].writer.close()
        await waiting(world, 2)
        for peer in peers[1:]:
            peer.send(call())
            assert (await peer.answer())[5:].startswith(b"hello")
        # Who has asked for something may stay, and so may one more.
        last = await stranger(world, "127.0.0.2", context)
        other = await stranger(world, "127.0.0.3", context)
        assert await last.until(GOAWAY) is not None
        for peer in (last, other, *peers[1:]):
            peer.writer.close()

    run(story, tmp_path, ListenerLimits(max_connections=64, max_connections_per_address=4))


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


def begin(turns: UnderWay, name: str, rank: Rank, count: int, *, came: float, now: float) -> None:
    for each in range(count):
        turns.begin((name, each), rank, came=came, now=now)


def allowed(turns: UnderWay, name: str, rank: Rank, *, came: float, now: float) -> int:
    """Begin as many as may, and return how many those were."""
    count = 0
    while True:
        last = turns.last(now)
        newcomer = rank is Rank.FIRST and came > turns.newcomers_since(now)
        if last is None or (rank > last and not newcomer):
            return count
        turns.begin((name, count), rank, came=came, now=now)
        count += 1


def strangers_about(most: int, now: float) -> UnderWay:
    """Return turns of which one was just spent on a stranger."""
    turns = UnderWay(most, calls_told=True)
    turns.begin("stranger", Rank.FIRST, came=now - 1, now=now - 1)
    turns.shaken("stranger", now - 0.5)
    turns.look(now, late=False, spare=1.0)
    assert turns.strangers(now)
    return turns


def resting(turns: UnderWay, now: float) -> int:
    """Let strangers in that came a minute ago, and return how many those were."""
    count = 0
    while turns.last(now) is Rank.FRUITLESS:
        turns.begin(count, Rank.FIRST, came=now - 60, now=now)
        turns.shaken(count, now)
        count += 1
    return count


def test_turns_are_shared_by_what_is_known_of_an_address() -> None:
    turns = UnderWay(8, calls_told=True)
    for rank, count in ((Rank.FRUITLESS, 2), (Rank.FIRST, 4), (Rank.RETURNING, 2)):
        assert allowed(turns, rank.name, rank, came=0.0, now=0.0) == count
    assert turns.last(0.0) is None
    assert turns.end(("FRUITLESS", 0))
    assert not turns.end(("FRUITLESS", 0))
    assert turns.last(0.0) is Rank.FRUITLESS


def test_among_strangers_who_comes_finds_half_of_the_turns_at_once() -> None:
    now = 100.0
    turns = strangers_about(8, now)
    # The strangers that were there before have all turns that they may have, and rest in them.
    assert resting(turns, now) == 16
    assert allowed(turns, "before", Rank.FIRST, came=now - 60, now=now) == 0
    assert allowed(turns, "late", Rank.FIRST, came=now - 10, now=now) == 0
    assert allowed(turns, "new", Rank.FIRST, came=now - 9.9, now=now) == 4
    # Their peers have not asked yet: it cannot be told whether they are strangers as well.
    for each in range(4):
        turns.shaken(("new", each), now)
    assert allowed(turns, "new again", Rank.FIRST, came=now, now=now) == 0
    turns.asked(("new", 0))
    turns.asked(("new", 0))
    assert allowed(turns, "next", Rank.FIRST, came=now, now=now) == 1
    # Those who come back to report need none of these turns.
    assert allowed(turns, "back", Rank.RETURNING, came=now, now=now) == 6


@pytest.mark.parametrize(("spare", "turned"), [(0.0, 2), (0.5, 9), (1.0, 16)])
def test_strangers_are_let_in_as_fast_as_there_is_time_to_spare(spare: float, turned: int) -> None:
    now = 100.0
    turns = strangers_about(8, now)
    turns.look(now, late=False, spare=spare)
    assert resting(turns, now) == turned
    # A turn that ends without a call makes place for one more; the next look frees them all.
    assert turns.end(0)
    assert allowed(turns, "before", Rank.FIRST, came=now - 60, now=now) == 1
    turns.look(now + 0.5, late=False, spare=spare)
    assert len(turns) == 0
    assert turns.last(now + 0.5) is Rank.FRUITLESS
    # Of addresses that came for nothing before, a quarter of the turns at most.
    assert allowed(turns, "known", Rank.FRUITLESS, came=now, now=now + 0.5) == 2


def test_handshakes_under_way_are_as_few_among_strangers() -> None:
    now = 100.0
    turns = strangers_about(8, now)
    assert allowed(turns, "before", Rank.FIRST, came=now - 60, now=now) == 6
    assert allowed(turns, "new", Rank.FIRST, came=now, now=now) == 0
    assert allowed(turns, "back", Rank.RETURNING, came=now, now=now) == 2


def test_peers_that_come_back_keep_their_turn_until_they_ask() -> None:
    turns = UnderWay(2, calls_told=True)
    begin(turns, "back", Rank.RETURNING, 2, came=0.0, now=0.0)
    for each in range(2):
        turns.shaken(("back", each), 0.0)
    assert turns.last(0.0) is None
    turns.asked(("back", 0))
    assert turns.last(0.0) is None
    assert turns.end(("back", 0))
    assert turns.last(0.0) is Rank.FRUITLESS


@given(st.data())
def test_no_turn_is_counted_twice_or_forgotten(data: st.DataObject) -> None:
    turns = UnderWay(4, calls_told=True)
    now = 0.0
    places = range(12)
    for _ in range(data.draw(st.integers(0, 60))):
        place = data.draw(st.sampled_from(places))
        step = data.draw(st.sampled_from(["begin", "shaken", "asked", "end", "look"]))
        if step == "begin":
            rank = data.draw(st.sampled_from(Rank))
            turns.end(place)
            turns.begin(place, rank, came=now - data.draw(st.sampled_from([0, 60])), now=now)
        elif step == "shaken":
            turns.shaken(place, now)
        elif step == "asked":
            turns.asked(place)
        elif step == "end":
            turns.end(place)
        else:
            now += data.draw(st.sampled_from([0.1, 0.3, 4.0]))
            turns.look(now, late=data.draw(st.booleans()), spare=data.draw(st.floats(0, 1)))
    for place in places:
        turns.end(place)
    assert len(turns) == 0
    # As at the beginning.
    now += 60
    for rank, count in ((Rank.FRUITLESS, 1), (Rank.FIRST, 2), (Rank.RETURNING, 1)):
        assert allowed(turns, rank.name, rank, came=now, now=now) == count


@pytest.mark.parametrize(
    ("shaken", "asked", "late", "seconds"),
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
    shaken: bool, asked: bool, late: bool, seconds: float
) -> None:
    turns = UnderWay(1, calls_told=True)
    turns.begin("a", Rank.FIRST, came=100.0, now=100.0)
    if shaken:
        turns.shaken("a", 100.0)
    if asked:
        turns.asked("a")
    before, end = 100.0 + seconds - 0.01, 100.0 + seconds
    turns.look(before, late=late, spare=0.0)
    assert turns.last(before) in (None, Rank.RETURNING)
    turns.look(end, late=late, spare=0.0)
    assert turns.last(end) is Rank.FRUITLESS
    fruitless = shaken and not asked
    assert turns.strangers(end) is fruitless
    assert not turns.strangers(end + 1)


@pytest.mark.parametrize("end", ["shaken", "end"])
def test_a_handshake_that_takes_half_of_its_time_is_a_strangers(end: str) -> None:
    turns = UnderWay(2, calls_told=True, handshake_timeout=10)
    for each in range(2):
        turns.begin(each, Rank.FIRST, came=100.0, now=100.0)
        turns.look(100.25, late=False, spare=1.0)
    turns.look(104.9, late=False, spare=1.0)
    assert not turns.strangers(104.9)
    # Others have their turns meanwhile, for each as long as it is there.
    for now in (105.0, 106.0, 109.0):
        turns.look(now, late=False, spare=1.0)
        assert turns.strangers(now)
    turns.shaken(0, 109.0)
    turns.look(110.0, late=False, spare=1.0)
    assert turns.strangers(110.0)
    if end == "shaken":
        turns.shaken(1, 110.0)
    else:
        turns.end(1)
    turns.look(111.0, late=False, spare=1.0)
    assert not turns.strangers(111.0)


def test_where_calls_are_not_told_all_peers_are_alike() -> None:
    turns = UnderWay(2, calls_told=False)
    turns.begin("a", Rank.FIRST, came=0.0, now=0.0)
    turns.shaken("a", 0.0)
    assert turns.last(0.0) is Rank.FRUITLESS
    turns.begin("b", Rank.FIRST, came=0.0, now=0.0)
    assert turns.last(0.0) is None
    turns.look(0.25, late=False, spare=0.0)
    assert len(turns) == 0
    assert not turns.strangers(0.25)


def test_time_is_spare_where_no_thread_of_this_process_has_used_it() -> None:
    used, waited = [7.0], [3.0]
    spare = SpareTime(lambda: used[0], lambda: waited[0])
    spare.since_last(100.0)
    used[0] += 0.025
    assert spare.since_last(100.1) == pytest.approx(0.75)
    # Several threads, and a look that follows at once.
    used[0] += 0.3
    assert spare.since_last(100.3) == 0.0
    assert spare.since_last(100.3) == 1.0
    assert spare.since_last(100.4) == 1.0
    # Others on this machine had the core.
    waited[0] += 0.04
    used[0] += 0.01
    assert spare.since_last(100.5) == pytest.approx(0.5)


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
