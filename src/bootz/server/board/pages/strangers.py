"""Strangers: callers that are not on record; what they claimed and proved."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from bootz.server.board.view import page, url
from bootz.server.board.visitor import Visitor, visiting
from bootz.server.store.attempts import AttemptFilter, latest_attempts

router = APIRouter(prefix="/strangers")

PAGE: Final = 50


@router.get("")
def strangers(
    visitor: Annotated[Visitor, Depends(visiting("stranger.list"))],
    q: Annotated[str, Query(max_length=64)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """List strangers, the latest first."""
    with visitor.door.database.read() as connection:
        found = latest_attempts(
            connection, most=PAGE + 1, wanted=AttemptFilter(strangers=True, before=before)
        )
    shown = [each for each in found[:PAGE] if q.casefold() in each.claimed_serial.casefold()]
    return page(
        visitor,
        "strangers.html",
        strangers=shown,
        q=q,
        older=url("/strangers", q=q, before=found[PAGE - 1].id) if len(found) > PAGE else "",
        newest=url("/strangers", q=q) if before else "",
    )
