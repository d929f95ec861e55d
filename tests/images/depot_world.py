"""A depot with one image, its server, and a client that can misbehave."""

from __future__ import annotations

import asyncio
import hashlib
import os
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import pytest
import uvloop

from bootz.errors import Unavailable
from bootz.images.depot import Depot
from bootz.images.http_server import ImageServer
from bootz.images.limits import ImageLimits
from bootz.images.ports import CatalogueEntry, Download
from bootz.transport.proxy_door import Network

CONTENT = bytes(range(256)) * 40
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PATH = f"/images/{DIGEST}/xr.iso"
ETAG = f'"{DIGEST}"'
LIMITS = ImageLimits(chunk_bytes=1000)


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class World:
    """A depot with one image, its server, and what the server told."""

    folder: Path
    depot: Depot
    entries: dict[tuple[str, str], CatalogueEntry]
    downloads: asyncio.Queue[Download] = field(default_factory=asyncio.Queue)
    failing: bool = False
    address: tuple[str, int] = ("", 0)
    server: ImageServer = field(init=False)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    reading: list[asyncio.Task[bytes]] = field(default_factory=list)
    """Awaited after the server has drained."""

    async def find(self, sha256: str, file_name: str) -> CatalogueEntry | None:
        if self.failing:
            raise Unavailable("image-file-missing", "the catalogue is away")
        return self.entries.get((sha256, file_name))

    async def files(self) -> Sequence[CatalogueEntry]:
        return tuple(self.entries.values())

    async def downloaded(self, download: Download) -> None:
        self.downloads.put_nowait(replace(download, peer="peer"))
        if self.failing:
            raise Unavailable("image-file-missing", "the journal is away")

    def sparse(self, size: int) -> str:
        """Make an image of zeros without writing them; return its path."""
        digest = "ab" * 32
        path = self.folder / "depot" / digest
        with path.open("wb") as writing:
            writing.truncate(size)
        sealed(path)
        self.entries[digest, "big"] = CatalogueEntry(digest, "big", size)
        return f"/images/{digest}/big"

    async def connect(self, limit: int = 1024) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection that is closed with the world, at the latest."""
        reader, writer = await asyncio.open_connection(*self.address, limit=limit)
        self.writers.append(writer)
        return reader, writer

    async def raw(self, request: bytes, tls: ssl.SSLContext | None = None) -> bytes:
        """Send bytes; return everything until the server closes."""
        reader, writer = await asyncio.open_connection(*self.address, ssl=tls)
        writer.write(request)
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    async def ask(
        self,
        target: str = PATH,
        headers: Mapping[str, str] = MappingProxyType({}),
        *,
        method: str = "GET",
        tls: ssl.SSLContext | None = None,
    ) -> Answer:
        lines = [f"{method} {target} HTTP/1.1", "Host: depot", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return parse(await self.raw("\r\n".join([*lines, "", ""]).encode("latin-1"), tls))


def sealed(path: Path) -> None:
    """Give a file in a depot the time of change that says that it was not touched."""
    status = path.stat()
    whole = status.st_mtime_ns // 10**9 * 10**9
    # Of the digest's first 32 bits, in whole microseconds.
    fraction = int(path.name[:8], 16) % 1_000_000 * 1000
    os.utime(path, ns=(status.st_atime_ns, whole + fraction))


def parse(data: bytes) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Answer(int(first.split()[1]), headers, body)


def run(
    story: Callable[[World], Awaitable[None]],
    folder: Path,
    limits: ImageLimits = LIMITS,
    runner: Callable[..., None] = asyncio.run,
    tls: ssl.SSLContext | None = None,
    drain_timeout: float = 5,
    proxies: Collection[Network] = (),
) -> World:
    async def play() -> None:
        # The schedule stays out of the way; its work is called for by name.
        server = world.server = ImageServer(
            world.depot, world, world, limits, check_every=0, proxies=proxies
        )
        (world.address,) = await server.start([("127.0.0.1", 0)], tls)
        try:
            await asyncio.wait_for(story(world), 60)
        finally:
            await asyncio.wait_for(server.drain(drain_timeout), 60)
            await asyncio.wait_for(asyncio.gather(*world.reading), 60)
            for writer in world.writers:
                writer.transport.abort()

    source = folder / "xr.iso"
    source.write_bytes(CONTENT)
    depot = Depot(folder / "depot")
    stored = depot.add(source)
    entry = CatalogueEntry(stored.sha256, "xr.iso", stored.size)
    world = World(folder, depot, {(DIGEST, "xr.iso"): entry})
    runner(play())
    return world


both_loops = pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
