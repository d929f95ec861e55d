"""The listener as gRPC's own client sees it (grpcio: the C core), on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import grpc.aio
import pytest
from engines import ENGINES
from pki import make_pair

from bootz.transport.grpc.call import Call
from bootz.transport.http2.engines import EngineName
from bootz.transport.limits import ListenerLimits
from bootz.transport.listener import GrpcListener
from bootz.transport.tls import server_context

MAX_MESSAGE = 3 << 20


async def _echo(call: Call) -> None:
    while (message := await call.receive(MAX_MESSAGE)) is not None:
        told = ",".join(f"{name}={value}" for name, value in call.metadata.items()).encode()
        await call.send(message + told + b";%d" % len(call.peer.certificates))


async def _many(call: Call) -> None:
    message = await call.receive(MAX_MESSAGE)
    for _ in range(int(message or b"0")):
        await call.send(bytes(50_000))


async def _hang(_call: Call) -> None:
    await asyncio.Event().wait()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> EngineName:
    return request.param  # type: ignore[no-any-return]


def run(
    engine: EngineName, story: Callable[[grpc.aio.Channel], Awaitable[None]], tmp: object
) -> None:
    async def play() -> None:
        server = make_pair("server", ip="127.0.0.1")
        device = make_pair("device")
        context = server_context(
            *server.save(tmp, "server"),
            client_anchors=[device.der],
        )
        listener = GrpcListener(
            {"/test.Echo/Echo": _echo, "/test.Echo/Many": _many, "/test.Echo/Hang": _hang},
            limits=ListenerLimits(max_message_bytes=MAX_MESSAGE),
            context=context,
            engine=engine,
        )
        ((host, port),) = await listener.start([("127.0.0.1", 0)])
        certificate, key = device.save(tmp, "device")
        credentials = grpc.ssl_channel_credentials(
            server.save(tmp, "server")[0].read_bytes(),
            key.read_bytes(),
            certificate.read_bytes(),
        )
        async with grpc.aio.secure_channel(f"{host}:{port}", credentials) as channel:
            async with asyncio.timeout(60):
                await story(channel)
        await listener.drain(0)

    asyncio.run(play())


def test_unary_calls_with_metadata_and_a_certificate(engine: EngineName, tmp_path: Path) -> None:
    async def story(channel: grpc.aio.Channel) -> None:
        echo = channel.unary_unary("/test.Echo/Echo")
        assert await echo(b"x", metadata=(("token", "t 1"),)) == b"xtoken=t 1;1"
        assert await asyncio.gather(*(echo(b"%d" % each) for each in range(40))) == [
            b"%d;1" % each for each in range(40)
        ]

    run(engine, story, tmp_path)


def test_streams_in_lock_step(engine: EngineName, tmp_path: Path) -> None:
    async def story(channel: grpc.aio.Channel) -> None:
        stream = channel.stream_stream("/test.Echo/Echo")()
        for number in range(20):
            await stream.write(b"%d" % number)
            assert await stream.read() == b"%d;1" % number
        await stream.done_writing()
        assert await stream.read() is grpc.aio.EOF
        assert await stream.code() is grpc.StatusCode.OK

    run(engine, story, tmp_path)


def test_large_messages_and_many(engine: EngineName, tmp_path: Path) -> None:
    async def story(channel: grpc.aio.Channel) -> None:
        large = bytes(range(256)) * 8_000
        assert await channel.unary_unary("/test.Echo/Echo")(large) == large + b";1"
        many = channel.unary_stream("/test.Echo/Many")(b"200")
        assert [len(message) async for message in many] == [50_000] * 200

    run(engine, story, tmp_path)


def test_how_calls_end(engine: EngineName, tmp_path: Path) -> None:
    async def story(channel: grpc.aio.Channel) -> None:
        for path, message, timeout, code in (
            ("/test.Echo/Nothing", b"", 30, grpc.StatusCode.UNIMPLEMENTED),
            ("/test.Echo/Hang", b"", 0.05, grpc.StatusCode.DEADLINE_EXCEEDED),
            ("/test.Echo/Echo", bytes(MAX_MESSAGE + 1), 30, grpc.StatusCode.RESOURCE_EXHAUSTED),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary(path)(message, timeout=timeout)
            assert caught.value.code() is code
        # A caller that gives up: the connection goes on.
        hanging = channel.unary_unary("/test.Echo/Hang")(b"")
        await asyncio.sleep(0)
        hanging.cancel()
        assert await channel.unary_unary("/test.Echo/Echo")(b"on") == b"on;1"

    run(engine, story, tmp_path)
