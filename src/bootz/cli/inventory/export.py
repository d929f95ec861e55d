"""``bootz export``: what ``bootz import`` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootz.cli.base import PATH, Cli, one_of, verb
from bootz.cli.inventory.base import reading
from bootz.cli.output import OutputFormat
from bootz.server.importing.items import SECTIONS, FileForm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pydantic import JsonValue


@verb("export")
@click.option(
    "--format",
    "form",
    type=one_of(FileForm),
    help="csv contains only the chassis. Default: yaml, or json with `--output json`.",
)
@click.option(
    "--to",
    type=PATH,
    metavar="FILE",
    help="Write to FILE with mode 0600. Default: stdout.",
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(SECTIONS),
    help="Only this section; repeatable.",
)
@click.pass_obj
def command(cli: Cli, form: str | None, to: Path | None, only: tuple[str, ...]) -> None:
    """Write the inventory: vendors with CAs, images by digest, profiles, chassis, vouchers.

    It holds what routers get: password hashes, credentials and configurations too. Keep it safe.
    Vouchers are those that pin this site's certificate and are not past their end.
    """
    from bootz.keystore.files import atomic_write
    from bootz.server.importing.exporting import (
        check_exportable,
        export_sections,
        write_csv,
        write_json,
        write_yaml,
    )
    from bootz.trust.certificates import fingerprint

    which = FileForm(form) if form else FileForm.YAML
    if form is None and cli.output.form is OutputFormat.JSON:
        which = FileForm.JSON
    if which is FileForm.CSV and only not in ((), ("chassis",)):
        raise click.UsageError("csv contains only the chassis")
    site = cli.site()
    pinned = fingerprint(site.pinned_domain_cert())
    with reading(cli) as connection:
        now = site.clock()

        def sections() -> Iterator[tuple[str, Iterable[Mapping[str, JsonValue]]]]:
            return export_sections(connection, pinned_sha256=pinned, now=now, only=only or SECTIONS)

        if which is not FileForm.CSV:
            check_exportable(sections())
        match which:
            case FileForm.YAML:
                pieces = write_yaml(sections())
            case FileForm.JSON:
                pieces = write_json(sections())
            case FileForm.CSV:
                pieces = write_csv(connection)
        if to is None:
            for piece in pieces:
                click.echo(piece, nl=False)
            return
        atomic_write(to, "".join(pieces).encode(), mode=0o600)
    cli.output.message(f"wrote {to}")
