"""``bootz manufacturer``: a manufacturer for laboratories."""

from datetime import UTC, datetime
from pathlib import Path

import click

from bootz.cli.base import Cli, noun
from bootz.keystore.files import KeyKind, atomic_write, write_certificates, write_private_key
from bootz.manufacturer.room import Manufacturer
from bootz.trust.certificates import fingerprint, pem_from_der

command = noun("manufacturer", "A manufacturer for labs: its CA, identities and vouchers.")

KEY_KINDS = {"rsa-2048": KeyKind.RSA_2048, "p256": KeyKind.P256, "p384": KeyKind.P384}
"""The words of ``--key``."""

folder_argument = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
key_option = click.option(
    "--key",
    "kind",
    type=click.Choice(list(KEY_KINDS)),
    default="p256",
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
    made = Manufacturer.create(folder, name, kind=KEY_KINDS[kind], clock=now)
    cli.output.record(_record(folder, made))


@command.command("show")
@folder_argument
@click.pass_obj
def show(cli: Cli, folder: Path) -> None:
    """Show a manufacturer and the path of its CA certificate."""
    cli.output.record(_record(folder, Manufacturer.open(folder, clock=now)))


@command.command("anchor")
@folder_argument
@click.option(
    "-o",
    "--to",
    "target",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="PEM file to write.",
)
@click.pass_obj
def anchor(cli: Cli, folder: Path, target: Path) -> None:
    """Write the CA certificate, for an owner's `bootz vendor add`."""
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
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder for identity.key and identity.pem.",
)
@click.pass_obj
def identity(
    cli: Cli, folder: Path, serial_number: str, part_number: str, kind: str, target: Path
) -> None:
    """Issue an identity (IDevID) for a card that is built elsewhere."""
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
    return {
        "name": made.name,
        "folder": folder,
        "ca_certificate": folder / "keys" / "ca.pem",
        "fingerprint": fingerprint(made.anchor),
    }
