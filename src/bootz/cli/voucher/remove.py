"""``bootz voucher remove``: vouchers out of the store, of some cards or all that have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootz.cli.base import Cli, Verb
from bootz.cli.inventory.base import writing
from bootz.cli.names import SERIAL, which_vendor
from bootz.cli.output import Column

if TYPE_CHECKING:
    from bootz.server.operations.vouchers.records import VoucherRecord

_COLUMNS = (
    Column("serial_number", "SERIAL"),
    Column("vendor"),
    Column("expires_on", "EXPIRES"),
    Column("sha256", "SHA-256"),
)


@click.command("remove", cls=Verb)
@click.argument("serials", metavar="[SERIAL]...", nargs=-1, type=SERIAL)
@which_vendor
@click.option(
    "--sha256", default="", metavar="HEX", help="Only the voucher whose SHA-256 begins with HEX."
)
@click.option(
    "--expired",
    is_flag=True,
    help="Only expired vouchers; of all cards, if no serial number is given.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
@click.pass_obj
def remove_command(
    cli: Cli,
    serials: tuple[str, ...],
    vendor: str | None,
    sha256: str,
    *,
    expired: bool,
    dry_run: bool,
) -> None:
    """Remove vouchers from the store, all of a card or only some of them.

    A router whose card has no other voucher gets no data until one is imported or fetched.
    """
    from bootz.model.chassis import fold_serial
    from bootz.server.operations.vouchers.needs import card_vouchers
    from bootz.server.operations.vouchers.storing import remove_vouchers

    if not serials and not expired:
        raise click.UsageError("name the serial numbers, or --expired for all that have ended")
    site = cli.site()
    now = site.clock()
    with writing(cli) as connection:
        removed = remove_vouchers(
            connection,
            serials,
            vendor=vendor,
            sha256=sha256,
            ended_by=now if expired else None,
        )
        left = card_vouchers(
            connection,
            pinned_domain_cert=site.pinned_domain_cert(),
            now=now,
            serials=sorted({record.serial_number for record in removed}),
        )
        if dry_run:
            connection.rollback()
    cli.output.rows(_COLUMNS, [_row(record) for record in removed])
    owners = {(record.vendor, fold_serial(record.serial_number)) for record in removed}
    for card in left:
        if card.held is None and (card.vendor, fold_serial(card.serial_number)) in owners:
            cli.output.warning(f"{card.serial_number} has no valid voucher any more")
    if dry_run:
        cli.output.message("A dry run: nothing was removed.")


def _row(record: VoucherRecord) -> dict[str, object]:
    return {
        "serial_number": record.serial_number,
        "vendor": record.vendor,
        "expires_on": record.expires_on or "never",
        "sha256": record.sha256,
    }
