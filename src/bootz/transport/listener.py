"""A gRPC listener that bounds what its peers cost and can be reloaded while it serves.

Accepting, counting and TLS handshakes are ``acceptor``'s, calls are ``grpc``'s, HTTP/2 is an
engine's of ``http2``; idle connections and draining are here.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice, takewhile
from types import MappingProxyType
from typing import Final
from weakref import WeakValueDictionary

from bootz.lasting import lasting
from bootz.transport.acceptor import Acceptor, OnRefused
from bootz.transport.admission import Admission, RoomWanted
from bootz.transport.fruitless import Fruitless
from bootz.transport.grpc.call import Method
from bootz.transport.grpc.connection import GrpcConnection
from bootz.transport.grpc.large import windows
from bootz.transport.handing import Handing
from bootz.transport.http2.engine import Engine
from bootz.transport.http2.engines import EngineName, engine_kind
from bootz.transport.http2.meter import ADDRESS_RATE, Bucket
from bootz.transport.limits import ListenerLimits
from bootz.transport.pressure import LoadCounts, SlowedPeers
from bootz.transport.proxy_door import Network
from bootz.transport.returning import Returning

_RESTS_S: Final = 1.0
"""Seconds after which a peer that has asked for nothing costs less memory."""

_REST_AGAIN_S: Final = 0.2
"""Seconds between two looks at those that are to rest."""

_GOODBYE_S: Final = 0.5
"""Seconds in which a peer that makes room for another may answer the goodbye."""


class GrpcListener:
    """Serves a table of gRPC methods on any number of addresses.

    Args:
        methods: path of a method to what answers it.
        limits: bounds for each peer and all together.
        context: the TLS context of connections to come; assign another to reload.
        on_refused: told of handshakes that failed for the peer's certificate or protocol.
        before_handshake: awaited before each handshake, so that ``context`` can be brought up
            to date; must not fail.
        engine: which HTTP/2 engine.
        followed: paths of methods after which a caller may come on one more connection; that one
            goes before those that come for the first time. And whether it is about this answer:
            then it is for the process that gave it.
        returning: where such callers are remembered; None: in this listener alone.
        handing: how they are handed to the process that answered them; None: not at all.
        share_port: whether other processes listen on the same addresses.
        proxies: load balancers, whose connections begin with a header of the PROXY protocol.

    Raises:
        ConfigError: the engine is not installed.
    """

    def __init__(
        self,
        methods: Mapping[str, Method],
        *,
        limits: ListenerLimits,
        context: ssl.SSLContext | None,
        on_refused: OnRefused | None = None,
        before_handshake: Callable[[], Awaitable[None]] | None = None,
        engine: EngineName = "auto",
        followed: Mapping[str, bool] = MappingProxyType({}),
        returning: Returning | None = None,
        handing: Handing | None = None,
        share_port: bool = False,
        proxies: Collection[Network] = (),
    ) -> None:
        self._methods = methods
        self._limits = limits
        self._followed = dict(followed)
        self._engine = engine_kind(engine)
        self._windows = windows(limits)
        self._engine_limits = self._windows.engine_limits(limits.max_streams_per_connection)
        self._connections: set[GrpcConnection] = set()
        # The same of each address, in the order of their coming.
        self._of: dict[str, dict[GrpcConnection, None]] = {}
        # Of these, in the order of their coming, those that have asked for nothing; and those
        # that were told to go, with the time.
        self._strangers: dict[GrpcConnection, None] = {}
        self._leaving: dict[GrpcConnection, float] = {}
        # Of the strangers, those that still have all that a call needs.
        self._awake: dict[GrpcConnection, None] = {}
        self._rest_timer: asyncio.TimerHandle | None = None
        # Gone with the last connection of the address.
        self._buckets: WeakValueDictionary[str, Bucket] = WeakValueDictionary()
        self._sweeper: asyncio.Task[None] | None = None
        self._acceptor = Acceptor(
            self._connection,
            limits=limits,
            context=context,
            on_refused=on_refused,
            before_handshake=before_handshake,
            make_room=self._make_room,
            returning=returning,
            handing=handing,
            share_port=share_port,
            proxies=proxies,
            fruitless=Fruitless(),
        )
        self._slowed = SlowedPeers(self._acceptor.counts)

    @property
    def engine(self) -> str:
        """The HTTP/2 engine, with its version."""
        return self._engine.name

    @property
    def context(self) -> ssl.SSLContext | None:
        """The TLS context of connections to come; assign another to reload."""
        return self._acceptor.context

    @context.setter
    def context(self, context: ssl.SSLContext | None) -> None:
        self._acceptor.context = context

    @property
    def connection_count(self) -> int:
        """Connections that are open or wait to be."""
        return self._acceptor.connection_count

    @property
    def counts(self) -> LoadCounts:
        """What has happened since the start at the listener's bounds."""
        return self._acceptor.counts

    async def start(self, addresses: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
        """Listen; return the addresses with the ports that the system chose for 0.

        Raises:
            Unavailable: an address cannot be listened on; then none is.
        """
        bound = await self._acceptor.start(addresses)
        self._sweeper = asyncio.get_running_loop().create_task(
            lasting("idle-connections-not-closed", self._sweep)
        )
        return bound

    async def drain(self, timeout: float) -> None:
        """Stop accepting, let running calls end for at most ``timeout`` seconds, then close."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._rest_timer is not None:
            self._rest_timer.cancel()
        await self._acceptor.stop()
        for connection in tuple(self._connections):
            connection.refuse_calls()
        await self._acceptor.finish(timeout, self._close_idle)

    def _close_idle(self) -> None:
        for connection in tuple(self._connections):
            if not connection.busy:
                connection.close()

    def _make_room(self, wanted: RoomWanted) -> int:
        """Close connections without a call, of one address or of any: those first that have asked
        for nothing, and of these and of the others those that are idle for longest.
        """
        now = asyncio.get_running_loop().time()
        missing = wanted.connections
        leaving = self._among(wanted.host, self._leaving)
        missing -= len(leaving)
        for connection in leaving:
            if now - self._leaving[connection] >= _GOODBYE_S:
                connection.cut()
        if missing <= 0:
            return 0
        idle = tuple(islice(self._idle(wanted, now - wanted.idle_for), missing))
        for connection in idle:
            self._send_away(connection, now)
        return len(idle)

    def _idle(self, wanted: RoomWanted, before: float) -> Iterator[GrpcConnection]:
        """Find connections that are idle since before a time, those that are worth least first."""
        for connection in self._among(wanted.host, self._strangers):
            if connection.last_progress >= before:
                break
            yield connection
        if not wanted.fruitless:
            others = self._among(wanted.host, self._connections)
            yield from sorted(
                (
                    each
                    for each in others
                    if each not in self._strangers
                    and each not in self._leaving
                    and not each.running
                    and each.last_progress < before
                ),
                key=lambda each: each.last_progress,
            )

    def _among(
        self, host: str | None, connections: Collection[GrpcConnection]
    ) -> list[GrpcConnection]:
        """Return those of an address in the order of their coming; None: all.

        Thousands of addresses may be at their bound: each costs no more than its own connections.
        """
        if host is None:
            return list(connections)
        return [each for each in self._of.get(host, ()) if each in connections]

    def _send_away(self, connection: GrpcConnection, now: float) -> None:
        self._no_stranger(connection)
        self._leaving[connection] = now
        connection.close()

    def _no_stranger(self, connection: GrpcConnection) -> None:
        self._strangers.pop(connection, None)
        self._awake.pop(connection, None)

    def _rest_later(self, seconds: float) -> None:
        self._rest_timer = asyncio.get_running_loop().call_later(seconds, self._rest)

    def _rest(self) -> None:
        """Let strangers rest as they come: all at once would keep routers waiting."""
        before = asyncio.get_running_loop().time() - _RESTS_S
        for connection in tuple(takewhile(lambda each: each.last_progress < before, self._awake)):
            del self._awake[connection]
            connection.rest()
        self._rest_timer = None
        if self._awake:
            self._rest_later(_REST_AGAIN_S)

    def _connection(self, place: Admission) -> GrpcConnection:
        def made(connection: GrpcConnection) -> None:
            self._connections.add(connection)
            self._of.setdefault(connection.peer.host, {})[connection] = None
            self._strangers[connection] = None
            self._awake[connection] = None
            if self._rest_timer is None:
                self._rest_later(_RESTS_S)

        def lost(connection: GrpcConnection) -> None:
            self._connections.discard(connection)
            of_address = self._of.get(connection.peer.host, {})
            of_address.pop(connection, None)
            if not of_address:
                self._of.pop(connection.peer.host, None)
            self._no_stranger(connection)
            self._leaving.pop(connection, None)
            place.leave()

        def asked(connection: GrpcConnection) -> None:
            self._no_stranger(connection)
            place.asked()

        def called(path: str, *, well: bool) -> None:
            place.served()
            if well and path in self._followed:
                place.answered(to_be_followed=self._followed[path])

        return GrpcConnection(
            self._methods,
            self._make_engine,
            max_streams=self._limits.max_streams_per_connection,
            windows=self._windows,
            address_bucket=self._bucket,
            on_made=made,
            on_lost=lost,
            on_asked=asked,
            on_called=called,
            on_slowed=self._slowed.slowed,
            announced=place.announced,
        )

    def _make_engine(self) -> Engine:
        return self._engine.make(self._engine_limits)

    def _bucket(self, host: str) -> Bucket:
        bucket = self._buckets.get(host)
        if bucket is None:
            bucket = self._buckets[host] = Bucket(ADDRESS_RATE)
        return bucket

    async def _sweep(self) -> None:
        interval = max(min(self._limits.idle_timeout / 4, 5.0), 0.05)
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(interval)
            now = loop.time()
            oldest = now - self._limits.idle_timeout
            for connection in tuple(self._connections - self._leaving.keys()):
                if not connection.running and connection.last_progress < oldest:
                    self._send_away(connection, now)
            # What was said since without asking for anything woke them.
            self._awake.update(dict.fromkeys(each for each in self._strangers if not each.rests))
            if self._awake and self._rest_timer is None:
                self._rest_later(_REST_AGAIN_S)
