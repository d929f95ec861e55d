"""The voucher request: a plain JSON object by which an owner asks a vendor for a voucher.

Source: docs/protocol/vouchers.md#requests.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import Final

from bootz.errors import WireError
from bootz.model.artifacts import Assertion
from bootz.trust.certificate_form import CertificateError, is_issuer, load_certificate
from bootz.trust.leaves import (
    LeafError,
    is_serial_text,
    read_binary,
    read_json,
    read_object,
    read_text,
    read_time,
    write_binary,
    write_time,
)

MAX_REQUEST_BYTES: Final = 64 << 10

_CONTAINERS: Final = ("ietf-voucher-request:voucher", "ietf-voucher:voucher")

_MAX_SHOWN: Final = 80

_NAMES: Final = (
    *("serial-number", "pinned-domain-cert", "assertion", "expires-on", "idevid-issuer"),
    *("last-renewal-date", "created-on", "nonce", "domain-cert-revocation-checks"),
    *("prior-signed-voucher-request", "proximity-registrar-cert"),
)
"""The members of vouchers and of requests for them (docs/protocol/vouchers.md#requests)."""


class VoucherRequestError(WireError):
    """A voucher request is not of the form, or asks for what no voucher may say."""


@dataclass(frozen=True, slots=True)
class VoucherRequest:
    """What an owner asks a vendor for; the issuer decides.

    ``pinned_domain_cert`` is one DER certificate; ``idevid_issuer`` an AuthorityKeyIdentifier.
    """

    serial_number: str
    pinned_domain_cert: bytes = field(repr=False)
    assertion: Assertion | None = None
    expires_on: datetime | None = None
    idevid_issuer: bytes | None = None
    last_renewal_date: datetime | None = None


def parse_voucher_request(data: bytes | object) -> VoucherRequest:
    """Read a request: the bare object, or the same in a container of RFC 8366 or RFC 8995.

    Args:
        data: the JSON text, or its value where it stood in a list.

    Raises:
        VoucherRequestError: ``voucher-request-malformed``.
    """
    try:
        if isinstance(data, bytes):
            if len(data) > MAX_REQUEST_BYTES:
                raise LeafError(f"the request is longer than {MAX_REQUEST_BYTES} bytes")
            data = read_json(data)
        leaves = read_object(data, "the request")
        if len(leaves) == 1 and (name := next(iter(leaves))) in _CONTAINERS:
            leaves = read_object(leaves[name], name)
        return _read(leaves)
    except LeafError as error:
        raise VoucherRequestError("voucher-request-malformed", str(error)) from error


def write_voucher_requests(requests: Sequence[VoucherRequest]) -> bytes:
    """Return the JSON text for a person to send; ends with a line break.

    One request stands alone; several are the list of a purchase order.
    """
    leaves = [_leaves(request) for request in requests]
    return json.dumps(leaves[0] if len(leaves) == 1 else leaves, indent=2).encode() + b"\n"


def _leaves(request: VoucherRequest) -> dict[str, str]:
    leaves: dict[str, str] = {}
    if request.expires_on is not None:
        leaves["expires-on"] = write_time(request.expires_on)
    leaves["assertion"] = (request.assertion or Assertion.VERIFIED).value
    leaves["serial-number"] = request.serial_number
    if request.idevid_issuer is not None:
        leaves["idevid-issuer"] = write_binary(request.idevid_issuer)
    leaves["pinned-domain-cert"] = write_binary(request.pinned_domain_cert)
    if request.last_renewal_date is not None:
        leaves["last-renewal-date"] = write_time(request.last_renewal_date)
    return leaves


def check_voucher_request(request: VoucherRequest, *, now: datetime) -> tuple[str, ...]:
    """Check what a request asks for before it is sent, and return warnings.

    Args:
        request: the request.
        now: aware UTC.

    Raises:
        VoucherRequestError: ``voucher-request-unfit``.
    """
    try:
        pinned = load_certificate(request.pinned_domain_cert)
    except CertificateError as error:
        raise _unfit("pinned-domain-cert", error.detail) from error
    if not pinned.not_valid_before_utc <= now <= pinned.not_valid_after_utc:
        raise _unfit(
            "pinned-domain-cert",
            "the certificate is out of date",
            expected=f"valid at {now.isoformat()}",
            seen=f"{pinned.not_valid_before_utc.isoformat()} to "
            f"{pinned.not_valid_after_utc.isoformat()}",
        )
    if not is_serial_text(request.serial_number):
        raise _unfit(
            "serial-number",
            "not a serial number",
            expected="1 to 64 printable ASCII characters, no blank at either end",
            seen=repr(request.serial_number[:80]),
        )
    end = request.expires_on
    if end is not None and not now < end <= pinned.not_valid_after_utc:
        raise _unfit(
            "expires-on",
            "the expiry must be in the future and not after that of the pinned certificate",
            expected=f"until {pinned.not_valid_after_utc.isoformat()}",
            seen=end.isoformat(),
        )
    renewal = request.last_renewal_date
    if renewal is not None and (end is None or renewal < end):
        raise _unfit(
            "last-renewal-date",
            "the last renewal date needs an expiry and must not be before it",
            expected="none" if end is None else f"not before {end.isoformat()}",
            seen=renewal.isoformat(),
        )
    if request.assertion not in (None, Assertion.VERIFIED):
        return ("assertion: routers accept only `verified` by default",)
    return ()


def _read(leaves: Mapping[str, object]) -> VoucherRequest:
    if "nonce" in leaves:
        raise LeafError("nonce: not supported by Bootz")
    _check_spelling(leaves)
    serial = read_text(leaves.get("serial-number"), "serial-number")
    if not is_serial_text(serial):
        raise LeafError("serial-number is not 1 to 64 printable ASCII characters")
    pinned = read_binary(leaves.get("pinned-domain-cert"), "pinned-domain-cert")
    try:
        load_certificate(pinned)
    except CertificateError as error:
        raise LeafError(f"pinned-domain-cert is not a certificate: {error.detail}") from error
    times = {
        name: read_time(leaves[name], name) if name in leaves else None
        for name in ("expires-on", "last-renewal-date")
    }
    end, renewal = times["expires-on"], times["last-renewal-date"]
    if renewal is not None and (end is None or renewal < end):
        raise LeafError("last-renewal-date needs an expires-on and must not be before it")
    return VoucherRequest(
        serial_number=serial,
        pinned_domain_cert=pinned,
        assertion=_read_assertion(leaves.get("assertion")),
        expires_on=times["expires-on"],
        idevid_issuer=_read_issuer(leaves.get("idevid-issuer")),
        last_renewal_date=times["last-renewal-date"],
    )


def _check_spelling(leaves: Mapping[str, object]) -> None:
    """Refuse a name that is meant for another: `expire-on` would give a voucher without end."""
    for name in leaves:
        if name not in _NAMES:
            meant = get_close_matches(name.casefold(), _NAMES, n=1, cutoff=0.8)
            if meant:
                raise LeafError(f"{name[:_MAX_SHOWN]} is not a member; did you mean {meant[0]}?")


def _read_assertion(value: object) -> Assertion | None:
    if value is None:
        return None
    try:
        return Assertion(value)
    except ValueError as error:
        raise LeafError("assertion is not a known value") from error


def _read_issuer(value: object) -> bytes | None:
    if value is None:
        return None
    issuer = read_binary(value, "idevid-issuer")
    if not is_issuer(issuer):
        raise LeafError("idevid-issuer is not an AuthorityKeyIdentifier")
    return issuer


def _unfit(where: str, detail: str, *, expected: str = "", seen: str = "") -> VoucherRequestError:
    return VoucherRequestError(
        "voucher-request-unfit", detail, where=where, expected=expected, seen=seen
    )
