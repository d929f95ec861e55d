"""Messages out of the body of a stream: each has five octets before it.

Source: gRPC over HTTP/2.
"""

from typing import Final

from bootz.errors import WireError

_PREFIX: Final = 5


class Inbox:
    """Keeps what has arrived of a stream, and gives it out message by message."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._ended = False

    def put(self, data: bytes, *, ended: bool) -> None:
        """Add part of the body; ``ended``: the last one."""
        if data:
            self._parts.append(data)
            self._size += len(data)
        self._ended = self._ended or ended

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self._ended

    def drop(self) -> int:
        """Forget what waits; return how many octets that were."""
        size, self._size = self._size, 0
        self._parts = []
        return size

    def take(self, max_bytes: int) -> bytes | None:
        """Return the next message; None while it is not whole, or where there is none.

        Its length is looked at as soon as it is known: nothing is kept of a message that is
        too long.

        Raises:
            WireError: longer than ``max_bytes`` (``message-too-large``), compressed, or cut.
        """
        if self._size < _PREFIX:
            if self._ended and self._size:
                raise WireError("message-cut", "the stream ended inside a message")
            return None
        if len(self._parts) > 1:
            self._parts = [b"".join(self._parts)]
        (data,) = self._parts
        length = int.from_bytes(data[1:_PREFIX], "big")
        if data[0]:
            raise WireError(
                "message-compressed", "the message is compressed, which was not offered"
            )
        if length > max_bytes:
            raise WireError(
                "message-too-large",
                f"the message has {length} bytes",
                expected=f"at most {max_bytes}",
                seen=str(length),
            )
        end = _PREFIX + length
        if self._size < end:
            if self._ended:
                raise WireError("message-cut", "the stream ended inside a message")
            return None
        rest = data[end:]
        self._parts = [rest] if rest else []
        self._size = len(rest)
        return data[_PREFIX:end]


def framed(message: bytes) -> bytes:
    """Return a message as it travels, uncompressed."""
    return b"\0" + len(message).to_bytes(4, "big") + message
