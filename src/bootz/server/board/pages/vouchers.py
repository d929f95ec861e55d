"""Vouchers: which are stored and how long they hold, which are missing, and bringing them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import Connection
from starlette.datastructures import UploadFile

from bootz.errors import BootzError, Unavailable, WireError
from bootz.server.board.results import results_of
from bootz.server.board.view import fragment, go, html, page, url
from bootz.server.board.visitor import FormDep, Visitor, changing, text_of, visiting
from bootz.server.operations.site_certificates import read_site_certificates
from bootz.server.operations.vouchers.fetches import (
    FetchScope,
    ask_fetch,
    list_fetches,
    of_batch,
)
from bootz.server.operations.vouchers.files import read_voucher_text
from bootz.server.operations.vouchers.needs import CardVoucher, card_vouchers
from bootz.server.operations.vouchers.records import list_vouchers
from bootz.server.operations.vouchers.storing import (
    StoreOutcome,
    VoucherResult,
    remove_vouchers,
    store_voucher,
)

router = APIRouter(prefix="/vouchers")

PAGE: Final = 100
SHOWN_FETCHES: Final = 5
WAITS: Final = timedelta(seconds=10)
"""After which a request that no server has taken up is told as such."""
SOON: Final = timedelta(days=30)
_MAX_FILE: Final = 1 << 20


class VoucherDays(NamedTuple):
    """The vouchers of a vendor by how long they hold."""

    vendor: str
    ended: int
    soon: int
    later: int
    missing: int


class FilesTold(NamedTuple):
    """What became of the files of a form."""

    files: Sequence["BroughtVoucher"]


class BroughtVoucher(NamedTuple):
    """What became of one file."""

    name: str
    outcome: str
    serial_number: str
    error: BootzError | None


@router.get("")
def vouchers(
    visitor: Annotated[Visitor, Depends(visiting("voucher.list"))],
    q: Annotated[str, Query(max_length=64)] = "",
    label: Annotated[str, Query(max_length=256)] = "",
    start: Annotated[int, Query(ge=0, le=10_000_000, alias="from")] = 0,
    told: Annotated[str, Query(max_length=32)] = "",
) -> Response:
    """Show vouchers by vendor and days left, and which cards have none."""
    now = visitor.door.clock()
    flaw: BootzError | None = None
    needs: Sequence[CardVoucher] = ()
    with visitor.door.database.read() as connection:
        stored = list_vouchers(connection)
        asked = list_fetches(connection, most=SHOWN_FETCHES)
        try:
            pinned = read_site_certificates(connection).pinned_domain
            needs = card_vouchers(connection, pinned_domain_cert=pinned, now=now)
        except Unavailable as error:
            flaw = error
        needs = of_batch(connection, label, needs)
    missing = [each for each in needs if each.held is None]
    wanted = q.casefold()
    found = [each for each in stored if wanted in each.serial_number.casefold()]
    names = sorted({each.vendor for each in stored} | {each.vendor for each in missing})
    days = []
    for vendor in names:
        lefts = [each.left(now) for each in stored if each.vendor == vendor]
        ended = sum(left is not None and left <= timedelta() for left in lefts)
        soon = sum(left is not None and timedelta() < left < SOON for left in lefts)
        lacking = sum(each.vendor == vendor for each in missing)
        days.append(VoucherDays(vendor, ended, soon, len(lefts) - ended - soon, lacking))
    return page(
        visitor,
        "vouchers.html",
        days=days,
        missing=missing,
        vouchers=found[start : start + PAGE],
        count=len(found),
        start=start,
        before=url("/vouchers", q=q, **{"from": max(0, start - PAGE) or ""}) if start else "",
        after=url("/vouchers", q=q, **{"from": start + PAGE}) if start + PAGE < len(found) else "",
        q=q,
        label=label,
        told=results_of(visitor).find(visitor, told, FilesTold),
        asked=told,
        flaw=flaw,
        soon_days=SOON.days,
        fetches=asked,
        waits=WAITS,
    )


async def brought(form: FormDep) -> list[tuple[str, bytes]]:
    """Return the files of a form, bounded.

    Raises:
        WireError: a file is too long to be a voucher.
    """
    found: list[tuple[str, bytes]] = []
    for value in form.getlist("file"):
        if isinstance(value, UploadFile) and value.filename:
            content = await value.read(_MAX_FILE + 1)
            if len(content) > _MAX_FILE:
                raise WireError(
                    "request-too-large", "the file is too long for a voucher", where=value.filename
                )
            found.append((value.filename, content))
    return found


@router.post("/import")
def import_(
    visitor: Annotated[Visitor, Depends(changing("voucher.import"))],
    files: Annotated[list[tuple[str, bytes]], Depends(brought)],
) -> Response:
    """Store vouchers that hold for this owner; each file is told what became of it."""
    told: list[BroughtVoucher] = []
    for name, content in files:
        try:
            with visitor.door.database.write(
                visitor.principal.actor("voucher.import")
            ) as connection:
                result = _store(connection, name, content, visitor.door.clock())
            told.append(
                BroughtVoucher(name, result.outcome.value, result.serial_number, result.error)
            )
        except BootzError as error:
            told.append(BroughtVoucher(name, StoreOutcome.REFUSED.value, "", error))
    key = results_of(visitor).keep(visitor, FilesTold(told), weight=4096 + 2048 * len(told))
    return go(url("/vouchers", told=key))


@router.post("/fetch")
def fetch(
    visitor: Annotated[Visitor, Depends(changing("voucher.fetch"))], form: FormDep
) -> Response:
    """Ask the server to fetch vouchers for cards that have none."""
    scope = FetchScope(text_of(form, "vendor", 128), text_of(form, "label", 256))
    door, principal = visitor.door, visitor.principal
    with door.database.write(principal.actor("voucher.fetch")) as connection:
        ask_fetch(connection, scope, by=principal.name, now=door.clock())
    return go(form.get("to"), f"The server was asked to fetch: {scope.words()}.")


@router.get("/fetches")
def fetches(visitor: Annotated[Visitor, Depends(visiting("voucher.list"))]) -> Response:
    """Show only what the server was asked to fetch; a page with open requests asks for it."""
    with visitor.door.database.read() as connection:
        found = list_fetches(connection, most=SHOWN_FETCHES)
    if not any(each.open for each in found):
        # What came is on other parts of the page, too.
        return html(visitor, "", headers={"HX-Refresh": "true"})
    text = fragment("fetches.html", fetches=found, now=visitor.door.clock(), waits=WAITS)
    return html(visitor, text)


@router.post("/remove")
def remove(
    visitor: Annotated[Visitor, Depends(changing("voucher.remove"))], form: FormDep
) -> Response:
    """Remove one voucher, by its digest."""
    serial, sha256 = text_of(form, "serial", 64), text_of(form, "sha256", 64)
    vendor = text_of(form, "vendor", 128)
    with visitor.door.database.write(visitor.principal.actor("voucher.remove")) as connection:
        remove_vouchers(connection, [serial], vendor=vendor or None, sha256=sha256)
    return go(form.get("to"), f"A voucher of {serial} was removed.")


def _store(connection: Connection, name: str, content: bytes, now: datetime) -> VoucherResult:
    raw = read_voucher_text(content, name)
    pinned = read_site_certificates(connection).pinned_domain
    return store_voucher(connection, raw, now=now, pinned_domain_cert=pinned)
