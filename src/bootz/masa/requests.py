"""The JSON voucher request: read from a file or a body, answered with a voucher or a tar.

Source: docs/protocol/vouchers.md#requests.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from bootz import strict_json
from bootz.masa.ledger.access import Access
from bootz.masa.ledger.errors import LedgerError
from bootz.masa.ledger.nouns import Requester
from bootz.masa.ledger.vouchers import VoucherOrder, order_for_certificate
from bootz.masa.service import MasaService
from bootz.model.chassis import fold_serial
from bootz.trust.bundle import pack_bundle
from bootz.trust.request import VoucherRequest, parse_voucher_request

VOUCHER_TYPE: Final = "application/voucher-cms+json"
BUNDLE_TYPE: Final = "application/x-tar"

Requests: TypeAlias = VoucherRequest | tuple[VoucherRequest, ...]
"""One request, or a purchase order's list."""


@dataclass(frozen=True, slots=True)
class RequestAnswer:
    """A voucher, or a tar of them."""

    body: bytes = field(repr=False)
    content_type: str
    count: int


def read_requests(body: bytes) -> Requests:
    """Read one request, or a list in which each serial number appears once.

    Raises:
        BootzError: not JSON, or not such requests.
    """
    if not body.lstrip().startswith(b"["):
        return parse_voucher_request(body)
    try:
        items = strict_json.loads(body)
    except ValueError as error:
        raise LedgerError("ovgs-request-malformed", "the list is not strict JSON") from error
    if not isinstance(items, list) or not items:
        raise LedgerError("ovgs-request-malformed", "the list is empty")
    requests = tuple(parse_voucher_request(item) for item in items)
    if len({fold_serial(request.serial_number) for request in requests}) != len(requests):
        raise LedgerError("ovgs-request-malformed", "a serial number appears twice in the list")
    if len({request.pinned_domain_cert for request in requests}) != 1:
        # A tar is one bundle, and all vouchers of a bundle pin the same certificate.
        raise LedgerError("ovgs-request-malformed", "the list pins different certificates")
    return requests


async def answer_requests(
    service: MasaService, caller: Requester, asked: Requests, *, ien: str | None
) -> RequestAnswer:
    """Issue what is asked for, all or nothing.

    ``ien`` names the vendor where a serial number alone would not do.

    Raises:
        LedgerError: a request is refused, or the signing key did not work.
    """
    wanted = (asked,) if isinstance(asked, VoucherRequest) else asked

    def decide(access: Access) -> tuple[VoucherOrder, ...]:
        now = service.clock()
        return tuple(_order(access, each, ien, now=now) for each in wanted)

    issued = await service.issue(caller, decide, max_bytes=None)
    if isinstance(asked, VoucherRequest):
        return RequestAnswer(issued[0].cms, VOUCHER_TYPE, 1)
    bundle = pack_bundle(
        {voucher.order.component.name.serial_number: voucher.cms for voucher in issued}
    )
    return RequestAnswer(bundle, BUNDLE_TYPE, len(issued))


def _order(
    access: Access, request: VoucherRequest, ien: str | None, *, now: datetime
) -> VoucherOrder:
    return order_for_certificate(
        access,
        request.serial_number,
        request.pinned_domain_cert,
        request.expires_on,
        ien=ien,
        now=now,
        idevid_issuer=request.idevid_issuer,
        last_renewal_date=request.last_renewal_date,
    )
