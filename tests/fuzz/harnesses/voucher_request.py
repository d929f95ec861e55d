"""Requests for vouchers: one, or a list of them."""

from datetime import UTC, datetime

from bootz.masa.requests import read_requests
from bootz.trust.request import VoucherRequest, check_voucher_request

_NOW = datetime(2026, 11, 28, tzinfo=UTC)


def enter(data: bytes) -> None:
    found = read_requests(data)
    for request in [found] if isinstance(found, VoucherRequest) else found:
        check_voucher_request(request, now=_NOW)
