"""Stored vouchers, and requests to the server to fetch those that are missing."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import Connection

from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.context import DoorDep, Principal
from bootz.server.api.paging import Moment, Page, PagingDep
from bootz.server.api.routes.documents import STRICT
from bootz.server.api.routing import api_router
from bootz.server.api.writes import Answer, ChangeDep, tagged
from bootz.server.operations.vouchers.fetches import (
    MAX_SERIALS,
    FetchScope,
    FetchState,
    VoucherFetch,
    ask_fetch,
    find_fetch,
    list_fetches,
)
from bootz.server.operations.vouchers.records import VoucherRecord, list_vouchers, voucher_of_digest
from bootz.server.operations.vouchers.storing import remove_vouchers

router = api_router("/vouchers", tag="vouchers")


class Voucher(BaseModel):
    """A stored voucher, verified when it was stored."""

    serial_number: str
    vendor: str
    created_on: AwareDatetime | None
    expires_on: AwareDatetime | None
    days_left: float | None = Field(description="Negative when it has ended; null without an end.")
    assertion: str
    signer: str
    pinned_sha256: str
    sha256: str
    warnings: list[str]
    stored_at: AwareDatetime


class RemovedVouchers(BaseModel):
    """Which vouchers were removed, by their SHA-256."""

    removed: list[str]


class VoucherFetchBody(BaseModel):
    """Which cards without a voucher the server is asked to fetch one for; all if it is empty."""

    model_config = STRICT

    vendor: str = Field("", max_length=128)
    label: str = Field("", max_length=256, description="`key` or `key=value` of the chassis.")
    serial_numbers: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        [], max_length=MAX_SERIALS
    )


class VoucherFetchFault(BaseModel):
    """A card that got no voucher."""

    serial_number: str
    vendor: str
    reason: str
    detail: str


class VoucherFetchView(BaseModel):
    """A request to the server to fetch vouchers."""

    id: int
    state: FetchState = Field(description="`asked` waits for a running `bootz serve`.")
    asked_at: AwareDatetime
    asked_by: str
    vendor: str
    label: str
    serial_numbers: list[str]
    begun_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    cards: int = Field(description="Those without a voucher when it was taken up.")
    stored: int = Field(description="Those of them that got one.")
    reason: str = Field(description="Why it failed; empty where it did not.")
    detail: str
    faults: list[VoucherFetchFault] = Field(description="The first 50 cards that got none.")


@router.get("", **operation("voucher.list"))
def list_(
    door: DoorDep,
    _principal: Annotated[Principal, Depends(needs("voucher.list"))],
    paging: PagingDep,
    serial_number: Annotated[str | None, Query(max_length=64)] = None,
    vendor: Annotated[str | None, Query(max_length=128)] = None,
    expiring_before: Moment | None = None,
) -> Page[Voucher]:
    """List vouchers by serial number, of one card the newest first."""
    now = door.clock()
    with door.database.read() as connection:
        found = list_vouchers(
            connection, serial=serial_number, vendor=vendor, expiring_before=expiring_before
        )
    page = found[paging.offset : paging.offset + paging.limit]
    return paging.page(len(found), [_view(record, now) for record in page])


@router.post(
    "/fetches",
    status_code=202,
    response_model=VoucherFetchView,
    **operation("voucher.fetch", 409, 422),
)
def fetch(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("voucher.fetch"))],
    change: ChangeDep,
    body: VoucherFetchBody,
) -> Response:
    """Ask the server to fetch vouchers now; it opens the keys that are needed, the API does not.

    A request for the same cards that has not ended is joined.
    """

    def work(connection: Connection) -> Answer:
        scope = FetchScope(body.vendor, body.label, tuple(body.serial_numbers))
        asked = ask_fetch(connection, scope, by=principal.name, now=door.clock())
        return tagged(_fetch_view(asked), status=202)

    return change.run(principal, "voucher.fetch", work)


@router.get("/fetches", **{**operation("voucher.list"), "operation_id": "voucher_fetch_list"})
def fetches(
    door: DoorDep,
    _principal: Annotated[Principal, Depends(needs("voucher.list"))],
    paging: PagingDep,
) -> Page[VoucherFetchView]:
    """List requests to fetch vouchers, the newest first."""
    with door.database.read() as connection:
        found = list_fetches(connection)
    page = found[paging.offset : paging.offset + paging.limit]
    return paging.page(len(found), [_fetch_view(each) for each in page])


@router.get(
    "/fetches/{key:int}",
    response_model=VoucherFetchView,
    **{**operation("voucher.list"), "operation_id": "voucher_fetch_show"},
)
def show_fetch(
    door: DoorDep,
    _principal: Annotated[Principal, Depends(needs("voucher.list"))],
    key: Annotated[int, Path(ge=1, le=2**62, description="The request's id.")],
) -> Response:
    """Show how far a request to fetch vouchers is, with its ETag."""
    with door.database.read() as connection:
        return tagged(_fetch_view(find_fetch(connection, key))).response()


@router.get(
    "/{sha256}",
    response_model=Voucher,
    **{**operation("voucher.list"), "operation_id": "voucher_show"},
)
def show(
    door: DoorDep,
    _principal: Annotated[Principal, Depends(needs("voucher.list"))],
    sha256: Annotated[str, Path(pattern=r"^[0-9a-fA-F]{64}$", description="The voucher's.")],
) -> Response:
    """Show a voucher, with its ETag: a voucher never changes."""
    with door.database.read() as connection:
        record = voucher_of_digest(connection, sha256)
    return tagged(_view(record, door.clock()), {"sha256": record.sha256}).response()


@router.delete("", response_model=RemovedVouchers, **operation("voucher.remove", 409))
def remove(
    principal: Annotated[Principal, Depends(needs("voucher.remove"))],
    change: ChangeDep,
    serial_number: Annotated[str, Query(min_length=1, max_length=64)],
    vendor: Annotated[str | None, Query(max_length=128)] = None,
    sha256: Annotated[str, Query(pattern=r"^[0-9a-fA-F]{0,64}$")] = "",
) -> Response:
    """Remove the vouchers of a card, or one of them by its digest."""

    def work(connection: Connection) -> Answer:
        removed = remove_vouchers(connection, [serial_number], vendor=vendor, sha256=sha256)
        return Answer(RemovedVouchers(removed=[record.sha256 for record in removed]))

    return change.run(principal, "voucher.remove", work)


def _view(record: VoucherRecord, now: datetime) -> Voucher:
    left = record.left(now)
    return Voucher(
        serial_number=record.serial_number,
        vendor=record.vendor,
        created_on=record.created_on,
        expires_on=record.expires_on,
        days_left=None if left is None else left.total_seconds() / 86400,
        assertion=record.assertion.value,
        signer=record.signer,
        pinned_sha256=record.pinned_sha256,
        sha256=record.sha256,
        warnings=list(record.warnings),
        stored_at=record.stored_at,
    )


def _fetch_view(asked: VoucherFetch) -> VoucherFetchView:
    return VoucherFetchView(
        id=asked.key,
        state=asked.state,
        asked_at=asked.asked_at,
        asked_by=asked.asked_by,
        vendor=asked.scope.vendor,
        label=asked.scope.label,
        serial_numbers=list(asked.scope.serials),
        begun_at=asked.begun_at,
        ended_at=asked.ended_at,
        cards=asked.cards,
        stored=asked.stored,
        reason=asked.reason,
        detail=asked.detail,
        faults=[
            VoucherFetchFault(
                serial_number=each.serial_number,
                vendor=each.vendor,
                reason=each.reason,
                detail=each.detail,
            )
            for each in asked.faults
        ],
    )
