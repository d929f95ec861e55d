"""``bootz voucher``: a manufacturer's word that a device obeys this owner."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from sqlalchemy import Connection

from bootz.cli.base import Cli, noun
from bootz.cli.inventory.base import reading
from bootz.cli.output import Column, error_record
from bootz.cli.voucher.bundle import bundle_command, export_command
from bootz.cli.voucher.fetch import (
    expiring_command,
    fetch_command,
    missing_command,
    renew_command,
)
from bootz.cli.voucher.issue import issue_command
from bootz.cli.voucher.remove import remove_command
from bootz.cli.voucher.request import request_command
from bootz.errors import BootzError, ConfigError, TrustError
from bootz.server.operations.voucher_files import FoundVoucher, find_voucher_files
from bootz.server.operations.vouchers import (
    StoreOutcome,
    VoucherRecord,
    VoucherResult,
    check_for_owner,
    find_vouchers,
    list_vouchers,
    store_voucher,
)
from bootz.trust.bundle import file_name
from bootz.trust.certificates import load_certificate
from bootz.trust.keys import describe_key
from bootz.trust.voucher import claimed_signer, parse_unverified_voucher

command = noun("voucher", "Ownership vouchers.")

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

_files = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
_vendor = click.option("--vendor", help="Manufacturer whose CAs must have signed. Default: any.")


@command.command("import")
@_files
@_vendor
@click.option("--dry-run", is_flag=True, help="Only verify; store nothing.")
@click.pass_obj
def import_(cli: Cli, files: tuple[Path, ...], vendor: str | None, *, dry_run: bool) -> None:
    """Verify and store vouchers: .vcj files, folders of them, .tar, .tar.gz.

    A wrong voucher is refused with its reason; the good ones are stored.
    """
    site = cli.site()
    pinned = site.pinned_domain_cert()
    found = find_voucher_files(files)
    for warning in found.warnings:
        cli.output.warning(warning)
    rows: list[dict[str, object]] = []
    database = site.database()
    try:
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
                    rows.append(_import_row(voucher, result))
                if dry_run:
                    connection.rollback()
    finally:
        database.close()
    cli.output.rows(_IMPORT_COLUMNS, rows)
    if dry_run:
        cli.output.message("A dry run: nothing was stored.")
    refused = sum(row["outcome"] is StoreOutcome.REFUSED for row in rows)
    if refused:
        raise ConfigError("voucher-import-refused", f"{refused} of {len(rows)} were refused")


@command.command("list")
@click.option("--vendor", help="Only those of this manufacturer.")
@click.option("--serial", help="Only those of this card.")
@click.option(
    "--expiring",
    type=click.IntRange(0, 36500),
    metavar="DAYS",
    help="Only those that expire by then.",
)
@click.pass_obj
def list_(cli: Cli, vendor: str | None, serial: str | None, expiring: int | None) -> None:
    """List the stored vouchers."""
    now = cli.site().clock()
    before = None if expiring is None else now + timedelta(days=expiring)
    with reading(cli) as connection:
        records = list_vouchers(connection, serial=serial, vendor=vendor, expiring_before=before)
    cli.output.rows(_COLUMNS, [_row(record, now) for record in records])


@command.command("show")
@click.argument("serial_or_file")
@click.option("--vendor", help="Manufacturer, if several have this serial number.")
@click.pass_obj
def show(cli: Cli, serial_or_file: str, vendor: str | None) -> None:
    """Explain every field of a voucher: a stored one by serial number, or one in a file.

    A file is not verified; `bootz voucher verify` does that.
    """
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
                    **_fields(voucher.raw),
                    "days_left": _days_left(voucher.raw, datetime.now(UTC)),
                }
            )
        return
    now = cli.site().clock()
    with reading(cli) as connection:
        record = find_vouchers(connection, serial_or_file, vendor)[0]
    cli.output.record(
        {
            **_row(record, now),
            "verified": f"when it was stored,  {record.stored_at.isoformat()}",
            **_fields(record.raw),
            "encoding": record.encoding,
            "warnings": record.warnings,
        }
    )


@command.command("verify")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@_vendor
@click.pass_obj
def verify(cli: Cli, files: tuple[Path, ...], vendor: str | None) -> None:
    """Verify vouchers completely, as an import would; nothing is stored.

    Without FILES, the stored ones: against the present CAs, dates and certificate.
    """
    site = cli.site()
    pinned = site.pinned_domain_cert()
    rows: list[dict[str, object]] = []
    flaw: BootzError | None = None
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
                flaw = flaw or error
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
    if flaw is not None:
        raise flaw


def _found(
    cli: Cli, connection: Connection, files: tuple[Path, ...], vendor: str | None
) -> tuple[FoundVoucher, ...]:
    """Return the vouchers in files, or the stored ones if no file is given."""
    if files:
        found = find_voucher_files(files)
        for warning in found.warnings:
            cli.output.warning(warning)
        return found.vouchers
    return tuple(
        FoundVoucher(f"stored: {record.serial_number}", record.raw)
        for record in list_vouchers(connection, vendor=vendor)
    )


def _import_row(found: FoundVoucher, result: VoucherResult) -> dict[str, object]:
    warnings = result.warnings
    # Of an entry in a tar, the place is `FILE: ENTRY`.
    named = Path(found.where.rpartition(": ")[2]).name
    if result.serial_number and named.endswith(".vcj") and named != file_name(result.serial_number):
        warnings += ("the file name is not the serial number in the voucher",)
    row: dict[str, object] = {
        "file": found.where,
        "serial_number": result.serial_number,
        "outcome": result.outcome,
        "vendor": result.vendor,
        "warnings": warnings,
    }
    return row if result.error is None else row | error_record(result.error)


def _row(record: VoucherRecord, now: datetime) -> dict[str, object]:
    left = record.left(now)
    return {
        "serial_number": record.serial_number,
        "vendor": record.vendor,
        "expires_on": record.expires_on or "never",
        "days_left": None if left is None else left.days,
        "assertion": record.assertion,
        "signer": record.signer,
    }


def _fields(raw: bytes) -> dict[str, object]:
    """Return the leaves of a voucher with what they mean for a router."""
    content = parse_unverified_voucher(raw)
    pinned = load_certificate(content.pinned_domain_cert)
    return {
        "serial_number": content.serial_number,
        "assertion": f"{content.assertion.value} (routers accept verified)",
        "created_on": content.created_on or "not said",
        "expires_on": content.expires_on or "never",
        "pinned_domain_cert": pinned.subject.rfc4514_string(),
        "pinned_until": pinned.not_valid_after_utc,
        "pinned_sha256": hashlib.sha256(content.pinned_domain_cert).hexdigest(),
        "idevid_issuer": "any" if content.idevid_issuer is None else content.idevid_issuer.hex(),
        "revocation_checks": content.revocation_checks,
        **_signer(raw),
        "last_renewal_date": content.last_renewal_date or "not said",
        "sha256": hashlib.sha256(raw).hexdigest(),
        "size": len(raw),
    }


def _days_left(raw: bytes, now: datetime) -> int | None:
    end = parse_unverified_voucher(raw).expires_on
    return None if end is None else (end - now).days


def _signer(raw: bytes) -> dict[str, object]:
    """Return who signed a voucher, as it says itself."""
    try:
        signer = load_certificate(claimed_signer(raw))
    except TrustError as error:
        return {"signer": f"not verified: {error.detail} ({error.reason})"}
    return {
        "signer": signer.subject.rfc4514_string(),
        "signer_issuer": signer.issuer.rfc4514_string(),
        "signer_until": signer.not_valid_after_utc,
        "signer_key": describe_key(signer.public_key()),
    }


for each in (
    fetch_command,
    renew_command,
    missing_command,
    expiring_command,
    request_command,
    bundle_command,
    export_command,
    remove_command,
    issue_command,
):
    command.add_command(each)
