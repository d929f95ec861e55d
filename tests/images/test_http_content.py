"""The depot's door over real sockets: what a router gets, also when things go wrong on our side."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop
from images.depot_world import CONTENT, DIGEST, ETAG, LIMITS, PATH, World, both_loops, run
from pki import client_context, make_pair, silent_peer
from structlog.testing import capture_logs

from bootz.images.limits import ImageLimits
from bootz.images.ports import CatalogueEntry, Download
from bootz.transport.tls import server_context


@both_loops
@pytest.mark.parametrize("secure", [False, True])
def test_get_gives_the_file_and_tells_the_download(
    tmp_path: Path, runner: Callable[..., None], secure: bool
) -> None:
    pair = make_pair("depot", ip="127.0.0.1")
    tls = client = None
    if secure:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*pair.save(tmp_path, "depot"))
        client = client_context(tmp_path, anchor=pair.der)
        client.set_alpn_protocols(["http/1.1"])

    async def story(world: World) -> None:
        answer = await world.ask(f"{PATH}?c=Tag_1", tls=client)
        assert (answer.status, answer.body) == (200, CONTENT)
        assert answer.headers["Content-Length"] == str(len(CONTENT))
        assert answer.headers["ETag"] == ETAG
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert await world.downloads.get() == Download(
            "Tag_1", DIGEST, "xr.iso", "peer", 0, len(CONTENT), len(CONTENT), complete=True
        )

    run(story, tmp_path, runner=runner, tls=tls)


def test_head_tells_what_get_would_and_is_no_download(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        # A range has no meaning for HEAD.
        answer = await world.ask(PATH, {"Range": "bytes=5-"}, method="HEAD")
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["Content-Length"] == str(len(CONTENT))
        assert answer.headers["ETag"] == ETAG
        assert world.downloads.empty()

    run(story, tmp_path)


@pytest.mark.parametrize(
    ("headers", "status", "part"),
    [
        ({"Range": "bytes=0-9"}, 206, slice(0, 10)),
        ({"Range": "bytes=10000-"}, 206, slice(10000, None)),
        ({"Range": "bytes=-5"}, 206, slice(-5, None)),
        ({"Range": "bytes=10000-", "If-Range": ETAG}, 206, slice(10000, None)),
        # The file is another one than the router began with: it gets all of it.
        ({"Range": "bytes=10000-", "If-Range": '"other"'}, 200, slice(None)),
        ({"Range": "bytes=10000-", "If-Range": f"W/{ETAG}"}, 200, slice(None)),
        (
            {"Range": "bytes=10000-", "If-Range": "Sat, 29 Oct 2033 19:43:31 GMT"},
            200,
            slice(None),
        ),
        ({"Range": "bytes=0-1,4-5"}, 200, slice(None)),
        ({"Range": "nonsense"}, 200, slice(None)),
        ({"If-Match": ETAG}, 200, slice(None)),
        ({"If-None-Match": '"other"'}, 200, slice(None)),
    ],
)
def test_ranges_and_resume(
    tmp_path: Path, headers: dict[str, str], status: int, part: slice
) -> None:
    async def story(world: World) -> None:
        answer = await world.ask(PATH, headers)
        assert (answer.status, answer.body) == (status, CONTENT[part])
        assert answer.headers["ETag"] == ETAG
        start, stop, _ = part.indices(len(CONTENT))
        if status == 206:
            assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(CONTENT)}"
        download = await world.downloads.get()
        assert (download.start, download.bytes_sent, download.complete) == (
            start,
            stop - start,
            True,
        )

    run(story, tmp_path)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Range": f"bytes={len(CONTENT)}-"}, 416),
        ({"Range": "bytes=-0"}, 416),
        ({"If-None-Match": ETAG}, 304),
        ({"If-None-Match": f'"x", W/{ETAG}'}, 304),
        ({"If-Match": '"other"'}, 412),
        ({"If-Match": f"W/{ETAG}"}, 412),
    ],
)
def test_conditions_without_content(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    async def story(world: World) -> None:
        answer = await world.ask(PATH, headers)
        assert answer.status == status
        assert CONTENT[:4] not in answer.body
        assert answer.headers["ETag"] == ETAG
        if status == 416:
            assert answer.headers["Content-Range"] == f"bytes */{len(CONTENT)}"
        assert world.downloads.empty()

    run(story, tmp_path)


def test_nothing_but_what_the_catalogue_names(tmp_path: Path) -> None:
    secret = tmp_path / "depot" / "secret"

    async def story(world: World) -> None:
        secret.write_text("secret")
        targets = [
            "/",
            "/images/",
            f"/images/{DIGEST}",
            f"/images/{DIGEST}/",
            f"/images/{DIGEST}/other.iso",
            f"/images/{'0' * 64}/xr.iso",
            "/images/../xr.iso",
            "/images/..%2fxr.iso/x",
            f"/images/{DIGEST}/..%2fsecret",
            f"/images/{DIGEST}/../secret",
            f"/images/{DIGEST}/xr.iso%00",
            f"/images/{DIGEST}/xr.iso?d=1",
            f"/images/{DIGEST}/{'x' * 2000}",
            "/images/secret",
            "/secret",
        ]
        for target in targets:
            answer = await world.ask(target)
            assert (answer.status, answer.body) == (404, b"404\n"), target
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
            answer = await world.ask(method=method)
            assert answer.status == 405
            assert answer.headers["Allow"] == "GET, HEAD"
        assert world.downloads.empty()

    run(story, tmp_path)


def _resident() -> int:
    """Bytes of memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_image_removed_while_it_is_served_comes_whole(tmp_path: Path) -> None:
    big = tmp_path / "big"
    content = os.urandom(16 << 20)
    big.write_bytes(content)

    async def story(world: World) -> None:
        stored = world.depot.add(big)
        world.entries[stored.sha256, "big"] = CatalogueEntry(stored.sha256, "big", stored.size)
        reader, writer = await world.connect()
        path = f"/images/{stored.sha256}/big"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        world.depot.remove(stored.sha256)
        assert await reader.read() == content
        writer.close()
        assert (await world.ask(path)).status == 503

    run(story, tmp_path, replace(LIMITS, chunk_bytes=1 << 18))


@pytest.mark.parametrize("damage", ["shorter", "gone"])
def test_a_damaged_depot_is_our_fault_and_an_alarm(tmp_path: Path, damage: str) -> None:
    async def story(world: World) -> None:
        path = tmp_path / "depot" / DIGEST
        path.unlink()
        if damage == "shorter":
            path.write_bytes(CONTENT[:-1])
        assert (await world.ask()).status == 503

    with capture_logs() as logs:
        run(story, tmp_path)
    (alarm,) = [line for line in logs if line["log_level"] == "error"]
    assert alarm["event"] == "image-unavailable"
    assert (
        alarm["reason"] == {"shorter": "image-file-damaged", "gone": "image-file-missing"}[damage]
    )


def test_journal_that_fails_takes_no_image_away(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        original = world.find

        async def find(sha256: str, file_name: str) -> CatalogueEntry | None:
            world.failing = False
            entry = await original(sha256, file_name)
            world.failing = True
            return entry

        world.find = find  # type: ignore[method-assign]
        assert (await world.ask()).body == CONTENT
        assert (await world.downloads.get()).complete

    run(story, tmp_path)


def test_drain_cuts_what_does_not_end(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        path = world.sparse(64 << 20)
        reader, writer = await world.connect()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
        await reader.readline()

    world = run(story, tmp_path, drain_timeout=0)
    assert world.downloads.get_nowait().complete is False


def test_drain_lets_a_download_end(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        path = world.sparse(16 << 20)
        reader, writer = await world.connect(1 << 20)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        world.reading.append(asyncio.create_task(reader.read(-1)))

    world = run(story, tmp_path, replace(LIMITS, chunk_bytes=1 << 18), drain_timeout=50)
    assert world.downloads.get_nowait().complete is True
    assert len(world.reading[0].result()) == 16 << 20


@both_loops
def test_drain_does_not_wait_for_peers_that_are_silent(
    tmp_path: Path, runner: Callable[..., None]
) -> None:
    server = make_pair("server", ip="127.0.0.1")
    silent: list[socket.socket] = []

    async def story(world: World) -> None:
        context = client_context(tmp_path)
        context.set_alpn_protocols(["http/1.1"])
        before = socket.create_connection(world.address)
        after = await asyncio.to_thread(silent_peer, world.address, context)
        midst = await asyncio.to_thread(silent_peer, world.address, context)
        midst.sendall(b"GET /images")
        silent.extend((before, after, midst))

    # Only the end that is waited for makes this test pass.
    run(
        story,
        tmp_path,
        replace(LIMITS, goodbye_timeout=0.2),
        runner,
        tls=server_context(*server.save(tmp_path, "server"), protocols=("http/1.1",)),
        drain_timeout=3600,
    )
    for connection in silent:
        connection.close()


def test_memory_stays_flat_for_two_gigabytes(tmp_path: Path) -> None:
    size = 2 << 30
    taken = 256 << 20

    async def story(world: World) -> None:
        path = world.sparse(size)
        reader, writer = await world.connect(1 << 20)
        before = most = _resident()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
        assert f"Content-Length: {size}".encode() in await reader.readuntil(b"\r\n\r\n")
        count = 0
        while count < taken:
            count += len(await reader.read(1 << 20))
            most = max(most, _resident())
        # Server and client together, in this process.
        assert most - before < 32 << 20
        writer.transport.abort()
        assert (await world.downloads.get()).bytes_sent >= taken
        rest = await world.ask(path, {"Range": f"bytes={size - 1000}-"})
        assert (rest.status, len(rest.body)) == (206, 1000)

    run(story, tmp_path, ImageLimits(), uvloop.run)
