"""A transport that writes once in each turn of the event loop.

An answer is headers, a message and trailers, and grpclib writes each on its own: three TLS records
and three system calls, where one will do.
"""

import asyncio
from collections.abc import Callable
from typing import Any


class TurnTransport(asyncio.Transport):
    """Collects what is written, and writes it before the loop turns to anything else."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._call_soon: Callable[..., object] = asyncio.get_running_loop().call_soon
        self._waiting: list[bytes] = []

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the transport below knows of the connection."""
        return self._transport.get_extra_info(name, default)

    def is_closing(self) -> bool:
        """Tell whether it is closed, or about to be."""
        return self._transport.is_closing()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write with whatever else is written in this turn."""
        if not self._waiting:
            self._call_soon(self._flush)
        self._waiting.append(bytes(data))

    def close(self) -> None:
        """Write what waits, then close."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once; what waits is lost."""
        self._waiting.clear()
        self._transport.abort()

    def _flush(self) -> None:
        if self._waiting and not self._transport.is_closing():
            self._transport.write(b"".join(self._waiting))
        self._waiting.clear()
