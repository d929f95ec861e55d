"""``bootz voucher``: a manufacturer's word that a device obeys this owner."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from bootz.cli.base import PATH, Cli, noun
from bootz.cli.inventory.base import reading
from bootz.cli.names import SERIAL, VENDOR, which_vendor
from bootz.cli.output import Column, error_record
from bootz.errors import BootzError, ConfigError, TrustError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from bootz.server.operations.vouchers.files import FoundVoucher

command = noun(
    "voucher",
    "Ownership vouchers.",
    elsewhere={
        **{
            verb: f"bootz.cli.voucher.fetch:{verb}_command"
            for verb in ("fetch", "renew", "missing", "expiring")
        },
        **{verb: f"bootz.cli.voucher.bundle:{verb}_command" for verb in ("bundle", "export")},
        "fetches": "bootz.cli.voucher.fetches:fetches_command",
        "request": "bootz.cli.voucher.request:request_command",
        "remove": "bootz.cli.voucher.remove:remove_command",
        "issue": "bootz.cli.voucher.issue:issue_command",
    },
)

_BATCH = 500

_COLUMNS = (
    Column("serial_number", "SERIAL"),
    Column("vendor"),
    Column("expires_on", "EXPIRES"),
    Column("days_left", "DAYS LEFT", right=True),
    Column("assertion"),
    Column("signer"),
)
_IMPORT_COLUMNS = (
    Column("file"),
    Column("serial_number", "SERIAL"),
    Column("outcome"),
    Column("vendor"),
    Column("reason"),
    Column("detail"),
    Column("warnings"),
)

_files = click.argument("files", nargs=-1, required=True, type=PATH)
_vendor = click.option(
    "--vendor", type=VENDOR, help="Manufacturer whose CAs must have signed. Default: any."
)


@command.command("import")
@_files
@_vendor
@click.option("--dry-run", is_flag=True, help="Only verify; store nothing.")
@click.pass_obj
def import_(cli: Cli, files: tuple[Path, ...], vendor: str | None, *, dry_run: bool) -> None:
    """Verify and store vouchers: .vcj files, folders of them, .tar, .tar.gz.

    A wrong voucher is refused with its reason; the good ones are stored.
    """
    from bootz.cli.voucher.rows import import_row
    from bootz.server.operations.vouchers.files import find_voucher_files
    from bootz.server.operations.vouchers.storing import StoreOutcome, VoucherResult, store_voucher

    site = cli.site()
    pinned = site.pinned_domain_cert()
    found = find_voucher_files(files)
    for warning in found.warnings:
        cli.output.warning(warning)
    rows: list[dict[str, object]] = []
    with closing(site.database()) as database:
        for first in range(0, len(found.vouchers), _BATCH):
            with database.write() as connection:
                for voucher in found.vouchers[first : first + _BATCH]:
                    if voucher.error is not None:
                        result = VoucherResult("", StoreOutcome.REFUSED, error=voucher.error)
                    else:
                        result = store_voucher(
                            connection,
                            voucher.raw,
                            pinned_domain_cert=pinned,
                            now=site.clock(),
                            vendor=vendor,
                        )
                    rows.append(import_row(voucher, result))
                if dry_run:
                    connection.rollback()
    cli.output.rows(_IMPORT_COLUMNS, rows)
    if dry_run:
        cli.output.message("A dry run: nothing was stored.")
    refused = sum(row["outcome"] is StoreOutcome.REFUSED for row in rows)
    if refused:
        raise ConfigError("voucher-import-refused", f"{refused} of {len(rows)} were refused")


@command.command("list")
@click.option("--vendor", type=VENDOR, help="Only those of this manufacturer.")
@click.option("--serial", type=SERIAL, help="Only those of this card.")
@click.option(
    "--expiring",
    type=click.IntRange(0, 36500),
    metavar="DAYS",
    help="Only those that expire by then.",
)
@click.pass_obj
def list_(cli: Cli, vendor: str | None, serial: str | None, expiring: int | None) -> None:
    """List the stored vouchers."""
    from bootz.cli.voucher.rows import voucher_row
    from bootz.server.operations.nearest import WITH_VOUCHER, meant_serial
    from bootz.server.operations.vouchers.records import list_vouchers

    now = cli.site().clock()
    before = None if expiring is None else now + timedelta(days=expiring)
    with reading(cli) as connection:
        records = list_vouchers(connection, serial=serial, vendor=vendor, expiring_before=before)
        meant = "" if serial is None else meant_serial(connection, serial, WITH_VOUCHER)
    if meant:
        cli.output.warning(f"{serial!r} is not on record{meant}")
    cli.output.rows(_COLUMNS, [voucher_row(record, now) for record in records])


@command.command("show")
@click.argument("serial_or_file")
@which_vendor
@click.pass_obj
def show(cli: Cli, serial_or_file: str, vendor: str | None) -> None:
    """Explain every field of a voucher: a stored one by serial number, or one in a file.

    A file is not verified; `bootz voucher verify` does that.
    """
    from pathlib import Path

    from bootz.cli.voucher.rows import days_left, voucher_fields, voucher_row
    from bootz.server.operations.vouchers.files import find_voucher_files
    from bootz.server.operations.vouchers.records import find_vouchers

    path = Path(serial_or_file)
    if path.suffix == ".vcj" or path.is_file():
        found = find_voucher_files([path])
        for voucher in found.vouchers:
            if voucher.error is not None:
                raise voucher.error
            cli.output.record(
                {
                    "file": voucher.where,
                    "verified": False,
                    **voucher_fields(voucher.raw),
                    "days_left": days_left(voucher.raw, datetime.now(UTC)),
                }
            )
        return
    now = cli.site().clock()
    with reading(cli) as connection:
        record = find_vouchers(connection, serial_or_file, vendor)[0]
    cli.output.record(
        {
            **voucher_row(record, now),
            "verified": f"when it was stored,  {record.stored_at.isoformat()}",
            **voucher_fields(record.raw),
            "encoding": record.encoding,
            "warnings": record.warnings,
        }
    )


@command.command("verify")
@click.argument("files", nargs=-1, type=PATH)
@_vendor
@click.pass_obj
def verify(cli: Cli, files: tuple[Path, ...], vendor: str | None) -> None:
    """Verify vouchers completely, as an import would; nothing is stored.

    Without FILES, the stored ones: against the present CAs, dates and certificate.
    """
    from bootz.server.operations.vouchers.storing import check_for_owner

    site = cli.site()
    pinned = site.pinned_domain_cert()
    rows: list[dict[str, object]] = []
    flaws: list[BootzError] = []
    with reading(cli) as connection:
        for found in _found(cli, connection, files, vendor):
            try:
                if found.error is not None:
                    raise found.error
                verified = check_for_owner(
                    connection,
                    found.raw,
                    pinned_domain_cert=pinned,
                    now=site.clock(),
                    vendor=vendor,
                )
            except (TrustError, ConfigError) as error:
                flaws.append(error)
                rows.append({"file": found.where, "outcome": "wrong", **error_record(error)})
                continue
            rows.append(
                {
                    "file": found.where,
                    "serial_number": verified.voucher.content.serial_number,
                    "outcome": "holds",
                    "vendor": verified.vendor.name,
                    "warnings": verified.warnings,
                }
            )
    cli.output.rows(_IMPORT_COLUMNS, rows)
    if len(rows) == 1 and flaws:
        raise flaws[0]
    if flaws:
        raise ConfigError("voucher-verify-failed", f"{len(flaws)} of {len(rows)} do not hold")


def _found(
    cli: Cli, connection: Connection, files: tuple[Path, ...], vendor: str | None
) -> tuple[FoundVoucher, ...]:
    """Return the vouchers in files, or the stored ones if no file is given."""
    from bootz.server.operations.vouchers.files import FoundVoucher, find_voucher_files
    from bootz.server.operations.vouchers.records import list_vouchers

    if files:
        found = find_voucher_files(files)
        for warning in found.warnings:
            cli.output.warning(warning)
        return found.vouchers
    return tuple(
        FoundVoucher(f"stored: {record.serial_number}", record.raw)
        for record in list_vouchers(connection, vendor=vendor)
    )
