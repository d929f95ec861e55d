"""A load balancer that sends what it is told before it passes bytes on."""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network

from bootz.transport.proxy_header import SIGNATURE

LOOPBACK = (ip_network("127.0.0.1/32"),)


def header(
    source: tuple[str, int] = ("192.0.2.7", 40000),
    destination: tuple[str, int] = ("198.51.100.1", 15006),
    *,
    told: bytes = b"",
    command: int = 0x21,
    kind: int | None = None,
    length: int | None = None,
) -> bytes:
    """Return a header of version 2, right or wrong in one place."""
    here, there = ipaddress.ip_address(source[0]), ipaddress.ip_address(destination[0])
    rest = here.packed + there.packed + struct.pack("!HH", source[1], destination[1]) + told
    family = 0x11 if here.version == 4 else 0x21
    return (
        SIGNATURE
        + struct.pack(
            "!BBH",
            command,
            family if kind is None else kind,
            len(rest) if length is None else length,
        )
        + rest
    )


@asynccontextmanager
async def balancer(
    server: tuple[str, int], pieces: Sequence[bytes]
) -> AsyncIterator[tuple[str, int]]:
    """Listen in front of a server; each connection begins with the pieces."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reading, writing = await asyncio.open_connection(*server)
        for piece in pieces:
            writing.write(piece)
            # What is sent apart arrives apart, most often.
            await asyncio.sleep(0)
            await writing.drain()
        await asyncio.gather(_pass(reader, writing), _pass(reading, writer))

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[:2]


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
