"""One process's numbers, in a file that is mapped into memory.

The file is an array of 8-byte words in the machine's byte order: a magic word, the number of
words in use, then one record for each series: the length of its key in bytes, how many numbers
it has, the key (JSON, padded), and the numbers. A record is complete before the second word covers
it, so that a reader never sees half of one, whenever the process is killed. The process holds a
lock on its file as long as it lives.
"""

import fcntl
import json
import mmap
import os
import secrets
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bootz.log import get_logger
from bootz.server.metrics.families import MetricFamily

log = get_logger()

SUFFIX: Final = ".numbers"
MAGIC: Final = float.fromhex("0x1.b0072p0")
_FILE_BYTES: Final = 1 << 20
"""Sparse: only what is in use takes space. Some 10,000 series."""
_WORDS: Final = _FILE_BYTES // 8

Key = tuple[str, ...]
"""A metric's name, then the values of its labels."""


class Counting:
    """Counts for one process; belongs to one thread.

    What no longer fits into the file is not counted, and said once in the log.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._map = mmap.mmap(descriptor, _FILE_BYTES)
        self._words = memoryview(self._map).cast("d")
        self._places: dict[Key, int] = {}
        self._full = False
        self._words[0] = MAGIC
        self._words[1] = self._end = 2

    @classmethod
    def open(cls, folder: Path) -> "Counting":
        """Return the numbers of this process, in a new file of a folder.

        Raises:
            OSError: the folder cannot be written.
        """
        file = folder / f"{os.getpid()}-{secrets.token_hex(6)}{SUFFIX}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(file, flags, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.ftruncate(descriptor, _FILE_BYTES)
            return cls(descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    @classmethod
    def unkept(cls) -> "Counting":
        """Return numbers that no other process sees."""
        descriptor = os.memfd_create("bootz-metrics", os.MFD_CLOEXEC)
        os.ftruncate(descriptor, _FILE_BYTES)
        return cls(descriptor)

    def add(self, family: MetricFamily, *labels: str, by: float = 1.0) -> None:
        """Add to a counter."""
        place = self._places.get((family.name, *labels)) or self._place(family, labels)
        self._words[place] += by

    def put(self, family: MetricFamily, *labels: str, value: float) -> None:
        """Set a gauge, or a counter that something else counts."""
        place = self._places.get((family.name, *labels)) or self._place(family, labels)
        self._words[place] = value

    def observe(self, family: MetricFamily, seconds: float, *labels: str) -> None:
        """Add a value to a histogram."""
        place = self._places.get((family.name, *labels)) or self._place(family, labels)
        self._words[place + bisect_left(family.buckets, seconds)] += 1.0
        self._words[place + len(family.buckets) + 1] += seconds

    def close(self) -> None:
        """Let go of the file; what was counted stays in it."""
        self._words.release()
        self._map.close()
        os.close(self._descriptor)

    def _place(self, family: MetricFamily, labels: tuple[str, ...]) -> int:
        """Return the first word of a series, which is new here."""
        key = (family.name, *labels)
        text = json.dumps(key, separators=(",", ":")).encode()
        at = (self._end + 2) * 8
        begin = self._end + 2 + (len(text) + 7) // 8
        end = begin + family.width
        if end > _WORDS - family.width:
            if not self._full:
                self._full = True
                log.warning("metrics-full", metric=family.name)
            # Room beyond the end that no reader looks at.
            return _WORDS - family.width
        self._words[self._end] = len(text)
        self._words[self._end + 1] = family.width
        self._map[at : at + len(text)] = text
        self._words[1] = self._end = end
        self._places[key] = begin
        return begin


def series_in(content: bytes) -> Mapping[Key, tuple[float, ...]]:
    """Return the numbers of a file by their keys; none of a file that is no such file."""
    words = memoryview(content[: len(content) // 8 * 8]).cast("d")
    found: dict[Key, tuple[float, ...]] = {}
    if len(words) < 2 or words[0] != MAGIC:
        return found
    place, end = 2, min(int(words[1]), len(words))
    while place + 2 <= end:
        length, width = int(words[place]), int(words[place + 1])
        begin = place + 2 + (length + 7) // 8
        text = content[(place + 2) * 8 : (place + 2) * 8 + length]
        found[tuple(json.loads(text))] = tuple(words[begin : begin + width])
        place = begin + width
    return found
