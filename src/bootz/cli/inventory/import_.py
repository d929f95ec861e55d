"""``bootz import``: an inventory out of files, all or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bootz.cli.base import PATH, Cli, verb
from bootz.cli.site.options import image_option
from bootz.errors import ConfigError
from bootz.server.importing.items import SECTIONS, FileForm

if TYPE_CHECKING:
    from pathlib import Path

_REFERENCE = "reference"


@verb("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=PATH)
@click.option(
    "--format",
    "form",
    type=click.Choice([*(form.value for form in FileForm), _REFERENCE]),
    help="Format of the files. Default: by file name (.yaml, .yml, .json, .csv). "
    "reference: the Go reference's configuration.",
)
@click.option(
    "--update", is_flag=True, help="Update existing entries with the values from the files."
)
@click.option(
    "--clear",
    multiple=True,
    metavar="COLUMN",
    help="With --update: remove the existing value of COLUMN where the files have no value for it. "
    "Repeatable.",
)
@click.option("--dry-run", is_flag=True, help="Only show the changes; nothing is stored.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(SECTIONS),
    help="Only this section of the files; repeatable.",
)
@image_option
@click.option(
    "--take-keys",
    is_flag=True,
    help="With --format reference: use its trust anchor and owner certificate from now on.",
)
@click.option(
    "--drop-earlier",
    is_flag=True,
    help="With --take-keys: stop serving devices that have an earlier trust anchor.",
)
@click.pass_obj
def command(cli: Cli, /, files: tuple[Path, ...], **options: Any) -> None:
    """Import vendors, images, profiles, chassis and vouchers: all of the files, or nothing.

    Entries that are in the inventory with the same values stay; different values are an error,
    unless --update takes them over. What the files do not name, and empty cells, leave everything
    as it is; --clear, or null in YAML and JSON, removes a value. All errors are listed at once.
    """
    from bootz.cli.inventory.importing import import_files, import_reference_file

    if options["clear"] and not options["update"]:
        raise click.UsageError("--clear needs --update")
    if options["form"] == _REFERENCE:
        if len(files) != 1 or options["only"] or options["clear"]:
            raise click.UsageError("--format reference takes exactly one file")
        if options["drop_earlier"] and not options["take_keys"]:
            raise click.UsageError("--drop-earlier needs --take-keys")
        import_reference_file(cli, files[0], options)
        return
    if options["images"] or options["take_keys"] or options["drop_earlier"]:
        raise ConfigError(
            "reference-argument",
            "needs --format reference",
            where="--image, --take-keys, --drop-earlier",
        )
    import_files(cli, files, options)
