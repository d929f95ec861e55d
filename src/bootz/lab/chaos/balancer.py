"""A small load balancer: routers have one address, and each connection meets any server that lives.

It tells the servers whom it serves (PROXY protocol, version 2), as one in front of a site does.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from bootz.transport.proxy_header import Announced, write_header

_CHUNK: Final = 1 << 16

Address = tuple[str, int]


class Balancer:
    """One door to several servers.

    Args:
        chance: draws the server of a connection.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.servers: Sequence[Address] = ()
        """Where the servers listen."""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Address]:
        """Listen on loopback while the block runs; yields the address."""
        open_ones: set[asyncio.Task[None]] = set()

        def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
            open_ones.add(task)
            task.add_done_callback(open_ones.discard)

        server = await asyncio.start_server(taken, "127.0.0.1", 0, backlog=1024)
        try:
            host, port = server.sockets[0].getsockname()[:2]
            yield str(host), int(port)
        finally:
            server.close()
            for task in tuple(open_ones):
                task.cancel()
            await asyncio.gather(*open_ones, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        source, own = writer.get_extra_info("peername"), writer.get_extra_info("sockname")
        try:
            beyond = await self._connect()
            if beyond is None or not source:
                return
            reading, writing = beyond
            try:
                writing.write(write_header(Announced(source[:2], own[:2])))
                await asyncio.gather(_copy(reader, writing), _copy(reading, writer))
            finally:
                writing.transport.abort()
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """Connect to any server; one that is down is left out at once."""
        for host, port in self._chance.sample(self.servers, len(self.servers)):
            with suppress(OSError):
                return await asyncio.open_connection(host, port)
        return None


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    # What one side ends, the other learns; HTTP and TLS have no use for half a connection.
    with suppress(OSError):
        await writer.drain()
        writer.close()
