"""The router's software: fetching an image, judging it, installing it.

Source: docs/protocol/workflow.md W10.

What counts is the digest in the verified bootstrapping data, so an image server is not
verified: whatever it sends, only the right bytes are installed. A part that was received is
kept and resumed, over tries and over restarts.

The emulated router takes any file for an image that is not empty and is not a web page (what
a misguided URL gives); with ``strict_images`` only one that begins with ``BOOTZ-IMAGE``.
"""

import asyncio
import hashlib
import os
import re
import shutil
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import aiohttp.abc

from bootz.device.grpc_client import Locate
from bootz.errors import BootzError, PeerError
from bootz.model.bootstrap import SoftwareImage
from bootz.wire.uri import BootzUri

IMAGE_MAGIC = b"BOOTZ-IMAGE"
CHUNK_BYTES = 1 << 18

_ALGORITHMS = frozenset({"", "sha256", "sha-256", "ietf-sztp-conveyed-info:sha-256"})
_HEX = re.compile(r"[0-9a-f]{64}")
_COLON_HEX = re.compile(r"(?:[0-9a-f]{2}:){31}[0-9a-f]{2}")
_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})")

Progress = Callable[[int, int | None], None]
"""Told how many bytes are there, and of how many."""


class InvalidImage(PeerError):
    """The image is not one to install: BOOTZ_OS_INVALID_IMAGE."""


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """How patient a download is. ``stall`` and ``wait`` are seconds, ``tries`` at least one.

    ``locate`` finds the image server's address by its name; None: the system does.
    """

    connect: float = 10.0
    stall: float = 30.0
    tries: int = 5
    wait: float = 2.0
    locate: Locate | None = None


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


def expected_digest(image: SoftwareImage) -> str:
    """Return the SHA-256 that an image must have, 64 lower-case hex digits.

    Both names of the algorithm and both forms of the hash are read (docs/dialects.md#what-differs).

    Raises:
        InvalidImage: another algorithm, or no such hash.
    """
    text = (image.hash_text or image.sha256).strip().lower()
    if image.algorithm.strip().lower() not in _ALGORITHMS or not (
        _HEX.fullmatch(text) or _COLON_HEX.fullmatch(text)
    ):
        raise InvalidImage(
            "os-image-hash-form",
            "the image's hash is not a SHA-256",
            where="intended_image",
            expected="SHA-256 in hex",
            seen=f"{image.algorithm or 'no algorithm'}, {len(text)} characters",
        )
    return text.replace(":", "")


async def fetch_image(
    image: SoftwareImage, folder: Path, options: DownloadOptions, progress: Progress
) -> Path:
    """Return the file of an image, verified; downloads what is not there yet.

    Raises:
        InvalidImage: it cannot be had, or is not the one that is meant.
    """
    digest = expected_digest(image)
    if urlsplit(image.url).scheme not in {"http", "https"} or not urlsplit(image.url).hostname:
        raise InvalidImage("os-image-url", "the URL is not http(s)", where="intended_image.url")
    final, part = folder / digest, folder / f"{digest}.part"
    if final.exists() and await asyncio.to_thread(_sha256, final) == digest:
        return final
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
        resumed = part.exists() and part.stat().st_size > 0
        await _download(session, image.url, part, options, progress)
        seen = await asyncio.to_thread(_sha256, part)
        if seen != digest and resumed:
            # What an earlier life had received was of another file.
            part.unlink()
            await _download(session, image.url, part, options, progress)
            seen = await asyncio.to_thread(_sha256, part)
    if seen != digest:
        part.unlink()
        raise InvalidImage(
            "os-image-hash",
            "the image has a different digest",
            where=image.url,
            expected=digest,
            seen=seen,
        )
    await asyncio.to_thread(_settle, part, final)
    return final


def check_image(path: Path, *, strict: bool) -> None:
    """Judge a file by its first bytes.

    Raises:
        InvalidImage: it is not a software image.
    """
    with path.open("rb") as file:
        head = file.read(64)
    web_page = head.lstrip().lower().startswith((b"<!doctype", b"<html"))
    if not head or web_page or (strict and not head.startswith(IMAGE_MAGIC)):
        raise InvalidImage(
            "os-image-not-an-image",
            "the file is not a software image",
            where=path.name,
            expected="BOOTZ-IMAGE…" if strict else "a file that is neither empty nor a web page",
            seen="empty" if not head else "a web page" if web_page else "another beginning",
        )


async def _download(
    session: aiohttp.ClientSession,
    url: str,
    part: Path,
    options: DownloadOptions,
    progress: Progress,
) -> None:
    for attempt in range(1, options.tries + 1):
        try:
            await _one_try(session, url, part, progress)
        except _Interrupted as interruption:
            if attempt == options.tries:
                raise interruption.error from interruption
            await asyncio.sleep(options.wait)
        else:
            return


async def _one_try(
    session: aiohttp.ClientSession, url: str, part: Path, progress: Progress
) -> None:
    have = part.stat().st_size if part.exists() else 0
    # Compressed bytes could be neither counted nor resumed.
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        async with session.get(url, headers=headers, max_redirects=5) as response:
            if response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                if response.headers.get("Content-Range") == f"bytes */{have}":
                    return
                part.unlink()
                raise _interrupted(
                    "os-image-length", "the file on the server has become shorter", url
                )
            start, total = _placed(response, url, have)
            _require_room(part.parent, start, total, url)
            with part.open("ab") as file:
                file.truncate(start)
                received = start
                async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                    received += len(chunk)
                    if total is None:
                        _require_room(part.parent, 0, len(chunk), url)
                    file.write(chunk)
                    progress(received, total)
    except (aiohttp.ServerTimeoutError, TimeoutError) as error:
        raise _interrupted("os-image-stalled", "no data arrived in time", url) from error
    except aiohttp.ClientPayloadError as error:
        raise _interrupted("os-image-cut", "the download ended too early", url) from error
    except aiohttp.InvalidURL as error:
        raise InvalidImage("os-image-url", "the URL is malformed", where=url) from error
    except (aiohttp.ClientError, OSError) as error:
        detail = str(error) or type(error).__name__
        raise _interrupted("os-image-unreachable", detail, url) from error
    if total is not None and received != total:
        if received > total:
            part.unlink()
        raise _interrupted(
            "os-image-length", "the image is not as long as stated", url, str(total), str(received)
        )


def _placed(response: aiohttp.ClientResponse, url: str, have: int) -> tuple[int, int | None]:
    """Return where the body begins in the file, and how long the file is if the server says so."""
    match response.status:
        case HTTPStatus.OK:
            return 0, response.content_length
        case HTTPStatus.PARTIAL_CONTENT:
            placed = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if placed and int(placed[1]) == have:
                return have, int(placed[3])
            raise InvalidImage("os-image-length", "the server sent a different range", where=url)
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
            raise InvalidImage(
                "os-image-not-found", "the image does not exist on the server", where=url
            )
        case status:
            raise _interrupted("os-image-unreachable", f"the image server answered {status}", url)


def _interrupted(
    reason: str, detail: str, url: str, expected: str = "", seen: str = ""
) -> _Interrupted:
    return _Interrupted(InvalidImage(reason, detail, where=url, expected=expected, seen=seen))


def _require_room(folder: Path, start: int, total: int | None, url: str) -> None:
    free = shutil.disk_usage(folder).free
    if total is not None and total - start > free:
        raise InvalidImage(
            "os-image-too-large",
            "the image does not fit on the disk",
            where=url,
            expected=f"at most {free} bytes",
            seen=str(total - start),
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _settle(part: Path, final: Path) -> None:
    """Give a verified file its name, once it is on the disk."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(final)
