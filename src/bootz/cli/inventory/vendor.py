"""``bootz vendor``: the manufacturers whose devices are served, and their CAs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bootz.cli.base import PATH, noun, together
from bootz.cli.inventory.named import Named, VerbHelp, add_named_verbs
from bootz.cli.inventory.voucher_source_options import VOUCHER_SOURCE_OPTIONS
from bootz.cli.names import VENDOR
from bootz.cli.output import Column

if TYPE_CHECKING:
    from bootz.cli.inventory.named import Change

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
        "--owner-key",
        type=click.Choice(["first", "p256"]),
        help="Owner key that signs for its routers. p256: the P-256 one, where the site has it; "
        "see `bootz keys rotate`. Default: first.",
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


def _add(name: str, options: dict[str, Any]) -> Change:
    from bootz.cli.inventory.vendor_rows import changed_vendor
    from bootz.server.operations.vendors import VendorRecord, add_vendor

    record = changed_vendor(VendorRecord(name), options)
    return lambda connection: add_vendor(connection, record)


def _change(name: str, options: dict[str, Any]) -> Change:
    from bootz.cli.inventory.vendor_rows import changed_vendor
    from bootz.server.operations.vendors import find_vendor, set_vendor

    return lambda connection: set_vendor(
        connection, name, changed_vendor(find_vendor(connection, name), options)
    )


def _named() -> Named:
    from bootz.cli.inventory.vendor_rows import legacy_warning, shown_vendor, vendor_row
    from bootz.server.operations.vendors import find_vendor, list_vendors, remove_vendor

    return Named(
        list_vendors,
        find_vendor,
        _add,
        _change,
        remove_vendor,
        vendor_row,
        shown_vendor,
        legacy_warning,
    )


add_named_verbs(
    command,
    _COLUMNS,
    _named,
    VerbHelp(
        "Add a manufacturer.",
        "List all manufacturers.",
        "Show a manufacturer and its certificates.",
        """Change a manufacturer; options that are not given stay as they are.

        An empty value or file removes the setting.""",
        "Remove a manufacturer that has no chassis and no vouchers.",
    ),
    name=VENDOR,
    add_options=together(
        click.option(
            "--ca",
            type=PATH,
            required=True,
            metavar="FILE",
            help="CAs of its IDevIDs: a PEM bundle, one DER certificate, or PKCS #7 (.p7b).",
        ),
        _options,
    ),
    set_options=together(
        click.option("--rename", metavar="NAME", help="New name."),
        click.option(
            "--ca",
            type=PATH,
            metavar="FILE",
            help="New CAs of its IDevIDs; replaces the present ones.",
        ),
        _options,
    ),
)
