"""The headers of a call and the trailers of its answer."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from bootz.transport.http2.engine import Headers
from bootz.transport.status import Status

_CONTENT_TYPE: Final = (b"content-type", b"application/grpc+proto")
_HTTP_OK: Final = (b":status", b"200")

ANSWER: Final[Headers] = (_HTTP_OK, _CONTENT_TYPE)
"""The headers of every answer that has a message."""

OK: Final[Headers] = ((b"grpc-status", b"0"),)
"""The trailers of a call that went well."""

_TYPES: Final = frozenset({b"application/grpc", b"application/grpc+proto"})
_TIMEOUT: Final = re.compile(rb"([0-9]{1,8})([HMSmun])")
_SECONDS: Final = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_PLAIN: Final = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


class Metadata:
    """What a caller sent along with a call: names in lower case, values as they stood."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def items(self) -> Iterator[tuple[str, str]]:
        """Return all names and values; not those of HTTP/2 and gRPC themselves."""
        for name, value in self._headers:
            if not name.startswith((b":", b"grpc-")) and name not in _OWN:
                yield name.decode("latin-1"), value.decode("latin-1")

    def all(self, name: str) -> Sequence[str]:
        """Return every value of a name, in their order."""
        wanted = name.encode("latin-1")
        return [value.decode("latin-1") for found, value in self._headers if found == wanted]


_OWN: Final = frozenset({b"te", b"content-type", b"user-agent"})


@dataclass(frozen=True, slots=True)
class CallHead:
    """What the headers of a call ask for; ``timeout`` in seconds, None for none."""

    path: bytes
    timeout: float | None


@dataclass(frozen=True, slots=True)
class NoCall:
    """Headers that are none of a gRPC call: what is answered instead."""

    http_status: int
    status: Status
    words: str


def read_head(headers: Headers) -> CallHead | NoCall:
    """Return what the headers of a request ask for."""
    method = path = content_type = b""
    timeout: float | None = None
    for name, value in headers:
        if name == b":path":
            path = value
        elif name == b":method":
            method = value
        elif name == b"content-type":
            content_type = value
        elif name == b"grpc-timeout":
            found = _TIMEOUT.fullmatch(value)
            if found is None:
                return NoCall(200, Status.INVALID_ARGUMENT, "grpc-timeout is malformed")
            timeout = int(found[1]) * _SECONDS[found[2]]
    if method != b"POST":
        return NoCall(405, Status.UNKNOWN, "the method is not POST")
    if content_type not in _TYPES and content_type.split(b";")[0].strip() not in _TYPES:
        return NoCall(415, Status.UNKNOWN, "the content type is not application/grpc")
    return CallHead(path, timeout)


def trailers(status: Status, words: str) -> Headers:
    """Return what ends a call."""
    if status is Status.OK:
        return OK
    message = quote(words, safe=_PLAIN).encode("ascii")
    return ((b"grpc-status", b"%d" % status), (b"grpc-message", message))


def only_trailers(status: Status, words: str, *, http_status: int = 200) -> Headers:
    """Return the headers of an answer that has no message."""
    first = _HTTP_OK if http_status == 200 else (b":status", b"%d" % http_status)
    return (first, _CONTENT_TYPE, *trailers(status, words))
