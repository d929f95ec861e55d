"""A real HAProxy with the configuration that ``examples/`` shows, on loopback."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

SHOWN = Path(__file__).parents[2] / "examples" / "several-servers" / "haproxy.cfg"

Address = tuple[str, int]


@asynccontextmanager
async def haproxy(
    folder: Path, doors: Sequence[tuple[Address, Address]], *, source: str
) -> AsyncIterator[tuple[Address, ...]]:
    """Balance the Bootz port, and images over HTTP and HTTPS, between two servers each.

    ``source`` is the address from which HAProxy connects. Yields where it listens.
    """
    text = SHOWN.read_text().replace("maxconn 20000", "maxconn 200")
    listening = []
    for number, servers in enumerate(doors):
        port = 15006 + number
        # Bound here, so that whoever comes before HAProxy runs waits in the kernel's queue.
        bound = socket.create_server(("127.0.0.1", 0))
        listening.append(bound)
        text = text.replace(f"bind 192.0.2.10:{port}", f"bind fd@{bound.fileno()}")
        for host, server in zip(("192.0.2.11", "192.0.2.12"), servers, strict=True):
            there = "{}:{}".format(*server)
            text = text.replace(f"{host}:{port}", f"{there} source {source}")
    config = folder / "haproxy.cfg"
    config.write_text(text)
    program = shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin")
    assert program is not None
    process = await asyncio.create_subprocess_exec(
        *(program, "-db", "-q", "-f", str(config)),
        pass_fds=[each.fileno() for each in listening],
    )
    try:
        yield tuple(each.getsockname()[:2] for each in listening)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        for each in listening:
            each.close()
