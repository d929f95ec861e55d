"""Asks a time server once, to tell how far a clock is off.

Source: RFC 5905 section 7.3 (header) and section 8 (offset).
"""

import os
import socket
import struct
from collections.abc import Callable
from typing import Final

from bootz.errors import Unavailable, WireError

PORT: Final = 123
PATIENCE_S: Final = 3.0
"""Seconds for one answer."""

_HEADER: Final = struct.Struct("!BBBb11I")
_CLIENT: Final = 0b00_100_011
"""No warning of a leap second, version 4, mode 3 (client)."""
_SERVER_MODE: Final = 4
_UNSYNCHRONIZED: Final = 3
_EPOCH: Final = 2_208_988_800
"""Seconds from 1900 to 1970."""
_ERA: Final = 1 << 32
_FRACTION: Final = 1 << 32


def clock_offset(host: str, *, wall: Callable[[], float], port: int = PORT) -> float:
    """Return by how many seconds a time server is ahead of this clock.

    Args:
        host: name or address.
        wall: returns seconds since 1970.
        port: UDP port.

    Raises:
        Unavailable: ``ntp-unreachable``.
        WireError: ``ntp-answer``: it does not answer our question, or its clock is not set.
    """
    # What comes back as the time of our question is drawn, so that only an answer to it counts.
    mark = os.urandom(8)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[
            0
        ]
        with socket.socket(family, kind, protocol) as opened:
            opened.settimeout(PATIENCE_S)
            opened.connect(address)
            sent = wall()
            opened.send(_HEADER.pack(_CLIENT, 0, 0, 0, *[0] * 9, *struct.unpack("!2I", mark)))
            answer = opened.recv(1024)
            received = wall()
    except (OSError, UnicodeError) as error:
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Unavailable("ntp-unreachable", words, where=f"{host}:{port}") from error
    return read_offset(answer, mark, sent, received, where=host)


def read_offset(
    answer: bytes, mark: bytes, sent: float, received: float, *, where: str = "NTP"
) -> float:
    """Return the offset that an answer tells; ``sent`` and ``received`` by our clock.

    Raises:
        WireError: ``ntp-answer``.
    """
    if len(answer) < _HEADER.size:
        raise WireError("ntp-answer", "it is too short", where=where, seen=f"{len(answer)} bytes")
    first, stratum, _, _, *words = _HEADER.unpack_from(answer)
    if first & 7 != _SERVER_MODE or struct.pack("!2I", *words[5:7]) != mark:
        raise WireError("ntp-answer", "it is no answer to our question", where=where)
    if first >> 6 == _UNSYNCHRONIZED or not 0 < stratum < 16:
        raise WireError("ntp-answer", "its own clock is not set", where=where)
    arrived = _seconds(words[7], words[8], received)
    left = _seconds(words[9], words[10], received)
    return ((arrived - sent) + (left - received)) / 2


def _seconds(whole: int, fraction: int, near: float) -> float:
    """Return seconds since 1970, in the era that is nearest to ``near`` (RFC 5905 section 6)."""
    told = whole - _EPOCH + fraction / _FRACTION
    return told + round((near - told) / _ERA) * _ERA
