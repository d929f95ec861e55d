"""Attempts: what the journal has of each, and callers that are not on record."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field, JsonValue
from sqlalchemy import Connection

from bootz.errors import UnknownChassis
from bootz.model.checks import Outcome
from bootz.reasons import REASONS
from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.context import DoorDep, Principal
from bootz.server.api.paging import CursorPage, Moment, with_query
from bootz.server.api.routing import api_router
from bootz.server.api.writes import tagged
from bootz.server.operations.labels import fold_key
from bootz.server.store.attempt_states import AttemptState, EventKind
from bootz.server.store.attempts import (
    AttemptFilter,
    AttemptRecord,
    attempt_by_id,
    events_of,
    latest_attempts,
)

router = api_router(tag="attempts")


class CheckView(BaseModel):
    """One check of the security chain, with its evidence."""

    check: str
    outcome: Outcome
    expected: str
    seen: str


class AttemptView(BaseModel):
    """An attempt, from the first request to the last report."""

    id: int
    number: int = Field(description="Counts the attempts of the chassis; 0 for a stranger.")
    vendor: str
    chassis: str = Field(description="Host name or serial number; empty for a stranger.")
    claimed_manufacturer: str
    claimed_serial: str
    proven_serial: str
    idevid_sha256: str
    peer: str
    dialect: str = Field(description="Of the path that was called.")
    written: str = Field(description="The dialect of the answer; empty where there was none.")
    started_at: AwareDatetime
    updated_at: AwareDatetime
    state: AttemptState
    reason: str
    meaning: str = Field(description="What the reason means.")
    next_action: str = Field(description="What a person does next.")
    detail: str
    image_bytes: int
    downloads: int
    reports: int
    repeats: int


class EventView(BaseModel):
    """One thing that happened in an attempt."""

    id: int
    at: AwareDatetime
    kind: EventKind
    data: dict[str, JsonValue]


class AttemptDetail(AttemptView):
    """An attempt with its checks, what was sent, and its events."""

    checks: list[CheckView]
    sent: dict[str, JsonValue]
    events: list[EventView]


def attempt_view(attempt: AttemptRecord) -> AttemptView:
    """Return an attempt as the API shows it."""
    return AttemptView.model_validate(_fields(attempt))


def scope_filter(principal: Principal) -> dict[str, str]:
    """Return the labels to which a caller's token is limited."""
    return dict(principal.scope)


def _fields(attempt: AttemptRecord) -> dict[str, object]:
    row = REASONS.get(attempt.reason)
    names = AttemptView.model_fields
    told = {name: getattr(attempt, name) for name in names if hasattr(attempt, name)}
    return {
        **told,
        "idevid_sha256": attempt.idevid_fingerprint,
        "meaning": "" if row is None else row.meaning,
        "next_action": "" if row is None else row.action,
    }


_Limit = Annotated[int, Query(ge=1, le=1000, description="Rows of a page.")]
_Before = Annotated[int | None, Query(ge=1, le=2**62, description="The page before this id.")]


def _page(
    request: Request, connection: Connection, wanted: AttemptFilter, limit: int
) -> CursorPage[AttemptView]:
    found = latest_attempts(connection, most=limit + 1, wanted=wanted)
    rows = [attempt_view(each) for each in found[:limit]]
    following = with_query(request, {"before": rows[-1].id}) if len(found) > limit else None
    return CursorPage(next=following, results=rows)


@router.get("/attempts", **operation("attempt.list"))
def list_(
    request: Request,
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("attempt.list"))],
    limit: _Limit = 100,
    before: _Before = None,
    state: Annotated[list[AttemptState] | None, Query(description="Repeatable.")] = None,
    reason: Annotated[list[str] | None, Query(description="Repeatable.")] = None,
    dialect: Annotated[list[str] | None, Query(description="Repeatable.")] = None,
    label: Annotated[list[str] | None, Query(description="KEY=VALUE; repeatable.")] = None,
    since: Moment | None = None,
) -> CursorPage[AttemptView]:
    """List attempts, the newest first."""
    wanted = AttemptFilter(
        states=frozenset(state or ()),
        reasons=frozenset(reason or ()),
        dialects=frozenset(dialect or ()),
        labels={**dict(_pair(text) for text in label or ()), **scope_filter(principal)},
        since=since,
        before=before,
    )
    with door.database.read() as connection:
        return _page(request, connection, wanted, limit)


@router.get("/attempts/{key:int}", response_model=AttemptDetail, **operation("attempt.show"))
def show(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("attempt.show"))],
    key: Annotated[int, Path(ge=1, le=2**62, description="The attempt's id.")],
) -> Response:
    """Show an attempt with every check and event, with its ETag."""
    wanted = AttemptFilter(labels=scope_filter(principal))
    with door.database.read() as connection:
        attempt = attempt_by_id(connection, key, wanted)
        if attempt is None:
            raise UnknownChassis("attempt-not-found", f"there is no attempt {key}", where="attempt")
        events = events_of(connection, [key])
    view = AttemptDetail.model_validate(
        {
            **_fields(attempt),
            "checks": [
                CheckView(
                    check=each.name, outcome=each.outcome, expected=each.expected, seen=each.seen
                )
                for each in attempt.checks
            ],
            "sent": dict(attempt.sent),
            "events": [
                EventView(id=each.id, at=each.at, kind=each.kind, data=dict(each.data))
                for each in events
            ],
        }
    )
    return tagged(view).response()


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return fold_key(key), value
