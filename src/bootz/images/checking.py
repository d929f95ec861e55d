"""Which files of the depot are still what was added: what is damaged is noticed, and not served.

A file whose length or time of change is not as it was left is compared with its digest before it is
served again; every file is compared from time to time, because a disk that fails changes neither.
"""

import asyncio
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from bootz.errors import Unavailable
from bootz.images.depot import Depot, StoredFile, is_sealed
from bootz.images.ports import CatalogueEntry
from bootz.log import get_logger

log = get_logger()

_WAIT_S: Final = 20.0
"""How long a download waits for a digest; the router comes back for what takes longer."""

_SLOWLY: Final = 64 << 20
"""Bytes a second that are read on schedule, so that downloads hardly notice."""

_THREADS: Final = 2


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was found of a file in the state that ``signature`` names; None: it is sound."""

    signature: tuple[int, ...]
    flaw: Unavailable | None


class _Stopped(Exception):
    """The server ends while a file is read."""


class ImageChecker:
    """Judges files for one image server; belongs to one event loop.

    Args:
        depot: where the files are.
        wait: seconds for which ``admit`` waits for a digest.
    """

    def __init__(self, depot: Depot, *, wait: float = _WAIT_S) -> None:
        self._depot = depot
        self._wait = wait
        self._judged: dict[str, _Judged] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._threads = ThreadPoolExecutor(_THREADS, "image-checker")
        self._stop = threading.Event()

    async def admit(self, entry: CatalogueEntry, status: os.stat_result) -> None:
        """Let a file be served that is as it was left; compare the digest of any other.

        ``status`` is that of the descriptor that is served from.

        Raises:
            Unavailable: ``image-file-damaged``; ``image-file-unchecked`` while it is not known.
        """
        if status.st_size != entry.size:
            raise Unavailable(
                "image-file-damaged",
                "the file does not have the recorded length",
                where=entry.sha256,
                expected=str(entry.size),
                seen=str(status.st_size),
            )
        judged = self._of(entry, status)
        if judged is None and is_sealed(status, entry.sha256):
            return
        if judged is None:
            judged = await self._found_out(entry, status)
        if judged.flaw is not None:
            raise judged.flaw

    async def check_all(self, entries: Sequence[CatalogueEntry]) -> None:
        """Compare every file with its digest, slowly; the log tells what is damaged."""
        files = {entry.sha256: entry for entry in entries}
        for gone in self._judged.keys() - files.keys():
            del self._judged[gone]
        for entry in files.values():
            await self._comparison(entry, slowly=True)

    async def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        tasks = tuple(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._threads.shutdown(wait=False)

    def _of(self, entry: CatalogueEntry, status: os.stat_result) -> _Judged | None:
        judged = self._judged.get(entry.sha256)
        return judged if judged is not None and judged.signature == _signature(status) else None

    async def _found_out(self, entry: CatalogueEntry, status: os.stat_result) -> _Judged:
        comparison = self._comparison(entry, slowly=False)
        await asyncio.wait({comparison}, timeout=self._wait)
        judged = self._judged.get(entry.sha256) if comparison.done() else None
        if judged is None:
            raise Unavailable(
                "image-file-unchecked", "its digest is being compared", where=entry.sha256
            )
        return judged

    def _comparison(self, entry: CatalogueEntry, *, slowly: bool) -> asyncio.Task[None]:
        """Return the task that compares a file; one at a time for each."""
        task = self._running.get(entry.sha256)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._compare(entry, slowly=slowly))
            self._running[entry.sha256] = task
            task.add_done_callback(lambda _: self._running.pop(entry.sha256, None))
        return task

    async def _compare(self, entry: CatalogueEntry, *, slowly: bool) -> None:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, self._read, entry, slowly)
        except _Stopped:
            return
        before = self._judged.get(entry.sha256)
        self._judged[entry.sha256] = found
        known = before is not None and before.signature == found.signature and before.flaw
        if found.flaw is not None and not known:
            log.error(
                found.flaw.reason,
                sha256=entry.sha256,
                file_name=entry.file_name,
                expected=found.flaw.expected,
                seen=found.flaw.seen,
            )

    def _read(self, entry: CatalogueEntry, slowly: bool) -> _Judged:
        done_before = 0

        def progress(done: int, _whole: int) -> None:
            nonlocal done_before
            pause = (done - done_before) / _SLOWLY if slowly else 0.0
            done_before = done
            if self._stop.wait(pause) if pause else self._stop.is_set():
                raise _Stopped

        try:
            status = self._depot.verify(
                StoredFile(entry.sha256, entry.size), progress=progress, seal=True
            )
        except Unavailable as error:
            return _Judged(_signature(self._depot.status(entry.sha256)), error)
        return _Judged(_signature(status), None)


def _signature(status: os.stat_result | None) -> tuple[int, ...]:
    """Return what changes with a file's content, as far as the system tells."""
    return () if status is None else (status.st_ino, status.st_size, status.st_mtime_ns)
