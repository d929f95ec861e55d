"""The journal's events for all streams of the door together: read once, spelled once.

A stream that asks for what is older than what is kept reads that by itself, and joins then.
"""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Final

from starlette.concurrency import run_in_threadpool

from bootz.errors import Unavailable
from bootz.server.api.journal_events import event_message
from bootz.server.store.attempts import Event, events_after, last_event
from bootz.server.store.bell import NewsBell
from bootz.server.store.database import Database

_PAGE: Final = 500
_KEPT: Final = 2000
"""Events that are kept for streams which have not sent them yet; later ones read by themselves."""


@dataclass(slots=True)
class _Kept:
    """All events after ``floor``, in their order."""

    floor: int
    ids: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def last(self) -> int:
        return self.ids[-1] if self.ids else self.floor

    def add(self, events: Sequence[Event]) -> None:
        self.ids += [event.id for event in events]
        self.texts += [event_message(event) for event in events]
        over = len(self.ids) - _KEPT
        if over > 0:
            self.floor = self.ids[over - 1]
            del self.ids[:over], self.texts[:over]

    def after(self, event_id: int) -> tuple[int, str] | None:
        """Return the last id and the text of all after one; None: they are not kept."""
        if event_id < self.floor:
            return None
        at = bisect_right(self.ids, event_id)
        return max(event_id, self.last), "".join(self.texts[at:])


class EventFeed:
    """Looks at the journal for all streams together, as long as there is one.

    Args:
        database: of the site.
        bell: says when to look.
    """

    def __init__(self, database: Database, bell: NewsBell) -> None:
        self._database = database
        self._bell = bell
        self._news = asyncio.Condition()
        self._kept: _Kept | None = None
        self._looks = 0
        self._listeners = 0
        self._task: asyncio.Task[None] | None = None

    async def last(self) -> int:
        """Return the id of the latest event.

        Raises:
            Unavailable: the database does not answer.
        """
        return await run_in_threadpool(self._last)

    async def follow(self, after: int) -> AsyncGenerator[str, None]:
        """Yield the text of the events after an id as they come; empty after a look without any."""
        self._join()
        try:
            while True:
                looks = self._looks
                found = None if self._kept is None else self._kept.after(after)
                if found is None:
                    after, text = await self._older(after)
                else:
                    after, text = found
                yield text
                if not text:
                    await self._next_look(looks)
        finally:
            self._leave()

    async def _next_look(self, looks: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: self._looks != looks)

    async def _older(self, after: int) -> tuple[int, str]:
        try:
            events = await run_in_threadpool(self._page, after)
        except Unavailable:
            return after, ""
        return (events[-1].id if events else after), "".join(map(event_message, events))

    def _join(self) -> None:
        self._listeners += 1
        if self._task is None:
            # Belongs to the loop of those who listen.
            self._news = asyncio.Condition()
            self._task = asyncio.create_task(self._run())

    def _leave(self) -> None:
        self._listeners -= 1
        if self._listeners == 0 and self._task is not None:
            self._task.cancel()
            self._task = self._kept = None

    async def _run(self) -> None:
        heard = self._bell.count
        while True:
            try:
                if self._kept is None:
                    self._kept = _Kept(await run_in_threadpool(self._last))
                events = await run_in_threadpool(self._page, self._kept.last)
            except Unavailable:
                # Streams stay as they are, and hear when it answers again.
                events = ()
            if self._kept is not None:
                self._kept.add(events)
            async with self._news:
                self._looks += 1
                self._news.notify_all()
            if len(events) < _PAGE:
                heard = await self._bell.wait(heard)

    def _last(self) -> int:
        with self._database.read() as connection:
            return last_event(connection)

    def _page(self, after: int) -> tuple[Event, ...]:
        with self._database.read() as connection:
            return events_after(connection, after, most=_PAGE)
