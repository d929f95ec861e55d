"""Fetching a file over HTTP, try by try, until the right bytes are there.

What counts is the digest in the verified bootstrapping data, so a server is not verified: whatever
it sends, only the right bytes are kept. A part that was received is resumed, over tries and over
restarts; where it cannot be, the download begins from the first byte.
"""

import asyncio
import hashlib
import random
import re
import shutil
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final

import aiohttp
import aiohttp.abc

from bootz.device.grpc_client import Locate
from bootz.errors import BootzError, PeerError
from bootz.transport.backoff import backoff
from bootz.wire.uri import BootzUri

CHUNK_BYTES: Final = 1 << 18

_PROGRESS_BYTES: Final = 1 << 16
"""A try that adds so much has not failed: a server may hand out a file in parts of any size."""

_MAX_WAIT: Final = 60.0
"""Seconds between two tries, at most."""

_RANGE: Final = re.compile(r"bytes +([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15}|\*)", re.IGNORECASE)
"""``Content-Range`` of RFC 9110 section 14.4; the unit is compared without case."""

Progress = Callable[[int, int | None], None]
"""Told how many bytes are there, and of how many."""


class InvalidImage(PeerError):
    """The image is not one to install: BOOTZ_OS_INVALID_IMAGE."""


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """How patient a download is.

    ``connect`` and ``stall`` are seconds; ``tries``, at least one, counts those in a row that
    bring nothing new; ``wait`` is the mean of the random wait after the first, in seconds.
    ``locate`` finds the server's address by its name; None: the system does. ``chance`` is random
    in [0, 1).
    """

    connect: float = 10.0
    stall: float = 30.0
    tries: int = 5
    wait: float = 2.0
    locate: Locate | None = None
    chance: Callable[[], float] = field(default=random.random, repr=False)


class _Resolver(aiohttp.ThreadedResolver):
    """Asks the lease's name-server, as for the bootstrap server; what it leaves, the system."""

    def __init__(self, locate: Locate) -> None:
        super().__init__()
        self._locate = locate

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        """Return the addresses of a name.

        Raises:
            OSError: it has none.
        """
        try:
            found = await self._locate(BootzUri(host.lower(), port or 1))
        except BootzError as error:
            raise OSError(str(error)) from error
        return await super().resolve(found, port, family)


class _Interrupted(Exception):
    """One try ended early; the next one goes on from there."""

    def __init__(self, error: InvalidImage) -> None:
        super().__init__(error.reason)
        self.error = error


@dataclass(frozen=True, slots=True)
class _Placed:
    """Where a body belongs: from ``start`` up to ``end`` in a file of ``total`` bytes, if known."""

    start: int
    end: int | None
    total: int | None


async def download(
    url: str, digest: str, part: Path, options: DownloadOptions, progress: Progress
) -> None:
    """Bring a file's bytes, whose SHA-256 is ``digest`` (hex), into ``part``.

    Raises:
        InvalidImage: they cannot be had, or are not the ones that are meant; of another file
            nothing is kept.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=options.connect, sock_read=options.stall
    )
    resolver = None if options.locate is None else _Resolver(options.locate)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context, resolver=resolver),
        timeout=timeout,
        auto_decompress=False,
    ) as session:
        await _Download(session, url, digest, part, options, progress).run()


class _Download:
    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        digest: str,
        part: Path,
        options: DownloadOptions,
        progress: Progress,
    ) -> None:
        self._session = session
        self._url = url
        self._digest = digest
        self._part = part
        self._options = options
        self._progress = progress
        self._most = self._size()
        # Bytes of several answers, or of an earlier life: they may be of different files.
        self._joined = self._most > 0

    async def run(self) -> None:
        await self._fetch()
        seen = await self._sha256()
        if seen != self._digest and self._joined:
            self._begin_again()
            self._most = 0
            await self._fetch()
            seen = await self._sha256()
        if seen != self._digest:
            self._part.unlink()
            raise InvalidImage(
                "os-image-hash",
                "the image has a different digest",
                where=self._url,
                expected=self._digest,
                seen=seen,
            )

    async def _fetch(self) -> None:
        """Try until the server has given all that there is."""
        failures = 0
        while True:
            try:
                if await self._one_try():
                    return
                error = self._error("os-image-length", "the server sends only small parts")
            except _Interrupted as interruption:
                error = interruption.error
                partial = False
            else:
                partial = True
            size = self._size()
            grown = size >= self._most + _PROGRESS_BYTES
            self._most = max(self._most, size)
            if grown and partial:
                failures = 0
                continue
            failures = 1 if grown else failures + 1
            if failures >= self._options.tries:
                raise error
            chance, wait = self._options.chance(), self._options.wait
            await asyncio.sleep(backoff(failures, chance, first=2 * wait, most=_MAX_WAIT))

    async def _one_try(self) -> bool:
        """Ask for what is missing; return whether the server says that nothing follows."""
        have = self._size()
        # Compressed bytes could be neither counted nor resumed.
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            self._joined = True
        try:
            async with self._session.get(self._url, headers=headers, max_redirects=5) as response:
                if response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    if await self._sha256() == self._digest:
                        return True
                    self._begin_again()
                    raise self._interrupted(
                        "os-image-length", "the file on the server has become shorter"
                    )
                placed = self._placed(response, have)
                received = await self._receive(response, placed)
        except (aiohttp.ServerTimeoutError, TimeoutError) as error:
            raise self._interrupted("os-image-stalled", "no data arrived in time") from error
        except aiohttp.ClientPayloadError as error:
            raise self._interrupted("os-image-cut", "the download ended too early") from error
        except aiohttp.InvalidURL as error:
            raise self._error("os-image-url", "the URL is malformed") from error
        except (aiohttp.ClientError, OSError) as error:
            detail = str(error) or type(error).__name__
            raise self._interrupted("os-image-unreachable", detail) from error
        if placed.end is not None and received != placed.end:
            if received > placed.end:
                self._begin_again()
            raise self._interrupted(
                "os-image-length",
                "the image is not as long as stated",
                expected=str(placed.end),
                seen=str(received),
            )
        if placed.total is None and placed.end is not None:
            # A range of a file whose length the server does not say.
            return await self._sha256() == self._digest
        return placed.total is None or received >= placed.total

    async def _receive(self, response: aiohttp.ClientResponse, placed: _Placed) -> int:
        """Write a body to its place; return how long the file is then."""
        received = placed.start
        self._require_room(placed.start, placed.end)
        with self._part.open("ab") as file:
            file.truncate(placed.start)
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                received += len(chunk)
                if placed.end is None:
                    self._require_room(0, len(chunk))
                file.write(chunk)
                self._progress(received, placed.total)
        return received

    def _placed(self, response: aiohttp.ClientResponse, have: int) -> _Placed:
        """Return where the body of an answer belongs.

        A cache may answer from an earlier byte than was asked for. What cannot be joined to the
        bytes that are there makes the download begin from the first byte.
        """
        match response.status:
            case HTTPStatus.OK:
                length = response.content_length
                return _Placed(0, length, length)
            case HTTPStatus.PARTIAL_CONTENT:
                stated = response.headers.get("Content-Range", "")
                placed = _RANGE.fullmatch(stated.strip())
                if placed is not None:
                    start, end = int(placed[1]), int(placed[2]) + 1
                    total = None if placed[3] == "*" else int(placed[3])
                    length = response.content_length
                    consistent = length is None or length == end - start
                    fits = start <= have and start < end <= (total or end)
                    if consistent and fits:
                        return _Placed(start, end, total)
                self._begin_again()
                raise self._interrupted(
                    "os-image-length",
                    "the server sent a range that does not fit",
                    expected=f"bytes {have}-",
                    seen=stated[:100] or "no Content-Range",
                )
            case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
                raise self._error("os-image-not-found", "the image does not exist on the server")
            case status:
                raise self._interrupted(
                    "os-image-unreachable", f"the image server answered {status}"
                )

    def _begin_again(self) -> None:
        self._part.unlink(missing_ok=True)

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    async def _sha256(self) -> str:
        return await asyncio.to_thread(sha256_of, self._part) if self._part.exists() else ""

    def _require_room(self, start: int, end: int | None) -> None:
        free = shutil.disk_usage(self._part.parent).free
        if end is not None and end - start > free:
            raise InvalidImage(
                "os-image-too-large",
                "the image does not fit on the disk",
                where=self._url,
                expected=f"at most {free} bytes",
                seen=str(end - start),
            )

    def _error(self, reason: str, detail: str, expected: str = "", seen: str = "") -> InvalidImage:
        return InvalidImage(reason, detail, where=self._url, expected=expected, seen=seen)

    def _interrupted(
        self, reason: str, detail: str, expected: str = "", seen: str = ""
    ) -> _Interrupted:
        return _Interrupted(self._error(reason, detail, expected, seen))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
