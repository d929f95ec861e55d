"""Images as files: record and file change in an order in which a crash leaves no record alone."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from bootz.cli.output import stderr
from bootz.errors import BootzError, ConfigError, Unavailable
from bootz.images.addresses import ImageAddress, is_file_name
from bootz.images.depot import Depot
from bootz.images.depot import Progress as OnProgress
from bootz.server.operations.image_kinds import ImageKind
from bootz.server.operations.images import ImageRecord, add_image, list_images
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
            # Removals look under the same lock: what is here now stays.
            if not depot.holds(stored.sha256):
                raise Unavailable(
                    "image-file-missing", "it was removed while it was being added", where=name
                )
    except BootzError:
        drop_unnamed(database, depot, stored.sha256)
        raise
    return record


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
