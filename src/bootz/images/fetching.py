"""Brings files that are on record, and lacking in this depot, from the stores of other servers.

A file appears when it is whole and has the recorded SHA-256, so that a source, or the path to it,
can withhold a file and never change it. One is fetched at a time, in a thread of its own.
"""

import asyncio
import http.client
import os
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from bootz.errors import BootzError, Unavailable
from bootz.images.addresses import ImageAddress
from bootz.images.depot import Depot, StoredFile
from bootz.images.ports import Catalogue, CatalogueEntry
from bootz.log import get_logger
from bootz.transport.calling import client_context

log = get_logger()

_CHUNK_BYTES: Final = 1 << 20
_SILENCE_S: Final = 10.0
"""Seconds for a connection, and without a byte."""

_BASE_S: Final = 60.0
_SLOWEST: Final = 1 << 18
"""Bytes a second, below which a source is given up."""

_FIRST_PAUSE_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 300.0
_LOOK_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Failure:
    """When a file is tried again, in the loop's time, and the pause before that."""

    again_at: float
    pause: float


class ImageFetcher:
    """Fetches for one image server; belongs to one event loop.

    Args:
        depot: where the files appear.
        sources: base URLs of other stores, in the order in which they are asked.
        anchors: returns the DER of the CAs of their TLS certificates; asked at each fetch, and may
            raise ``BootzError``.
        look_every: seconds after which the catalogue is compared with the folder again.
        first_pause: seconds after a failure; doubled with each one that follows, up to 300.
    """

    def __init__(
        self,
        depot: Depot,
        sources: Sequence[str],
        anchors: Callable[[], Sequence[bytes]],
        *,
        look_every: float = _LOOK_S,
        first_pause: float = _FIRST_PAUSE_S,
    ) -> None:
        self._depot = depot
        self._sources = tuple(sources)
        self._anchors = anchors
        self._look_every = look_every
        self._first_pause = first_pause
        self._wanted: dict[str, tuple[int, ...]] = {}
        self._failed: dict[str, _Failure] = {}
        self._asked = asyncio.Event()
        self._threads = ThreadPoolExecutor(1, "image-fetcher")

    def want(self, entry: CatalogueEntry, damaged: os.stat_result | None) -> None:
        """Fetch a file before others, because a router waits for it; a pause is kept.

        ``damaged`` is the status of the copy that cannot be served, None where there is no copy.
        """
        if entry.sha256 not in self._wanted:
            self._wanted[entry.sha256] = _identity(damaged)
            self._asked.set()

    async def run(self, catalogue: Catalogue) -> None:
        """Fetch what is lacking, now and whenever something is, until cancelled."""
        try:
            while True:
                self._asked.clear()
                try:
                    await self._fetch_lacking(await catalogue.files())
                except BootzError as error:
                    log.error("images-not-compared", reason=error.reason, detail=str(error))
                except Exception:
                    # A defect of ours must not end the work.
                    log.exception("images-not-compared")
                await self._pause()
        finally:
            self._threads.shutdown(wait=False)

    async def _pause(self) -> None:
        now = asyncio.get_running_loop().time()
        due = [failure.again_at - now for failure in self._failed.values()]
        # Not wait_for: in Python 3.11 it forgets a cancellation when what it waits for has come.
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min([self._look_every, *due]))):
                await self._asked.wait()

    async def _fetch_lacking(self, entries: Sequence[CatalogueEntry]) -> None:
        files = {entry.sha256: entry for entry in entries}
        for gone in (self._wanted.keys() | self._failed.keys()) - files.keys():
            self._done(gone)
        loop = asyncio.get_running_loop()
        # Those that routers wait for come first.
        for entry in sorted(files.values(), key=lambda each: each.sha256 not in self._wanted):
            failure = self._failed.get(entry.sha256)
            if failure is not None and loop.time() < failure.again_at:
                continue
            status = await loop.run_in_executor(self._threads, self._depot.status, entry.sha256)
            found = _identity(status)
            if found and found != self._wanted.get(entry.sha256):
                # It is there, or another has taken the place of the one that was damaged.
                self._done(entry.sha256)
            else:
                await self._fetch(entry, failure)

    def _done(self, sha256: str) -> None:
        self._failed.pop(sha256, None)
        self._wanted.pop(sha256, None)

    async def _fetch(self, entry: CatalogueEntry, before: _Failure | None) -> None:
        for source in self._sources:
            try:
                await self._from(source, entry)
            except BootzError as error:
                log.warning(
                    "image-not-fetched",
                    source=source,
                    sha256=entry.sha256,
                    file_name=entry.file_name,
                    reason=error.reason,
                    detail=str(error),
                )
            else:
                log.info(
                    "image-fetched",
                    source=source,
                    sha256=entry.sha256,
                    file_name=entry.file_name,
                    bytes=entry.size,
                )
                self._done(entry.sha256)
                return
        pause = min(before.pause * 2, _LONGEST_PAUSE_S) if before else self._first_pause
        now = asyncio.get_running_loop().time()
        self._failed[entry.sha256] = _Failure(now + pause, pause)

    async def _from(self, source: str, entry: CatalogueEntry) -> None:
        transfer = _Transfer(self._depot, source, entry, self._anchors)
        running = asyncio.get_running_loop().run_in_executor(self._threads, transfer.run)
        try:
            # A source that sends a byte now and then would otherwise hold the others up.
            ended, _ = await asyncio.wait({running}, timeout=_BASE_S + entry.size / _SLOWEST)
            if not ended:
                transfer.stop()
            await running
        except asyncio.CancelledError:
            transfer.stop()
            # How it ends is of no interest any more; unasked, asyncio would complain of it.
            running.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise


def _identity(status: os.stat_result | None) -> tuple[int, ...]:
    """Return what another file in the same place does not have; empty where there is no file."""
    return () if status is None else (status.st_ino, status.st_mtime_ns)


class _Transfer:
    """One file from one source, in a thread; ``stop`` may be called from another."""

    def __init__(
        self,
        depot: Depot,
        source: str,
        entry: CatalogueEntry,
        anchors: Callable[[], Sequence[bytes]],
    ) -> None:
        self._depot = depot
        self._source = source
        self._entry = entry
        self._anchors = anchors
        self._stopped = threading.Event()
        self._socket: socket.socket | None = None

    def stop(self) -> None:
        """End it soon; ``run`` raises then."""
        self._stopped.set()
        if self._socket is not None:
            with suppress(OSError):
                # The socket below TLS: who reads from it sees the end at once.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def run(self) -> None:
        """Fetch the file.

        Raises:
            BootzError: ``image-source-failed``, ``image-source-differs``, the folder cannot be
                written, or the CAs cannot be read.
        """
        try:
            with closing(self._connect()) as connection:
                connection.connect()
                # Kept here, as the connection forgets it when the answer begins.
                self._socket = connection.sock
                target = ImageAddress(self._entry.sha256, self._entry.file_name).target
                connection.request("GET", urlsplit(self._source).path + target)
                with connection.getresponse() as response:
                    self._take(response)
        except (OSError, ValueError, http.client.HTTPException) as error:
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise self._failed("it was too slow" if self._stopped.is_set() else said) from error

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self._source)
        host = parts.hostname or ""
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, parts.port, timeout=_SILENCE_S)
        context = client_context(self._anchors())
        context.set_alpn_protocols(["http/1.1"])
        return http.client.HTTPSConnection(host, parts.port, timeout=_SILENCE_S, context=context)

    def _take(self, response: http.client.HTTPResponse) -> None:
        if response.status != http.HTTPStatus.OK:
            raise self._failed(f"the answer is {response.status}")
        size = self._entry.size
        if response.length != size:
            raise Unavailable(
                "image-source-differs",
                "the answer does not have the recorded length",
                where=self._source,
                expected=str(size),
                seen="no length" if response.length is None else str(response.length),
            )
        with self._depot.receive(StoredFile(self._entry.sha256, size)) as take:
            while chunk := response.read(_CHUNK_BYTES):
                if self._stopped.is_set():
                    raise self._failed("it was too slow")
                take(chunk)

    def _failed(self, why: str) -> Unavailable:
        return Unavailable("image-source-failed", why, where=self._source)
