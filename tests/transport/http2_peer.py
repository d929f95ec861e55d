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


class Pouring(Peer):
    """A peer that sends long bodies on many streams in turn, as far as the windows allow."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self.sent = 0
        self._initial = self._connection = 65_535
        self._rest: dict[int, bytes] = {}
        self._windows: dict[int, int] = {}
        self._answers: dict[int, bytes] = {}
        self._over: set[int] = set()

    @classmethod
    async def meet(cls, address: tuple[str, int], first: bytes = b"") -> Pouring:
        """Connect; what is answered may be long."""
        most = struct.pack(">I", 1 << 30)
        hello = PREFACE + settings(window=1 << 30) + frame(WINDOW_UPDATE, most)
        peer = cls(*await asyncio.open_connection(*address))
        peer.send(first or hello)
        return peer

    def open(self, stream_id: int, body: bytes) -> None:
        """Begin a call, and add to what is sent of its body."""
        self.send(opened(stream_id=stream_id))
        self._windows[stream_id] = self._initial
        self._answers[stream_id] = b""
        self._rest[stream_id] = body

    def add(self, stream_id: int, body: bytes) -> None:
        """Add to the body of a call."""
        self._rest[stream_id] += body

    def give_up(self, stream_id: int) -> None:
        """Reset a stream."""
        self.send(frame(RST_STREAM, struct.pack(">I", 8), stream_id=stream_id))
        self._over.add(stream_id)
        del self._rest[stream_id]

    def end(self, stream_id: int) -> None:
        """End this side of a stream, whatever its body lacks."""
        self.send(frame(DATA, flags=END_STREAM, stream_id=stream_id))
        del self._rest[stream_id]

    async def stuck(self) -> int:
        """Send until no window allows more; return how many octets that were."""
        asked = 0
        while asked < 3:
            if self._pour():
                asked = 0
            self.send(frame(PING, b"anything"))
            while (await self._heard()).kind != PING:
                pass
            asked += 1
        return self.sent

    async def answers(self) -> dict[int, bytes]:
        """Send all and end each stream; return the bodies of all answers."""
        while self._over != self._answers.keys():
            self._pour()
            for stream_id in [each for each, rest in self._rest.items() if not rest]:
                self.end(stream_id)
            await self._heard()
        return self._answers

    def _pour(self) -> int:
        before, at = self.sent, -1
        while at != self.sent:
            at = self.sent
            for stream_id, rest in self._rest.items():
                may = min(self._windows[stream_id], self._connection, 8_192)
                if part := rest[: max(0, may)]:
                    self.send(frame(DATA, part, stream_id=stream_id))
                    self._rest[stream_id] = rest[len(part) :]
                    self._windows[stream_id] -= len(part)
                    self._connection -= len(part)
                    self.sent += len(part)
        return self.sent - before

    async def _heard(self) -> Frame:
        found = await self.frame()
        assert found is not None, "the connection ended"
        assert found.kind != GOAWAY, found
        assert found.kind != RST_STREAM or found.error_code == 0, found
        if found.kind == SETTINGS and not found.flags & ACK:
            self._take_settings(found.payload)
        elif found.kind == WINDOW_UPDATE:
            (more,) = struct.unpack(">I", found.payload)
            if found.stream_id:
                self._windows[found.stream_id] += more
            else:
                self._connection += more
        elif found.kind == DATA:
            self._answers[found.stream_id] += found.payload
        if found.kind in {DATA, HEADERS} and found.flags & END_STREAM:
            self._over.add(found.stream_id)
            self._rest.pop(found.stream_id, None)
        return found

    def _take_settings(self, payload: bytes) -> None:
        for name, value in struct.iter_unpack(">HI", payload):
            if name == 4:
                for stream_id in self._windows:
                    self._windows[stream_id] += value - self._initial
                self._initial = value
        self.send(frame(SETTINGS, flags=ACK))
