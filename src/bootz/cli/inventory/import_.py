"""``bootz import``: an inventory out of files, all or nothing."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from bootz.cli.base import Cli, verb
from bootz.cli.output import Column, error_record, stderr
from bootz.cli.site.reference import image_option, import_reference, warn_of_reference
from bootz.errors import ConfigError
from bootz.images.depot import Depot
from bootz.server.importing.applying import Applied, Terms, apply_items
from bootz.server.importing.differences import Action
from bootz.server.importing.files import FileForm, form_of, read_import
from bootz.server.importing.items import SECTIONS, Fault, Item
from bootz.server.importing.reference import read_reference
from bootz.server.keys.brought import Brought, BroughtKeys, import_keys
from bootz.server.site import Site
from bootz.server.store.database import Database

_REFERENCE = "reference"

_CHANGES = (Column("action"), Column("section"), Column("name"), Column("changes"))
_FAULTS = (
    Column("place", "FILE AND LINE"),
    Column("where"),
    Column("detail"),
    Column("reason"),
    Column("action", "NEXT"),
)


@verb("import")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
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
    unless --update takes them over. Nothing is ever removed. All errors are listed at once.
    """
    if options["form"] == _REFERENCE:
        if len(files) != 1 or options["only"]:
            raise click.UsageError("--format reference takes exactly one file")
        if options["drop_earlier"] and not options["take_keys"]:
            raise click.UsageError("--drop-earlier needs --take-keys")
        _import_reference(cli, files[0], options)
        return
    if options["images"] or options["take_keys"] or options["drop_earlier"]:
        raise ConfigError(
            "reference-argument",
            "needs --format reference",
            where="--image, --take-keys, --drop-earlier",
        )
    forms = [_form(path, options["form"]) for path in files]
    with _busy("reading"):
        read = [read_import(path, form) for path, form in zip(files, forms, strict=True)]
    only = options["only"] or SECTIONS
    site = cli.site()
    database = site.database()
    try:
        with _busy("importing"):
            applied = import_items(
                site,
                database,
                [item for file in read for item in file.items if item.section in only],
                update=options["update"],
                dry_run=options["dry_run"],
                faults=[fault for file in read for fault in file.faults],
            )
    finally:
        database.close()
    show_applied(cli, applied, dry_run=options["dry_run"])


def _import_reference(cli: Cli, path: Path, options: dict[str, Any]) -> None:
    reference = read_reference(path)
    site = cli.site()
    keyring = site.keys.read()
    owner = site.owner_files()
    anchor = site.keys.certificates(keyring.trust_anchors[0])[0]
    differs = BroughtKeys(
        pinned_domain=_unless(reference.keys.pinned_domain, owner.pinned_domain_cert),
        owner=_unless(reference.keys.owner, owner.certificate),
        trust_anchor=_unless(reference.keys.trust_anchor, anchor),
    )
    if differs != BroughtKeys() and not options["take_keys"]:
        raise ConfigError("reference-keys-differ", "nothing was changed", where=reference.where)
    pinned = reference.pinned_domain_cert or owner.pinned_domain_cert
    keep_earlier = not options["drop_earlier"]
    database = site.database()
    try:
        with _busy("importing"):
            applied = import_reference(
                site,
                database,
                reference,
                options["images"],
                pinned_domain_cert=pinned,
                update=options["update"],
                dry_run=options["dry_run"],
                keys=None
                if differs == BroughtKeys()
                else lambda: _put_in_force(site, differs, keep_earlier=keep_earlier),
            )
    finally:
        database.close()
    show_applied(cli, applied, dry_run=options["dry_run"])
    if not options["dry_run"]:
        warn_of_reference(cli, reference)


def _put_in_force(site: Site, keys: BroughtKeys, *, keep_earlier: bool) -> None:
    if keys != BroughtKeys():
        import_keys(site, keys, site.clock(), keep_earlier=keep_earlier)


def _unless(brought: Brought | None, certificate: bytes) -> Brought | None:
    """Return what is brought, unless it is in force already."""
    return None if brought is None or brought.certificates[0] == certificate else brought


def import_items(
    site: Site,
    database: Database,
    items: Sequence[Item],
    *,
    update: bool,
    dry_run: bool = False,
    faults: Sequence[Fault] = (),
) -> Applied:
    """Apply entries in one transaction; undone if anything has a fault, or for a dry run."""
    depot = Depot(site.images_folder)
    terms = Terms(
        now=site.clock(),
        pinned_domain_cert=site.pinned_domain_cert(),
        has_image=depot.holds,
        update=update,
    )
    with database.write() as connection:
        applied = apply_items(connection, items, terms)
        applied.faults[:0] = faults
        if applied.faults or dry_run:
            connection.rollback()
    return applied


def show_applied(cli: Cli, applied: Applied, *, dry_run: bool = False) -> None:
    """Print the difference and what was passed over, or all the faults.

    Raises:
        ConfigError: ``import-refused``, if there are faults.
    """
    if applied.faults:
        cli.output.rows(_FAULTS, [_fault_row(fault) for fault in applied.faults])
        count = len(applied.faults)
        raise ConfigError("import-refused", f"{count} error{'s' * (count != 1)}; nothing changed")
    for warning in applied.warnings:
        cli.output.warning(warning)
    cli.output.rows(
        _CHANGES,
        [
            {
                "action": change.action.value,
                "section": change.section,
                "name": change.name,
                "changes": list(change.changes),
            }
            for change in applied.changes
            if change.action is not Action.SAME
        ],
    )
    added, updated, same = (applied.count(action) for action in Action)
    words = f"{added} added, {updated} updated, {same} the same"
    cli.output.message(f"A dry run: nothing was changed ({words})." if dry_run else f"{words}.")


def _fault_row(fault: Fault) -> dict[str, object]:
    told = error_record(fault.error)
    return {"place": fault.place, **told, "action": fault.error.remedy}


def _form(path: Path, given: str | None) -> FileForm:
    form = FileForm(given) if given else form_of(path)
    if form is None:
        raise click.UsageError(
            f"{path}: the format cannot be told from the file name; use --format"
        )
    return form


@contextmanager
def _busy(words: str) -> Iterator[None]:
    """Show progress on a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    with stderr().status(words):
        yield
