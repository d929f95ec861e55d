"""The audit: who changed what."""

from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, Field

from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.context import DoorDep, Principal
from bootz.server.api.paging import CursorPage, Moment, with_query
from bootz.server.api.routing import api_router
from bootz.server.operations.audit import AuditFilter, audit_record, latest_entries, verify

router = api_router("/audit", tag="audit")


class AuditEntryView(BaseModel):
    """One entry; secrets are fingerprints."""

    id: int
    at: AwareDatetime
    actor: str
    origin: str
    verb: str
    object: str
    before: dict[str, Any]
    after: dict[str, Any]
    outcome: str
    previous: str
    digest: str


class AuditVerdictView(BaseModel):
    """Whether the chain of digests holds."""

    entries: int = Field(description="How many entries hold, from the first on.")
    broken: int | None = Field(description="The first entry that does not hold.")
    detail: str
    head: str = Field(description="The digest to keep elsewhere.")


@router.get("", **operation("audit.list"))
def list_(
    request: Request,
    door: DoorDep,
    _principal: Annotated[Principal, Depends(needs("audit.list"))],
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="The page before it.")] = None,
    actor: Annotated[str, Query(max_length=256)] = "",
    verb: Annotated[str, Query(max_length=64, description="A verb, or a noun.")] = "",
    about: Annotated[str, Query(max_length=256, alias="object")] = "",
    since: Moment | None = None,
) -> CursorPage[AuditEntryView]:
    """List entries, the newest first."""
    wanted = AuditFilter(actor, verb, about, since, before)
    with door.database.read() as connection:
        entries = latest_entries(connection, wanted, most=limit + 1)
    rows = [AuditEntryView.model_validate(audit_record(entry)) for entry in entries[:limit]]
    more = len(entries) > limit
    following = with_query(request, {"before": rows[-1].id}) if more else None
    return CursorPage(next=following, results=rows)


@router.get("/verify", **operation("audit.verify"))
def verify_(
    door: DoorDep, _principal: Annotated[Principal, Depends(needs("audit.verify"))]
) -> AuditVerdictView:
    """Check the chain of digests."""
    with door.database.read() as connection:
        found = verify(connection)
    return AuditVerdictView.model_validate(found, from_attributes=True)
