"""Cards that proven chassis list and that are not on record: accepted or refused."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import Connection

from bootz.model.chassis import CardKind
from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.context import DoorDep, Principal
from bootz.server.api.paging import Page, PagingDep
from bootz.server.api.routes.documents import STRICT
from bootz.server.api.routing import api_router
from bootz.server.api.writes import Answer, ChangeDep, tagged
from bootz.server.operations.replacements import (
    Replacement,
    accept_replacement,
    find_replacement,
    list_replacements,
    reject_replacement,
)

router = api_router("/replacements", tag="replacements")

_Serial = Annotated[str, Path(max_length=64, description="The waiting card's serial number.")]


class ReplacementView(BaseModel):
    """A card that waits, with what the device had proven when it listed it."""

    vendor: str
    chassis: str
    serial_number: str
    slot: str
    part_number: str
    replaces: str = Field(description="The card on record in the same slot, or empty.")
    proven_serial: str = Field(description="The card that asked, as proven.")
    evidence: str = Field(description="SHA-256 of the IDevID of the card that asked.")
    peer: str
    first_seen: AwareDatetime
    last_seen: AwareDatetime
    state: Literal["pending", "rejected"]


class AcceptBody(BaseModel):
    """How a waiting card is put on record."""

    model_config = STRICT

    vendor: str | None = Field(None, max_length=128)
    kind: CardKind | None = Field(None, description="Default: that of the card it replaces.")
    beside: bool = Field(False, description="Keep the card that is on record in the slot.")


class RejectBody(BaseModel):
    """Whose card is refused, where two manufacturers have the number."""

    model_config = STRICT

    vendor: str | None = Field(None, max_length=128)


class Accepted(BaseModel):
    """The chassis whose card was accepted."""

    chassis: str
    cards: list[str]


def _held_to(each: Replacement) -> dict[str, Any]:
    """Return what the ETag is of: that a router asks again is no change of its card."""
    return _view(each).model_dump(mode="json", exclude={"last_seen", "peer"})


def _view(each: Replacement) -> ReplacementView:
    return ReplacementView.model_validate(each, from_attributes=True)


@router.get("", **operation("replacement.list"))
def list_(
    door: DoorDep,
    _principal: Annotated[Principal, Depends(needs("replacement.list"))],
    paging: PagingDep,
    rejected: Annotated[bool, Query(description="Those that were refused, too.")] = False,
) -> Page[ReplacementView]:
    """List the cards that wait, the oldest first."""
    with door.database.read() as connection:
        found = list_replacements(connection, with_rejected=rejected)
    page = found[paging.offset : paging.offset + paging.limit]
    return paging.page(len(found), [_view(each) for each in page])


@router.get(
    "/{serial}",
    response_model=ReplacementView,
    **{**operation("replacement.list", 409), "operation_id": "replacement_show"},
)
def show(
    door: DoorDep,
    _principal: Annotated[Principal, Depends(needs("replacement.list"))],
    serial: _Serial,
    vendor: Annotated[str | None, Query(max_length=128)] = None,
) -> Response:
    """Show a card that waits, or was refused, with its ETag."""
    with door.database.read() as connection:
        found = find_replacement(connection, serial, vendor)
    return tagged(_view(found), _held_to(found)).response()


@router.post(
    "/{serial}/accept",
    response_model=Accepted,
    **operation("replacement.accept", 409, 413, 422),
)
def accept(
    principal: Annotated[Principal, Depends(needs("replacement.accept"))],
    change: ChangeDep,
    serial: _Serial,
    body: AcceptBody,
) -> Response:
    """Put a waiting card on record, in the place of the one in its slot."""

    def work(connection: Connection) -> Answer:
        change.check_match(_held_to(find_replacement(connection, serial, body.vendor)))
        record = accept_replacement(
            connection, serial, body.vendor, kind=body.kind, beside=body.beside
        )
        cards = [card.serial_number for card in record.cards]
        return Answer(Accepted(chassis=record.name, cards=cards))

    return change.run(principal, "replacement.accept", work)


@router.post(
    "/{serial}/reject",
    response_model=ReplacementView,
    **operation("replacement.reject", 409, 413, 422),
)
def reject(
    principal: Annotated[Principal, Depends(needs("replacement.reject"))],
    change: ChangeDep,
    serial: _Serial,
    body: RejectBody,
) -> Response:
    """Refuse a waiting card; it can still be accepted later."""

    def work(connection: Connection) -> Answer:
        change.check_match(_held_to(find_replacement(connection, serial, body.vendor)))
        found = reject_replacement(connection, serial, body.vendor)
        return tagged(_view(found), _held_to(found))

    return change.run(principal, "replacement.reject", work)
