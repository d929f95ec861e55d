"""Writes a backup: what the database had at one moment, with the files that belong to it."""

import hashlib
import io
import os
import secrets
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from sqlalchemy import select
from sqlalchemy.engine import make_url

from bootz import __version__
from bootz.config.file import CONFIG_NAME, read_settings
from bootz.errors import ConflictError
from bootz.keystore.files import sync_folder
from bootz.server.backup.form import (
    DATABASE,
    FORM,
    IMAGES,
    MANIFEST,
    PRIVATE,
    SETTINGS,
    BackedUpFile,
    Manifest,
    OnBytes,
)
from bootz.server.backup.private import pack, private_files
from bootz.server.backup.sealing import seal_by, seal_for
from bootz.server.backup.tables import copy_file, copy_to_file
from bootz.server.database_url import database_url
from bootz.server.placing import unwritable
from bootz.server.site import Site
from bootz.server.store.migrations import SITE_SCHEMA
from bootz.server.store.schema import IMAGE
from bootz.sql.engine import sqlite_engine
from bootz.sql.times import to_text
from bootz.sql.upgrade import read_version

_CHUNK: Final = 1 << 20


class ImagesToCopy(Protocol):
    """The image store's files, by their SHA-256."""

    def status(self, sha256: str) -> os.stat_result | None:
        """Return the status of a file, None where it is missing."""

    def open(self, sha256: str) -> BinaryIO:
        """Open a file."""


@dataclass(frozen=True, slots=True)
class Seal:
    """How the keys are encrypted: by a passphrase, or for age recipients."""

    passphrase: str = field(default="", repr=False)
    recipients: Sequence[str] = ()

    @property
    def kind(self) -> str:
        """``passphrase`` or ``recipients``."""
        return "passphrase" if self.passphrase else "recipients"

    def close(self, content: bytes) -> bytes:
        """Return it encrypted.

        Raises:
            ConfigError: a recipient is not one.
        """
        if self.passphrase:
            return seal_by(self.passphrase, content)
        return seal_for(self.recipients, content)


def write_backup(
    site: Site,
    file: Path,
    now: datetime,
    *,
    seal: Seal | None = None,
    images: ImagesToCopy | None = None,
    progress: OnBytes | None = None,
) -> Manifest:
    """Write a backup of a site, which may serve while this runs; the file is whole, or not there.

    ``seal`` takes the keys and all other files of the site's folder along, encrypted, and
    ``images`` the files of images.

    Raises:
        ConflictError: ``file-exists``.
        ConfigError: settings, recipients or the tables' version do not hold.
        Unavailable: the database or a file cannot be read, or the backup not be written.
    """
    if os.path.lexists(file):
        raise ConflictError("file-exists", "it is there already", where=str(file))
    settings = read_settings(site.root / CONFIG_NAME)
    private = b"" if seal is None else seal.close(pack(_private(site)))
    with _unfinished(file) as (unfinished, copy):
        _copy_database(site, copy)
        engine = sqlite_engine(copy)
        try:
            version = read_version(engine, SITE_SCHEMA) or 0
            wanted = {} if images is None else _images(site, copy)
        finally:
            engine.dispose()
        _one_file(copy)
        members: dict[str, BackedUpFile] = {}
        left_out = [] if seal is not None else ["keys, and other files of the site's folder"]
        with open(unfinished, "xb", opener=_private_mode) as written:
            with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT) as tar:
                add = _Adding(tar, members, now)
                add.content(SETTINGS, settings)
                with copy.open("rb") as database:
                    add.stream(DATABASE, database, copy.stat().st_size)
                if private:
                    add.content(PRIVATE, private)
                if images is not None:
                    left_out += _add_images(images, add, wanted, progress)
                else:
                    left_out.append("the files of images")
                manifest = Manifest(
                    form=FORM,
                    made_at=to_text(now),
                    bootz=__version__,
                    schema_version=version,
                    engine=make_url(site.config.database.url).get_backend_name(),
                    organization=site.config.organization,
                    sealed_for="" if seal is None else seal.kind,
                    images=images is not None,
                    left_out=tuple(left_out),
                    members=members,
                )
                add.content(MANIFEST, manifest.to_bytes(), listed=False)
            written.flush()
            os.fsync(written.fileno())
    return manifest


class _Adding:
    """Adds members, and notes what they were."""

    def __init__(
        self, tar: tarfile.TarFile, members: dict[str, BackedUpFile], now: datetime
    ) -> None:
        self._tar = tar
        self._members = members
        self._at = int(now.timestamp())

    def content(self, name: str, content: bytes, *, listed: bool = True) -> None:
        self._tar.addfile(self._info(name, len(content)), io.BytesIO(content))
        if listed:
            digest = hashlib.sha256(content).hexdigest()
            self._members[name] = BackedUpFile(size=len(content), sha256=digest)

    def stream(
        self, name: str, source: BinaryIO, size: int, on_read: Callable[[int], None] | None = None
    ) -> str:
        digest = hashlib.sha256()
        reading = _Reading(source, digest.update, on_read)
        self._tar.addfile(self._info(name, size), reading)  # type: ignore[arg-type]
        self._members[name] = BackedUpFile(size=size, sha256=digest.hexdigest())
        return digest.hexdigest()

    def _info(self, name: str, size: int) -> tarfile.TarInfo:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, self._at
        return info


class _Reading:
    """A file that tells what is read from it."""

    def __init__(
        self,
        source: BinaryIO,
        update: Callable[[bytes], None],
        on_read: Callable[[int], None] | None,
    ) -> None:
        self._source = source
        self._update = update
        self._on_read = on_read

    def read(self, size: int) -> bytes:
        data = self._source.read(size)
        self._update(data)
        if self._on_read is not None:
            self._on_read(len(data))
        return data


def _private(site: Site) -> Iterator[tuple[str, Path]]:
    with site.keys.changing():
        yield from private_files(site.root, _sqlite_file(site), site.images_folder)


def _sqlite_file(site: Site) -> Path | None:
    url = make_url(database_url(site.root, site.config.database))
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def _copy_database(site: Site, copy: Path) -> None:
    file = _sqlite_file(site)
    if file is not None:
        copy_file(file, copy)
        return
    engine = site.database_engine()
    try:
        copy_to_file(engine, copy)
    finally:
        engine.dispose()


def _one_file(copy: Path) -> None:
    """Remove what a reading connection left beside a copy: nothing of it is in there alone."""
    for end in ("-wal", "-shm"):
        copy.with_name(copy.name + end).unlink(missing_ok=True)


def _images(site: Site, copy: Path) -> dict[str, int]:
    """Return the files of all images in the copy, with their sizes."""
    engine = sqlite_engine(copy)
    try:
        with engine.connect() as connection:
            rows = connection.execute(select(IMAGE.c.sha256, IMAGE.c.size)).all()
    finally:
        engine.dispose()
    return {row.sha256: row.size for row in rows}


def _add_images(
    images: ImagesToCopy, add: _Adding, wanted: dict[str, int], progress: OnBytes | None
) -> list[str]:
    """Add the files of images; return those that are not there, or are damaged."""
    total, done = sum(wanted.values()), 0
    missing = []
    for sha256, size in wanted.items():

        def on_read(count: int) -> None:
            nonlocal done
            done += count
            if progress is not None:
                progress(done, total)

        status = images.status(sha256)
        if status is None or status.st_size != size:
            missing.append(f"image {sha256}: its file is missing, or has another size")
            continue
        with images.open(sha256) as source:
            if add.stream(f"{IMAGES}{sha256}", source, size, on_read) != sha256:
                missing.append(f"image {sha256}: its file is damaged")
    return missing


@contextmanager
def _unfinished(file: Path) -> Iterator[tuple[Path, Path]]:
    """Give two places beside the file, for the backup and a copy; the first becomes the file."""
    mark = secrets.token_hex(8)
    unfinished = file.with_name(f".{file.name}.{mark}.unfinished")
    copy = file.with_name(f".{file.name}.{mark}.database")
    try:
        yield unfinished, copy
        os.link(unfinished, file)
        sync_folder(file.absolute().parent)
    except FileExistsError as error:
        raise ConflictError("file-exists", "it is there already", where=str(file)) from error
    except OSError as error:
        raise unwritable(file, error) from error
    finally:
        for path in (unfinished, copy, *(copy.with_name(copy.name + e) for e in ("-wal", "-shm"))):
            path.unlink(missing_ok=True)


def _private_mode(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
