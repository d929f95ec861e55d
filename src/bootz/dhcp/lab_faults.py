"""What a lab server does wrong on request: each row of the table of bad redirects, and more.

Source: docs/protocol/dhcp.md#malformed-lists; docs/protocol/dhcp.md#the-labs-server.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final


class Misbehaviour(Enum):
    """Faults of the server itself."""

    SILENT = "silent"
    DELAY = "delay"
    NAK = "nak"
    TWO_NAME_SERVERS = "two-name-servers"
    BOOT_FILE_ONLY = "boot-file-only"


DELAY_S: Final = 3.0
"""Seconds by which each answer is late: longer than an impatient client waits, and not lost."""


def _framed(uri: bytes) -> bytes:
    return len(uri).to_bytes(2, "big") + uri


BAD_REDIRECTS: Final[Mapping[str, Callable[[bytes], bytes]]] = MappingProxyType(
    {
        "empty": lambda _: b"",
        "half-length": lambda good: good[:1],
        "length-alone": lambda good: good[:2],
        "cut": lambda good: good[:-3],
        "second-entry-cut": lambda good: good + b"\x00\x1bboo",
        "trailing-octet": lambda good: good + b"\0",
        "length-too-big": lambda good: b"\x01" + good[1:],
        "byte-swapped": lambda good: good[1::-1] + good[2:],
        "length-too-small": lambda good: bytes([good[0], good[1] - 6]) + good[2:],
        "zero-length-entry": lambda good: b"\0\0" + good,
        "zero-length-only": lambda _: b"\0\0",
        "not-utf8": lambda _: _framed(b"bootz://\xff\xfe"),
        "not-ascii": lambda _: _framed("bootz://bücher".encode()),
        "control-character": lambda _: _framed(b"bootz://10.0.0.1:1\n"),
        "wrong-scheme": lambda _: _framed(b"https://10.0.0.1:443"),
        "no-host": lambda _: _framed(b"bootz://"),
        "bare-ipv6": lambda _: _framed(b"bootz://2001:db8::1:15006"),
        "bad-port": lambda _: _framed(b"bootz://h:0"),
        "userinfo": lambda _: _framed(b"bootz://u:p@h"),
        "fragment": lambda _: _framed(b"bootz://h#x"),
        "too-long": lambda _: _framed(b"bootz://h/" + b"x" * 2048),
        "too-many": lambda _: b"".join(_framed(b"bootz://h%d" % n) for n in range(17)),
        "repeated": lambda good: good * 2,
        "random": lambda _: bytes(range(40)),
    }
)
"""By name, what becomes of a good payload of RFC 8572."""

FAULTS: Final = (*(each.value for each in Misbehaviour), *BAD_REDIRECTS)
