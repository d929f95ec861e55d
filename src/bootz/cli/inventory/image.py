"""``bootz image``: software images, SMUs and patches; the record in the database, the file beside.

The two change in an order in which a crash leaves at most a file that nothing names.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bootz.cli.base import PATH, Cli, noun, one_of
from bootz.cli.inventory.base import reading
from bootz.cli.names import IMAGE_NAME, IMAGE_VERSION
from bootz.cli.output import Column
from bootz.server.operations.image_kinds import ImageKind

if TYPE_CHECKING:
    from pathlib import Path

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
    type=one_of(ImageKind),
    default=ImageKind.IMAGE.value,
    show_default=True,
    help="Type of the file.",
)


@command.command("add")
@click.argument("file", type=PATH)
@click.option("--name", required=True, help="Image name, as routers know it.")
@click.option("--version", required=True, help="Version, as routers report it.")
@click.option("--file-name", default="", help="File name in the URL. Default: that of FILE.")
@_kind_option
@click.pass_obj
def add(cli: Cli, file: Path, name: str, version: str, file_name: str, kind: str) -> None:
    """Add FILE to the image store and record its size and SHA-256."""
    from bootz.cli.inventory.image_files import image_row, shown_progress, store_image
    from bootz.images.depot import Depot

    site = cli.site()
    with (
        closing(site.database()) as database,
        shown_progress(f"adding {file.name}") as progress,
    ):
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
    cli.output.record(image_row(record, stored=True))


@command.command("replace")
@click.argument("file", type=PATH)
@click.option("--name", required=True, type=IMAGE_NAME, help="Image name.")
@click.option("--version", required=True, type=IMAGE_VERSION, help="Image version.")
@click.option(
    "--other-content",
    is_flag=True,
    help="Accept a file with another SHA-256 and record it: the URL of the image changes.",
)
@_kind_option
@click.pass_obj
def replace(
    cli: Cli, file: Path, name: str, version: str, kind: str, *, other_content: bool
) -> None:
    """Put FILE in the place of an image's damaged or missing file, even if the image is in use."""
    from bootz.cli.inventory.image_files import image_row, replace_file, shown_progress
    from bootz.images.depot import Depot
    from bootz.server.operations.images import find_image

    site = cli.site()
    with closing(site.database()) as database:
        with database.read() as connection:
            record = find_image(connection, ImageKind(kind), name, version)
        with shown_progress(f"adding {file.name}") as progress:
            record = replace_file(
                database,
                Depot(site.images_folder),
                file,
                record,
                other_content=other_content,
                now=datetime.now(UTC),
                progress=progress,
            )
    cli.output.record(image_row(record, stored=True))


@command.command("list")
@click.option("--verify", is_flag=True, help="Read all files and compare their digests.")
@click.pass_context
def list_(context: click.Context, /, *, verify: bool) -> None:
    """List the images, and whether the image store has each file.

    With --verify the exit code is 1 if a file is missing or damaged.
    """
    from bootz.cli.inventory.image_files import image_row, verified_rows
    from bootz.images.depot import Depot
    from bootz.server.operations.images import list_images

    cli: Cli = context.obj
    site = cli.site()
    depot = Depot(site.images_folder)
    with reading(cli) as connection:
        records = tuple(list_images(connection))
    if not verify:
        rows = [image_row(each, stored=depot.holds(each.sha256)) for each in records]
        cli.output.rows(_COLUMNS, rows)
        return
    rows, flaws = verified_rows(records, depot)
    cli.output.rows((*_COLUMNS, Column("verified")), rows)
    for flaw in flaws:
        cli.output.message(f"{flaw.reason}: {flaw}")
    context.exit(1 if flaws else 0)


@command.command("show")
@click.argument("name", type=IMAGE_NAME)
@click.argument("version", type=IMAGE_VERSION)
@_kind_option
@click.option("--verify", is_flag=True, help="Read the whole file and compare its digest.")
@click.pass_obj
def show(cli: Cli, name: str, version: str, kind: str, *, verify: bool) -> None:
    """Show an image, and the path of its URL."""
    from bootz.cli.inventory.image_files import image_row, shown_progress
    from bootz.images.depot import Depot, StoredFile
    from bootz.server.operations.images import find_image

    site = cli.site()
    depot = Depot(site.images_folder)
    with reading(cli) as connection:
        record = find_image(connection, ImageKind(kind), name, version)
    row = image_row(record, stored=depot.holds(record.sha256))
    if verify:
        with shown_progress(f"reading {record.file_name}") as progress:
            depot.verify(StoredFile(record.sha256, record.size), progress=progress)
        row["verified"] = True
    cli.output.record(row)


@command.command("remove")
@click.argument("name", type=IMAGE_NAME)
@click.argument("version", type=IMAGE_VERSION)
@_kind_option
@click.pass_obj
def remove(cli: Cli, name: str, version: str, kind: str) -> None:
    """Remove an image; running downloads are completed."""
    from bootz.cli.inventory.image_files import drop_unnamed
    from bootz.images.depot import Depot
    from bootz.server.operations.images import find_image, remove_image

    site = cli.site()
    with closing(site.database()) as database:
        with database.write() as connection:
            record = find_image(connection, ImageKind(kind), name, version)
            remove_image(connection, ImageKind(kind), name, version)
        drop_unnamed(database, Depot(site.images_folder), record.sha256)
    cli.output.message(f"removed {record.kind.value} {record.name} {record.version}")
