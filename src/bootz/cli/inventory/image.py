"""``bootz image``: software images, SMUs and patches; the record in the database, the file beside.

The two change in an order in which a crash leaves at most a file that nothing names.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from bootz.cli.base import Cli, noun
from bootz.cli.output import Column, stderr
from bootz.errors import BootzError, ConfigError, Unavailable
from bootz.images.addresses import ImageAddress, is_file_name
from bootz.images.depot import Depot, StoredFile
from bootz.images.depot import Progress as OnProgress
from bootz.server.operations.images import (
    ImageKind,
    ImageRecord,
    add_image,
    find_image,
    list_images,
    remove_image,
)
from bootz.server.store.database import Database

command = noun("image", "Software images, SMUs and patches.")

_COLUMNS = (
    Column("kind"),
    Column("name"),
    Column("version"),
    Column("file_name", "FILE"),
    Column("size", right=True),
    Column("sha256", "SHA-256"),
    Column("stored"),
)

_kind_option = click.option(
    "--kind",
    type=click.Choice([kind.value for kind in ImageKind]),
    default=ImageKind.IMAGE.value,
    show_default=True,
    help="Type of the file.",
)


@command.command("add")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Image name, as routers know it.")
@click.option("--version", required=True, help="Version, as routers report it.")
@click.option("--file-name", default="", help="File name in the URL. Default: that of FILE.")
@_kind_option
@click.pass_obj
def add(cli: Cli, file: Path, name: str, version: str, file_name: str, kind: str) -> None:
    """Add FILE to the image store and record its size and SHA-256."""
    site = cli.site()
    database = site.database()
    try:
        with _shown_progress(f"adding {file.name}") as progress:
            record = store_image(
                database,
                Depot(site.images_folder),
                file,
                name=name,
                version=version,
                kind=ImageKind(kind),
                file_name=file_name or file.name,
                now=datetime.now(UTC),
                progress=progress,
            )
    finally:
        database.close()
    cli.output.record(_row(record, stored=True))


@command.command("list")
@click.pass_obj
def list_(cli: Cli) -> None:
    """List the images, and whether the image store has each file."""
    site = cli.site()
    database = site.database()
    depot = Depot(site.images_folder)
    try:
        with database.read() as connection:
            records = tuple(list_images(connection))
    finally:
        database.close()
    cli.output.rows(_COLUMNS, [_row(each, stored=depot.holds(each.sha256)) for each in records])


@command.command("show")
@click.argument("name")
@click.argument("version")
@_kind_option
@click.option("--verify", is_flag=True, help="Read the whole file and compare its digest.")
@click.pass_obj
def show(cli: Cli, name: str, version: str, kind: str, *, verify: bool) -> None:
    """Show an image, and the path of its URL."""
    site = cli.site()
    database = site.database()
    depot = Depot(site.images_folder)
    try:
        with database.read() as connection:
            record = find_image(connection, ImageKind(kind), name, version)
    finally:
        database.close()
    row = _row(record, stored=depot.holds(record.sha256))
    if verify:
        with _shown_progress(f"reading {record.file_name}") as progress:
            depot.verify(StoredFile(record.sha256, record.size), progress=progress)
        row["verified"] = True
    cli.output.record(row)


@command.command("remove")
@click.argument("name")
@click.argument("version")
@_kind_option
@click.pass_obj
def remove(cli: Cli, name: str, version: str, kind: str) -> None:
    """Remove an image; running downloads are completed."""
    site = cli.site()
    database = site.database()
    try:
        with database.write() as connection:
            record = find_image(connection, ImageKind(kind), name, version)
            remove_image(connection, ImageKind(kind), name, version)
        _drop_unnamed(database, Depot(site.images_folder), record.sha256)
    finally:
        database.close()
    cli.output.message(f"removed {record.kind.value} {record.name} {record.version}")


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
        _drop_unnamed(database, depot, stored.sha256)
        raise
    return record


def _drop_unnamed(database: Database, depot: Depot, sha256: str) -> None:
    """Remove a file that no record names; under the write lock, so that none begins to."""
    with database.write() as connection:
        if all(record.sha256 != sha256 for record in list_images(connection)):
            depot.remove(sha256)


def _row(record: ImageRecord, *, stored: bool) -> dict[str, object]:
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
def _shown_progress(words: str) -> Iterator[OnProgress | None]:
    """A bar on the terminal; nothing without a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr(), transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)
