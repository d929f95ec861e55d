"""The audit: who changed what, and whether the chain of entries holds."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from bootz.server.board.view import page, url
from bootz.server.board.visitor import Visitor, visiting
from bootz.server.operations.audit import AuditFilter, latest_entries, verify

router = APIRouter(prefix="/audit")

PAGE: Final = 100
_Text = Annotated[str, Query(max_length=256)]


@router.get("")
def audit(
    visitor: Annotated[Visitor, Depends(visiting("audit.list"))],
    actor: _Text = "",
    verb: _Text = "",
    about: Annotated[str, Query(max_length=256, alias="object")] = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    check: Annotated[bool, Query()] = False,
) -> Response:
    """List entries, the newest first; on request, check the chain."""
    wanted = AuditFilter(actor.strip(), verb.strip(), about.strip(), None, before)
    with visitor.door.database.read() as connection:
        found = latest_entries(connection, wanted, most=PAGE + 1)
        verdict = verify(connection) if check and visitor.may("audit.verify") else None
    query = {"actor": actor, "verb": verb, "object": about}
    older = url("/audit", **query, before=found[PAGE - 1].id) if len(found) > PAGE else ""
    return page(
        visitor,
        "audit.html",
        entries=found[:PAGE],
        older=older,
        newest=url("/audit", **query) if before else "",
        query=query,
        verdict=verdict,
    )
