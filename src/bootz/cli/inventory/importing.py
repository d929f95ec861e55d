"""What ``bootz import`` does: reads files, applies them in one transaction, tells what changed."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from bootz.cli.base import Cli
from bootz.cli.output import Column, error_record, stderr
from bootz.cli.site.reference import import_reference, warn_of_reference
from bootz.errors import ConfigError
from bootz.images.depot import Depot
from bootz.server.importing.applying import Applied, Terms, apply_items
from bootz.server.importing.differences import Action
from bootz.server.importing.files import form_of, read_import
from bootz.server.importing.items import SECTIONS, FileForm, ImportFault, ReadFile
from bootz.server.importing.merging import CLEARED, cleared_column
from bootz.server.importing.reference.reading import read_reference
from bootz.server.keys.brought import Brought, BroughtKeys, import_keys
from bootz.server.keys.publishing import publish_certificates
from bootz.server.site import Site
from bootz.server.store.database import Database
from bootz.server.store.rehearsal import change_rehearsed

_CHANGES = (Column("action"), Column("section"), Column("name"), Column("changes"))


_FAULTS = (
    Column("place"),
    Column("where"),
    Column("detail"),
    Column("reason"),
    Column("action", "NEXT"),
)


def import_files(cli: Cli, files: Sequence[Path], options: dict[str, Any]) -> None:
    """Import files of our own forms, and tell what changed."""
    forms = [_form(path, options["form"]) for path in files]
    clear = _cleared(options["clear"])
    with busy("reading"):
        read = [read_import(path, form) for path, form in zip(files, forms, strict=True)]
    site = cli.site()
    with closing(site.database()) as database, busy("importing"):
        applied = _import_read(
            site,
            database,
            read,
            update=options["update"],
            clear=clear,
            dry_run=options["dry_run"],
            only=options["only"] or SECTIONS,
        )
    show_applied(cli, applied, dry_run=options["dry_run"])


def import_reference_file(cli: Cli, path: Path, options: dict[str, Any]) -> None:
    """Import a configuration of the Go reference, and tell what changed."""
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
    with closing(site.database()) as database, busy("importing"):
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
        if not options["dry_run"]:
            publish_certificates(site, database)
    show_applied(cli, applied, dry_run=options["dry_run"])
    if not options["dry_run"]:
        warn_of_reference(cli, reference)


def _put_in_force(site: Site, keys: BroughtKeys, *, keep_earlier: bool) -> None:
    if keys != BroughtKeys():
        import_keys(site, keys, site.clock(), keep_earlier=keep_earlier)


def _unless(brought: Brought | None, certificate: bytes) -> Brought | None:
    """Return what is brought, unless it is in force already."""
    return None if brought is None or brought.certificates[0] == certificate else brought


def _import_read(
    site: Site,
    database: Database,
    files: Sequence[ReadFile],
    *,
    update: bool,
    clear: frozenset[str],
    dry_run: bool,
    only: Sequence[str],
) -> Applied:
    """Apply files in one transaction; undone if anything has a fault, or for a dry run."""
    depot = Depot(site.images_folder)
    terms = Terms(
        now=site.clock(),
        pinned_domain_cert=site.pinned_domain_cert(),
        has_image=depot.holds,
        update=update,
        clear=clear,
    )
    return change_rehearsed(
        database,
        None,
        lambda connection: apply_items(connection, files, terms, only),
        keeps=lambda applied: not applied.faults and not dry_run,
    )


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
        ],
    )
    added, updated, same = (applied.count(action) for action in Action)
    words = f"{added} added, {updated} updated, {same} the same"
    if applied.left_out:
        words += f"; {applied.left_out} more changes are not listed"
    if applied.warnings:
        words += f"; warnings: {len(applied.warnings)}"
    cli.output.message(f"A dry run: nothing was changed ({words})." if dry_run else f"{words}.")


def _fault_row(fault: ImportFault) -> dict[str, object]:
    told = error_record(fault.error)
    return {"place": fault.place, **told, "action": fault.error.remedy}


def _cleared(names: Sequence[str]) -> frozenset[str]:
    columns = {name: cleared_column(name) for name in names}
    for name, column in columns.items():
        if not column:
            close = get_close_matches(name, CLEARED, n=1)
            words = f"did you mean {close[0]}?" if close else f"use one of {', '.join(CLEARED)}"
            raise click.BadParameter(f"{name!r} cannot be cleared; {words}", param_hint="--clear")
    return frozenset(columns.values())


def _form(path: Path, given: str | None) -> FileForm:
    form = FileForm(given) if given else form_of(path)
    if form is None:
        raise click.UsageError(
            f"{path}: the format cannot be told from the file name; use --format"
        )
    return form


@contextmanager
def busy(words: str) -> Iterator[None]:
    """Show progress on a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    with stderr().status(words):
        yield
