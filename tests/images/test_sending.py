"""How a file's bytes leave: by the kernel, from memory or from a disk that is waited for."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from images.depot_world import CONTENT, LIMITS, PATH, World, both_loops, run


@both_loops
@pytest.mark.parametrize(
    "flaw", [BlockingIOError(errno.EAGAIN, "a disk"), OSError(errno.EOPNOTSUPP, "cannot tell")]
)
def test_what_is_not_in_memory_is_sent_by_a_thread(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    runner: Callable[..., None],
    flaw: OSError,
) -> None:
    def preadv(*_: object) -> int:
        raise flaw

    async def story(world: World) -> None:
        monkeypatch.setattr(os, "preadv", preadv)
        assert (await world.ask()).body == CONTENT
        part = await world.ask(headers={"Range": "bytes=5-1004"})
        assert part.body == CONTENT[5:1005]
        big = await world.ask(world.sparse(3 << 20))
        assert len(big.body) == 3 << 20

    run(story, tmp_path, LIMITS, runner)


@both_loops
def test_a_file_that_cannot_be_read_cuts_the_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runner: Callable[..., None]
) -> None:
    def preadv(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    async def story(world: World) -> None:
        monkeypatch.setattr(os, "preadv", preadv)
        assert (await world.ask()).body == b""
        download = await world.downloads.get()
        assert (download.bytes_sent, download.complete) == (0, False)

    run(story, tmp_path, LIMITS, runner)


@both_loops
def test_a_connection_goes_on_after_the_kernel_has_sent(
    tmp_path: Path, runner: Callable[..., None]
) -> None:
    async def story(world: World) -> None:
        get = f"GET {PATH} HTTP/1.1\r\nHost: d\r\n"
        data = await world.raw(f"{get}\r\n{get}\r\n{get}Connection: close\r\n\r\n".encode())
        assert data.count(CONTENT) == 3

    run(story, tmp_path, LIMITS, runner)


@both_loops
def test_a_download_that_the_peer_does_not_take_ends_with_the_drain(
    tmp_path: Path, runner: Callable[..., None]
) -> None:
    async def story(world: World) -> None:
        path = world.sparse(64 << 20)
        reader, writer = await world.connect()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        await asyncio.wait_for(world.server.drain(0), 5)
        assert not (await world.downloads.get()).complete

    run(story, tmp_path, replace(LIMITS, stall_timeout=600), runner)
