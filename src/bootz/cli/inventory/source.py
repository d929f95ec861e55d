"""``bootz source``: chassis that are planned in NetBox or Nautobot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import click

from bootz.cli.base import Cli, noun, together
from bootz.cli.names import SERIAL
from bootz.cli.output import columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from bootz.server.sources.planning import Synced
    from bootz.server.sources.syncing import SourceRoom

command = noun("source", "Sources of truth: routers that are planned in NetBox or Nautobot.")

_NAME = click.argument("name")
_TERMS = together(
    click.option("--update", is_flag=True, help="Take the source's values over changes made here."),
    click.option(
        "--adopt",
        is_flag=True,
        help="Take chassis into the source's hands that are here already with the same values.",
    ),
    click.option(
        "--accept-missing",
        is_flag=True,
        help="Go on although more devices disappeared than max_missing allows.",
    ),
)
_CHANGES = columns("action", "name", "changes")
_FAULTS = columns("name", "device", "reason", "detail", "next")
_LISTED = {
    "faults": columns("name", "url", "reason", "detail", "next"),
    "push_faults": columns("name", "url", "reason", "next"),
}
"""What `show NAME` has of devices, each in a table of its own."""


def _room(cli: Cli) -> AbstractContextManager[SourceRoom]:
    from contextlib import contextmanager

    from bootz.server.sources.syncing import SourceRoom

    @contextmanager
    def opened() -> Iterator[SourceRoom]:
        site = cli.site()
        database = site.database()
        try:
            yield SourceRoom(site.root, site.config, database, site.clock)
        finally:
            database.close()

    return opened()


@command.command("check")
@_NAME
@click.pass_obj
def check(cli: Cli, name: str) -> None:
    """Check token, version, rights and filters of a source; change nothing."""
    import asyncio

    from bootz.errors import ConfigError
    from bootz.server.sources.checking import check_source

    with _room(cli) as room:
        settings = room.settings(name)
        checks = asyncio.run(check_source(room, settings))
    cli.output.rows(
        columns("check", "outcome", "detail", "next"), [each.to_record() for each in checks]
    )
    failed = [each for each in checks if not each.passed]
    if failed:
        raise ConfigError(failed[0].reason, f"{len(failed)} of {len(checks)} failed", where=name)


@command.command("diff")
@_NAME
@_TERMS
@click.pass_obj
def diff(cli: Cli, /, name: str, **options: Any) -> None:
    """Show what a sync would change; change nothing."""
    _run(cli, name, {**options, "from_copy": False, "dry_run": True})


@command.command("sync")
@_NAME
@_TERMS
@click.option("--from-copy", is_flag=True, help="Use the last good copy; do not ask the source.")
@click.option("--dry-run", is_flag=True, help="As `bootz source diff`.")
@click.pass_obj
def sync(cli: Cli, /, name: str, **options: Any) -> None:
    """Bring the inventory to what a source says, in one transaction; nothing is ever removed."""
    _run(cli, name, options)


def _run(cli: Cli, name: str, options: Mapping[str, bool]) -> None:
    import asyncio

    from bootz.cli.inventory.importing import busy
    from bootz.server.sources import syncing
    from bootz.server.sources.planning import RefusedSync, SyncOrder

    order = SyncOrder(
        update=options["update"],
        adopt=options["adopt"],
        accept_missing=options["accept_missing"],
        dry_run=options["dry_run"],
    )
    try:
        with _room(cli) as room, busy("reading the source"):
            settings = room.settings(name)
            if options["from_copy"]:
                synced = syncing.sync_from_copy(room, settings, order)
            else:
                synced = asyncio.run(syncing.sync(room, settings, order))
    except RefusedSync as error:
        _show(cli, error.synced, dry_run=order.dry_run, refused=True)
        raise
    _show(cli, synced, dry_run=order.dry_run)


def _show(cli: Cli, synced: Synced, *, dry_run: bool, refused: bool = False) -> None:
    from bootz.cli.output import OutputFormat
    from bootz.server.importing.differences import Action
    from bootz.server.sources.planning import fault_rows

    changes = [
        {"action": each.action.value, "name": each.name, "changes": list(each.changes)}
        for each in ([] if refused else synced.changes)
        if each.action is not Action.SAME
    ]
    faults = fault_rows(synced)
    if cli.output.form is not OutputFormat.TABLE:
        cli.output.document(
            {
                "dry_run": dry_run,
                "refused": refused,
                "changes": changes,
                "faults": faults,
                "held": synced.held,
                "released": synced.released,
                "warnings": synced.notes,
                "counts": synced.counts,
            }
        )
        return
    if faults:
        cli.output.rows(_FAULTS, faults)
    if changes:
        cli.output.rows(_CHANGES, changes)
    for note in synced.notes:
        cli.output.warning(note)
    for word, serials in (("put on hold", synced.held), ("released", synced.released)):
        if serials:
            cli.output.message(f"{word}: {', '.join(serials)}")
    if not refused:
        told = ", ".join(f"{number} {word}" for word, number in synced.counts.items() if number)
        cli.output.message(f"A dry run: nothing was changed ({told})." if dry_run else f"{told}.")


@command.command("show")
@click.argument("name", required=False)
@click.pass_obj
def show(cli: Cli, name: str | None) -> None:
    """Show sources: the last sync, the age of the copy, and the faults of devices."""
    from bootz.cli.output import OutputFormat
    from bootz.server.sources.showing import show_sources

    with _room(cli) as room:
        names = [room.settings(name).name] if name else [each.name for each in room.config.sources]
        shown = show_sources(room, names)
    for each in shown:
        for warning in each.warnings:
            cli.output.warning(warning)
    if name:
        record = shown[0].to_record(whole=True)
        if cli.output.form is not OutputFormat.TABLE:
            cli.output.document(record)
            return
        cli.output.record({key: record[key] for key in record if key not in _LISTED})
        for key, form in _LISTED.items():
            if record[key]:
                cli.output.message(f"{key.replace('_', ' ')}:")
                cli.output.rows(form, cast("list[dict[str, object]]", record[key]))
        return
    cli.output.rows(
        columns("name", "kind", "url", "copy_at", "chassis", "faults", "failed_at", "reason"),
        [each.to_record() for each in shown],
    )


@command.command("release")
@click.argument("serial", type=SERIAL)
@click.option("--vendor", help="The manufacturer, where two have the serial number.")
@click.pass_obj
def release(cli: Cli, serial: str, vendor: str | None) -> None:
    """Take a chassis out of its source's hands: no sync changes it any more."""
    from bootz.cli.inventory.base import writing
    from bootz.server.sources.releasing import release_from_source

    with writing(cli) as connection:
        source = release_from_source(connection, serial, vendor)
    cli.output.record({"serial_number": serial, "released_from": source})
