"""A gRPC listener with two methods, and calls over real sockets and real TLS."""

from __future__ import annotations

import asyncio
import os
import resource
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from grpclib.client import Channel, UnaryUnaryMethod
from pki import Pair, make_pair

from bootz.transport.calling import end_channel
from bootz.transport.codec import BytesCodec
from bootz.transport.grpc.call import Call
from bootz.transport.handing import Handing
from bootz.transport.http2.engines import EngineName
from bootz.transport.limits import ListenerLimits
from bootz.transport.listener import GrpcListener
from bootz.transport.proxy_door import Network
from bootz.transport.returning import Returning
from bootz.transport.tls import RefusedHandshake, server_context

LIMITS = ListenerLimits(max_message_bytes=100, handshake_timeout=30, idle_timeout=60)


class World:
    """A listener with two methods: one echoes, one waits until it is let go."""

    engine: EngineName = "auto"
    proxies: tuple[Network, ...] = ()
    returning: Returning | None = None
    handing: Handing | None = None

    def __init__(self, folder: Path, limits: ListenerLimits = LIMITS) -> None:
        self.folder = folder
        self.ca = make_pair("vendor CA", ca=True)
        self.intermediate = make_pair("vendor sub-CA", self.ca, ca=True)
        self.device = make_pair("device", self.intermediate)
        self.server = make_pair("server", ip="127.0.0.1")
        self.refused: list[tuple[str, RefusedHandshake]] = []
        self.refusal = asyncio.Event()
        self.waiting = asyncio.Event()
        self.release = asyncio.Event()
        self.listener = GrpcListener(
            {"/test.Echo/Echo": self._echo, "/test.Echo/Wait": self._wait},
            limits=limits,
            context=self.context(self.server),
            on_refused=self._on_refused,
            engine=self.engine,
            followed={"/test.Echo/Echo": True},
            proxies=self.proxies,
            returning=self.returning,
            handing=self.handing,
        )
        self.address = ("", 0)

    def context(self, server: Pair) -> ssl.SSLContext:
        return server_context(*server.save(self.folder, "server"), client_anchors=[self.ca.der])

    def _on_refused(self, peer: str, refusal: RefusedHandshake) -> None:
        self.refused.append((peer, refusal))
        self.refusal.set()

    async def _echo(self, call: Call) -> None:
        message = await call.receive(LIMITS.max_message_bytes)
        peer = call.peer
        names = [str(len(peer.certificates)), peer.reached_at[0], peer.address.split(":")[0]]
        await call.send((message or b"none") + b" " + " ".join(names).encode())

    async def _wait(self, call: Call) -> None:
        await call.receive(LIMITS.max_message_bytes)
        self.waiting.set()
        await self.release.wait()
        await call.send(b"done")

    async def start(self) -> World:
        (self.address,) = await self.listener.start([("127.0.0.1", 0)])
        return self

    def channel(self, context: ssl.SSLContext) -> Channel:
        return Channel(*self.address, ssl=context, codec=BytesCodec())

    async def call(self, context: ssl.SSLContext, message: bytes, method: str = "Echo") -> bytes:
        channel = self.channel(context)
        try:
            echo = UnaryUnaryMethod[bytes, bytes](channel, f"/test.Echo/{method}", bytes, bytes)
            answer = await echo(message)
            assert answer is not None
            return answer
        finally:
            end_channel(channel)


def run(
    story: Callable[[World], Awaitable[None]],
    folder: Path,
    limits: ListenerLimits = LIMITS,
    runner: Callable[..., None] = asyncio.run,
    made: type[World] = World,
) -> None:
    async def play() -> None:
        world = await made(folder, limits).start()
        try:
            await asyncio.wait_for(story(world), 60)
        finally:
            world.release.set()
            await world.listener.drain(5)
        assert world.listener.connection_count == 0

    runner(play())


@contextmanager
def no_descriptor() -> Iterator[None]:
    """Let this process have no free descriptor."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
