"""Which addresses were answered a moment ago, how often, and by whom: a table that processes can
share.
"""

import mmap
import time
import zlib
from collections.abc import Callable
from typing import Final

SLOTS: Final = 1 << 16
MAX_PROCESSES: Final = 1 << 12
TABLE_BYTES: Final = 8 * SLOTS + MAX_PROCESSES

_MOMENT_S: Final = 60
"""Seconds for which an answer counts; a router reports within them, or has lost its turn."""

_PART_BITS: Final = 16
_MOST: Final = (1 << _PART_BITS) - 1
_NOBODY: Final = 0
_SEVERAL: Final = _MOST


class Returning:
    """Remembers addresses for a minute, in a fixed amount of memory.

    Two addresses may share a slot: then one of them goes first though it need not, or to a process
    that does not know it.

    Args:
        descriptor: a file of ``TABLE_BYTES`` bytes that other processes have, too; None: alone.
        number: of this process among those, from 0 up to ``MAX_PROCESSES``.
        monotonic: seconds that only ever rise, the same in all processes of a machine.
    """

    def __init__(
        self,
        descriptor: int | None = None,
        *,
        number: int = 0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        shared = -1 if descriptor is None else descriptor
        whole = memoryview(mmap.mmap(shared, TABLE_BYTES))
        # The second of an answer, from 1 on, how many connections are expected, and whom the next
        # one is for: 1 is process 0.
        self._table = whole[: 8 * SLOTS].cast("Q")
        self._takes = whole[8 * SLOTS :]
        self._own = number + 1
        self._monotonic = monotonic

    def answered(self, host: str, *, to_be_followed: bool) -> None:
        """Remember that this process has answered a call of an address: one more may come.

        Args:
            host: the address.
            to_be_followed: whether this process should get the connection that follows. Where none
                has come since an answer before, several routers share the address.
        """
        slot = _slot(host)
        value = self._table[slot]
        expected, who = (value >> _PART_BITS) & _MOST, value & _MOST
        if not self._counts(value):
            expected, who = 0, _NOBODY
        if to_be_followed:
            who = _SEVERAL if who else self._own
        self._put(slot, int(self._monotonic()) + 1, min(expected + 1, _MOST), who)

    def __contains__(self, host: str) -> bool:
        return self._counts(self._table[_slot(host)])

    def take(self, host: str) -> bool:
        """Tell whether a connection of an address is expected: once for each answer."""
        slot = _slot(host)
        value = self._table[slot]
        expected = (value >> _PART_BITS) & _MOST
        if not expected or not self._counts(value):
            return False
        self._put(slot, value >> 2 * _PART_BITS, expected - 1, value & _MOST)
        return True

    def owner(self, host: str) -> int | None:
        """Return which process answered an address, once for each answer.

        None: none did, this one did, several routers share the address, or that process takes no
        connections.
        """
        slot = _slot(host)
        value = self._table[slot]
        who = value & _MOST
        if who in (_NOBODY, _SEVERAL) or not self._counts(value):
            return None
        self._table[slot] = value - who
        if who == self._own or not self._takes[who - 1]:
            return None
        return who - 1

    def others(self) -> list[int]:
        """Return which other processes take connections."""
        return [number for number, yes in enumerate(self._takes) if yes and number + 1 != self._own]

    def takes_connections(self, *, yes: bool) -> None:
        """Say whether this process takes connections of those that it has answered."""
        self._takes[self._own - 1] = yes

    def _put(self, slot: int, at: int, expected: int, who: int) -> None:
        self._table[slot] = (at << _PART_BITS | expected) << _PART_BITS | who

    def _counts(self, value: int) -> bool:
        at = value >> 2 * _PART_BITS
        return at > 0 and int(self._monotonic()) + 1 - at <= _MOMENT_S


def _slot(host: str) -> int:
    return zlib.crc32(host.encode()) % SLOTS
