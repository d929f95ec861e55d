"""What the verbs of ``bootz voucher`` print."""

import hashlib
from datetime import datetime
from pathlib import Path

from bootz.cli.output import error_record
from bootz.errors import TrustError
from bootz.server.operations.vouchers.files import FoundVoucher
from bootz.server.operations.vouchers.records import VoucherRecord
from bootz.server.operations.vouchers.storing import VoucherResult
from bootz.trust.bundle import file_name
from bootz.trust.certificates import load_certificate
from bootz.trust.keys import describe_key
from bootz.trust.voucher import claimed_signer, parse_unverified_voucher


def import_row(found: FoundVoucher, result: VoucherResult) -> dict[str, object]:
    """Return the row of a voucher that was verified."""
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


def voucher_row(record: VoucherRecord, now: datetime) -> dict[str, object]:
    """Return the row of a stored voucher."""
    left = record.left(now)
    return {
        "serial_number": record.serial_number,
        "vendor": record.vendor,
        "expires_on": record.expires_on or "never",
        "days_left": None if left is None else left.days,
        "assertion": record.assertion,
        "signer": record.signer,
    }


def voucher_fields(raw: bytes) -> dict[str, object]:
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


def days_left(raw: bytes, now: datetime) -> int | None:
    """Return the whole days until a voucher ends, None for never."""
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
