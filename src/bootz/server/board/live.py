"""Tells open boards what has changed: one reader for all of them, one message for each router.

A message holds the router's tile and the counts, by which the browser replaces those that it
shows. ``Last-Event-ID``, or ``after`` in the address, resumes where a connection was lost.

Source: HTML Living Standard, "Server-sent events".
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from bootz.errors import Unavailable
from bootz.lasting import AGAIN_S, Defects
from bootz.server.api.context import DoorDep
from bootz.server.board.newsroom import News, Newsroom
from bootz.server.board.view import fragment
from bootz.server.board.visitor import Visitor, anyone, still_holds
from bootz.server.board.words import BESIDE, FUNNEL, NEEDY
from bootz.server.store.bell import LOOK_S, NewsBell

router = APIRouter()

_LOOK_MOST_S: Final = 0.5
_LOOK_SHARE: Final = 0.05
"""The part of the time that looking may take: where it takes long, it is done less often.

An event is shown within a second all the same: so long at most after the look before.
"""
_WAIT_S: Final = 1.0
"""Seconds that a stream waits for news at once."""
_ALIVE_S: Final = 15.0
"""Seconds after which a silent stream says that it is alive."""
_CHECK_S: Final = 60.0
"""Seconds after which a stream asks whether its session still holds."""


class Broadcast:
    """Looks at the journal for all streams together, as long as there is one."""

    def __init__(self, newsroom: Newsroom, bell: NewsBell) -> None:
        self.newsroom = newsroom
        self._bell = bell
        self._news = asyncio.Condition()
        self._told: dict[tuple[object, ...], str] = {}
        self._listeners = 0
        self._defects = Defects("board-news-failed")
        self._task: asyncio.Task[None] | None = None

    async def wait(self, seconds: float) -> None:
        """Return after the next look, or after ``seconds`` without one."""
        try:
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait()
        except TimeoutError:
            pass

    def told(self, news: News, *, wall: bool) -> str:
        """Return ``messages`` as one text; boards that have seen the same share it."""
        changed = None if news.changed is None else tuple(news.changed)
        key = (news.glance.mark, changed, news.people, wall)
        found = self._told.get(key)
        if found is None:
            if len(self._told) >= _TOLD:
                self._told.clear()
            found = self._told[key] = "".join(messages(news, wall=wall))
        return found

    def join(self) -> None:
        """Begin to look, if no one else does."""
        self._listeners += 1
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def leave(self) -> None:
        """Stop looking after the last has left."""
        self._listeners -= 1
        if self._listeners == 0 and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        heard = self._bell.count
        while True:
            began = clock()
            try:
                await run_in_threadpool(self.newsroom.look)
            except Unavailable:
                # The boards keep what they show, and hear when it answers again.
                pass
            except Exception as error:
                # A defect of ours must not leave the boards without news for ever.
                self._defects.tell(error)
                await asyncio.sleep(AGAIN_S)
            async with self._news:
                self._news.notify_all()
            rest = min((clock() - began) / _LOOK_SHARE, _LOOK_MOST_S) - LOOK_S
            if rest > 0:
                await asyncio.sleep(rest)
            heard = await self._bell.wait(heard)


_TOLD: Final = 64
"""Texts of news that are kept: boards differ only in how far they have come."""

Holds = Callable[[], bool]
"""Tells whether who listens may still listen."""


def messages(news: News, *, wall: bool = False) -> Iterator[str]:
    """Return what a board is told of news, each message whole."""
    glance = news.glance
    if news.changed is None:
        yield _message("everything")
        yield _mark(glance.mark)
        return
    for key in news.changed:
        tile = glance.tiles.get(key)
        shown = fragment(
            "live.html",
            tile=tile,
            glance=glance,
            wall=wall,
            fresh=tile is not None and tile.state in NEEDY,
            funnel=(*FUNNEL, *BESIDE),
        )
        yield _message("router", shown)
        if key:
            yield _message(f"router-{key}")
    if news.people:
        yield _message("people")
    # Last, so that what was cut off is told again.
    yield _mark(glance.mark)


async def stream(
    request: Request, broadcast: Broadcast, mark: str, holds: Holds, *, wall: bool = False
) -> AsyncIterator[str]:
    """Yield messages until the browser goes, the door closes, or the session ends."""
    closing: asyncio.Event = request.app.state.door.closing
    newsroom = broadcast.newsroom
    broadcast.join()
    clock = asyncio.get_running_loop().time
    silent = checked = 0.0
    try:
        yield "retry: 2000\n\n"
        while not closing.is_set():
            news = newsroom.after(mark)
            if news.changed is None or news.changed:
                silent = 0.0
                yield broadcast.told(news, wall=wall)
            mark = news.glance.mark
            began = clock()
            await broadcast.wait(_WAIT_S)
            silent += clock() - began
            checked += clock() - began
            if silent >= _ALIVE_S:
                silent = 0.0
                if await request.is_disconnected():
                    return
                yield ": alive\n\n"
            if checked >= _CHECK_S:
                checked = 0.0
                if not await run_in_threadpool(holds):
                    yield _message("ended")
                    return
    finally:
        broadcast.leave()


def _message(event: str, text: str = "") -> str:
    lines = "".join(f"data: {line}\n" for line in text.splitlines() if line.strip())
    return f"event: {event}\n{lines or 'data: -' + chr(10)}\n"


def _mark(mark: str) -> str:
    return f"id: {mark}\n\n"


def answer_with(messages_: AsyncIterator[str]) -> StreamingResponse:
    """Return a stream as an answer."""
    return StreamingResponse(
        messages_,
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


Mark = Annotated[str, Query(max_length=64)]
LastMark = Annotated[str | None, Header(alias="Last-Event-ID", max_length=64)]


@router.get("/live")
async def live(
    request: Request,
    door: DoorDep,
    visitor: Annotated[Visitor, Depends(anyone)],
    after: Mark = "",
    last_event_id: LastMark = None,
) -> StreamingResponse:
    """Follow all routers; without a session, the page is told to ask for a login."""
    if visitor.person is None:
        return answer_with(ended())

    def holds() -> bool:
        return still_holds(door, visitor.secret)

    broadcast: Broadcast = request.app.state.broadcast
    return answer_with(stream(request, broadcast, last_event_id or after, holds))


async def ended() -> AsyncIterator[str]:
    """Tell a page that its session has ended."""
    yield _message("ended")
