"""Ranges and validators of a file whose entity tag is its digest (RFC 9110 sections 13 and 14)."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

_SINGLE: Final = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.IGNORECASE | re.ASCII)
_TAG: Final = re.compile(r'[ \t]*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*')


class RangeVerdict(Enum):
    """What a Range header means when it does not name a part."""

    WHOLE = "whole"
    """Not one range of bytes: ignored, as RFC 9110 section 14.2 allows."""
    UNSATISFIABLE = "unsatisfiable"


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A part of a file: the offset of its first byte, and its length (at least 1)."""

    start: int
    length: int


def parse_range(header: str, size: int) -> ByteRange | RangeVerdict:
    """Read a Range header for a file of ``size`` bytes (RFC 9110 section 14.1.2)."""
    found = _SINGLE.fullmatch(header)
    if found is None:
        return RangeVerdict.WHOLE
    first, last = found.groups()
    if not first:
        if not last:
            return RangeVerdict.WHOLE
        length = min(int(last), size)
        return ByteRange(size - length, length) if length else RangeVerdict.UNSATISFIABLE
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return RangeVerdict.WHOLE
    return ByteRange(start, end - start + 1) if start < size else RangeVerdict.UNSATISFIABLE


def names_tag(header: str, tag: str, *, weak: bool) -> bool:
    """Tell whether a list of entity tags holds ``tag`` (without quotes) or is ``*``.

    ``weak``: compare weakly, as If-None-Match does; If-Match wants a strong tag. A list that
    is not one names nothing.
    """
    if header.strip() == "*":
        return True
    named = False
    for item in header.split(","):
        found = _TAG.fullmatch(item)
        if found is None:
            return False
        named = named or (found[2] == tag and (weak or not found[1]))
    return named
