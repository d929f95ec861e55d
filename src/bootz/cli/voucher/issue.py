"""``bootz voucher issue``: what a laboratory's manufacturer gives an owner."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from bootz.cli.base import PATH, Cli, Verb
from bootz.cli.manufacturer import now
from bootz.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@click.command("issue", cls=Verb)
@click.option(
    "--manufacturer",
    "folder",
    type=PATH,
    required=True,
    metavar="DIR",
    help="Folder of the manufacturer (`bootz manufacturer init`).",
)
@click.option("--serial", "serial_number", required=True, help="Exact serial number of the card.")
@click.option(
    "--pinned-domain-cert",
    "pinned",
    type=PATH,
    required=True,
    metavar="FILE",
    help="Pinned domain certificate of the owner, PEM or DER.",
)
@click.option(
    "-o",
    "--to",
    "target",
    type=PATH,
    required=True,
    metavar="FILE.vcj",
    help="Voucher file to write.",
)
@click.option(
    "--expires",
    default="",
    metavar="DAYS|TIME",
    help="Days from now, or a time such as 2027-01-31T00:00:00Z. Default: never.",
)
@click.pass_obj
def issue_command(
    cli: Cli, folder: Path, serial_number: str, pinned: Path, target: Path, expires: str
) -> None:
    """Issue an ownership voucher for one card and one owner."""
    from bootz.keystore.files import atomic_write, load_certificates
    from bootz.manufacturer.room import Manufacturer

    maker = Manufacturer.open(folder, clock=now)
    certificates = load_certificates(pinned)
    if len(certificates) != 1:
        raise ConfigError(
            "manufacturer-argument",
            "the file does not contain exactly one certificate",
            where=str(pinned),
            expected="one certificate",
            seen=str(len(certificates)),
        )
    expires_on = _end(expires)
    voucher = maker.issue_voucher(serial_number, certificates[0], expires_on=expires_on)
    atomic_write(target, voucher)
    cli.output.record(
        {
            "serial_number": serial_number,
            "manufacturer": maker.name,
            "expires_on": expires_on,
            "voucher": target,
        }
    )


def _end(expires: str) -> datetime | None:
    if not expires:
        return None
    if expires.isdigit() and len(expires) < 7:
        return now() + timedelta(days=int(expires))
    try:
        moment = datetime.fromisoformat(expires)
    except ValueError as error:
        raise ConfigError(
            "manufacturer-argument",
            "this is neither a number of days nor a time",
            where="--expires",
            seen=expires,
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
