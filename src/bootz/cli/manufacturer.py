"""``bootz manufacturer``: a manufacturer for laboratories."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bootz.cli.base import PATH, Cli, noun
from bootz.keystore.kinds import KeyKind

if TYPE_CHECKING:
    from pathlib import Path

    from bootz.manufacturer.room import Manufacturer

command = noun("manufacturer", "A manufacturer for labs: its CA, identities and vouchers.")

KEY_KINDS = {kind.value: kind for kind in (KeyKind.RSA_2048, KeyKind.P256, KeyKind.P384)}
"""The words of ``--key``."""

folder_argument = click.argument("folder", metavar="DIR", type=PATH)
key_option = click.option(
    "--key",
    "kind",
    type=click.Choice(list(KEY_KINDS)),
    default=KeyKind.P256.value,
    show_default=True,
    help="Type of key.",
)


def now() -> datetime:
    """Return the time, aware UTC."""
    return datetime.now(UTC)


@command.command("init")
@folder_argument
@click.option("--name", default="Bootz Labs", show_default=True, help="Name of the manufacturer.")
@key_option
@click.pass_obj
def init(cli: Cli, folder: Path, name: str, kind: str) -> None:
    """Create a manufacturer in a new folder: a CA and a voucher signer."""
    from bootz.manufacturer.room import Manufacturer

    made = Manufacturer.create(folder, name, kind=KEY_KINDS[kind], clock=now)
    cli.output.record(_record(folder, made))


@command.command("show")
@folder_argument
@click.pass_obj
def show(cli: Cli, folder: Path) -> None:
    """Show a manufacturer and the path of its CA certificate."""
    from bootz.manufacturer.room import Manufacturer

    cli.output.record(_record(folder, Manufacturer.open(folder, clock=now)))


@command.command("anchor")
@folder_argument
@click.option(
    "-o",
    "--to",
    "target",
    type=PATH,
    required=True,
    metavar="FILE",
    help="PEM file to write.",
)
@click.pass_obj
def anchor(cli: Cli, folder: Path, target: Path) -> None:
    """Write the CA certificate, for an owner's `bootz vendor add`."""
    from bootz.keystore.files import atomic_write
    from bootz.manufacturer.room import Manufacturer
    from bootz.trust.certificates import pem_from_der

    atomic_write(target, pem_from_der([Manufacturer.open(folder, clock=now).anchor]))
    cli.output.message(f"wrote {target}")


@command.command("identity")
@folder_argument
@click.option("--serial", "serial_number", required=True, help="Serial number of the card.")
@click.option("--part-number", default="", help="Part number of the card.")
@key_option
@click.option(
    "-o",
    "--to",
    "target",
    type=PATH,
    required=True,
    metavar="DIR",
    help="Folder for identity.key and identity.pem.",
)
@click.pass_obj
def identity(
    cli: Cli, folder: Path, serial_number: str, part_number: str, kind: str, target: Path
) -> None:
    """Issue an identity (IDevID) for a card that is built elsewhere."""
    from bootz.keystore.files import write_certificates, write_private_key
    from bootz.manufacturer.room import Manufacturer
    from bootz.trust.certificates import fingerprint

    maker = Manufacturer.open(folder, clock=now)
    issued = maker.issue_identity(serial_number, part_number, kind=KEY_KINDS[kind])
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private_key(target / "identity.key", issued.key)
    write_certificates(target / "identity.pem", issued.chain)
    cli.output.record(
        {
            "serial_number": serial_number,
            "certificate": target / "identity.pem",
            "key": target / "identity.key",
            "fingerprint": fingerprint(issued.chain[0]),
        }
    )


def _record(folder: Path, made: Manufacturer) -> dict[str, object]:
    from bootz.trust.certificates import fingerprint

    return {
        "name": made.name,
        "folder": folder,
        "ca_certificate": folder / "keys" / "ca.pem",
        "fingerprint": fingerprint(made.anchor),
    }
