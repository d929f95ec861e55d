"""One unary gRPC call for as little CPU and memory as a router can cost that plays it.

TLS over memory, HTTP/2 frames by hand: one call on one connection, then the end. The answer of a
storm's routers is looked at by who called, not here.

Source: RFC 9113 section 4.1; gRPC over HTTP/2.
"""

import asyncio
import ssl
from typing import Final, cast

from hpack import Decoder
from hpack.exceptions import HPACKError

from bootz.errors import Unavailable

MAX_ANSWER_BYTES: Final = 4 << 20

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_END_STREAM, _ACK, _END_HEADERS, _PADDED, _PRIORITY = 1, 1, 4, 8, 32
_INITIAL_WINDOW: Final = b"\0\4" + MAX_ANSWER_BYTES.to_bytes(4, "big")
_HEADER_BYTES: Final = 9
_READ_BYTES: Final = 1 << 16


class LightCallFailed(Unavailable):
    """A call did not bring an answer; ``kind`` says how: reset, refused, tls, broken."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__("bench-onboarding-failed", words)
        self.kind = kind


class LightCall(asyncio.Protocol):
    """The protocol of one connection, which makes one call.

    Args:
        context: TLS of the router.
        host: whom the server's certificate must name, where the context verifies.
        path: of the method.
        message: serialised.
        answer: is set to the serialised answer, or to ``LightCallFailed``.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        host: str,
        path: str,
        message: bytes,
        answer: "asyncio.Future[bytes]",
    ) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._host = host
        self._path = path
        self._message = message
        self._answer = answer
        self._shaken = False
        self._received = b""
        self._body = b""
        self._block = b""
        self._decoder = Decoder()
        self._status: bytes | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        # Not checked: the transports of uvloop are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._pump()

    def data_received(self, data: bytes) -> None:
        """Take bytes of the server."""
        self._incoming.write(data)
        self._pump()

    def eof_received(self) -> None:
        """Take the server's end, after which nothing can come."""
        self._fail("reset", "the server closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection."""
        self._fail("reset", "the connection was lost" if exc is None else str(exc))

    def _pump(self) -> None:
        try:
            if not self._shaken:
                self._tls.do_handshake()
                self._shaken = True
                self._tls.write(self._request())
            while not self._answer.done():
                octets = self._tls.read(_READ_BYTES)
                if not octets:
                    break
                self._received += octets
                self._read_frames()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._fail("tls", error.reason or str(error))
        except (HPACKError, ValueError, IndexError) as error:
            self._fail("broken", f"the answer cannot be read: {error}")
        written = self._outgoing.read()
        if written and not self._transport.is_closing():
            self._transport.write(written)

    def _request(self) -> bytes:
        block = b"".join(
            (
                b"\x83\x87",  # :method POST, :scheme https
                _literal(b"\x04", self._path.encode()),  # :path
                _literal(b"\x01", self._host.encode()),  # :authority
                _literal(b"\x00\x02te", b"trailers"),
                _literal(b"\x0f\x10", b"application/grpc+proto"),  # content-type
            )
        )
        message = b"\0" + len(self._message).to_bytes(4, "big") + self._message
        return b"".join(
            (
                _PREFACE,
                _frame(_SETTINGS, 0, _INITIAL_WINDOW, stream=0),
                _frame(_HEADERS, _END_HEADERS, block),
                _frame(_DATA, _END_STREAM, message),
            )
        )

    def _read_frames(self) -> None:
        while len(self._received) >= _HEADER_BYTES:
            end = _HEADER_BYTES + int.from_bytes(self._received[:3], "big")
            if len(self._received) < end:
                return
            kind, flags = self._received[3], self._received[4]
            payload = self._received[_HEADER_BYTES:end]
            self._received = self._received[end:]
            self._take(kind, flags, payload)

    def _take(self, kind: int, flags: int, payload: bytes) -> None:
        if kind == _DATA:
            self._body += _unpadded(flags, payload)
            if len(self._body) > MAX_ANSWER_BYTES:
                self._fail("broken", "the answer has no end")
        elif kind == _HEADERS:
            self._block += _unpadded(flags, payload)[5 if flags & _PRIORITY else 0 :]
            if flags & _END_HEADERS:
                for name, value in self._decoder.decode(self._block, raw=True):
                    if name == b"grpc-status":
                        self._status = value
                self._block = b""
            if flags & _END_STREAM:
                self._end()
        elif kind == _SETTINGS and not flags & _ACK:
            self._tls.write(_frame(_SETTINGS, _ACK, b"", stream=0))
        elif kind == _PING and not flags & _ACK:
            self._tls.write(_frame(_PING, _ACK, payload, stream=0))
        elif kind in {_RST_STREAM, _GOAWAY}:
            self._fail("refused", f"the server sent frame {kind}: {payload[:8].hex()}")

    def _end(self) -> None:
        if self._status != b"0":
            self._fail("refused", f"grpc-status {self._status!r}")
        elif len(self._body) < 5 or int.from_bytes(self._body[1:5], "big") != len(self._body) - 5:
            self._fail("broken", "the answer is not one message")
        elif not self._answer.done():
            self._answer.set_result(self._body[5:])

    def _fail(self, kind: str, words: str) -> None:
        if not self._answer.done():
            self._answer.set_exception(LightCallFailed(kind, words))


def _literal(name: bytes, value: bytes) -> bytes:
    """Return a header that no table keeps; the value is shorter than 127 octets."""
    return name + bytes([len(value)]) + value


def _frame(kind: int, flags: int, payload: bytes, *, stream: int = 1) -> bytes:
    return b"".join(
        (len(payload).to_bytes(3, "big"), bytes((kind, flags)), stream.to_bytes(4, "big"), payload)
    )


def _unpadded(flags: int, payload: bytes) -> bytes:
    return payload[1 : len(payload) - payload[0]] if flags & _PADDED else payload
