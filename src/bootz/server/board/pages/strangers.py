"""Strangers: callers that are not on record; claimed as a planned chassis, or ignored."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from bootz.server.board.newsroom import Newsroom
from bootz.server.board.view import go, page, url
from bootz.server.board.visitor import FormDep, Visitor, changing, text_of, visiting
from bootz.server.operations.chassis import chassis_by_key
from bootz.server.operations.chassis_state import ChassisState
from bootz.server.operations.strangers import (
    claim_stranger,
    find_stranger,
    heed_stranger,
    ignore_stranger,
    ignored_strangers,
    is_ignored,
    proven_vendor,
)
from bootz.server.store.attempts import AttemptFilter, latest_attempts

router = APIRouter(prefix="/strangers")

PAGE: Final = 50
_Attempt = Annotated[int, Path(ge=1, le=2**62)]


@router.get("")
def strangers(
    visitor: Annotated[Visitor, Depends(visiting("stranger.list"))],
    q: Annotated[str, Query(max_length=64)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    ignored: Annotated[bool, Query()] = False,
) -> Response:
    """List strangers, the latest first."""
    with visitor.door.database.read() as connection:
        found = latest_attempts(
            connection, most=PAGE + 1, wanted=AttemptFilter(strangers=True, before=before)
        )
        left_out = ignored_strangers(connection)
    shown = [
        (each, proven_vendor(each), is_ignored(each, left_out))
        for each in found[:PAGE]
        if q.casefold() in f"{each.claimed_serial} {each.proven_serial}".casefold()
        and (ignored or not is_ignored(each, left_out))
    ]
    query = {"q": q, "ignored": "1" if ignored else ""}
    return page(
        visitor,
        "strangers.html",
        strangers=shown,
        q=q,
        ignored=ignored,
        older=url("/strangers", **query, before=found[PAGE - 1].id) if len(found) > PAGE else "",
        newest=url("/strangers", **query) if before else "",
    )


@router.get("/{attempt:int}/claim")
def claiming(
    visitor: Annotated[Visitor, Depends(visiting("stranger.claim"))],
    attempt: _Attempt,
    device: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """Show a stranger beside a planned chassis: what was expected, and what was seen."""
    newsroom: Newsroom = visitor.request.app.state.newsroom
    tiles = newsroom.look().tiles
    with visitor.door.database.read() as connection:
        stranger = find_stranger(connection, attempt)
        planned = None if device is None else chassis_by_key(connection, device)
    vendor = proven_vendor(stranger)
    return page(
        visitor,
        "claim.html",
        stranger=stranger,
        vendor=vendor,
        planned=planned,
        device=device,
        candidates=sorted(
            (
                tile
                for tile in tiles.values()
                if tile.listed.vendor == vendor and tile.state is not ChassisState.READY
            ),
            key=lambda tile: (tile.state is not ChassisState.EXPECTED, tile.name),
        ),
    )


@router.post("/{attempt:int}/claim")
def claim(
    visitor: Annotated[Visitor, Depends(changing("stranger.claim"))],
    attempt: _Attempt,
    form: FormDep,
) -> Response:
    """Put what the stranger has proven in the place of what was planned."""
    text = text_of(form, "device", 18)
    key = int(text) if text.isascii() and text.isdigit() else 0
    card = text_of(form, "card", 64)
    with visitor.door.database.write(visitor.principal.actor("stranger.claim")) as connection:
        done = claim_stranger(connection, attempt, key, card=card)
    return go(url(f"/devices/{key}"), f"{done.serial_number} is {done.after.name} now.")


@router.post("/{attempt:int}/ignore")
def ignore(
    visitor: Annotated[Visitor, Depends(changing("stranger.ignore"))],
    attempt: _Attempt,
    form: FormDep,
) -> Response:
    """Leave a stranger out of the list, or show it again."""
    door, heeds = visitor.door, bool(text_of(form, "heed", 8))
    with door.database.write(visitor.principal.actor("stranger.ignore")) as connection:
        if heeds:
            done = heed_stranger(connection, attempt)
        else:
            done = ignore_stranger(
                connection, attempt, text_of(form, "note", 1024), now=door.clock()
            )
    words = "is shown again" if heeds else "is left out of the list"
    return go(form.get("to"), f"{done.claimed_serial} {words}.")
