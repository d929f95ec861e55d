"""The router's software: fetching an image, judging it, installing it.

Source: docs/protocol/workflow.md W10.

The emulated router takes any file for an image that is not empty and is not a web page (what
a misguided URL gives); with ``strict_images`` only one that begins with ``BOOTZ-IMAGE``.
"""

import asyncio
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from bootz.device.download import (
    DownloadOptions,
    InvalidImage,
    Progress,
    download,
    sha256_of,
)
from bootz.model.bootstrap import SoftwareImage

IMAGE_MAGIC = b"BOOTZ-IMAGE"

_ALGORITHMS = frozenset({"", "sha256", "sha-256", "ietf-sztp-conveyed-info:sha-256"})
_HEX = re.compile(r"[0-9a-f]{64}")
_COLON_HEX = re.compile(r"(?:[0-9a-f]{2}:){31}[0-9a-f]{2}")


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
    if final.exists() and await asyncio.to_thread(sha256_of, final) == digest:
        return final
    await download(image.url, digest, part, options, progress)
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


def _settle(part: Path, final: Path) -> None:
    """Give a verified file its name, once it is on the disk."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(final)
