"""Which addresses were answered a moment ago: a small table that several processes can share."""

import mmap
import time
import zlib
from collections.abc import Callable
from typing import Final

SLOTS: Final = 1 << 16
TABLE_BYTES: Final = 4 * SLOTS

_MOMENT_S: Final = 60
"""Seconds for which an answer counts; a router reports within them, or has lost its turn."""


class Returning:
    """Remembers addresses for a minute, in a fixed amount of memory.

    Two addresses may share a slot: then one of them goes first though it need not.

    Args:
        descriptor: a file of ``TABLE_BYTES`` bytes that other processes have, too; None: alone.
        monotonic: seconds that only ever rise, the same in all processes of a machine.
    """

    def __init__(
        self, descriptor: int | None = None, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        shared = -1 if descriptor is None else descriptor
        self._table = memoryview(mmap.mmap(shared, TABLE_BYTES)).cast("I")
        self._monotonic = monotonic

    def answered(self, host: str) -> None:
        """Remember that an address was answered, and will come once more."""
        # Never 0, which is the slot of no address.
        self._table[_slot(host)] = int(self._monotonic()) + 1

    def __contains__(self, host: str) -> bool:
        at = self._table[_slot(host)]
        return at > 0 and int(self._monotonic()) + 1 - at <= _MOMENT_S


def _slot(host: str) -> int:
    return zlib.crc32(host.encode()) % SLOTS
