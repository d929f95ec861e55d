"""The depot's folder: each file is named by its SHA-256 and appears whole or not at all."""

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from bootz.errors import ConfigError, ConflictError, Unavailable, unreadable

MAX_FILE_BYTES: Final = 64 << 30
"""Bytes of the largest file that is taken."""

_CHUNK_BYTES: Final = 1 << 20
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_INCOMING: Final = "incoming-"
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_SECOND: Final = 1_000_000_000
"""Nanoseconds."""

Progress = Callable[[int, int], None]
"""Told the bytes that are done and those of the whole file; called once per chunk."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the depot: 64 lower-case hex digits, and bytes."""

    sha256: str
    size: int


class Depot:
    """Files under their digest in one folder. Safe for several processes and threads.

    Args:
        folder: made with the first file; nothing else may live in it.
        max_bytes: the largest file that is taken.
    """

    def __init__(self, folder: Path, *, max_bytes: int = MAX_FILE_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def add(self, source: Path, *, progress: Progress | None = None) -> StoredFile:
        """Copy a file into the depot; it is on the disk when this returns.

        A process that dies in between leaves nothing visible; its leftover goes with the next call.
        A damaged file of the same digest is replaced.

        Raises:
            ConfigError: empty, too large, or no regular file.
            ConflictError: the source is being written to.
            Unavailable: the source cannot be read, or the folder not be written.
        """
        with _opened(source) as (reading, before):
            if not 0 < before.st_size <= self._max_bytes:
                raise ConfigError(
                    "image-file-unfit",
                    "the file is empty" if before.st_size == 0 else "the file is too large",
                    where=str(source),
                    expected=f"1 to {self._max_bytes} bytes",
                    seen=str(before.st_size),
                )
            with self._incoming() as (writing, temporary):
                digest = self._copy(reading, writing, before, source, progress)
                self.adopt(temporary, writing.fileno(), StoredFile(digest, before.st_size))
        return StoredFile(digest, before.st_size)

    @contextmanager
    def receive(self, stored: StoredFile) -> Iterator[Callable[[bytes], None]]:
        """Take a file in parts, by calls of what is yielded; it appears at the end, if it is right.

        Until then, and where the block is left by an error, nothing of it is visible.

        Raises:
            Unavailable: ``image-source-differs``: it is not the file that ``stored`` names; or the
                folder cannot be written.
        """
        digest = hashlib.sha256()
        done = 0
        with self._incoming() as (writing, temporary):

            def take(chunk: bytes) -> None:
                nonlocal done
                done += len(chunk)
                if done > stored.size:
                    raise _differs(stored, f"more than {stored.size} bytes")
                digest.update(chunk)
                with written(self._folder):
                    writing.write(chunk)

            yield take
            if (digest.hexdigest(), done) != (stored.sha256, stored.size):
                raise _differs(stored, f"{done} bytes, sha256 {digest.hexdigest()}")
            with written(self._folder):
                writing.flush()
            self.adopt(temporary, writing.fileno(), stored)

    def adopt(self, path: Path, descriptor: int, stored: StoredFile) -> None:
        """Make a whole file that lies in the folder, and is open, one of the depot's.

        Raises:
            Unavailable: the folder cannot be written.
        """
        with written(self._folder):
            os.fchmod(descriptor, 0o444)
            _seal(descriptor, stored.sha256)
            os.fsync(descriptor)
            path.rename(self._path(stored.sha256))
            _sync_folder(self._folder)

    def _copy(
        self,
        reading: BinaryIO,
        writing: BinaryIO,
        before: os.stat_result,
        source: Path,
        progress: Progress | None,
    ) -> str:
        digest = hashlib.sha256()
        done = 0
        while chunk := _read(reading, source):
            done += len(chunk)
            if done > before.st_size:
                break
            digest.update(chunk)
            with written(self._folder):
                writing.write(chunk)
            if progress is not None:
                progress(done, before.st_size)
        with written(self._folder):
            writing.flush()
        after = os.fstat(reading.fileno())
        if done != before.st_size or after.st_mtime_ns != before.st_mtime_ns:
            raise ConflictError(
                "image-file-changed", "the file changed while it was read", where=str(source)
            )
        return digest.hexdigest()

    def open(self, sha256: str) -> BinaryIO:
        """Open a file for reading; it can be read to its end even if it is removed in between.

        Raises:
            Unavailable: the depot does not hold it, or it cannot be read.
        """
        try:
            descriptor = os.open(self._path(sha256), _READ)
        except FileNotFoundError as error:
            raise Unavailable(
                "image-file-missing", "there is no such file", where=str(self._path(sha256))
            ) from error
        except OSError as error:
            raise unreadable(self._path(sha256), error) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise Unavailable(
                "image-file-damaged", "this is not a regular file", where=str(self._path(sha256))
            )
        return os.fdopen(descriptor, "rb", buffering=0)

    def status(self, sha256: str) -> os.stat_result | None:
        """Return what the system says of a file, None where it is not there or is not a file."""
        try:
            status = self._path(sha256).lstat()
        except OSError:
            return None
        return status if stat.S_ISREG(status.st_mode) else None

    def holds(self, sha256: str) -> bool:
        """Tell whether the depot has a file of this digest; its content is not looked at."""
        return self.status(sha256) is not None

    def remove(self, sha256: str) -> bool:
        """Remove a file and tell whether it was there; downloads that run come to their end.

        Raises:
            Unavailable: the folder cannot be written.
        """
        path = self._path(sha256)
        with written(self._folder):
            try:
                path.unlink()
            except FileNotFoundError:
                return False
            _sync_folder(self._folder)
        return True

    def verify(
        self, stored: StoredFile, *, progress: Progress | None = None, seal: bool = False
    ) -> os.stat_result:
        """Read a whole file and compare it with its record; return its status.

        With ``seal`` a file that is sound is marked as unchanged from now on, where this user may.

        Raises:
            Unavailable: it is missing, cannot be read, or is not what was added.
        """
        digest = hashlib.sha256()
        done = 0
        path = self._path(stored.sha256)
        with self.open(stored.sha256) as reading:
            before = os.fstat(reading.fileno())
            while chunk := _read(reading, path):
                digest.update(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done, stored.size)
            seen = StoredFile(digest.hexdigest(), done)
            if seen != stored:
                raise Unavailable(
                    "image-file-damaged",
                    "the file differs from the recorded one",
                    where=str(path),
                    expected=f"{stored.size} bytes, sha256 {stored.sha256}",
                    seen=f"{seen.size} bytes, sha256 {seen.sha256}",
                )
            after = os.fstat(reading.fileno())
            if seal and after.st_mtime_ns == before.st_mtime_ns:
                # A file of another user, or on a disk that is only read, stays without a seal.
                with contextlib.suppress(OSError):
                    _seal(reading.fileno(), stored.sha256)
            return os.fstat(reading.fileno())

    def _path(self, sha256: str) -> Path:
        if not _DIGEST.fullmatch(sha256):
            # Callers check what comes from outside; a path never holds anything else.
            raise RuntimeError("not a SHA-256 in lower-case hex")
        return self._folder / sha256

    @contextmanager
    def _incoming(self) -> Iterator[tuple[BinaryIO, Path]]:
        """A locked temporary file; gone afterwards unless it was renamed."""
        path = self._folder / f"{_INCOMING}{secrets.token_hex(8)}"
        with written(self._folder):
            self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            with _locked_folder(self._folder):
                self._sweep()
                descriptor = os.open(
                    path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600
                )
                # Dies with the process: by this lock the sweep knows leftovers from work.
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        with os.fdopen(descriptor, "wb") as writing:
            try:
                yield writing, path
            finally:
                path.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove what killed processes left behind."""
        for path in self._folder.glob(f"{_INCOMING}*"):
            with path.open("rb") as leftover:
                try:
                    fcntl.flock(leftover, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                path.unlink(missing_ok=True)


@contextmanager
def written(folder: Path) -> Iterator[None]:
    """Say that a folder of images cannot be written, where something inside fails for that.

    Raises:
        Unavailable: ``image-depot-unwritable``.
    """
    try:
        yield
    except OSError as error:
        raise Unavailable(
            "image-depot-unwritable", error.strerror or type(error).__name__, where=str(folder)
        ) from error


def _differs(stored: StoredFile, seen: str) -> Unavailable:
    return Unavailable(
        "image-source-differs",
        "what was received is not the recorded file",
        where=stored.sha256,
        expected=f"{stored.size} bytes, sha256 {stored.sha256}",
        seen=seen,
    )


def is_sealed(status: os.stat_result, sha256: str) -> bool:
    """Tell whether a file's time of change is the one that it was left with.

    Its fraction of a second is made of the digest, so that whatever is written to the file later
    gives it away, over restarts and in other processes too. A copy that does not keep times has
    none, and is compared by its content.
    """
    return status.st_mtime_ns % _SECOND == _fraction(sha256)


def _fraction(sha256: str) -> int:
    # Whole microseconds: some file systems keep no more.
    return int(sha256[:8], 16) % 1_000_000 * 1000


def _seal(descriptor: int, sha256: str) -> None:
    status = os.fstat(descriptor)
    whole = status.st_mtime_ns - status.st_mtime_ns % _SECOND
    os.utime(descriptor, ns=(status.st_atime_ns, whole + _fraction(sha256)))


@contextmanager
def _opened(source: Path) -> Iterator[tuple[BinaryIO, os.stat_result]]:
    try:
        # O_NONBLOCK: a named pipe must not make us wait for its writer.
        descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable(source, error) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise ConfigError("image-file-unfit", "this is not a regular file", where=str(source))
    with os.fdopen(descriptor, "rb", buffering=0) as reading:
        yield reading, status


def _read(reading: BinaryIO, path: Path) -> bytes:
    try:
        return reading.read(_CHUNK_BYTES)
    except OSError as error:
        raise unreadable(path, error) from error


@contextmanager
def _locked_folder(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
