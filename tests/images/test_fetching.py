"""A store fetches what it lacks from another one, and serves what has the recorded digest alone."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pki
import pytest
from images.depot_world import CONTENT, DIGEST, ETAG, PATH, Answer, World, parse, run
from pydantic import ValidationError
from structlog.testing import capture_logs

from bootz.config.serving import ImageSettings
from bootz.images.depot import Depot
from bootz.images.fetching import ImageFetcher
from bootz.images.http_server import ImageServer
from bootz.transport.tls import server_context

SOON = 0.01
HEAD = f"HTTP/1.1 200 OK\r\nContent-Length: {len(CONTENT)}\r\n\r\n".encode()


@dataclass
class Second:
    """A store with a folder of its own, and the catalogue of the first."""

    depot: Depot
    folder: Path
    address: tuple[str, int]

    async def ask(self, method: str = "GET") -> Answer:
        reader, writer = await asyncio.open_connection(*self.address)
        writer.write(f"{method} {PATH} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n".encode())
        try:
            return parse(await reader.read())
        finally:
            writer.close()

    async def served(self) -> Answer:
        """Ask as a router does, again and again, until it is served."""
        while (answer := await self.ask()).status == 503:
            assert answer.headers["Retry-After"] == "30"
        return answer

    async def settled(self, told: Sequence[object], event: str) -> dict[str, object]:
        """Ask until the log has a line of this event; nothing is served before."""
        while True:
            found = [each for each in told if isinstance(each, dict) and each["event"] == event]
            if found:
                return found[0]
            assert (await self.ask()).status == 503

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*"))


def play(
    folder: Path,
    story: Callable[[World, Second], Awaitable[None]],
    *,
    sources: Callable[[World], Sequence[str]] = lambda world: [f"http://127.0.0.1:{port(world)}"],
    anchors: Sequence[bytes] = (),
    tls: ssl.SSLContext | None = None,
    pause: float = SOON,
    after: Callable[[], Awaitable[object]] = lambda: asyncio.sleep(0),
) -> None:
    async def with_second(world: World) -> None:
        own = folder / "second"
        depot = Depot(own)
        fetcher = ImageFetcher(depot, sources(world), lambda: anchors, first_pause=pause)
        server = ImageServer(depot, world, world, check_every=0, fetcher=fetcher)
        (address,) = await server.start([("127.0.0.1", 0)])
        try:
            await story(world, Second(depot, own, address))
        finally:
            await server.drain(5)
        await after()

    run(with_second, folder, tls=tls)


def port(world: World) -> int:
    return world.address[1]


def test_what_is_on_record_and_lacking_is_fetched_and_served(tmp_path: Path) -> None:
    async def story(_world: World, second: Second) -> None:
        answer = await second.served()
        assert (answer.status, answer.headers["ETag"], answer.body) == (200, ETAG, CONTENT)
        assert second.names() == [DIGEST]
        while not (lines := [each for each in told if each["event"] == "image-fetched"]):
            assert (await second.ask()).body == CONTENT
        assert [(each["sha256"], each["bytes"]) for each in lines] == [(DIGEST, 10240)]

    with capture_logs() as told:
        play(tmp_path, story)


def test_a_damaged_copy_is_replaced_from_the_other_store(tmp_path: Path) -> None:
    async def story(world: World, second: Second) -> None:
        await second.served()
        path = second.folder / DIGEST
        path.chmod(0o644)
        path.write_bytes(CONTENT[:-1] + b"?")
        assert (await second.served()).body == CONTENT
        assert path.read_bytes() == CONTENT

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (HEAD + CONTENT[:-1] + b"?", "image-source-differs"),
        (HEAD + CONTENT[:-1], "image-source-differs"),
        (HEAD.replace(b"10240", b"10241") + CONTENT + b"?", "image-source-differs"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + CONTENT, "image-source-differs"),
        (HEAD.replace(b"200", b"206") + CONTENT, "image-source-failed"),
        (b"HTTP/1.1 302 Found\r\nLocation: /other\r\n\r\n", "image-source-failed"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"\r\n", "image-source-failed"),
        (b"\x00" * 100, "image-source-failed"),
        (b"", "image-source-failed"),
    ],
)
def test_another_file_from_the_source_is_thrown_away(
    tmp_path: Path, answer: bytes, reason: str
) -> None:
    async def give(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async def story(_world: World, second: Second) -> None:
        async with await asyncio.start_server(give, sock=listening):
            line = await second.settled(told, "image-not-fetched")
            assert line["reason"] == reason
            assert (await second.ask()).status == 503
            assert second.names() == []

    # Who connects before it is served waits.
    with socket.create_server(("127.0.0.1", 0)) as listening, capture_logs() as told:
        sources = [f"http://127.0.0.1:{listening.getsockname()[1]}"]
        play(tmp_path, story, sources=lambda _: sources, pause=60)


def test_a_later_try_brings_what_a_store_that_was_down_did_not(tmp_path: Path) -> None:
    async def story(world: World, second: Second) -> None:
        world.failing = True
        with capture_logs() as told:
            line = await second.settled(told, "image-not-fetched")
        assert line["reason"] == "image-source-failed"
        world.failing = False
        assert (await second.served()).body == CONTENT

    play(tmp_path, story)


def test_the_next_source_is_asked_where_one_is_down(tmp_path: Path) -> None:
    async def story(world: World, second: Second) -> None:
        assert (await second.served()).body == CONTENT

    def sources(world: World) -> list[str]:
        return [f"http://127.0.0.1:{_free_port()}", f"http://127.0.0.1:{port(world)}"]

    play(tmp_path, story, sources=sources, pause=60)


@pytest.mark.parametrize("trusted", [True, False])
def test_the_source_must_have_a_certificate_under_the_anchor(tmp_path: Path, trusted: bool) -> None:
    anchor = pki.make_pair("anchor", ca=True)
    other = pki.make_pair("other", ca=True)
    leaf = pki.make_pair("server", anchor, ip="127.0.0.1")
    tls = server_context(*leaf.save(tmp_path, "server"), protocols=("http/1.1",))

    async def story(world: World, second: Second) -> None:
        if trusted:
            assert (await second.served()).body == CONTENT
            return
        with capture_logs() as told:
            line = await second.settled(told, "image-not-fetched")
        assert line["reason"] == "image-source-failed"
        assert "certificate verify failed" in str(line["detail"]).lower()
        assert second.names() == []

    play(
        tmp_path,
        story,
        sources=lambda world: [f"https://127.0.0.1:{port(world)}"],
        anchors=[(anchor if trusted else other).der],
        tls=tls,
        pause=60,
    )


def test_a_source_that_hangs_does_not_hold_up_the_end(tmp_path: Path) -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + CONTENT[:5000])
        asked.set()
        # The store that stops leaves at once, and not when its patience ends.
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        left.set()

    async def story(_world: World, second: Second) -> None:
        servers.append(await asyncio.start_server(hang, sock=listening))
        await asked.wait()
        assert (await second.ask()).status == 503

    async def end() -> None:
        await left.wait()
        for server in servers:
            server.close()
            await server.wait_closed()

    servers: list[asyncio.Server] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sources = [f"http://127.0.0.1:{listening.getsockname()[1]}"]
        play(tmp_path, story, sources=lambda _: sources, after=end)
    assert not (tmp_path / "second" / DIGEST).exists()


@pytest.mark.parametrize(
    "url", ["ftp://a", "https://", "https://u:p@a", "https://a:0", "https://a:x", "https://a?b"]
)
def test_a_source_that_is_no_store_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        ImageSettings(fetch_from=(url,))
    assert ImageSettings(fetch_from=("https://a.example:15008/",)).fetch_from == (
        "https://a.example:15008",
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
