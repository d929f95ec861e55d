"""Stored vouchers. New ones are imported by the command line, or fetched by the server."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import Connection

from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.context import DoorDep, Principal
from bootz.server.api.paging import Moment, Page, PagingDep
from bootz.server.api.writes import Answer, ChangeDep
from bootz.server.operations.vouchers import VoucherRecord, list_vouchers, remove_vouchers

router = APIRouter(prefix="/vouchers", tags=["vouchers"])


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

    def view(record: VoucherRecord) -> Voucher:
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

    with door.database.read() as connection:
        found = list_vouchers(
            connection, serial=serial_number, vendor=vendor, expiring_before=expiring_before
        )
    page = found[paging.offset : paging.offset + paging.limit]
    return paging.page(len(found), [view(record) for record in page])


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
