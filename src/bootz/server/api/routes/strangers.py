"""Callers that are not on record: listed, claimed as a planned chassis, ignored."""

from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.context import DoorDep, Principal
from bootz.server.api.paging import CursorPage, with_query
from bootz.server.api.routes.attempts import AttemptView, attempt_view, scope_filter
from bootz.server.api.routes.chassis_choice import find_visible
from bootz.server.api.routes.documents import STRICT
from bootz.server.api.routing import api_router
from bootz.server.api.writes import Answer, ChangeDep, tagged
from bootz.server.operations.strangers import (
    claim_stranger,
    find_stranger,
    heed_stranger,
    ignore_stranger,
    ignored_strangers,
    is_ignored,
    proven_vendor,
)
from bootz.server.store.attempts import AttemptFilter, AttemptRecord, latest_attempts

router = api_router("/strangers", tag="strangers")

_Attempt = Annotated[int, Path(ge=1, le=2**62, description="The id of the stranger's attempt.")]


class StrangerView(AttemptView):
    """A caller that is not on record, and what it has proven."""

    proven_vendor: str = Field(description="Whose CA vouched for it; empty: it proved nothing.")
    ignored: bool


class ClaimBody(BaseModel):
    """Which planned chassis a stranger is."""

    model_config = STRICT

    chassis: int = Field(ge=1, le=2**62, description="The chassis's id.")
    card: str = Field(
        "", max_length=64, description="Of a modular chassis: the card on record it replaces."
    )


class ClaimedView(BaseModel):
    """What was on record, and what is now."""

    chassis: int
    name: str
    expected: str = Field(description="The serial number that was planned.")
    seen: str = Field(description="The one that the stranger has proven.")
    next_action: str


class IgnoreBody(BaseModel):
    """Why a stranger is ignored."""

    model_config = STRICT

    note: str = Field("", max_length=1024)


class IgnoredView(BaseModel):
    """The serial number that is, or is no longer, left out of lists."""

    serial_number: str
    ignored: bool


@router.get("", **operation("stranger.list"))
def list_(
    request: Request,
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("stranger.list"))],
    limit: Annotated[int, Query(ge=1, le=1000, description="Rows of a page.")] = 100,
    before: Annotated[
        int | None, Query(ge=1, le=2**62, description="The page before this id.")
    ] = None,
    ignored: Annotated[bool, Query(description="Those that are ignored, too.")] = False,
) -> CursorPage[StrangerView]:
    """List callers that are no chassis on record, or did not prove to be one."""
    wanted = AttemptFilter(strangers=True, labels=scope_filter(principal), before=before)
    with door.database.read() as connection:
        found = latest_attempts(connection, most=limit + 1, wanted=wanted)
        left_out = ignored_strangers(connection)
    page = found[:limit]
    rows = [_view(each, ignored=is_ignored(each, left_out)) for each in page]
    following = with_query(request, {"before": page[-1].id}) if len(found) > limit else None
    return CursorPage(
        next=following, results=[each for each in rows if ignored or not each.ignored]
    )


@router.get(
    "/{attempt:int}",
    response_model=StrangerView,
    **{**operation("stranger.list"), "operation_id": "stranger_show"},
)
def show(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("stranger.list"))],
    attempt: _Attempt,
) -> Response:
    """Show a caller that is no chassis on record, with its ETag."""
    with door.database.read() as connection:
        found = find_stranger(connection, attempt, scope_filter(principal))
        return _answer(connection, found).response()


@router.post(
    "/{attempt:int}/claim",
    response_model=ClaimedView,
    **operation("stranger.claim", 409, 413, 422),
)
def claim(
    principal: Annotated[Principal, Depends(needs("stranger.claim"))],
    change: ChangeDep,
    attempt: _Attempt,
    body: ClaimBody,
) -> Response:
    """Claim a stranger as a planned chassis: the box that was swapped. It must have proven itself.

    ``dry_run`` shows what was expected beside what was seen.
    """

    def work(connection: Connection) -> Answer:
        find_visible(connection, principal, [body.chassis])
        change.check_match(_held_to(connection, find_stranger(connection, attempt)))
        done = claim_stranger(connection, attempt, body.chassis, card=body.card)
        return Answer(
            ClaimedView(
                chassis=body.chassis,
                name=done.after.name,
                expected=body.card or done.before.serial_number,
                seen=done.serial_number,
                next_action="Get a voucher for the new serial number, and give its card a MAC "
                "address if DHCP serves it; then run the preflight.",
            )
        )

    return change.run(principal, "stranger.claim", work)


@router.post(
    "/{attempt:int}/ignore",
    response_model=IgnoredView,
    **operation("stranger.ignore", 413, 422),
)
def ignore(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("stranger.ignore"))],
    change: ChangeDep,
    attempt: _Attempt,
    body: IgnoreBody,
) -> Response:
    """Leave a serial number out of the list of strangers."""

    def work(connection: Connection) -> Answer:
        change.check_match(_held_to(connection, find_stranger(connection, attempt)))
        done = ignore_stranger(connection, attempt, body.note, now=door.clock())
        return Answer(IgnoredView(serial_number=done.claimed_serial, ignored=True))

    return change.run(principal, "stranger.ignore", work)


@router.delete(
    "/{attempt:int}/ignore",
    response_model=IgnoredView,
    **{**operation("stranger.ignore"), "operation_id": "stranger_heed"},
)
def heed(
    principal: Annotated[Principal, Depends(needs("stranger.ignore"))],
    change: ChangeDep,
    attempt: _Attempt,
) -> Response:
    """Show a serial number in the list of strangers again."""

    def work(connection: Connection) -> Answer:
        change.check_match(_held_to(connection, find_stranger(connection, attempt)))
        done = heed_stranger(connection, attempt)
        return Answer(IgnoredView(serial_number=done.claimed_serial, ignored=False))

    return change.run(principal, "stranger.ignore", work)


def _answer(connection: Connection, found: AttemptRecord) -> Answer:
    ignored = is_ignored(found, ignored_strangers(connection))
    return tagged(_view(found, ignored=ignored), _held_to(connection, found))


def _held_to(connection: Connection, found: AttemptRecord) -> dict[str, Any]:
    """Return what the ETag is of: who it claimed and proved to be, and whether it is ignored."""
    return {
        "attempt": found.id,
        "claimed": found.claimed_serial,
        "proven": found.proven_serial,
        "vendor": proven_vendor(found),
        "ignored": is_ignored(found, ignored_strangers(connection)),
    }


def _view(attempt: AttemptRecord, *, ignored: bool) -> StrangerView:
    return StrangerView(
        **attempt_view(attempt).model_dump(),
        proven_vendor=proven_vendor(attempt),
        ignored=ignored,
    )
