"""Messages out of the body of a stream: each has five octets before it.

Source: gRPC over HTTP/2.
"""

from typing import Final

from bootz.errors import WireError

PREFIX: Final = 5
"""Octets before each message."""


class Inbox:
    """Keeps what has arrived of a stream, and gives it out message by message."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._ahead = 0
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
        """Forget what waits; return how many octets that were, but for those taken ahead."""
        size, self._size = self._size - self._ahead, 0
        self._parts, self._ahead = [], 0
        return size

    @property
    def begun(self) -> int:
        """The octets of the first message, when that is known; else 0."""
        return int.from_bytes(self._head()[1:PREFIX], "big") if self._size >= PREFIX else 0

    def take_ahead(self) -> int:
        """Take what is there of a message before it is whole; return how many octets are new."""
        ahead, self._ahead = self._ahead, self._size
        return self._size - ahead

    def took_ahead(self) -> int:
        """Return how many octets of a message just taken were taken ahead, and forget that."""
        ahead, self._ahead = self._ahead, 0
        return ahead

    def take(self, max_bytes: int) -> bytes | None:
        """Return the next message; None while it is not whole, or where there is none.

        Its length is looked at as soon as it is known: nothing is kept of a message that is
        too long.

        Raises:
            WireError: longer than ``max_bytes`` (``message-too-large``), compressed, or cut.
        """
        if self._size < PREFIX:
            if self._ended and self._size:
                raise WireError("message-cut", "the stream ended inside a message")
            return None
        head = self._head()
        length = int.from_bytes(head[1:PREFIX], "big")
        if head[0]:
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
        end = PREFIX + length
        if self._size < end:
            if self._ended:
                raise WireError("message-cut", "the stream ended inside a message")
            return None
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        rest = data[end:]
        self._parts = [rest] if rest else []
        self._size = len(rest)
        return data[PREFIX:end]

    def _head(self) -> bytes:
        """Return at least the first five octets; the parts are joined when the message is whole."""
        if len(self._parts[0]) < PREFIX:
            self._parts = [b"".join(self._parts)]
        return self._parts[0]


def framed(message: bytes) -> bytes:
    """Return a message as it travels, uncompressed."""
    return b"\0" + len(message).to_bytes(4, "big") + message
