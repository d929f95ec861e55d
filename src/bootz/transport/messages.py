"""Receiving a message of a service within bounds, as its client.

grpclib reads a message whole, whatever length its prefix claims; here the length is looked at
before any of it is taken, and a broken stream ends in one clear error.
"""

import struct
from typing import Any

from grpclib.client import Stream

from bootz.errors import WireError


async def receive_bounded(stream: Stream[Any, Any], max_bytes: int) -> bytes | None:
    """Return the next message of a call, None where the peer has ended its side.

    Raises:
        WireError: longer than ``max_bytes`` (``message-too-large``), compressed, or cut.
    """
    raw = stream._stream  # noqa: SLF001 -- the only way to the bytes below the codec
    try:
        prefix = await raw.recv_data(5)
        if not prefix:
            return None
        compressed, length = struct.unpack(">BI", prefix)
        if compressed:
            raise WireError(
                "message-compressed", "the message is compressed, which is not supported"
            )
        if length > max_bytes:
            raise WireError(
                "message-too-large",
                f"the message has {length} bytes",
                expected=f"at most {max_bytes}",
                seen=str(length),
            )
        body = await raw.recv_data(length)
    except AssertionError as error:  # grpclib's answer to a stream that ends inside a message
        raise WireError("message-cut", "the stream ended inside a message") from error
    if len(body) != length:
        raise WireError("message-cut", "the stream ended inside a message")
    return bytes(body)
