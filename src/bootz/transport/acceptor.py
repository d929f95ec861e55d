"""Accepts connections for any protocol, counted and shaken hands with, within bounds.

At a bound connections wait; few are served at a time, each to the end of its first answer, so that
of thousands that come at once the first are done early and memory stays flat.

asyncio's own servers neither count connections per peer nor tell why a handshake failed.
"""

import asyncio
import contextvars
import math
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from bootz.errors import Unavailable
from bootz.log import get_logger
from bootz.transport.admission import AcceptorLimits, Admission, RoomWanted
from bootz.transport.binding import bind, peer_address
from bootz.transport.fruitless import Fruitless
from bootz.transport.handing import Handing
from bootz.transport.pressure import LoadCounts, PeerLines, Pressure, backlog
from bootz.transport.proxy_door import Arrival, Network, ProxyDoor
from bootz.transport.returning import Returning
from bootz.transport.spare_time import SpareTime
from bootz.transport.tls import RefusedHandshake, refusal_sink
from bootz.transport.turns import Rank
from bootz.transport.under_way import UnderWay
from bootz.transport.waiting import Waiter, WaitingRoom

log = get_logger()

OnRefused = Callable[[str, RefusedHandshake], None]
"""Told the peer's address and why its handshake was refused."""

_LOOK_S: Final = 0.1
"""Seconds between two looks at the connections that are to end."""

_LEAVES: Final = 10
"""Looks at whether other processes have room for what waits in one that ends."""

_TICK_S: Final = 0.1
"""Seconds between two looks at connections that wait, or that are in their first call."""

_QUIET_TICK_S: Final = 5.0
"""The same, while there are none."""

_LATE_S: Final = 0.05
"""A look that comes so much too late tells that this process has more to do than it can."""

_SILENT_S: Final = 1.0
"""Seconds after which a peer that has said nothing goes, where others find no place."""

_ACCEPTS: Final = 4096
"""Connections that are accepted in one turn of the event loop: a whole queue of the kernel."""


_ROOM: Final = 8
"""Of the places that are not for strangers they may take one of so many for a while."""

ProtocolFactory = Callable[[Admission], asyncio.Protocol]
"""Makes the protocol of a connection, which calls ``Admission.leave`` when that is lost."""

MakeRoom = Callable[[RoomWanted], int]
"""Told to close idle connections, those first that are worth least; returns how many it closes."""


class Acceptor:
    """Listens and gives each connection a protocol.

    Args:
        factory: makes the protocol of a connection.
        limits: bounds for each peer and all together.
        context: the TLS context of connections to come; assign another to reload. None: no TLS.
        on_refused: told of handshakes that failed for the peer's certificate or protocol.
        before_handshake: awaited before each handshake, so that ``context`` can be brought up
            to date; must not fail.
        make_room: called at a bound of connections while others wait, and from half of it on to
            close peers that have asked for nothing.
        returning: which addresses were answered a moment ago, and how many connections are
            expected of each; None: a table of its own.
        handing: how they are handed to the process that answered their peer; None: not at all.
        share_port: whether other processes listen on the same addresses.
        counts: what happens at the bounds; None: counted for this acceptor alone.
        proxies: load balancers, whose connections begin with a header of the PROXY protocol.
        fruitless: which addresses came lately and asked for nothing; they go after all others.
            None: the protocol does not tell who asks for something.
    """

    def __init__(
        self,
        factory: ProtocolFactory,
        *,
        limits: AcceptorLimits,
        context: ssl.SSLContext | None,
        on_refused: OnRefused | None = None,
        before_handshake: Callable[[], Awaitable[None]] | None = None,
        make_room: MakeRoom = lambda _wanted: 0,
        returning: Returning | None = None,
        handing: Handing | None = None,
        share_port: bool = False,
        counts: LoadCounts | None = None,
        proxies: Collection[Network] = (),
        fruitless: Fruitless | None = None,
    ) -> None:
        self.context = context
        self.counts = counts or LoadCounts()
        self._factory = factory
        self._limits = limits
        self._on_refused = on_refused
        self._before_handshake = before_handshake
        self._make_room = make_room
        self._returning = returning or Returning()
        self._handing = handing
        self._share_port = share_port
        self._sockets: list[socket.socket] = []
        self._listening = False
        self._waiting = WaitingRoom(self._may_begin, tls=context is not None)
        self._pressure = Pressure(self.counts)
        self._lines = PeerLines()
        self._proxies = ProxyDoor(proxies, self.counts, self._lines, self._arrive)
        self._places: set[Admission] = set()
        self._under_way = UnderWay(
            limits.max_handshakes,
            calls_told=fruitless is not None,
            handshake_timeout=limits.handshake_timeout,
        )
        self._fruitless = fruitless
        # Places that are not for strangers: half of them, so that whoever comes finds one at once,
        # and that memory is left for those who ask.
        self._kept_free = limits.max_connections // 2 if fruitless is not None else 0
        self._per_address: Counter[str] = Counter()
        # The same for each address, which routers may share with strangers.
        self._kept_free_of_one = (
            limits.max_connections_per_address // 2 if fruitless is not None else 0
        )
        self._crowded: set[str] = set()
        self._accepting: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._pumping = False
        self._tick_due = 0.0
        self._spare = SpareTime()
        self._tick_handle: asyncio.TimerHandle | None = None

    @property
    def connection_count(self) -> int:
        """Connections that are open or wait to be."""
        return len(self._places) + len(self._waiting) + len(self._proxies)

    async def start(self, addresses: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
        """Listen; return the addresses with the ports that the system chose for 0.

        Raises:
            Unavailable: an address cannot be listened on; then none is.
        """
        loop = asyncio.get_running_loop()
        bound: list[tuple[str, int]] = []
        try:
            for host, port in addresses:
                listening = await bind(host, port, shared=self._share_port)
                self._sockets.append(listening)
                listening.listen(backlog(self._limits.backlog))
                bound.append((host, listening.getsockname()[1]))
        except OSError as error:
            self._close_sockets()
            where = peer_address(*addresses[len(bound)])
            raise Unavailable(
                "listen-failed", f"cannot listen: {error.strerror or error}", where=where
            ) from error
        except Unavailable:
            self._close_sockets()
            raise
        self._listen()
        loop.add_reader(self._waiting.fileno(), self._hear)
        self._tick_after(_QUIET_TICK_S)
        return tuple(bound)

    def _listen(self) -> None:
        self._listening = True
        for listening in self._sockets:
            asyncio.get_running_loop().add_reader(listening, self._accept_some, listening)
        if self._handing is not None:
            asyncio.get_running_loop().add_reader(
                self._handing.fileno(), self._take_some, self._handing
            )
            self._returning.takes_connections(yes=True)

    def _pause(self) -> None:
        """Leave the rest to the kernel's queue."""
        self._listening = False
        for listening in self._sockets:
            asyncio.get_running_loop().remove_reader(listening)
        if self._handing is not None:
            self._returning.takes_connections(yes=False)
            asyncio.get_running_loop().remove_reader(self._handing.fileno())

    async def stop(self) -> None:
        """Stop accepting and give up handshakes; connections that are made stay.

        Those that wait are left to other processes, where there are any.
        """
        if self._listening and self._handing is not None:
            for listening in self._sockets:
                self._accept_some(listening)
        self._pause()
        self._close_sockets()
        waiting: list[tuple[socket.socket, Arrival]] = []
        if self._tick_handle is not None:
            self._tick_handle.cancel()
            asyncio.get_running_loop().remove_reader(self._waiting.fileno())
            self._tick_handle = None
            self._proxies.close()
            waiting += [(each.accepted, each.arrival) for each in self._waiting.take_all()]
            self._waiting.end()
        if self._handing is not None:
            waiting = await self._leave(self._handing, waiting)
        for accepted, _ in waiting:
            accepted.close()
        for task in tuple(self._accepting):
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)

    async def _leave(
        self, handing: Handing, waiting: list[tuple[socket.socket, Arrival]]
    ) -> list[tuple[socket.socket, Arrival]]:
        """Leave connections to other processes; returns those that they have no room for."""
        for _ in range(_LEAVES):
            with suppress(OSError):
                for each in handing.taken():
                    waiting.append(each)  # noqa: PERF402 -- what is there before an error counts
            waiting = handing.leave(waiting, self._returning.others())
            if not waiting or not self._returning.others():
                break
            await asyncio.sleep(_LOOK_S)
        return waiting

    async def finish(self, timeout: float, close_idle: Callable[[], None] = lambda: None) -> None:
        """Wait until every connection is gone, for at most ``timeout`` seconds, then cut the rest.

        ``close_idle`` is called again and again, to close what has nothing left to do. A connection
        that is closed, but whose peer neither answers nor takes what was sent, is cut early.
        """
        loop = asyncio.get_running_loop()
        give_up = loop.time() + timeout
        while self._places and (now := loop.time()) < give_up:
            close_idle()
            for place in tuple(self._places):
                place.cut_if_silent(now, self._limits.goodbye_timeout)
            await self._wait_empty(min(give_up - now, _LOOK_S))
        for place in tuple(self._places):
            if place.transport is not None:
                place.transport.abort()
        await self._wait_empty(_LOOK_S)

    async def _wait_empty(self, timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                while self._places:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass

    def _close_sockets(self) -> None:
        for listening in self._sockets:
            listening.close()
        self._sockets.clear()

    def _accept_some(self, listening: socket.socket) -> None:
        """Take what the kernel has: none of it costs more than a descriptor until its turn."""
        now = asyncio.get_running_loop().time()
        for _ in range(_ACCEPTS):
            if self._is_full():
                break
            try:
                accepted, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                break
            except OSError as error:  # out of descriptors: leave the rest in the backlog
                self._pressure.cannot_accept(error, now)
                self._pause()
                break
            accepted.setblocking(False)
            self._proxies.take(accepted, Arrival(str(address[0]), int(address[1]), now))
        self._tick_soon()

    def _is_full(self) -> bool:
        """Tell whether no more may wait here; then the kernel keeps them."""
        waiting = len(self._waiting) + len(self._proxies)
        if waiting < self._limits.max_waiting:
            return False
        self._pressure.met("max_waiting", waiting=waiting)
        self._pause()
        return True

    def _take_some(self, handing: Handing) -> None:
        """Take what other processes have handed over."""
        try:
            for accepted, arrival in handing.taken():
                self._wait(accepted, arrival)
                if self._is_full():
                    break
        except OSError as error:  # out of descriptors: leave the rest where it is
            self._pressure.cannot_accept(error, asyncio.get_running_loop().time())
            self._pause()
        self._tick_soon()

    def _arrive(self, accepted: socket.socket, arrival: Arrival) -> None:
        if self._handing is not None:
            owner = self._returning.owner(arrival.host)
            if owner is not None and self._handing.hand(owner, accepted, arrival):
                return
        self._wait(accepted, arrival)

    def _wait(self, accepted: socket.socket, arrival: Arrival) -> None:
        host = arrival.host
        # One address leaves some places to others; it has thousands itself.
        if self._waiting.of(host) >= max(1, self._limits.max_waiting * 7 // 8):
            accepted.close()
            self.counts.turned_away += 1
            if self._lines.may_tell("connection-refused"):
                log.warning("connection-refused", peer=host, reason="too many connections")
            return
        self._waiting.add(Waiter(accepted, arrival, self._rank(host)))

    def _rank(self, host: str) -> Rank:
        if self._returning.take(host):
            return Rank.RETURNING
        if self._fruitless is None or host not in self._fruitless or host in self._returning:
            return Rank.FIRST
        return Rank.FRUITLESS

    def _hear(self) -> None:
        self._waiting.hear(asyncio.get_running_loop().time())
        self._pump_soon()

    def _pump_soon(self) -> None:
        if not self._pumping:
            self._pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        """Begin as many handshakes as may be under way."""
        self._pumping = False
        now = asyncio.get_running_loop().time()
        newest = self._under_way.strangers(now)
        while self._waiting.ready and self._tick_handle is not None:
            last = self._under_way.last(now)
            if last is None:
                break
            if len(self._places) >= self._limits.max_connections:
                self._pressure.met("max_connections", waiting=self._waiting.ready)
                break
            waiter = self._waiting.next(
                last, newest=newest, newcomers_since=self._under_way.newcomers_since(now)
            )
            if waiter is None:
                break
            if not self._proxies.refuses(waiter.accepted, waiter.host, waiter.port):
                self._begin(waiter)
        if not self._waiting.ready:
            self._pressure.over()

    def _may_begin(self, host: str) -> bool:
        """Tell whether an address is below its own bound."""
        if self._per_address[host] < self._limits.max_connections_per_address:
            return True
        waiting = self._waiting.of(host)
        self._pressure.met("max_connections_per_address", host=host, waiting=waiting)
        return False

    def _tick_soon(self) -> None:
        """Look after those that wait ten times a second from now on."""
        due = asyncio.get_running_loop().time() + _TICK_S
        if self._tick_handle is not None and self._tick_due > due:
            self._tick_handle.cancel()
            self._tick_after(_TICK_S)

    def _tick_after(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._tick_due = loop.time() + seconds
        self._tick_handle = loop.call_later(seconds, self._tick)

    def _tick(self) -> None:
        try:
            self._look_after(asyncio.get_running_loop().time())
        finally:
            # After a defect of ours, too: without it no one who waits would ever have a turn.
            waiting = len(self._waiting) + len(self._proxies)
            soon = self._under_way or waiting or self._crowded or self._missing() > 0
            self._tick_after(_TICK_S if soon else _QUIET_TICK_S)

    def _look_after(self, now: float) -> None:
        # What came while this process was busy was said in time.
        self._waiting.hear(now)
        late = now - self._tick_due > _LATE_S
        spare = self._spare.since_last(now)
        self._under_way.look(now, late=late, spare=min(spare, self._room()))
        self._keep_free(spare)
        self._end_silent(now)
        if self._waiting.ready:
            self._relieve(now)
            oldest = self._waiting.oldest()
            if oldest is not None:
                self._pressure.waits(now - oldest.arrival.since, waiting=self._waiting.ready)
        self._pressure.look_at_queues(self._sockets)
        self._lines.look()
        waiting = len(self._waiting) + len(self._proxies)
        if not self._listening and waiting <= self._limits.max_waiting * 7 // 8:
            self._listen()
        self._pump_soon()

    def _end_silent(self, now: float) -> None:
        # Paused: for want of a place to wait, or of a descriptor.
        full = not self._listening or (
            len(self._waiting) + len(self._proxies) >= self._limits.max_waiting
        )
        limits = self._limits
        # They cost a descriptor; who is sent away soon comes again soon, and that costs more.
        patience = min(limits.idle_timeout, _SILENT_S) if full else limits.idle_timeout
        header = patience if self.context is None else min(patience, limits.handshake_timeout)
        self._proxies.end_late(now - header)
        begun_before = now - min(patience, limits.handshake_timeout)
        silent = self._waiting.silent_since(now - patience, begun_before=begun_before)
        for waiter in silent:
            self._waiting.close(waiter)
        if self.context is not None:
            self.counts.handshakes_failed += len(silent)
        for waiter in silent:
            if self._lines.may_tell("handshake-failed"):
                peer = peer_address(waiter.host, waiter.port)
                log.info("handshake-failed", peer=peer, error="silent")

    def _keep_free(self, spare: float) -> None:
        """Close strangers while more than half of the places, or of those of an address, are
        taken: some more of them only, where there is no time to spare.
        """
        self._keep_some_free(None, self._missing(), self._kept_free, spare)
        for host in tuple(self._crowded):
            self._keep_some_free(host, self._missing_of(host), self._kept_free_of_one, spare)

    def _keep_some_free(self, host: str | None, missing: int, kept: int, spare: float) -> None:
        missing -= int(kept * (1 - spare) / _ROOM)
        if missing > 0:
            wanted = min(missing, 2 * self._limits.max_handshakes)
            self._want_room(host, wanted, fruitless=True)

    def _missing(self) -> int:
        return len(self._places) - (self._limits.max_connections - self._kept_free)

    def _missing_of(self, host: str) -> int:
        most = self._limits.max_connections_per_address - self._kept_free_of_one
        return self._per_address[host] - most

    def _room(self) -> float:
        """Return which part of the places is left that strangers may take before they go again."""
        return max(0.0, min(1.0, 1 - _ROOM * self._missing() / max(1, self._kept_free)))

    def _want_room(self, host: str | None, connections: int, *, fruitless: bool) -> None:
        told = self._make_room(RoomWanted(host, connections, _SILENT_S, fruitless=fruitless))
        self._pressure.made_room(told, asyncio.get_running_loop().time())

    def _relieve(self, now: float) -> None:
        """At a bound of connections, close idle ones, so that those who wait can be served."""
        last = self._under_way.last(now)
        if last is None:
            return
        if not math.isinf(self._under_way.newcomers_since(now)):
            last = max(last, Rank.FIRST)
        most = self._limits.max_handshakes
        # Who has asked for something is not worth less than one that comes for nothing.
        better = min(last, Rank.FIRST)
        if len(self._places) >= self._limits.max_connections:
            wanted = min(most, self._waiting.want(last))
            self._want_room(None, wanted, fruitless=not self._waiting.want(better))
            return
        worth = self._waiting.aside(better)
        for host in self._waiting.aside(last):
            wanted = min(most, self._waiting.of(host))
            self._want_room(host, wanted, fruitless=host not in worth)

    def _begin(self, waiter: Waiter) -> None:
        now = asyncio.get_running_loop().time()
        self._pressure.begins(now - waiter.arrival.since)
        host, accepted = waiter.host, waiter.accepted
        place = Admission(
            host,
            accepted,
            on_left=self._left,
            on_served=self._served,
            on_asked=self._asked,
            on_answered=self._answered,
            announced=waiter.arrival.announced,
        )
        self._places.add(place)
        self._under_way.begin(place, waiter.rank, came=waiter.arrival.since, now=now)
        self._per_address[host] += 1
        if self._missing_of(host) > 0:
            self._crowded.add(host)
        # Each handshake has its own context, in which its refusal is told.
        task = asyncio.get_running_loop().create_task(
            self._handshake(accepted, peer_address(host, waiter.port), place),
            context=contextvars.copy_context(),
        )
        self._accepting.add(task)
        task.add_done_callback(partial(self._ended, accepted, place))

    def _ended(self, accepted: socket.socket, place: Admission, task: "asyncio.Task[None]") -> None:
        self._accepting.discard(task)
        # Perhaps before it began, so that nothing in it could clean up.
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # A defect of ours: the next connection may fare better.
            log.error("handshake-failed", peer=place.host, exc_info=error)
        if task.cancelled() or error is not None:
            accepted.close()
            place.leave()

    async def _handshake(self, accepted: socket.socket, peer: str, place: Admission) -> None:
        refusals: list[RefusedHandshake] = []
        refusal_sink.set(refusals.append)
        timeout = None if self.context is None else self._limits.handshake_timeout
        try:
            if self._before_handshake is not None:
                await self._before_handshake()
            place.transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._factory(place),
                accepted,
                ssl=self.context,
                ssl_handshake_timeout=timeout,
            )
            self.counts.handshakes_done += 1
            # Nothing is written before the peer speaks; one that waits for the acknowledgement of
            # its handshake first (Nagle's algorithm) would wait for 40 ms.
            with suppress(OSError):
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            self._under_way.shaken(place, asyncio.get_running_loop().time())
        except (OSError, EOFError) as error:
            accepted.close()
            place.leave()
            if refusals and self._on_refused is not None:
                self.counts.handshakes_refused += 1
                self._on_refused(peer, refusals[0])
            else:
                self.counts.handshakes_failed += 1
                if self._lines.may_tell("handshake-failed"):
                    log.info("handshake-failed", peer=peer, error=type(error).__name__)

    def _asked(self, place: Admission) -> None:
        self._under_way.asked(place)
        self._waiting.asked(place.host)
        if self._fruitless is not None:
            self._fruitless.discard(place.host)

    def _answered(self, place: Admission, to_be_followed: bool) -> None:
        self._returning.answered(place.host, to_be_followed=to_be_followed)

    def _served(self, place: Admission) -> None:
        if self._under_way.end(place):
            self._pump_soon()

    def _left(self, place: Admission) -> None:
        self._places.discard(place)
        self._under_way.end(place)
        if self._fruitless is not None and not place.fruitful:
            self.counts.fruitless += 1
            self._fruitless.add(place.host)
        self._per_address[place.host] -= 1
        if self._missing_of(place.host) <= 0:
            self._crowded.discard(place.host)
        if self._per_address[place.host] <= 0:
            del self._per_address[place.host]
        self._waiting.freed(place.host)
        self._changed.set()
        if self._waiting.ready:
            self._pump_soon()
