"""Tells when a peer has said so much that its TLS handshake can go on.

Source: RFC 8446 section 5.1.
"""

import fcntl
import socket
import sys
import termios
from typing import Final

_HEADER_BYTES: Final = 5
_HANDSHAKE: Final = 22
"""The type of a record in which a ClientHello comes."""

_MOST_BYTES: Final = 4096
"""Octets of a record that are waited for: a longer one need not fit into the kernel's buffer."""


def says_hello(accepted: socket.socket) -> bool:
    """Tell whether a peer's first TLS record has come as a whole, or something else than one.

    Nothing is taken. What comes in part only would keep a handshake, and others, waiting.
    """
    try:
        header = accepted.recv(_HEADER_BYTES, socket.MSG_PEEK)
        if len(header) < _HEADER_BYTES:
            return header[:1] not in (b"", bytes((_HANDSHAKE,)))
        record = _HEADER_BYTES + int.from_bytes(header[3:], "big")
        return header[0] != _HANDSHAKE or _has_come(accepted) >= min(record, _MOST_BYTES)
    except OSError:
        # It has gone; whoever begins with it notices.
        return True


def _has_come(accepted: socket.socket) -> int:
    answer = fcntl.ioctl(accepted, termios.FIONREAD, bytes(4))
    return int.from_bytes(answer, sys.byteorder)
