"""POSIX ustar in memory: headers and blocks, read strictly, written the same way every time.

Nothing is ever extracted to a disk. Long-name headers of PAX and GNU are read, and their names
are only shown. Source: POSIX.1-2017, pax, "ustar Interchange Format";
docs/protocol/vouchers.md#bundles.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

BLOCK: Final = 512

_MAGIC: Final = slice(257, 262)
_CHECKSUM: Final = slice(148, 156)
_OCTAL: Final = re.compile(rb" *([0-7]+)[ \0]*")
_PAX_RECORD: Final = re.compile(rb"([1-9][0-9]{0,8}) ")
_REGULAR: Final = frozenset({b"0", b"\0", b"7"})
_END: Final = bytes(2 * BLOCK)


class TarError(ValueError):
    """An archive that is not of the form; does not leave the room."""


@dataclass(frozen=True, slots=True)
class TarEntry:
    """An entry as it stands; ``regular`` tells files from links, folders, devices, the sparse."""

    name: str
    regular: bool
    content: bytes = field(repr=False)


def is_tar(data: bytes) -> bool:
    """Tell whether the first block is a ustar header with a right checksum."""
    return data[_MAGIC] == b"ustar" and _checksum_fits(data[:BLOCK])


def read_tar(data: bytes) -> Iterator[TarEntry]:
    """Yield the entries of an archive, in order.

    Raises:
        TarError: a bad header, cut, without its end, or with something behind the end.
    """
    at = 0
    override: str | None = None
    sparse = False
    while True:
        header = data[at : at + BLOCK]
        if not any(header):
            if len(data) - at < len(_END) or any(data[at:]):
                raise TarError("the archive is truncated, or has data after its end")
            return
        if len(header) < BLOCK or not _checksum_fits(header):
            raise TarError(f"bad header at byte {at}")
        size = _octal(header[124:136])
        start = at + BLOCK
        content = data[start : start + size]
        at = start + (size + BLOCK - 1) // BLOCK * BLOCK
        kind = header[156:157]
        if kind == b"L":
            override = _text(content.rstrip(b"\0"))
        elif kind in (b"x", b"g"):
            records = _read_pax(content)
            if "size" in records:
                # Readers that heed it and readers that do not would see two archives.
                raise TarError("a size is overridden")
            if kind == b"x":
                override = records.get("path", override)
                sparse = any(key.startswith("GNU.sparse") for key in records)
        elif kind != b"K":
            name = _header_name(header) if override is None else override
            yield TarEntry(name, kind in _REGULAR and not sparse, content)
            override, sparse = None, False


def write_entry(name: str, content: bytes) -> bytes:
    """Return header and content of a regular file, mode 0644, without owner and time.

    ``name`` is ASCII of at most 100 characters.
    """
    encoded = name.encode("ascii")
    if len(encoded) > 100:
        raise RuntimeError("a name that is too long for ustar")
    header = bytearray(BLOCK)
    header[: len(encoded)] = encoded
    header[100:108] = b"0000644\0"
    header[108:116] = header[116:124] = b"0000000\0"
    header[124:136] = b"%011o\0" % len(content)
    header[136:148] = b"00000000000\0"
    header[_CHECKSUM] = b" " * 8
    header[156:157] = b"0"
    header[257:265] = b"ustar\x0000"
    header[329:337] = header[337:345] = b"0000000\0"
    header[_CHECKSUM] = b"%06o\0 " % sum(header)
    return bytes(header) + content + bytes(-len(content) % BLOCK)


def write_end() -> bytes:
    """Return the two blocks that end an archive."""
    return _END


def _checksum_fits(header: bytes) -> bool:
    if len(header) != BLOCK:
        return False
    try:
        expected = _octal(header[_CHECKSUM])
    except TarError:
        return False
    return expected == sum(header) - sum(header[_CHECKSUM]) + 8 * ord(" ")


def _octal(text: bytes) -> int:
    match = _OCTAL.fullmatch(text)
    if match is None:
        raise TarError("a number that is not octal")
    return int(match[1], 8)


def _header_name(header: bytes) -> str:
    name = header[:100].split(b"\0", 1)[0]
    prefix = header[345:500].split(b"\0", 1)[0] if header[257:263] == b"ustar\0" else b""
    return _text(prefix + b"/" + name if prefix else name)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")


def _read_pax(content: bytes) -> dict[str, str]:
    records: dict[str, str] = {}
    at = 0
    while at < len(content):
        match = _PAX_RECORD.match(content, at)
        length = 0 if match is None else int(match[1])
        record = content[at : at + length]
        if match is None or not record.endswith(b"\n") or len(record) != length:
            raise TarError("bad extended header")
        key, equals, value = record[match.end() - at : -1].partition(b"=")
        if not equals:
            raise TarError("bad extended header")
        records[_text(key)] = _text(value)
        at += length
    return records
