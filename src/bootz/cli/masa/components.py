"""``bootz masa serial`` and ``bootz masa voucher``: components, and what was issued for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bootz.cli.base import FILE, Cli, noun
from bootz.cli.masa.base import MASA, masa_option
from bootz.cli.moments import moment
from bootz.cli.output import columns

if TYPE_CHECKING:
    from pathlib import Path

serial = noun("serial", "Chassis and cards, with their factory data.")
voucher = noun("voucher", "Vouchers: issue one, list what was issued.")


@serial.command("add")
@masa_option
@click.argument("serials", metavar="SERIAL...", nargs=-1, required=True)
@click.option("--ien", required=True, help="IANA enterprise number of the vendor.")
@click.option("--org", "org_name", required=True, help="Organisation that bought them.")
@click.option("--group", "group_path", help="Group below the root group to put them into.")
@click.option("--model", default="")
@click.option("--mac", default="", help="MAC address; for one serial number only.")
@click.option("--endorsement-key", type=FILE, help="Public EK, PEM or DER.")
@click.option("--ek-certificate", type=FILE, help="EK certificate, PEM or DER.")
@click.option("--platform-primary-key", type=FILE, help="Public PPK, PEM or DER.")
@click.option("--idevid", type=FILE, help="IDevID certificate; vouchers then contain its issuer.")
@click.pass_obj
def add_serial(
    cli: Cli,
    masa: Path,
    serials: tuple[str, ...],
    ien: str,
    org_name: str,
    group_path: str | None,
    model: str,
    mac: str,
    endorsement_key: Path | None,
    ek_certificate: Path | None,
    platform_primary_key: Path | None,
    idevid: Path | None,
) -> None:
    """Record components that an organisation bought."""
    from bootz.masa.importing import read_bounded
    from bootz.masa.ledger.nouns import Component, ComponentName, TpmData
    from bootz.masa.tpm import read_ek_certificate, read_public_key
    from bootz.trust.certificates import authority_key_identifier, parse_certificates

    own = (mac, endorsement_key, ek_certificate, platform_primary_key, idevid)
    if len(serials) > 1 and any(own):
        raise click.UsageError("--mac, keys and certificates need exactly one serial number")
    tpm = TpmData(
        _read(endorsement_key, "endorsement-key", read_public_key),
        _read(ek_certificate, "ek-certificate", read_ek_certificate),
        _read(platform_primary_key, "platform-primary-key", read_public_key),
    )
    issuer = None
    if idevid is not None:
        issuer = authority_key_identifier(parse_certificates(read_bounded(idevid))[0])
    with MASA.records(masa) as records:
        org_id = records.org_id(org_name)
        child = None if group_path is None else records.group_id(group_path)
        for number in serials:
            records.add_component(
                Component(
                    name=ComponentName(ien, number),
                    org_id=org_id,
                    child_group_id=child,
                    model=model,
                    mac_address=mac,
                    tpm=tpm,
                    idevid_issuer=issuer,
                )
            )
    cli.output.message(f"{len(serials)} recorded for {org_id}.")


def _read(path: Path | None, name: str, reader: Callable[[str, bytes], bytes]) -> bytes | None:
    from bootz.masa.importing import read_bounded

    return None if path is None else reader(name, read_bounded(path))


@serial.command("remove")
@masa_option
@click.argument("number", metavar="SERIAL")
@click.option("--ien", required=True)
def remove_serial(masa: Path, number: str, ien: str) -> None:
    """Remove a component; the log of its vouchers is kept."""
    from bootz.masa.ledger.nouns import ComponentName

    with MASA.records(masa) as records:
        records.remove_component(ComponentName(ien, number))


@serial.command("move")
@masa_option
@click.argument("number", metavar="SERIAL")
@click.option("--ien", required=True)
@click.option("--org", "org_name", required=True, help="Organisation that owns it now.")
def move_serial(masa: Path, number: str, ien: str, org_name: str) -> None:
    """Move a component to another organisation; it leaves its group."""
    from dataclasses import replace

    from bootz.masa.ledger.nouns import ComponentName

    with MASA.records(masa) as records:
        found = records.component(ComponentName(ien, number))
        org_id = records.org_id(org_name)
        records.change_component(replace(found, org_id=org_id, child_group_id=None))


@serial.command("list")
@masa_option
@click.option("--org", "org_name", help="Only those of an organisation.")
@click.pass_obj
def list_serials(cli: Cli, masa: Path, org_name: str | None) -> None:
    """List components."""
    with MASA.records(masa) as records:
        org_id = None if org_name is None else records.org_id(org_name)
        found = records.directory.components(org_id)
    rows = [
        {
            "ien": each.name.ien,
            "serial": each.name.serial_number,
            "org_id": each.org_id,
            "group_id": each.child_group_id,
            "model": each.model,
            "mac": each.mac_address,
            "endorsement_key": each.tpm.endorsement_key is not None,
            "ek_certificate": each.tpm.ek_certificate is not None,
            "platform_primary_key": each.tpm.platform_primary_key is not None,
        }
        for each in found
    ]
    cli.output.rows(columns("ien", "serial", "org_id", "group_id", "model", "mac"), rows)


@voucher.command("issue")
@masa_option
@click.argument("request", metavar="FILE", type=FILE)
@click.option(
    "-o", "--out", type=FILE, required=True, help="Output file: .vcj, or .tar for a list."
)
@click.option("--ien", help="Enterprise number, if the serial number is not unique.")
@click.pass_obj
def issue(cli: Cli, masa: Path, request: Path, out: Path, ien: str | None) -> None:
    """Answer a JSON voucher request from a file."""
    import asyncio

    from bootz.keystore.files import atomic_write
    from bootz.masa.importing import read_bounded
    from bootz.masa.ledger.nouns import AccountType, Requester, User
    from bootz.masa.requests import answer_requests, read_requests

    staff = Requester(User("manufacturer", AccountType.SERVICE_ACCOUNT, ""), support=True)
    asked = read_requests(read_bounded(request))
    with MASA.opened(masa) as folder:
        answer = asyncio.run(answer_requests(folder.make_service(), staff, asked, ien=ien))
    atomic_write(out, answer.body)
    cli.output.record({"file": out, "vouchers": answer.count})


@voucher.command("list")
@masa_option
@click.option("--serial", "number", help="Only those of a serial number.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.option("--since", help="Only those issued since this date or RFC 3339 time.")
@click.pass_obj
def list_vouchers(cli: Cli, masa: Path, number: str | None, limit: int, since: str | None) -> None:
    """List what was issued, newest first: the append-only log."""
    from bootz.masa.store.directory import Directory
    from bootz.masa.store.issues import IssueLog
    from bootz.model.nearest import did_you_mean

    with MASA.opened(masa) as folder, folder.database.read() as connection:
        found = IssueLog(connection).latest(serial_number=number, limit=limit)
        if number is not None and not found:
            known = [each.name.serial_number for each in Directory(connection).components(None)]
            if meant := did_you_mean(number, known):
                cli.output.warning(f"{number!r} is not on record{meant}")
    start = moment(since) or datetime.min.replace(tzinfo=UTC)
    rows = [
        {
            "at": each.at,
            "user": each.user.username,
            "org_id": each.user.org_id,
            "ien": each.component.ien,
            "serial": each.component.serial_number,
            "cert_id": each.cert_id,
            "pinned": each.pinned_sha256,
            "expires": each.expires_on,
            "voucher": each.voucher_sha256,
            "idevid_issuer": each.idevid_issuer and each.idevid_issuer.hex(),
            "last_renewal_date": each.last_renewal_date,
        }
        for each in found
        if each.at >= start
    ]
    cli.output.rows(columns("at", "user", "org_id", "ien", "serial", "pinned", "expires"), rows)
