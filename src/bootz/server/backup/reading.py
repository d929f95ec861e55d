"""Reads a backup to its end, and compares each file with the list; nothing counts before that."""

import hashlib
import os
import tarfile
from pathlib import Path
from typing import Final

from bootz.config.file import MAX_CONFIG_BYTES
from bootz.errors import Unavailable
from bootz.server.backup.form import (
    DATABASE,
    IMAGES,
    MANIFEST,
    MAX_MANIFEST,
    MAX_PRIVATE,
    PRIVATE,
    SETTINGS,
    BackedUpFile,
    OnBytes,
    ReadBackup,
    invalid,
    is_member,
    parse_manifest,
)

_CHUNK: Final = 1 << 20
_SEALED: Final = MAX_PRIVATE + (1 << 20)
_MEMORY: Final = {SETTINGS: MAX_CONFIG_BYTES, PRIVATE: _SEALED, MANIFEST: MAX_MANIFEST}
"""Bytes of the files that are read into memory."""


def read_backup(
    file: Path, folder: Path | None = None, *, progress: OnBytes | None = None
) -> ReadBackup:
    """Read a backup; database and images are written below ``folder``, if there is one.

    The database is ``database.sqlite`` there, an image ``images/SHA256``. Remove the folder if
    this fails.

    Raises:
        ConfigError: ``backup-invalid``: it is damaged, cut, or no backup.
        Unavailable: the file cannot be read, or the folder not be written.
    """
    reading = _Reading(file, folder, progress)
    try:
        with file.open("rb") as opened:
            reading.size = os.fstat(opened.fileno()).st_size
            with tarfile.open(fileobj=opened, mode="r|") as tar:
                for info in tar:
                    reading.take(tar, info)
    except OSError as error:
        if isinstance(error, tarfile.TarError):
            raise invalid(f"it cannot be read as a tar: {error}", str(file)) from error
        place = error.filename or file
        raise Unavailable("file-unreadable", str(error.strerror), where=str(place)) from error
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise invalid(f"it cannot be read as a tar: {error}", str(file)) from error
    return reading.end()


class _Reading:
    """What was read so far."""

    def __init__(self, file: Path, folder: Path | None, progress: OnBytes | None) -> None:
        self._where = str(file)
        self._folder = folder
        self._progress = progress
        self._found: dict[str, BackedUpFile] = {}
        self._kept: dict[str, bytes] = {}
        self.size = 0

    def take(self, tar: tarfile.TarFile, info: tarfile.TarInfo) -> None:
        """Take the next file."""
        name = info.name
        if MANIFEST in self._kept:
            raise invalid(f"a file follows {MANIFEST}: {name!r:.80}", self._where)
        if not info.isreg() or (name != MANIFEST and not is_member(name)):
            raise invalid(f"it has a file of another kind or name: {name!r:.80}", self._where)
        if name in self._found:
            raise invalid(f"{name} is there twice", self._where)
        bound = _MEMORY.get(name)
        if bound is not None and info.size > bound:
            raise invalid(f"{name} is longer than {bound >> 20} MiB", self._where)
        content = tar.extractfile(info)
        digest = hashlib.sha256()
        parts: list[bytes] = []
        target = None if bound is not None or self._folder is None else self._folder / name
        opened = None
        if target is not None:
            target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            mode = 0o600 if name == DATABASE else 0o644
            opened = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            while content is not None and (chunk := content.read(_CHUNK)):
                digest.update(chunk)
                if bound is not None:
                    parts.append(chunk)
                elif opened is not None:
                    _write(opened, chunk)
                if self._progress is not None:
                    self._progress(min(tar.offset, self.size), self.size)
            if opened is not None:
                os.fsync(opened)
        finally:
            if opened is not None:
                os.close(opened)
        if name == MANIFEST or bound is not None:
            self._kept[name] = b"".join(parts)
        if name != MANIFEST:
            self._found[name] = BackedUpFile(size=info.size, sha256=digest.hexdigest())

    def end(self) -> ReadBackup:
        """Compare what was read with the list."""
        listed = self._kept.get(MANIFEST)
        if listed is None:
            raise invalid(f"it is cut, or no backup: {MANIFEST} is missing", self._where)
        manifest = parse_manifest(listed, self._where)
        for name, member in manifest.members.items():
            if name not in self._found:
                raise invalid(f"{name} is missing", self._where)
            if self._found[name] != member:
                raise invalid(f"{name} is damaged", self._where)
        for name in self._found:
            if name not in manifest.members:
                raise invalid(f"{name} is not listed", self._where)
        for name, member in self._found.items():
            # Damaged when the backup was made; its list says so.
            damaged = name.startswith(IMAGES) and name != f"{IMAGES}{member.sha256}"
            if damaged and self._folder is not None:
                (self._folder / name).unlink()
        return ReadBackup(manifest, self._kept[SETTINGS], self._kept.get(PRIVATE, b""))


def _write(opened: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(opened, view) :]
