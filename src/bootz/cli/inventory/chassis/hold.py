"""``bootz chassis hold`` and ``release``: which routers wait, and when a night begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootz.cli.base import Cli, verb
from bootz.cli.inventory.base import writing
from bootz.cli.inventory.chassis.choice import chosen_keys, where_option

if TYPE_CHECKING:
    from sqlalchemy import Connection

_serials = click.argument("serials", nargs=-1, metavar="[SERIAL...]")
_vendor = click.option("--vendor", help="The manufacturer, where two have the serial number.")

_labels = click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="KEY=VALUE",
    help="Short for --where label:KEY=VALUE.",
)


@verb("hold")
@_serials
@_vendor
@where_option
@_labels
@click.option("--note", default="", help="Why, for whoever meets the hold later.")
@click.pass_obj
def hold(
    cli: Cli,
    serials: tuple[str, ...],
    vendor: str | None,
    conditions: tuple[str, ...],
    labels: tuple[str, ...],
    note: str,
) -> None:
    """Put chassis on hold: they are refused, whatever they prove, until they are released.

    All of them, or none if one is not in the inventory.
    """
    from datetime import UTC, datetime

    from bootz.server.operations.holds import hold_chassis

    with writing(cli) as connection:
        keys = _keys(connection, serials, vendor, _both(conditions, labels))
        changed = hold_chassis(connection, keys, note, now=datetime.now(UTC))
    cli.output.record({"held": list(changed), "already_held": len(keys) - len(changed)})


@verb("release")
@_serials
@_vendor
@where_option
@_labels
@click.pass_obj
def release(
    cli: Cli,
    serials: tuple[str, ...],
    vendor: str | None,
    conditions: tuple[str, ...],
    labels: tuple[str, ...],
) -> None:
    """Release chassis that are on hold; each may onboard when it asks next."""
    from bootz.server.operations.holds import release_chassis

    with writing(cli) as connection:
        keys = _keys(connection, serials, vendor, _both(conditions, labels))
        changed = release_chassis(connection, keys)
    cli.output.record({"released": list(changed), "not_held": len(keys) - len(changed)})


def _both(conditions: tuple[str, ...], labels: tuple[str, ...]) -> tuple[str, ...]:
    return (*conditions, *(f"label:{label}" for label in labels))


def _keys(
    connection: Connection,
    serials: tuple[str, ...],
    vendor: str | None,
    conditions: tuple[str, ...],
) -> list[int]:
    from bootz.server.operations.chassis import find_chassis

    if (not serials) == (not conditions):
        raise click.UsageError("name chassis with SERIAL, or many with --label or --where")
    if conditions:
        if vendor is not None:
            raise click.UsageError("--vendor is for SERIAL; use --where vendor=NAME")
        return chosen_keys(connection, conditions)
    return sorted({find_chassis(connection, serial, vendor).key for serial in serials})
