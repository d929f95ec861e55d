"""``bootz voucher request``: what a manufacturer is asked for by mail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from bootz.cli.base import FILE, Cli, Verb
from bootz.cli.inventory.base import read_file, reading
from bootz.cli.moments import moment
from bootz.cli.names import SERIAL, VENDOR
from bootz.cli.output import write_text
from bootz.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@click.command("request", cls=Verb)
@click.argument("serials", metavar="[SERIAL]...", nargs=-1, type=SERIAL)
@click.option(
    "--serials-file",
    type=FILE,
    metavar="FILE",
    help="File with the serial numbers of a purchase order: one per line, or a table (CSV).",
)
@click.option(
    "--column",
    metavar="NAME",
    help="Column of the table with the serial numbers. Default: the one named like it.",
)
@click.option("--missing", is_flag=True, help="All cards in the inventory that have no voucher.")
@click.option("--vendor", type=VENDOR, help="With --missing: only cards of this manufacturer.")
@click.option("--expires", metavar="DAYS|TIME", help="Requested expiry of the vouchers.")
@click.option(
    "--renew-until",
    metavar="DAYS|TIME",
    help="Date until which renewals are wanted; needs --expires.",
)
@click.option(
    "--idevid-cert",
    type=FILE,
    metavar="FILE",
    help="IDevID of the device, for a single request: its issuer is put into the request.",
)
@click.option(
    "-o",
    "--to",
    "target",
    type=FILE,
    metavar="FILE.json",
    help="File to write. Default: standard output.",
)
@click.pass_obj
def request_command(
    cli: Cli,
    serials: tuple[str, ...],
    serials_file: Path | None,
    column: str | None,
    vendor: str | None,
    expires: str | None,
    renew_until: str | None,
    idevid_cert: Path | None,
    target: Path | None,
    *,
    missing: bool,
) -> None:
    """Write a request for vouchers that pin this site's certificate: one, or a list."""
    from bootz.cli.voucher.purchase_order import read_purchase_order
    from bootz.keystore.files import atomic_write
    from bootz.model.chassis import fold_serial
    from bootz.server.operations.vendors import find_vendor, list_vendors
    from bootz.server.operations.vouchers.needs import card_vouchers
    from bootz.trust.certificates import authority_key_identifier, parse_certificates
    from bootz.trust.request import VoucherRequest, check_voucher_request, write_voucher_requests

    site = cli.site()
    now = site.clock()
    pinned = site.pinned_domain_cert()
    wanted = [*serials, *(read_purchase_order(serials_file, column) if serials_file else ())]
    if missing:
        with reading(cli) as connection:
            named = None if vendor is None else [find_vendor(connection, vendor)]
            cards = card_vouchers(
                connection,
                pinned_domain_cert=pinned,
                now=now,
                vendors=named or list_vendors(connection),
            )
        wanted += [card.serial_number for card in cards if card.held is None]
    wanted = list({fold_serial(serial): serial for serial in wanted}.values())
    if not wanted:
        raise click.UsageError("give serial numbers, --serials-file or --missing")
    if idevid_cert is not None and len(wanted) > 1:
        raise click.UsageError("--idevid-cert is for one device")
    issuer = None
    if idevid_cert is not None:
        issuer = authority_key_identifier(parse_certificates(read_file(idevid_cert))[0])
        if issuer is None:
            raise ConfigError(
                "voucher-request-unfit",
                "the IDevID has no AuthorityKeyIdentifier",
                where=str(idevid_cert),
            )
    requests = [
        VoucherRequest(
            serial,
            pinned,
            expires_on=_end(expires, now),
            idevid_issuer=issuer,
            last_renewal_date=_end(renew_until, now),
        )
        for serial in wanted
    ]
    for request in requests:
        for warning in check_voucher_request(request, now=now):
            cli.output.warning(warning)
    text = write_voucher_requests(requests)
    if target is None:
        write_text(text.decode().rstrip("\n"))
        return
    atomic_write(target, text, mode=0o644)
    cli.output.record({"file": target, "serial_numbers": wanted})
    cli.output.message("Send it to the manufacturer; then: bootz voucher import FILE.vcj|FILE.tar")


def _end(text: str | None, now: datetime) -> datetime | None:
    if text is not None and text.isascii() and text.isdecimal() and len(text) < 6:
        return (now + timedelta(days=int(text))).replace(microsecond=0)
    return moment(text)
