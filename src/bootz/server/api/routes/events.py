"""Events as they happen: pages of JSON, or a stream that resumes without a gap or a repeat.

Source: HTML Living Standard, "Server-sent events".
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Final

from fastapi import Depends, Header, Query, Request
from fastapi.responses import StreamingResponse

from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.context import Door, DoorDep, Principal
from bootz.server.api.following import EventFeed
from bootz.server.api.journal_events import JournalEvent, event_view
from bootz.server.api.paging import CursorPage, with_query
from bootz.server.api.routing import api_router
from bootz.server.store.attempts import events_after

router = api_router("/events", tag="events")

_ALIVE_S: Final = 15.0
"""Seconds after which a silent stream says that it is alive, so that nothing between cuts it."""


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
        feed: EventFeed = request.app.state.feed
        start = await feed.last()
    return StreamingResponse(
        _events(request, door, start),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(request: Request, door: Door, after: int) -> AsyncIterator[str]:
    feed: EventFeed = request.app.state.feed
    clock = asyncio.get_running_loop().time
    spoke = clock()
    yield f": from {after}\n\n"
    async with aclosing(feed.follow(after)) as texts:
        async for text in texts:
            if door.closing.is_set():
                return
            if text:
                spoke = clock()
                yield text
            elif await request.is_disconnected():
                return
            elif clock() - spoke >= _ALIVE_S:
                spoke = clock()
                yield ": alive\n\n"
