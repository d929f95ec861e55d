"""``bootz vendor``: the manufacturers whose devices are served, and their CAs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from bootz.cli.base import Cli, noun
from bootz.cli.inventory.base import read_file, reading, writing
from bootz.cli.inventory.voucher_source_options import VOUCHER_SOURCE_OPTIONS, changed_source
from bootz.cli.output import Column
from bootz.server.operations.texts import parse_model
from bootz.server.operations.vendors import (
    VendorRecord,
    VendorSettings,
    add_vendor,
    find_vendor,
    list_vendors,
    read_bundle,
    remove_vendor,
    set_vendor,
)
from bootz.trust.certificates import fingerprint, load_certificate

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
    return click.option(*names, type=click.Path(path_type=Path), metavar="FILE", help=help_text)


def _options(function: _F) -> _F:
    """The options that add and set have in common."""
    for option in reversed(
        (
            click.option(
                "--alias",
                "aliases",
                multiple=True,
                help="Another name that routers send; repeatable.",
            ),
            click.option("--ien", help="IANA enterprise number."),
            _file_option("--intermediates", help_text="Intermediate CAs between IDevIDs and --ca."),
            _file_option(
                "--voucher-ca", help_text="CAs of voucher signers. Default: those of --ca."
            ),
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
                help="Whether modular chassis get the configuration line with the stored server "
                "data.",
            ),
            click.option("--ta-file", help="File in which its routers keep the trust anchor."),
            click.option(
                "--redirect-shape",
                type=click.Choice(["rfc8572", "text", "u8"]),
                help="How its routers read options 143 and 136. text: some early releases.",
            ),
            *VOUCHER_SOURCE_OPTIONS,
        )
    ):
        function = option(function)
    return function


@command.command("add")
@click.argument("name")
@click.option(
    "--ca",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="CAs of its IDevIDs: a PEM bundle, one DER certificate, or PKCS #7 (.p7b).",
)
@_options
@click.pass_obj
def add(cli: Cli, /, name: str, ca: Path, **options: Any) -> None:
    """Add a manufacturer."""
    record = _changed(VendorRecord(name, idevid_ca=read_bundle(read_file(ca), "--ca")), options)
    with writing(cli) as connection:
        added = add_vendor(connection, record)
    cli.output.record(_shown(added))


@command.command("list")
@click.pass_obj
def list_(cli: Cli) -> None:
    """List all manufacturers."""
    with reading(cli) as connection:
        records = list_vendors(connection)
    cli.output.rows(
        _COLUMNS,
        [
            {
                "name": record.name,
                "aliases": record.aliases,
                "ien": record.ien,
                "idevid_cas": len(record.idevid_ca),
                "voucher_cas": len(record.voucher_ca or record.idevid_ca),
                "settings": record.settings.to_json(),
            }
            for record in records
        ],
    )


@command.command("show")
@click.argument("name")
@click.pass_obj
def show(cli: Cli, name: str) -> None:
    """Show a manufacturer and its certificates."""
    with reading(cli) as connection:
        record = find_vendor(connection, name)
    cli.output.record(_shown(record))


@command.command("set")
@click.argument("name")
@click.option("--rename", metavar="NAME", help="New name.")
@click.option(
    "--ca",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="New CAs of its IDevIDs; replaces the present ones.",
)
@_options
@click.pass_obj
def set_(cli: Cli, /, name: str, rename: str | None, ca: Path | None, **options: Any) -> None:
    """Change a manufacturer; options that are not given stay as they are.

    An empty value or file removes the setting.
    """
    with writing(cli) as connection:
        record = find_vendor(connection, name)
        if rename is not None:
            record = replace(record, name=rename)
        if ca is not None:
            record = replace(record, idevid_ca=read_bundle(read_file(ca), "--ca"))
        changed = set_vendor(connection, name, _changed(record, options))
    cli.output.record(_shown(changed))


@command.command("remove")
@click.argument("name")
@click.pass_obj
def remove(cli: Cli, name: str) -> None:
    """Remove a manufacturer that has no chassis and no vouchers."""
    with writing(cli) as connection:
        record = remove_vendor(connection, name)
    cli.output.message(f"removed vendor {record.name}")


def _changed(record: VendorRecord, options: dict[str, Any]) -> VendorRecord:
    """Return the record with everything that the options give."""
    settings = record.settings.to_json()
    for key in (
        "image_hash_algorithm",
        "image_hash_format",
        "ztp_server_line",
        "ta_file",
        "redirect_shape",
    ):
        if options[key] is not None:
            settings[key] = options[key]
    source = settings.pop("voucher_source", None)
    changed = changed_source(source if isinstance(source, dict) else None, options)
    if changed is not None:
        settings["voucher_source"] = changed
    parsed = parse_model(VendorSettings, settings, reason="vendor-invalid", where=record.name)
    record = replace(record, settings=parsed)
    if options["aliases"]:
        record = replace(record, aliases=tuple(filter(None, options["aliases"])))
    if options["ien"] is not None:
        record = replace(record, ien=options["ien"])
    if options["intermediates"] is not None:
        bundle = read_file(options["intermediates"])
        record = replace(record, intermediates=read_bundle(bundle, "--intermediates"))
    if options["voucher_ca"] is not None:
        bundle = read_file(options["voucher_ca"])
        record = replace(record, voucher_ca=read_bundle(bundle, "--voucher-ca"))
    return record


def _shown(record: VendorRecord) -> dict[str, object]:
    return {
        "name": record.name,
        "aliases": record.aliases,
        "ien": record.ien,
        "idevid_ca": [_described(der) for der in record.idevid_ca],
        "intermediates": [_described(der) for der in record.intermediates],
        "voucher_ca": [_described(der) for der in record.voucher_ca] or "as idevid_ca",
        "settings": record.settings.to_json(),
    }


def _described(der: bytes) -> dict[str, object]:
    certificate = load_certificate(der)
    return {
        "subject": certificate.subject.rfc4514_string(),
        "until": certificate.not_valid_after_utc,
        "sha256": fingerprint(der),
    }
