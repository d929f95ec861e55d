"""A connection goes to the process that answered its peer a moment ago: over real sockets."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pki import client_context
from transport.listener_world import LIMITS, World, no_descriptor

from bootz.transport.handing import Handing
from bootz.transport.limits import ListenerLimits
from bootz.transport.proxy_door import Arrival
from bootz.transport.proxy_header import Announced
from bootz.transport.returning import TABLE_BYTES, Returning

Story = Callable[["Member", "Member"], Awaitable[None]]


class Member(World):
    """One of two listeners that stand for two processes; each has its own port."""

    def __init__(
        self, folder: Path, limits: ListenerLimits, returning: Returning, handing: Handing
    ) -> None:
        self.returning, self.handing = returning, handing
        super().__init__(folder, limits)

    @property
    def served(self) -> int:
        """How many handshakes were made here."""
        return self.listener.counts.handshakes_done


@pytest.fixture
def table() -> Iterator[int]:
    descriptor = os.memfd_create("returning")
    os.ftruncate(descriptor, TABLE_BYTES)
    yield descriptor
    os.close(descriptor)


def pairs(held: ExitStack, count: int = 2) -> list[Handing]:
    made = [socket.socketpair(type=socket.SOCK_SEQPACKET) for _ in range(count)]
    for ends in made:
        for end in ends:
            held.callback(end.close)
    outboxes = [outbox for outbox, _ in made]
    return [Handing(inbox, outboxes) for _, inbox in made]


def run(story: Story, folder: Path, table: int, limits: ListenerLimits = LIMITS) -> None:
    async def play(handings: list[Handing]) -> None:
        members = [
            Member(folder, limits, Returning(table, number=number), handing)
            for number, handing in enumerate(handings)
        ]
        for member in members:
            await member.start()
        try:
            await asyncio.wait_for(story(*members), 60)
        finally:
            for member in members:
                member.release.set()
                await member.listener.drain(5)
        assert [member.listener.connection_count for member in members] == [0, 0]

    with ExitStack() as held:
        asyncio.run(play(pairs(held)))


def test_the_next_connection_of_a_peer_goes_to_who_answered_it(tmp_path: Path, table: int) -> None:
    async def story(first: Member, second: Member) -> None:
        context = client_context(tmp_path)
        assert (await first.call(context, b"asks")).startswith(b"asks")
        # Whoever answers sees the peer and the address that it came to.
        assert await second.call(context, b"reports") == b"reports 0 127.0.0.1 127.0.0.1"
        assert (first.served, second.served) == (2, 0)

    run(story, tmp_path, table)


def test_a_peer_that_nobody_answered_stays(tmp_path: Path, table: int) -> None:
    async def story(first: Member, second: Member) -> None:
        context = client_context(tmp_path)
        await second.call(context, b"asks")
        assert (first.served, second.served) == (0, 1)

    run(story, tmp_path, table)


def test_an_address_of_many_routers_is_served_by_all(tmp_path: Path, table: int) -> None:
    async def story(first: Member, second: Member) -> None:
        context = client_context(tmp_path)
        # The second was there before the first came once more.
        for _ in range(2):
            first.returning.answered("127.0.0.1", to_be_followed=True)
        for _ in range(3):
            await second.call(context, b"another")
        assert (first.served, second.served) == (0, 3)

    run(story, tmp_path, table)


def test_who_is_drained_takes_no_connection(tmp_path: Path, table: int) -> None:
    async def story(first: Member, second: Member) -> None:
        context = client_context(tmp_path)
        await first.call(context, b"asks")
        await first.listener.drain(5)
        await second.call(context, b"reports")
        assert (first.served, second.served) == (1, 1)

    run(story, tmp_path, table)


def test_who_can_keep_no_more_takes_no_connection(tmp_path: Path, table: int) -> None:
    async def story(first: Member, second: Member) -> None:
        context = client_context(tmp_path)
        await first.call(context, b"asks")
        # The only place to wait, of a peer that says nothing.
        silent = await asyncio.open_connection(*first.address, local_addr=("127.0.0.2", 0))
        while not first.listener.counts.bounds_met:
            late = await asyncio.open_connection(*first.address, local_addr=("127.0.0.2", 0))
            late[1].close()
        await second.call(context, b"reports")
        assert second.served == 1
        silent[1].close()

    run(story, tmp_path, table, ListenerLimits(max_message_bytes=100, max_waiting=1))


def test_what_waits_for_a_process_that_died_finds_the_next_one(tmp_path: Path) -> None:
    with ExitStack() as held:
        dead, living = pairs(held)
        here, there = socket.socketpair()
        held.callback(here.close)
        arrival = Arrival("2001:db8::1", 4711, 12.5, Announced(("2001:db8::1", 4711), ("::1", 9)))
        assert living.hand(0, there, arrival)
        # Its peer notices nothing.
        assert there.fileno() == -1
        here.send(b"hello")
        ((accepted, told),) = dead.taken()
        held.callback(accepted.close)
        assert told == arrival
        assert (accepted.recv(5), accepted.gettimeout()) == (b"hello", 0.0)
        assert list(dead.taken()) == []


def test_a_full_inbox_leaves_connections_where_they_are() -> None:
    with ExitStack() as held:
        slow, living = pairs(held)
        one, other = socket.socketpair()
        held.callback(one.close)
        held.callback(other.close)
        given = 0
        while living.hand(0, again := other.dup(), Arrival("192.0.2.1", 1, 0.0)):
            given += 1
        assert again.fileno() != -1
        again.close()
        taken = list(slow.taken())
        assert len(taken) == given > 0
        for accepted, _ in taken:
            accepted.close()


def test_a_process_without_a_free_descriptor_leaves_them_until_it_has_one(
    tmp_path: Path, table: int
) -> None:
    peer = "192.0.2.1"

    async def story(first: Member, second: Member) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            here = socket.create_connection(listening.getsockname())
            there, _ = listening.accept()
        with no_descriptor():
            arrival = Arrival(peer, 4711, asyncio.get_running_loop().time())
            assert second.handing.hand(0, there, arrival)
            first.returning.answered(peer, to_be_followed=True)
            # Until it says that it takes none, which it finds out within a few turns.
            for _ in range(1_000):
                if second.returning.owner(peer) is None:
                    break
                first.returning.answered(peer, to_be_followed=True)
                await asyncio.sleep(0)
            else:
                pytest.fail("it goes on taking connections")
        _, writer = await asyncio.open_connection(
            sock=here, ssl=client_context(tmp_path), server_hostname="127.0.0.1"
        )
        writer.close()

    run(story, tmp_path, table)


def test_what_waits_for_a_process_that_died_goes_to_others_that_live(tmp_path: Path) -> None:
    with ExitStack() as held:
        dead, living = pairs(held)
        ends = [socket.socketpair() for _ in range(2)]
        arrivals = [Arrival("192.0.2.1", port, 1.0) for port in (1, 2)]
        for (here, there), arrival in zip(ends, arrivals, strict=True):
            held.callback(here.close)
            assert living.hand(0, there, arrival)
        # Nobody takes them: they wait for the next one.
        dead.pass_on([], number=0)
        assert list(living.taken()) == []
        dead.pass_on([1], number=0)
        assert list(dead.taken()) == []
        taken = list(living.taken())
        assert [arrival for _, arrival in taken] == arrivals
        for accepted, _ in taken:
            accepted.close()


def test_what_the_others_have_no_room_for_waits_for_the_next_process() -> None:
    with ExitStack() as held:
        dead, living = pairs(held)
        one, other = socket.socketpair()
        held.callback(one.close)
        held.callback(other.close)
        arrival = Arrival("192.0.2.1", 1, 0.0)
        assert living.hand(0, other.dup(), arrival)
        given = 0
        while living.hand(1, again := other.dup(), arrival):
            given += 1
        again.close()
        dead.pass_on([1], number=0)
        for handing, count in ((dead, 1), (living, given)):
            taken = list(handing.taken())
            assert len(taken) == count
            for accepted, _ in taken:
                accepted.close()


def test_what_waits_in_one_that_ends_is_served_by_another(tmp_path: Path, table: int) -> None:
    async def story(first: Member, second: Member) -> None:
        context = client_context(tmp_path)
        under_way = asyncio.create_task(first.call(context, b"waits", "Wait"))
        await first.waiting.wait()
        late = asyncio.create_task(first.call(context, b"asks"))
        # One in its call, and one that waits for its place.
        while first.listener.connection_count < 2:
            await asyncio.sleep(0)
        ending = asyncio.create_task(first.listener.drain(30))
        assert (await late).startswith(b"asks")
        assert (first.served, second.served) == (1, 1)
        first.release.set()
        assert await under_way == b"done"
        await ending

    run(story, tmp_path, table, ListenerLimits(max_message_bytes=100, max_connections=1))
