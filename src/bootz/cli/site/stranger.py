"""``bootz stranger``: callers that are not on record; claimed as a planned chassis, or ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from bootz.cli.base import Cli, noun
from bootz.cli.inventory.base import reading, writing
from bootz.cli.names import which_vendor
from bootz.cli.output import Column

if TYPE_CHECKING:
    from bootz.server.store.attempts import AttemptRecord

command = noun("stranger", "Callers that are not on record: claim one, or ignore it.")

_COLUMNS: Final = (
    Column("id", right=True),
    Column("updated_at", "LAST SEEN"),
    Column("claimed_serial", "CLAIMED"),
    Column("proven_serial", "PROVED"),
    Column("proven_vendor", "VENDOR"),
    Column("peer"),
    Column("reason"),
    Column("repeats", right=True),
    Column("ignored"),
)
_attempt = click.argument("attempt", type=click.IntRange(1, 2**62), metavar="ID")


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are ignored, too.")
@click.option(
    "--most", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many."
)
@click.option("--before", type=click.IntRange(1), metavar="ID", help="The page before that ID.")
@click.pass_obj
def list_(cli: Cli, *, everything: bool, most: int, before: int | None) -> None:
    """List callers that are no chassis on record, or did not prove to be one, latest first."""
    from bootz.server.operations.strangers import ignored_strangers, is_ignored
    from bootz.server.store.attempts import AttemptFilter, latest_attempts

    with reading(cli) as connection:
        wanted = AttemptFilter(strangers=True, before=before)
        found = latest_attempts(connection, most=most, wanted=wanted)
        left_out = ignored_strangers(connection)
    rows = [_row(each, ignored=is_ignored(each, left_out)) for each in found]
    cli.output.rows(_COLUMNS, [row for row in rows if everything or not row["ignored"]])


@command.command("claim")
@_attempt
@click.argument("serial")
@which_vendor
@click.option(
    "--card", default="", metavar="SERIAL", help="Of a modular chassis: the card that it replaces."
)
@click.pass_obj
def claim(cli: Cli, attempt: int, serial: str, vendor: str | None, card: str) -> None:
    """Put the stranger ID in the place of the planned chassis SERIAL: the box that was swapped.

    It must have proven its identity, under a CA of the same vendor.
    """
    from bootz.server.operations.chassis import find_chassis
    from bootz.server.operations.strangers import claim_stranger

    with writing(cli) as connection:
        planned = find_chassis(connection, serial, vendor)
        done = claim_stranger(connection, attempt, planned.key, card=card)
    cli.output.record(
        {
            "chassis": done.after.name,
            "expected": card or done.before.serial_number,
            "seen": done.serial_number,
        }
    )


@command.command("ignore")
@_attempt
@click.option("--note", default="", help="Why, for whoever sees it later.")
@click.pass_obj
def ignore(cli: Cli, attempt: int, note: str) -> None:
    """Leave the serial number of the stranger ID out of lists."""
    from datetime import UTC, datetime

    from bootz.server.operations.strangers import ignore_stranger

    with writing(cli) as connection:
        done = ignore_stranger(connection, attempt, note, now=datetime.now(UTC))
    cli.output.record({"serial_number": done.claimed_serial, "ignored": True})


@command.command("heed")
@_attempt
@click.pass_obj
def heed(cli: Cli, attempt: int) -> None:
    """Show the serial number of the stranger ID in lists again."""
    from bootz.server.operations.strangers import heed_stranger

    with writing(cli) as connection:
        done = heed_stranger(connection, attempt)
    cli.output.record({"serial_number": done.claimed_serial, "ignored": False})


def _row(attempt: AttemptRecord, *, ignored: bool) -> dict[str, object]:
    from bootz.server.operations.strangers import proven_vendor

    return {
        "id": attempt.id,
        "updated_at": attempt.updated_at,
        "claimed_serial": attempt.claimed_serial,
        "proven_serial": attempt.proven_serial,
        "proven_vendor": proven_vendor(attempt),
        "peer": attempt.peer,
        "reason": attempt.reason,
        "repeats": attempt.repeats,
        "ignored": ignored,
    }
