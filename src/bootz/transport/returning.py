"""Which addresses were answered a moment ago, and by whom: a table that processes can share."""

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

_WHO_BITS: Final = 16
_NOBODY: Final = 0
_SEVERAL: Final = (1 << _WHO_BITS) - 1


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
        # The second of an answer, from 1 on, and who gave it: 1 is process 0.
        self._table = whole[: 8 * SLOTS].cast("Q")
        self._takes = whole[8 * SLOTS :]
        self._own = number + 1
        self._monotonic = monotonic

    def answered(self, host: str) -> None:
        """Remember that an address was answered by this process, and will come once more.

        Where it has not come since an answer before, several routers share it.
        """
        slot = _slot(host)
        before = self._table[slot]
        who = self._own
        if before & _SEVERAL and self._counts(before):
            who = _SEVERAL
        self._table[slot] = (int(self._monotonic()) + 1) << _WHO_BITS | who

    def __contains__(self, host: str) -> bool:
        return self._counts(self._table[_slot(host)])

    def owner(self, host: str) -> int | None:
        """Return which process answered an address, once for each answer.

        None: none did, this one did, several routers share the address, or that process takes no
        connections.
        """
        slot = _slot(host)
        value = self._table[slot]
        who = value & _SEVERAL
        if who in (_NOBODY, _SEVERAL) or not self._counts(value):
            return None
        self._table[slot] = value - who
        if who == self._own or not self._takes[who - 1]:
            return None
        return who - 1

    def takes_connections(self, *, yes: bool) -> None:
        """Say whether this process takes connections of those that it has answered."""
        self._takes[self._own - 1] = yes

    def _counts(self, value: int) -> bool:
        at = value >> _WHO_BITS
        return at > 0 and int(self._monotonic()) + 1 - at <= _MOMENT_S


def _slot(host: str) -> int:
    return zlib.crc32(host.encode()) % SLOTS
