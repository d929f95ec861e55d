"""Servers that answer wrongly, too much, or not at all end in one error with a reason."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from device.world import FakeServer, Manner, World, play
from grpclib.const import Status
from pki import client_context as stranger
from pki import make_pair

from bootz.device.grpc_client import (
    MAX_ANSWER_BYTES,
    Dialer,
    GrpcClient,
    Timeouts,
    client_context,
)
from bootz.errors import BootzError
from bootz.transport.tls import server_context
from bootz.wire.dialects import GET_BOOTSTRAP_DATA, dialect_by_name
from bootz.wire.uri import parse_bootz_uri

PATH = f"{dialect_by_name('current').path}/{GET_BOOTSTRAP_DATA}"
PATIENT = Timeouts(20, 20)

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def ask(port: int, timeouts: Timeouts = PATIENT, *, anchor: bytes | None = None) -> str:
    """Return the reason of the error that asking ends in."""
    uri = parse_bootz_uri(f"bootz://127.0.0.1:{port}")
    with pytest.raises(BootzError) as caught:
        async with Dialer(timeouts).dial(uri, anchor) as client:
            await client.call(PATH, b"")
    return caught.value.reason


def against(serve: Serve, folder: Path, *, tls: bool, timeouts: Timeouts = PATIENT) -> str:
    async def story() -> str:
        pair = make_pair("server", ip="127.0.0.1")
        context = server_context(*pair.save(folder, "server")) if tls else None
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        try:
            return await ask(server.sockets[0].getsockname()[1], timeouts)
        finally:
            server.close()

    reason: str = play(story)
    return reason


def test_nobody_listens(tmp_path: Path) -> None:
    assert play(lambda: ask(1)) == "contact-unreachable"


def test_a_server_without_tls_or_that_hangs_up_is_unreachable(tmp_path: Path) -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-x\r\n")
        writer.close()

    assert against(hang_up, tmp_path, tls=False) == "contact-unreachable"


def test_a_server_that_never_speaks_is_given_up(tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    short = Timeouts(0.1, 0.1)
    assert against(silent, tmp_path, tls=False, timeouts=short) == "contact-unreachable"


def test_a_server_that_does_not_answer_the_call_is_given_up(tmp_path: Path) -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    assert against(deaf, tmp_path, tls=True, timeouts=Timeouts(20, 0.1)) == "contact-deadline"


def test_a_server_that_speaks_something_else_is_told(tmp_path: Path) -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    assert against(other, tmp_path, tls=True) == "contact-broken"


@pytest.mark.parametrize("prefix", [struct.pack(">BI", 0, MAX_ANSWER_BYTES + 1), b"\x01\0\0\0\1x"])
def test_an_answer_over_the_bound_or_compressed_is_not_read(tmp_path: Path, prefix: bytes) -> None:
    async def story() -> str:
        world = World(tmp_path)
        async with FakeServer(world) as server:
            server.manners = [Manner(frame=prefix)]
            return await _reason(server, world)

    assert play(story) == "contact-answer-too-large"


@pytest.mark.parametrize("frame", [b"\0\0\0\0\5abc", b"\0\0", b""])
def test_an_answer_that_is_cut_is_told(tmp_path: Path, frame: bytes) -> None:
    async def story() -> str:
        world = World(tmp_path)
        async with FakeServer(world) as server:
            server.manners = [Manner(frame=frame)]
            return await _reason(server, world)

    assert play(story) == "contact-broken"


def test_a_refusal_keeps_the_servers_words(tmp_path: Path) -> None:
    async def story() -> str:
        world = World(tmp_path)
        async with FakeServer(world) as server:
            server.manners = [Manner(status=Status.PERMISSION_DENIED)]
            return await _reason(server, world)

    assert play(story) == "contact-refused"


def test_a_verified_contact_refuses_another_anchor_and_takes_its_own(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        async with FakeServer(world) as server:
            port = parse_bootz_uri(server.uri).port
            other = make_pair("trust anchor", ca=True).der
            assert await ask(port, anchor=other) == "contact-server-untrusted"
            uri = parse_bootz_uri(server.uri)
            context = client_context(None, world.owner.anchor.der)
            async with GrpcClient(uri, context, PATIENT):
                pass
            # By name, where the certificate holds the address alone.
            named = parse_bootz_uri(f"bootz://localhost:{port}")
            with pytest.raises(BootzError) as caught:
                await GrpcClient(named, context, PATIENT).connect()
            assert caught.value.reason in {"contact-server-untrusted", "contact-unreachable"}

    play(story)


async def _reason(server: FakeServer, world: World) -> str:
    context = stranger(world.folder, world.idevid)
    with pytest.raises(BootzError) as caught:
        async with GrpcClient(parse_bootz_uri(server.uri), context, PATIENT) as client:
            await client.call(PATH, b"")
    return caught.value.reason
