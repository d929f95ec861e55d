"""``bootz chassis replacements`` and ``bootz chassis slots``: new cards, and where cards sit."""

from __future__ import annotations

from dataclasses import asdict

import click

from bootz.cli.base import Cli, Verb, noun, one_of
from bootz.cli.inventory.base import reading, writing
from bootz.cli.names import serial_argument, which_vendor
from bootz.cli.output import Column
from bootz.model.kinds import CardKind

replacements = noun(
    "replacements", "Cards that a proven chassis reports and the inventory does not have."
)

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


@replacements.command("list")
@click.option("--all", "everything", is_flag=True, help="Also list rejected cards.")
@click.pass_obj
def list_(cli: Cli, *, everything: bool) -> None:
    """List the cards that wait for a decision."""
    from bootz.server.operations.replacements import list_replacements

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
@which_vendor
@click.option(
    "--kind",
    type=one_of(CardKind),
    help="Default: that of the card it replaces, otherwise derived from the slot name.",
)
@click.option("--beside", is_flag=True, help="Keep the card that is recorded in the same slot.")
@click.pass_obj
def accept(cli: Cli, serial: str, vendor: str | None, kind: str | None, *, beside: bool) -> None:
    """Add the card SERIAL to the inventory; it replaces the card in the same slot.

    The server fetches its voucher if the vendor has a voucher service; otherwise import one.
    """
    from bootz.server.operations.replacements import accept_replacement

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
@which_vendor
@click.pass_obj
def reject(cli: Cli, serial: str, vendor: str | None) -> None:
    """Reject the card SERIAL; it is refused from now on and no longer listed."""
    from bootz.server.operations.replacements import reject_replacement

    with writing(cli) as connection:
        rejected = reject_replacement(connection, serial, vendor)
    cli.output.message(f"rejected {rejected.serial_number} of chassis {rejected.chassis}")


@click.command("slots", cls=Verb)
@serial_argument
@which_vendor
@click.pass_obj
def slots(cli: Cli, serial: str, vendor: str | None) -> None:
    """Show which cards were in which slots of a chassis, latest first."""
    from bootz.server.operations.chassis import find_chassis
    from bootz.server.operations.replacements import list_seats

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
