"""An image server that behaves as it is told: it stalls, cuts, lies, and forgets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass
class ImageServer:
    """Serves one file over bare sockets; ``script`` has the manner of each request in turn."""

    content: bytes
    script: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    port: int = 0

    async def __aenter__(self) -> ImageServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._stalled = asyncio.Event()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stalled.set()
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/image.bin"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            wanted = next((line for line in head.split("\r\n") if line.startswith("range:")), "")
            self.ranges.append(wanted.partition("bytes=")[2])
            start = int(wanted.partition("bytes=")[2].rstrip("-")) if wanted else 0
            writer.write(await self._answer(self.script.pop(0) if self.script else "", start))
            await writer.drain()
        finally:
            writer.close()

    async def _answer(self, manner: str, start: int) -> bytes:
        size, rest = len(self.content), self.content[start:]
        placed = f"Content-Range: bytes {start}-{size - 1}/{size}\r\n"
        line, extra = ("206 Partial Content", placed) if start else ("200 OK", "")
        match manner:
            case "missing":
                return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
            case "broken":
                return b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"
            case "no-ranges":
                line, extra, rest = "200 OK", "", self.content
            case "wrong-range":
                extra = f"Content-Range: bytes 0-{size - 1}/{size}\r\n"
            case "earlier" | "beginning":
                # A cache that answers from the block before, or has the whole file and says so.
                start = start - start % 4096 if manner == "earlier" else 0
                rest = self.content[start:]
                extra = f"Content-Range: bytes {start}-{size - 1}/{size}\r\n"
            case "later":
                start, rest = start + 100, rest[100:]
                extra = f"Content-Range: bytes {start}-{size - 1}/{size}\r\n"
            case "unit-in-capitals":
                extra = placed.replace("bytes ", "Bytes ")
            case "length-unknown":
                extra = f"Content-Range: bytes {start}-{size - 1}/*\r\n"
            case "no-content-range" | "other-unit":
                extra = "" if manner == "no-content-range" else "Content-Range: lines 1-2/3\r\n"
            case "in-parts" | "in-parts-of-unknown":
                rest = rest[: 70 << 10]
                total = size if manner == "in-parts" else "*"
                line = "206 Partial Content"
                extra = f"Content-Range: bytes {start}-{start + len(rest) - 1}/{total}\r\n"
            case "one-byte":
                rest, line = rest[:1], "206 Partial Content"
                extra = f"Content-Range: bytes {start}-{start}/{size}\r\n"
            case "beyond":
                return b"HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n"
            case "shrunk":
                return b"HTTP/1.1 416 No\r\nContent-Range: bytes */1\r\nContent-Length: 0\r\n\r\n"
            case "complete":
                return (
                    f"HTTP/1.1 416 No\r\nContent-Range: bytes */{size}\r\nContent-Length: 0\r\n\r\n"
                ).encode()
            case "lies-short":
                rest = rest[: len(rest) // 2]
            case "longer":
                line, extra = "206 Partial Content", f"Content-Range: bytes {start}-4/5\r\n"
        length = len(rest) + (10 if manner == "lies-long" else 0)
        head = f"HTTP/1.1 {line}\r\n{extra}Content-Length: {length}\r\n\r\n".encode()
        if manner in {"cut", "stall"}:
            half = head + rest[: len(rest) // 2]
            if manner == "stall":
                # The half that arrives is written by the caller; the wait is for the test's end.
                return await self._stall(half)
            return half
        return head + rest

    async def _stall(self, half: bytes) -> bytes:
        await self._stalled.wait()
        return half
