"""What ``bootz chassis set`` does: one chassis, or many in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import click
from sqlalchemy import Connection

from bootz.cli.base import Cli
from bootz.cli.inventory.base import writing
from bootz.cli.inventory.chassis.changes import with_options, without
from bootz.cli.inventory.chassis.choice import chosen_keys
from bootz.cli.output import Column
from bootz.server.importing.differences import differences
from bootz.server.operations.chassis import chassis_by_keys, find_chassis, set_all_chassis
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.doubles import find_doubles

_OF_ONE: Final = {
    "vendor": "--vendor",
    "new_serial": "--new-serial",
    "hostname": "--hostname",
    "modular": "--modular/--fixed",
    "cards": "--card",
    "macs": "--mac",
    "client_ids": "--client-id",
    "duids": "--duid",
    "ipv4": "--ipv4",
    "ipv6": "--ipv6",
    "tpm_ek": "--tpm-ek",
    "tpm_ppk": "--tpm-ppk",
    "tpm_key": "--tpm-key",
    "tpm_ek_certificate": "--tpm-ek-certificate",
}
"""Options whose values belong to one chassis, and how a person writes them."""

_SHARED: Final = ("hostname", "macs", "client_ids", "duids", "ipv4", "ipv6")
"""Options whose values no two chassis should have."""

_CHANGES: Final = (Column("vendor"), Column("serial_number", "SERIAL"), Column("changes"))


def set_one(
    cli: Cli, serial: str, options: Mapping[str, Any], *, dry_run: bool
) -> ChassisRecord | None:
    """Change the chassis of a serial number, and return it; a dry run prints the changes."""
    with writing(cli) as connection:
        before = find_chassis(connection, serial, options["vendor"])
        (after,) = _set(connection, [before], options)
        if any(options[name] for name in _SHARED):
            _warn_of_doubles(cli, connection, [after])
        if dry_run:
            connection.rollback()
    if not dry_run:
        return after
    _show(cli, [(before, after)], dry_run=True)
    return None


def set_many(
    cli: Cli, conditions: Sequence[str], options: Mapping[str, Any], *, dry_run: bool
) -> None:
    """Change all chassis that the conditions choose, or none, and print the changes.

    Raises:
        BadParameter: a condition is wrong.
        UnknownChassis: ``where-matches-none``.
        UsageError: an option is for one chassis alone, or there is no change.
    """
    odd = [words for name, words in _OF_ONE.items() if options[name] not in (None, ())]
    if odd:
        raise click.UsageError(f"{', '.join(odd)}: only for one chassis, named with SERIAL")
    forgets = options["forget_tpm"]
    if not forgets and not any(
        value not in (None, ()) for name, value in options.items() if name != "forget_tpm"
    ):
        raise click.UsageError("no change is given")
    with writing(cli) as connection:
        before = list(chassis_by_keys(connection, chosen_keys(connection, conditions)).values())
        after = _set(connection, before, options)
        if dry_run:
            connection.rollback()
    _show(cli, list(zip(before, after, strict=True)), dry_run=dry_run)


def _set(
    connection: Connection, before: Sequence[ChassisRecord], options: Mapping[str, Any]
) -> tuple[ChassisRecord, ...]:
    return set_all_chassis(connection, [(each, _changed(each, options)) for each in before])


def _warn_of_doubles(cli: Cli, connection: Connection, after: Sequence[ChassisRecord]) -> None:
    for double in find_doubles(connection, [each.key for each in after]):
        cli.output.warning(double.told())


def _changed(before: ChassisRecord, options: Mapping[str, Any]) -> ChassisRecord:
    kept = without(before, options["unset_var"], options["unset_override"], options["unset_label"])
    if options["new_serial"] is not None:
        kept = replace(kept, serial_number=options["new_serial"])
    return with_options(kept, options)


def _show(cli: Cli, pairs: Iterable[tuple[ChassisRecord, ChassisRecord]], *, dry_run: bool) -> None:
    rows = [
        {"vendor": after.vendor, "serial_number": after.name, "changes": changes}
        for before, after in pairs
        if (changes := list(differences(before.to_whole_document(), after.to_whole_document())))
    ]
    cli.output.rows(_CHANGES, rows)
    words = f"{len(rows)} chassis changed"
    cli.output.message(f"A dry run: nothing was stored ({words})." if dry_run else f"{words}.")
