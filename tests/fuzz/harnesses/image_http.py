"""HTTP of the image store: whole connections, cut in two, against the server's own protocol."""

import asyncio
from typing import Any

from aiohttp import web
from fuzz.laws import event_loop

from bootz.images.connection import ImageConnection
from bootz.images.limits import ImageLimits

_ANSWER = b"HTTP/"


class _Peer(asyncio.Transport):
    """What a connection writes to."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.1", 1) if name == "peername" else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


_faults: list[BaseException] = []


def _raise(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    _faults.append(context.get("exception") or AssertionError(context["message"]))


async def _handle(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text=f"{request.method} {len(request.path)}")


async def _talk(data: bytes) -> bytes:
    peer = _Peer()
    connection = ImageConnection(web.Server(_handle), ImageLimits(), lambda: None)
    connection.connection_made(peer)
    middle = len(data) // 2
    for part in (data[:middle], data[middle:]):
        if not peer.closed:
            connection.data_received(part)
        for _ in range(3):
            await asyncio.sleep(0)
    connection.connection_lost(None)
    await connection.lost
    return bytes(peer.written)


def enter(data: bytes) -> None:
    _faults.clear()
    loop = event_loop()
    loop.set_exception_handler(_raise)
    written = loop.run_until_complete(_talk(data))
    assert not written or written.startswith(_ANSWER)
    if _faults:
        raise _faults[0]
