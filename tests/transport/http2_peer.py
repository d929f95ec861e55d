"""A peer of HTTP/2 that sends whatever frames a test wants, over a plain socket."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from hpack import Decoder, Encoder

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = 0, 1, 2, 3, 4
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 5, 6, 7, 8, 9

END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

CALL = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/test.Echo/Echo"),
    (":authority", "test"),
    ("content-type", "application/grpc"),
    ("te", "trailers"),
]


@dataclass(frozen=True)
class Frame:
    """A frame of the server; ``headers`` of HEADERS, decoded."""

    kind: int
    flags: int
    stream_id: int
    payload: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def error_code(self) -> int:
        """The code of GOAWAY or RST_STREAM."""
        return int(struct.unpack(">I", self.payload[-4:][:4])[0])


def frame(kind: int, payload: bytes = b"", *, flags: int = 0, stream_id: int = 0) -> bytes:
    length = len(payload)
    return struct.pack(">BHBBI", length >> 16, length & 0xFFFF, kind, flags, stream_id) + payload


def settings(**values: int) -> bytes:
    names = {"table": 1, "push": 2, "streams": 3, "window": 4, "frame": 5, "list": 6}
    return frame(
        SETTINGS, b"".join(struct.pack(">HI", names[name], each) for name, each in values.items())
    )


def block(headers: Iterable[tuple[str, str]]) -> bytes:
    """Encode headers without touching anybody's table."""
    encoder = Encoder()
    encoder.header_table_size = 0
    return bytes(encoder.encode(list(headers), huffman=False))


def message(body: bytes = b"hello") -> bytes:
    return struct.pack(">BI", 0, len(body)) + body


def opened(
    headers: Iterable[tuple[str, str]] = CALL, *, stream_id: int = 1, ended: bool = False
) -> bytes:
    flags = END_HEADERS | (END_STREAM if ended else 0)
    return frame(HEADERS, block(headers), flags=flags, stream_id=stream_id)


def call(body: bytes = b"hello", *, stream_id: int = 1) -> bytes:
    """A whole unary call."""
    data = frame(DATA, message(body), flags=END_STREAM, stream_id=stream_id)
    return opened(stream_id=stream_id) + data


class Peer:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._decoder = Decoder()

    @classmethod
    async def meet(cls, address: tuple[str, int], first: bytes = PREFACE + settings()) -> Peer:
        peer = cls(*await asyncio.open_connection(*address))
        peer.writer.write(first)
        return peer

    async def settle(self) -> None:
        """Take the server's settings, so that its windows count."""
        assert await self.until(SETTINGS) is not None
        self.send(frame(SETTINGS, flags=ACK))

    def send(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    async def frame(self) -> Frame | None:
        """Return the next frame, None at the end of the connection."""
        try:
            head = await self.reader.readexactly(9)
            payload = await self.reader.readexactly(int.from_bytes(head[:3], "big"))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        headers = dict(self._decoder.decode(payload)) if head[3] == HEADERS else {}
        return Frame(head[3], head[4], int.from_bytes(head[5:], "big"), payload, headers)

    async def until(self, *kinds: int) -> Frame | None:
        """Return the next frame of these kinds, None at the end of the connection."""
        while (found := await self.frame()) is not None:
            if found.kind in kinds:
                return found
        return None

    async def answer(self, stream_id: int = 1) -> bytes:
        """Return the body of an answer, up to its end."""
        body = b""
        while (found := await self.frame()) is not None:
            assert found.kind not in {GOAWAY, RST_STREAM}, found
            if found.stream_id == stream_id and found.kind == DATA:
                body += found.payload
            if found.stream_id == stream_id and found.flags & END_STREAM:
                return body
        raise AssertionError("the connection ended")

    def close(self) -> None:
        self.writer.transport.abort()
