"""What ``bootz vendor`` makes of its options, and prints."""

from dataclasses import replace
from typing import Any

from bootz.cli.inventory.base import read_file
from bootz.cli.inventory.voucher_source_change import changed_source
from bootz.server.operations.texts import parse_model
from bootz.server.operations.vendors import (
    VendorRecord,
    VendorSettings,
    read_bundle,
)
from bootz.trust.certificates import fingerprint, load_certificate


def changed_vendor(record: VendorRecord, options: dict[str, Any]) -> VendorRecord:
    """Return the record with everything that the options give."""
    if options.get("rename") is not None:
        record = replace(record, name=options["rename"])
    if options["ca"] is not None:
        record = replace(record, idevid_ca=read_bundle(read_file(options["ca"]), "--ca"))
    settings = record.settings.to_json()
    for key in (
        "image_hash_algorithm",
        "image_hash_format",
        "ztp_server_line",
        "ta_file",
        "redirect_shape",
        "owner_key",
        "idevid_serial",
        "legacy",
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


def legacy_warning(record: VendorRecord) -> str:
    """Say that certificates are accepted in forms that those of others are not; else nothing."""
    if not record.settings.legacy:
        return ""
    return (
        f"LEGACY is on for {record.name}: chains of its IDevIDs and vouchers are accepted in forms "
        "that are refused otherwise (docs/accepted.md)"
    )


def vendor_row(record: VendorRecord) -> dict[str, object]:
    """Return a manufacturer as a list shows it."""
    return {
        "name": record.name,
        "aliases": record.aliases,
        "ien": record.ien,
        "idevid_cas": len(record.idevid_ca),
        "voucher_cas": len(record.voucher_ca or record.idevid_ca),
        "settings": record.settings.to_json(),
    }


def shown_vendor(record: VendorRecord) -> dict[str, object]:
    """Return a manufacturer as it is shown."""
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
