"""Replacements: cards that a proven chassis lists and that are not on record."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from bootz.server.board.view import go, page
from bootz.server.board.visitor import FormDep, Visitor, changing, text_of, visiting
from bootz.server.operations.replacements import (
    accept_replacement,
    list_replacements,
    reject_replacement,
)

router = APIRouter(prefix="/replacements")


@router.get("")
def replacements(
    visitor: Annotated[Visitor, Depends(visiting("replacement.list"))],
    rejected: Annotated[bool, Query()] = False,
) -> Response:
    """List the cards that wait."""
    with visitor.door.database.read() as connection:
        found = list_replacements(connection, with_rejected=rejected)
    return page(visitor, "replacements.html", found=found, rejected=rejected)


@router.post("/accept")
def accept(
    visitor: Annotated[Visitor, Depends(changing("replacement.accept"))], form: FormDep
) -> Response:
    """Put a card on record, in the place of the one in its slot, or beside it."""
    serial, vendor = text_of(form, "serial", 64), text_of(form, "vendor", 128)
    beside = bool(text_of(form, "beside", 8))
    with visitor.door.database.write(visitor.principal.actor("replacement.accept")) as connection:
        record = accept_replacement(connection, serial, vendor or None, beside=beside)
    return go(form.get("to"), f"{serial} is a card of {record.name} now.")


@router.post("/reject")
def reject(
    visitor: Annotated[Visitor, Depends(changing("replacement.reject"))], form: FormDep
) -> Response:
    """Refuse a card."""
    serial, vendor = text_of(form, "serial", 64), text_of(form, "vendor", 128)
    with visitor.door.database.write(visitor.principal.actor("replacement.reject")) as connection:
        reject_replacement(connection, serial, vendor or None)
    return go(form.get("to"), f"{serial} was rejected.")
