"""Images as files: record and file change in an order in which a crash leaves no record alone."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from bootz.cli.output import stderr
from bootz.errors import BootzError, ConfigError, ConflictError, Unavailable
from bootz.images.addresses import ImageAddress, is_file_name
from bootz.images.depot import Depot, StoredFile
from bootz.images.depot import Progress as OnProgress
from bootz.server.operations.image_kinds import ImageKind
from bootz.server.operations.images import ImageRecord, add_image, list_images, replace_image
from bootz.server.store.database import Database


def store_image(
    database: Database,
    depot: Depot,
    source: Path,
    *,
    name: str,
    version: str,
    kind: ImageKind,
    file_name: str,
    now: datetime,
    progress: OnProgress | None = None,
) -> ImageRecord:
    """Put a file into the depot and on record; all of it or nothing.

    Raises:
        ConfigError: the file, the name or the version does not fit.
        ConflictError: it is in the inventory already, or the file is being written to.
        Unavailable: database, file or depot cannot be used.
    """
    if not is_file_name(file_name):
        raise ConfigError(
            "image-invalid", "the file name cannot be used in a URL", where="file_name"
        )
    # A trial, so that what cannot be recorded is told before gigabytes are read.
    with database.write() as connection:
        add_image(connection, ImageRecord(name, version, kind, file_name, 1, "0" * 64, now))
        connection.rollback()
    stored = depot.add(source, progress=progress)
    try:
        with database.write() as connection:
            record = add_image(
                connection,
                ImageRecord(name, version, kind, file_name, stored.size, stored.sha256, now),
            )
            _require_file(depot, stored.sha256, name)
    except BootzError:
        drop_unnamed(database, depot, stored.sha256)
        raise
    return record


def replace_file(
    database: Database,
    depot: Depot,
    source: Path,
    record: ImageRecord,
    *,
    other_content: bool,
    now: datetime,
    progress: OnProgress | None = None,
) -> ImageRecord:
    """Put a file in the place of an image's, also while profiles and chassis name it.

    With ``other_content`` the file may have another digest, which is then the recorded one.

    Raises:
        ConfigError: the file does not fit.
        ConflictError: ``image-file-other``, or the file is being written to.
        Unavailable: database, file or depot cannot be used.
    """
    stored = depot.add(source, progress=progress)
    if stored.sha256 == record.sha256:
        return record
    try:
        if not other_content:
            raise ConflictError(
                "image-file-other",
                "the file has another digest",
                where=record.full_name,
                expected=record.sha256,
                seen=stored.sha256,
            )
        with database.write() as connection:
            changed = replace_image(
                connection, record, size=stored.size, sha256=stored.sha256, now=now
            )
            _require_file(depot, stored.sha256, record.name)
    except BootzError:
        drop_unnamed(database, depot, stored.sha256)
        raise
    drop_unnamed(database, depot, record.sha256)
    return changed


def _require_file(depot: Depot, sha256: str, name: str) -> None:
    # Removals look under the same lock: what is here now stays.
    if not depot.holds(sha256):
        raise Unavailable(
            "image-file-missing", "it was removed while it was being added", where=name
        )


def drop_unnamed(database: Database, depot: Depot, sha256: str) -> None:
    """Remove a file that no record names; under the write lock, so that none begins to."""
    with database.write() as connection:
        if all(record.sha256 != sha256 for record in list_images(connection)):
            depot.remove(sha256)


def image_row(record: ImageRecord, *, stored: bool) -> dict[str, object]:
    """Return the row of an image."""
    return {
        "kind": record.kind,
        "name": record.name,
        "version": record.version,
        "file_name": record.file_name,
        "size": record.size,
        "sha256": record.sha256,
        "path": ImageAddress(record.sha256, record.file_name).target,
        "added_at": record.added_at,
        "stored": stored,
    }


def verified_rows(
    records: Sequence[ImageRecord], depot: Depot
) -> tuple[list[dict[str, object]], list[Unavailable]]:
    """Return the rows of images whose files were read whole, and what is wrong with files."""
    flaws: dict[str, Unavailable | None] = {}
    rows: list[dict[str, object]] = []
    for record in records:
        if record.sha256 not in flaws:
            flaws[record.sha256] = None
            try:
                with shown_progress(f"reading {record.file_name}") as progress:
                    depot.verify(StoredFile(record.sha256, record.size), progress=progress)
            except Unavailable as error:
                flaws[record.sha256] = error
        row = image_row(record, stored=depot.holds(record.sha256))
        rows.append({**row, "verified": flaws[record.sha256] is None})
    return rows, [flaw for flaw in flaws.values() if flaw is not None]


@contextmanager
def shown_progress(words: str) -> Iterator[OnProgress | None]:
    """A bar on the terminal; nothing without a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr(), transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)
