"""``bootz vendor``: the manufacturers whose devices are served, and their CAs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bootz.cli.base import PATH, Cli, noun, together
from bootz.cli.inventory.base import read_file, writing
from bootz.cli.inventory.named import Named, add_named_verbs, warn
from bootz.cli.inventory.voucher_source_options import VOUCHER_SOURCE_OPTIONS
from bootz.cli.names import VENDOR
from bootz.cli.output import Column

if TYPE_CHECKING:
    from pathlib import Path

command = noun("vendor", "Manufacturers and their CA bundles.")

_F = TypeVar("_F", bound=Callable[..., Any])

_COLUMNS = (
    Column("name"),
    Column("aliases"),
    Column("ien", "IEN"),
    Column("idevid_cas", "CAS", right=True),
    Column("voucher_cas", "VOUCHER CAS", right=True),
    Column("settings"),
)


def _file_option(*names: str, help_text: str) -> Callable[[_F], _F]:
    return click.option(*names, type=PATH, metavar="FILE", help=help_text)


_options = together(
    click.option(
        "--alias", "aliases", multiple=True, help="Another name that routers send; repeatable."
    ),
    click.option("--ien", help="IANA enterprise number."),
    _file_option("--intermediates", help_text="Intermediate CAs between IDevIDs and --ca."),
    _file_option("--voucher-ca", help_text="CAs of voucher signers. Default: those of --ca."),
    click.option(
        "--image-hash-algorithm",
        type=click.Choice(["SHA256", "ietf-sztp-conveyed-info:sha-256"]),
        help="Name of SHA-256 for its routers. Default: that of the dialect.",
    ),
    click.option(
        "--image-hash-format",
        type=click.Choice(["hex", "colon-hex"]),
        help="Form of a digest for its routers.",
    ),
    click.option(
        "--ztp-server-line",
        type=click.Choice(["auto", "on", "off"]),
        help="Whether modular chassis get the configuration line with the stored server data.",
    ),
    click.option("--ta-file", help="File in which its routers keep the trust anchor."),
    click.option(
        "--redirect-shape",
        type=click.Choice(["rfc8572", "text", "u8"]),
        help="How its routers read options 143 and 136. text: some early releases.",
    ),
    click.option(
        "--idevid-serial",
        type=click.Choice(["card", "chassis", "either"]),
        help="Whose serial number the IDevIDs in a modular chassis have. Default: either.",
    ),
    click.option(
        "--legacy/--no-legacy",
        default=None,
        help="Accept certificate forms that are refused otherwise; see docs/accepted.md.",
    ),
    *VOUCHER_SOURCE_OPTIONS,
)
"""The options that add and set have in common."""


@command.command("add")
@click.argument("name")
@click.option(
    "--ca",
    type=PATH,
    required=True,
    metavar="FILE",
    help="CAs of its IDevIDs: a PEM bundle, one DER certificate, or PKCS #7 (.p7b).",
)
@_options
@click.pass_obj
def add(cli: Cli, /, name: str, ca: Path, **options: Any) -> None:
    """Add a manufacturer."""
    from bootz.cli.inventory.vendor_rows import changed_vendor, legacy_warning, shown_vendor
    from bootz.server.operations.vendors import VendorRecord, add_vendor, read_bundle

    record = changed_vendor(
        VendorRecord(name, idevid_ca=read_bundle(read_file(ca), "--ca")), options
    )
    with writing(cli) as connection:
        added = add_vendor(connection, record)
    cli.output.record(shown_vendor(added))
    warn(cli, legacy_warning(added))


@command.command("set")
@click.argument("name", type=VENDOR)
@click.option("--rename", metavar="NAME", help="New name.")
@click.option(
    "--ca", type=PATH, metavar="FILE", help="New CAs of its IDevIDs; replaces the present ones."
)
@_options
@click.pass_obj
def set_(cli: Cli, /, name: str, rename: str | None, ca: Path | None, **options: Any) -> None:
    """Change a manufacturer; options that are not given stay as they are.

    An empty value or file removes the setting.
    """
    from bootz.cli.inventory.vendor_rows import changed_vendor, legacy_warning, shown_vendor
    from bootz.server.operations.vendors import find_vendor, read_bundle, set_vendor

    with writing(cli) as connection:
        record = find_vendor(connection, name)
        if rename is not None:
            record = replace(record, name=rename)
        if ca is not None:
            record = replace(record, idevid_ca=read_bundle(read_file(ca), "--ca"))
        changed = set_vendor(connection, name, changed_vendor(record, options))
    cli.output.record(shown_vendor(changed))
    warn(cli, legacy_warning(changed))


def _named() -> Named:
    from bootz.cli.inventory.vendor_rows import legacy_warning, shown_vendor, vendor_row
    from bootz.server.operations.vendors import find_vendor, list_vendors, remove_vendor

    return Named(list_vendors, find_vendor, remove_vendor, vendor_row, shown_vendor, legacy_warning)


add_named_verbs(
    command,
    VENDOR,
    _COLUMNS,
    _named,
    listing="List all manufacturers.",
    showing="Show a manufacturer and its certificates.",
    removing="Remove a manufacturer that has no chassis and no vouchers.",
)
