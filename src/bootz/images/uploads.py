"""Files that come in pieces: what has been received stays until the rest comes, or it is dropped.

A piece is appended at the place where it says that it begins, and only there. The digest grows
with the pieces; after a restart it is made of what is on the disk.
"""

import fcntl
import hashlib
import os
import re
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bootz.errors import ConfigError, ConflictError, Unavailable
from bootz.images.depot import MAX_FILE_BYTES, Depot, StoredFile, written

MAX_OPEN: Final = 64
"""Uploads whose digest is kept in memory; of others it is made again at the end."""

_KEY: Final = re.compile(r"[0-9a-f]{32}")
_CHUNK_BYTES: Final = 1 << 20
_SPARE: Final = 64 << 20
"""Bytes of the disk that an upload leaves free."""


@dataclass(slots=True)
class _Growing:
    digest: Any
    length: int = 0


class Uploads:
    """Uploads into a depot. Safe for several processes and threads."""

    def __init__(self, folder: Path, depot: Depot) -> None:
        self._folder = folder
        self._depot = depot
        self._growing: OrderedDict[str, _Growing] = OrderedDict()
        self._lock = threading.Lock()

    def check_room(self, size: int) -> None:
        """Check that a file of so many bytes would fit.

        Raises:
            ConfigError: ``image-file-unfit``.
            Unavailable: ``image-depot-unwritable``.
        """
        if not 0 < size <= MAX_FILE_BYTES:
            raise ConfigError(
                "image-file-unfit",
                "the size cannot be that of an image",
                where="size",
                expected=f"1 to {MAX_FILE_BYTES} bytes",
                seen=str(size),
            )
        with written(self._folder):
            self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            free = shutil.disk_usage(self._folder).free
        if size + _SPARE > free:
            raise Unavailable(
                "image-depot-unwritable",
                "the disk has no room for it",
                where=str(self._folder),
                expected=f"{size + _SPARE} bytes free",
                seen=str(free),
            )

    def received(self, key: str) -> int:
        """Return how many bytes of an upload are there."""
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError:
            return 0

    def check_offset(self, key: str, offset: int) -> None:
        """Check that an upload has come to where a piece begins.

        Raises:
            ConflictError: ``upload-offset-wrong``.
        """
        _check_offset(self.received(key), offset)

    def append(self, key: str, offset: int, data: bytes) -> int:
        """Add bytes to an upload and return how many are there now.

        Raises:
            ConflictError: ``upload-offset-wrong``.
            Unavailable: ``image-depot-unwritable``.
        """
        with written(self._folder), self._opened(key) as descriptor:
            length = os.fstat(descriptor).st_size
            _check_offset(length, offset)
            done = 0
            while done < len(data):
                done += os.write(descriptor, data[done:])
            self._grow(key, offset, data)
        return offset + len(data)

    def finish(self, key: str, sha256: str, size: int) -> str:
        """Put an upload in its place as a file of the depot, and return its digest.

        Raises:
            ConflictError: ``image-file-other``; the upload is gone then.
            Unavailable: ``image-depot-unwritable``, or some of it is missing.
        """
        with written(self._folder), self._opened(key) as descriptor:
            digest = self._digest(key, descriptor, size)
            if sha256 and digest != sha256:
                self._path(key).unlink(missing_ok=True)
                raise ConflictError(
                    "image-file-other",
                    "the file has another digest",
                    where="sha256",
                    expected=sha256,
                    seen=digest,
                )
            self._depot.adopt(self._path(key), descriptor, StoredFile(digest, size))
        return digest

    def drop(self, key: str) -> None:
        """Forget an upload."""
        with self._lock:
            self._growing.pop(key, None)
        with written(self._folder):
            self._path(key).unlink(missing_ok=True)

    def _grow(self, key: str, offset: int, data: bytes) -> None:
        with self._lock:
            if offset == 0:
                self._growing[key] = _Growing(hashlib.sha256())
                while len(self._growing) > MAX_OPEN:
                    self._growing.popitem(last=False)
            growing = self._growing.get(key)
            if growing is None:
                return
            if growing.length != offset:
                # Another process has received what lies between.
                del self._growing[key]
                return
            self._growing.move_to_end(key)
        growing.digest.update(data)
        growing.length += len(data)

    def _digest(self, key: str, descriptor: int, size: int) -> str:
        length = os.fstat(descriptor).st_size
        if length != size:
            raise Unavailable(
                "image-file-missing",
                "some of the upload is missing",
                where="upload",
                expected=f"{size} bytes",
                seen=str(length),
            )
        with self._lock:
            growing = self._growing.pop(key, None)
        if growing is not None and growing.length == size:
            return str(growing.digest.hexdigest())
        digest = hashlib.sha256()
        at = 0
        while chunk := os.pread(descriptor, _CHUNK_BYTES, at):
            digest.update(chunk)
            at += len(chunk)
        return digest.hexdigest()

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            # Keys are drawn here; a path never holds anything else.
            raise RuntimeError("not the key of an upload")
        return self._folder / f"upload-{key}"

    @contextmanager
    def _opened(self, key: str) -> Iterator[int]:
        """Open an upload for one writer at a time.

        Raises:
            ConflictError: ``upload-busy``.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._path(key), flags, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConflictError(
                    "upload-busy", "another request is sending a piece of it", where="upload"
                ) from None
            yield descriptor
        finally:
            os.close(descriptor)


def _check_offset(length: int, offset: int) -> None:
    if length != offset:
        raise ConflictError(
            "upload-offset-wrong",
            "the piece does not begin where the upload has come to",
            where="Content-Range",
            expected=str(length),
            seen=str(offset),
        )
