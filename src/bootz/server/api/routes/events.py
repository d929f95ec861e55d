"""Events as they happen: pages of JSON, or a stream that resumes without a gap or a repeat.

Source: HTML Living Standard, "Server-sent events".
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, Field, JsonValue
from starlette.concurrency import run_in_threadpool

from bootz.errors import Unavailable
from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.context import Door, DoorDep, Principal
from bootz.server.api.paging import CursorPage, with_query
from bootz.server.store.attempt_states import AttemptState, EventKind
from bootz.server.store.attempts import Event, events_after, last_event

router = APIRouter(prefix="/events", tags=["events"])

_LOOK_S: Final = 0.25
"""Seconds between two looks at the journal."""
_ALIVE_S: Final = 15.0
"""Seconds after which a silent stream says that it is alive, so that nothing between cuts it."""
_PAGE: Final = 500


class JournalEvent(BaseModel):
    """One thing that happened; ``state`` is the attempt's when this was read."""

    id: int
    at: AwareDatetime
    kind: EventKind
    attempt_id: int
    attempt: int = Field(description="Counts the attempts of the chassis; 0 for a stranger.")
    chassis: str
    serial_number: str
    dialect: str = Field(description="The attempt's: of the path that was called.")
    written: str = Field(description="The attempt's: of the answer; empty where there was none.")
    state: AttemptState
    data: dict[str, JsonValue]


def event_view(event: Event) -> JournalEvent:
    """Return an event as the API shows it."""
    return JournalEvent(
        id=event.id,
        at=event.at,
        kind=event.kind,
        attempt_id=event.attempt,
        attempt=event.number,
        chassis=event.chassis,
        serial_number=event.serial_number,
        dialect=event.dialect,
        written=event.written,
        state=event.state,
        data=dict(event.data),
    )


_After = Annotated[
    int | None, Query(ge=0, le=2**62, description="Events after this id. Default: from now on.")
]


@router.get("", **operation("event.list"))
def list_(
    request: Request,
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("event.list"))],
    after: Annotated[int, Query(ge=0, le=2**62, description="Events after this id.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="Rows of a page.")] = 100,
) -> CursorPage[JournalEvent]:
    """List events in their order. ``next`` is always there: ask it later for what comes."""
    with door.database.read() as connection:
        events = events_after(connection, after, most=limit)
    last = events[-1].id if events else after
    following = with_query(request, {"after": last, "limit": limit})
    return CursorPage(next=following, results=[event_view(event) for event in events])


@router.get(
    "/stream",
    response_class=StreamingResponse,
    **{
        **operation("event.list"),
        "operation_id": "event_stream",
        "responses": {
            **operation("event.list")["responses"],
            200: {"description": "A stream without end.", "content": {"text/event-stream": {}}},
        },
    },
)
async def stream(
    request: Request,
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("event.list"))],
    after: _After = None,
    last_event_id: Annotated[str | None, Header(pattern=r"^\d{1,18}$")] = None,
) -> StreamingResponse:
    """Follow events. ``Last-Event-ID`` resumes where a connection was lost."""
    start = after if last_event_id is None else int(last_event_id)
    if start is None:
        start = await run_in_threadpool(_last, door)
    return StreamingResponse(
        _events(request, door, start),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(request: Request, door: Door, after: int) -> AsyncIterator[str]:
    silent = 0.0
    yield f": from {after}\n\n"
    while not door.closing.is_set():
        try:
            events = await run_in_threadpool(_next, door, after)
        except Unavailable:
            events = ()
        for event in events:
            after = event.id
            yield f"id: {event.id}\nevent: {event.kind.value}\ndata: {_data(event)}\n\n"
        if events:
            silent = 0.0
            continue
        if await request.is_disconnected():
            return
        silent += _LOOK_S
        if silent >= _ALIVE_S:
            silent = 0.0
            yield ": alive\n\n"
        await _wait(door.closing)


async def _wait(closing: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_LOOK_S):
            await closing.wait()
    except TimeoutError:
        pass


def _next(door: Door, after: int) -> tuple[Event, ...]:
    with door.database.read() as connection:
        return events_after(connection, after, most=_PAGE)


def _last(door: Door) -> int:
    with door.database.read() as connection:
        return last_event(connection)


def _data(event: Event) -> str:
    return json.dumps(event_view(event).model_dump(mode="json"), separators=(",", ":"))
