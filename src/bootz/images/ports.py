"""What the image server asks and tells its world."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A file that may be served: 64 lower-case hex digits, its name, its size in bytes."""

    sha256: str
    file_name: str
    size: int


class Catalogue(Protocol):
    """Knows what was added; nothing else is served."""

    async def find(self, sha256: str, file_name: str) -> CatalogueEntry | None:
        """Return the file with this digest and name, None if it may not be served."""

    async def files(self) -> Sequence[CatalogueEntry]:
        """Return all files that may be served."""


@dataclass(frozen=True, slots=True)
class Download:
    """One answer to a GET that had content, ended or under way.

    ``url_tag`` is what stood in the URL, unverified, empty without one. ``start`` is the offset
    of the first byte asked for, ``bytes_sent`` what left this process for certain;
    ``complete``: all that was asked for was sent.
    """

    url_tag: str
    sha256: str
    file_name: str
    peer: str
    start: int
    bytes_sent: int
    size: int
    complete: bool
    ended: bool = True


class DownloadObserver(Protocol):
    """Hears of downloads."""

    async def downloaded(self, download: Download) -> None:
        """Take note of a download that has ended, whole or cut, or that goes on for long."""
