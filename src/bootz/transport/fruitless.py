"""Which addresses came lately, and asked for nothing: a table of a fixed size."""

import mmap
import time
import zlib
from collections.abc import Callable
from typing import Final

_SLOTS: Final = 1 << 16
_LATELY_S: Final = 600
"""Seconds for which a connection without a call is held against its address."""


class Fruitless:
    """Remembers addresses whose last connection ended without a call, for ten minutes.

    Two addresses may want one slot: then the later one is remembered alone.

    Args:
        monotonic: seconds that only ever rise.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        # The time and the address's sum; pages are taken when they are first written.
        self._table = memoryview(mmap.mmap(-1, 8 * _SLOTS)).cast("Q")
        self._monotonic = monotonic

    def add(self, host: str) -> None:
        """Remember that a connection of an address made no call."""
        total = zlib.crc32(host.encode())
        self._table[total % _SLOTS] = (int(self._monotonic()) + 1) << 32 | total

    def discard(self, host: str) -> None:
        """Forget it: a call was made."""
        if host in self:
            self._table[zlib.crc32(host.encode()) % _SLOTS] = 0

    def __contains__(self, host: str) -> bool:
        total = zlib.crc32(host.encode())
        slot = self._table[total % _SLOTS]
        return (
            slot > 0
            and slot & 0xFFFF_FFFF == total
            and int(self._monotonic()) + 1 - (slot >> 32) <= _LATELY_S
        )
