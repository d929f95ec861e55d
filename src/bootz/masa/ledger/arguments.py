"""Arguments that can be judged without looking at anything stored.

Source: docs/protocol/ovgs.md#errors (2).
"""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from bootz.errors import TrustError
from bootz.masa.ledger.access import Rules
from bootz.masa.ledger.errors import LedgerError, invalid, missing
from bootz.masa.ledger.nouns import AccountType, ComponentName, User
from bootz.trust.certificates import load_certificate

MAX_TEXT = 1024
"""Characters of a name, an id or a description."""

MAX_ENTRIES = 1000
"""Entries of one batch call; a thousand vouchers fit the 4 MiB that gRPC clients accept."""


def batch(field: str, entries: Sequence[object]) -> None:
    """Judge the length of a batch.

    Raises:
        LedgerError: no entry, or more than ``MAX_ENTRIES``.
    """
    if not entries:
        raise missing(field)
    if len(entries) > MAX_ENTRIES:
        raise LedgerError(
            "ovgs-request-too-large",
            f"has {len(entries)} entries",
            where=field,
            expected=f"at most {MAX_ENTRIES}",
        )


def text(field: str, value: str) -> str:
    """Return a text that may not be empty.

    Raises:
        LedgerError: empty, beyond ``MAX_TEXT``, or with half a character (JSON can say so).
    """
    if not value:
        raise missing(field)
    if len(value) > MAX_TEXT:
        raise invalid(field, f"is longer than {MAX_TEXT} characters")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise invalid(field, "is not Unicode text")
    return value


def user(username: str, account_type: int, org_id: str) -> User:
    """Return the triple of a call.

    Raises:
        LedgerError: a part is empty, or there is no such type.
    """
    text("username", username)
    if account_type == 0:
        raise missing("user_type")
    try:
        kind = AccountType(account_type)
    except ValueError as error:
        raise invalid("user_type", f"there is no account type {account_type}") from error
    return User(username, kind, text("org_id", org_id))


def component_name(name: ComponentName | None, rules: Rules) -> ComponentName:
    """Return the component of a call.

    Raises:
        LedgerError: not there, a part is empty, or the IEN is not served here.
    """
    if name is None:
        raise missing("component")
    text("component.ien", name.ien)
    text("component.serial_number", name.serial_number)
    if name.ien not in rules.served_iens:
        raise LedgerError(
            "ovgs-ien-not-served",
            f"IEN {name.ien} is not served here",
            where="component.ien",
            expected=", ".join(sorted(rules.served_iens)),
            seen=name.ien,
        )
    return name


def future(field: str, moment: datetime | None, now: datetime) -> datetime:
    """Return an instant that must lie ahead.

    Raises:
        LedgerError: not there, or not after ``now``.
    """
    if moment is None:
        raise missing(field)
    if moment <= now:
        raise LedgerError("ovgs-time-past", "is not in the future", where=field)
    return moment


def domain_certificate(der: bytes, expires_at: datetime, now: datetime) -> x509.Certificate:
    """Return the certificate of a registration: one DER, within its validity.

    Raises:
        LedgerError: malformed, not valid now, or ending before ``expires_at``.
    """
    if not der:
        raise missing("certificate_der")
    try:
        certificate = load_certificate(der)
    except TrustError as error:
        raise invalid("certificate_der", "is not one DER certificate") from error
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise invalid("certificate_der", "is not within its validity")
    # RFC 8366 section 5.3: a voucher must not outlive the certificate that it pins.
    if expires_at > certificate.not_valid_after_utc:
        raise invalid("expiry_time", "is later than the end of the certificate")
    return certificate
