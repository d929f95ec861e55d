"""``bootz voucher bundle`` and ``export``: stored vouchers as files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootz.cli.base import FILE, FOLDER, Cli, Verb
from bootz.cli.inventory.base import reading
from bootz.cli.names import SERIAL, which_vendor
from bootz.cli.output import Column
from bootz.errors import ConfigError, UnknownChassis, unwritable

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from bootz.server.operations.vouchers.records import VoucherRecord
    from bootz.server.site import Site

_serials = click.argument("serials", metavar="SERIAL...", nargs=-1, required=True, type=SERIAL)


@click.command("bundle", cls=Verb)
@_serials
@which_vendor
@click.option(
    "-o",
    "--to",
    "target",
    type=FILE,
    required=True,
    metavar="FILE.tar",
    help="Bundle to write.",
)
@click.pass_obj
def bundle_command(cli: Cli, serials: tuple[str, ...], vendor: str | None, target: Path) -> None:
    """Pack vouchers into a bundle (tar), as routers get it.

    The serial number of a chassis means all its cards.

    The same vouchers give the same bytes.
    """
    from bootz.keystore.files import atomic_write
    from bootz.trust.bundle import WIRE_LIMITS, pack_bundle

    found = _find(cli, serials, vendor)
    bundle = pack_bundle({record.serial_number: record.raw for record in found})
    if len(found) > WIRE_LIMITS.entries or len(bundle) > WIRE_LIMITS.total_bytes:
        raise ConfigError(
            "ov-bundle-too-large",
            "no router would accept it",
            where=str(target),
            expected=f"{WIRE_LIMITS.entries} vouchers in {WIRE_LIMITS.total_bytes} bytes",
            seen=f"{len(found)} in {len(bundle)}",
        )
    atomic_write(target, bundle, mode=0o644)
    cli.output.record(
        {
            "file": target,
            "bytes": len(bundle),
            "serial_numbers": [record.serial_number for record in found],
        }
    )


@click.command("export", cls=Verb)
@_serials
@which_vendor
@click.option(
    "--to",
    "folder",
    type=FOLDER,
    required=True,
    metavar="DIR",
    help="Folder for the .vcj files.",
)
@click.pass_obj
def export_command(cli: Cli, serials: tuple[str, ...], vendor: str | None, folder: Path) -> None:
    """Write vouchers as .vcj files; a chassis's serial number means all its cards."""
    from bootz.keystore.files import atomic_write
    from bootz.trust.bundle import file_name

    found = _find(cli, serials, vendor)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    rows = []
    for record in found:
        path = folder / file_name(record.serial_number)
        atomic_write(path, record.raw, mode=0o644)
        rows.append({"serial_number": record.serial_number, "file": path})
    cli.output.rows((Column("serial_number", "SERIAL"), Column("file")), rows)


def _find(cli: Cli, serials: tuple[str, ...], vendor: str | None) -> list[VoucherRecord]:
    """Return the voucher that is served for each card that is named."""
    from bootz.model.chassis import fold_serial

    site = cli.site()
    with reading(cli) as connection:
        cards = [card for serial in serials for card in _cards(connection, serial, vendor)]
        named = {(fold_serial(serial), owner): (serial, owner) for serial, owner in cards}
        return [_served(connection, site, serial, owner) for serial, owner in named.values()]


def _served(connection: Connection, site: Site, serial: str, vendor: str | None) -> VoucherRecord:
    from bootz.server.operations.vouchers.records import find_served_voucher

    return find_served_voucher(
        connection,
        serial,
        pinned_domain_cert=site.pinned_domain_cert(),
        now=site.clock(),
        vendor=vendor,
    )


def _cards(connection: Connection, serial: str, vendor: str | None) -> list[tuple[str, str | None]]:
    """Return a card, or all cards of a chassis with slots, with the vendor."""
    from bootz.model.chassis import fold_serial
    from bootz.server.operations.chassis import find_chassis

    try:
        record = find_chassis(connection, serial, vendor)
    except UnknownChassis:
        # A voucher may be held for a card that is not on record yet.
        return [(serial, vendor)]
    wanted = fold_serial(serial)
    own = [card for card in record.cards if fold_serial(card.serial_number) == wanted]
    return [(card.serial_number, record.vendor) for card in own or record.cards]
