"""``bootz chassis replacements`` and ``bootz chassis slots``: new cards, and where cards sit."""

from dataclasses import asdict

import click

from bootz.cli.base import Cli, Verb, noun
from bootz.cli.inventory.base import reading, writing
from bootz.cli.output import Column
from bootz.model.chassis import CardKind
from bootz.server.operations.chassis import find_chassis
from bootz.server.operations.replacements import (
    accept_replacement,
    list_replacements,
    list_seats,
    reject_replacement,
)

replacements = noun("replacements", "Cards that proven chassis list and that are not on record.")

_PENDING = (
    Column("chassis"),
    Column("slot"),
    Column("serial_number", "NEW CARD"),
    Column("part_number", "PART"),
    Column("replaces"),
    Column("proven_serial", "ASKED BY"),
    Column("state"),
    Column("last_seen", "LAST SEEN"),
)
_SEATS = (
    Column("slot"),
    Column("serial_number", "SERIAL"),
    Column("part_number", "PART"),
    Column("since"),
    Column("last_seen", "LAST SEEN"),
)

_vendor = click.option("--vendor", help="The manufacturer, where two have the serial number.")


@replacements.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that were rejected.")
@click.pass_obj
def list_(cli: Cli, *, everything: bool) -> None:
    """List the cards that wait for a decision."""
    with reading(cli) as connection:
        found = list_replacements(connection, with_rejected=everything)
    cli.output.rows(
        _PENDING,
        [
            {
                **asdict(each),
                "first_seen": each.first_seen.isoformat(),
                "last_seen": each.last_seen.isoformat(),
            }
            for each in found
        ],
    )


@replacements.command("accept")
@click.argument("serial")
@_vendor
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in CardKind]),
    help="Default: that of the card it replaces, else as the slot's name says.",
)
@click.option("--beside", is_flag=True, help="Keep the card on record in the same slot.")
@click.pass_obj
def accept(cli: Cli, serial: str, vendor: str | None, kind: str | None, *, beside: bool) -> None:
    """Put the card SERIAL on record; the card of the same slot goes.

    The server fetches its voucher where the vendor has a voucher service; else import one.
    """
    with writing(cli) as connection:
        record = accept_replacement(
            connection, serial, vendor, kind=CardKind(kind) if kind else None, beside=beside
        )
    cli.output.record(
        {
            "chassis": record.serial_number or record.hostname,
            "cards": [dict(card.to_document()) for card in record.cards],
        }
    )


@replacements.command("reject")
@click.argument("serial")
@_vendor
@click.pass_obj
def reject(cli: Cli, serial: str, vendor: str | None) -> None:
    """Refuse the card SERIAL; it stays refused, and is no longer listed."""
    with writing(cli) as connection:
        rejected = reject_replacement(connection, serial, vendor)
    cli.output.message(f"rejected {rejected.serial_number} of chassis {rejected.chassis}")


@click.command("slots", cls=Verb)
@click.argument("serial")
@_vendor
@click.pass_obj
def slots(cli: Cli, serial: str, vendor: str | None) -> None:
    """Show which cards sat in which slots of a chassis, the latest first."""
    with reading(cli) as connection:
        seats = list_seats(connection, find_chassis(connection, serial, vendor).key)
    cli.output.rows(
        _SEATS,
        [
            {
                **asdict(seat),
                "since": seat.since.isoformat(),
                "last_seen": seat.last_seen.isoformat(),
            }
            for seat in seats
        ],
    )
