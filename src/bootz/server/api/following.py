"""The journal's events for all streams of the door together: read once, spelled once.

A stream that asks for what is older than what is kept reads that by itself, and joins then.
"""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from bootz.errors import Unavailable
from bootz.lasting import AGAIN_S, Defects
from bootz.server.api.journal_events import event_message
from bootz.server.store.attempts import event_ids_after, events_after, last_event
from bootz.server.store.bell import NewsBell
from bootz.server.store.database import Database

_PAGE: Final = 500
_KEPT: Final = 2000
"""Events that are kept for streams which have not sent them yet; later ones read by themselves."""


class _Spelled(NamedTuple):
    """An event as a stream has it; without text, what no stream can have."""

    id: int
    text: str


@dataclass(slots=True)
class _Kept:
    """All events after ``floor``, in their order."""

    floor: int
    ids: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def last(self) -> int:
        return self.ids[-1] if self.ids else self.floor

    def add(self, events: Sequence[_Spelled]) -> None:
        self.ids += [event.id for event in events]
        self.texts += [event.text for event in events]
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
        self._defects = Defects("event-feed-failed")
        self._not_told = Defects("event-not-told")
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
        return (events[-1].id if events else after), "".join(event.text for event in events)

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
            whole = True
            try:
                whole = await self._look()
            except Unavailable:
                # Streams stay as they are, and hear when it answers again.
                pass
            except Exception as error:
                # A defect of ours must not leave the streams without news for ever.
                self._defects.tell(error)
                await asyncio.sleep(AGAIN_S)
            async with self._news:
                self._looks += 1
                self._news.notify_all()
            if whole:
                heard = await self._bell.wait(heard)

    async def _look(self) -> bool:
        """Read what is new, and tell whether that is all there is."""
        if self._kept is None:
            self._kept = _Kept(await run_in_threadpool(self._last))
        events = await run_in_threadpool(self._page, self._kept.last)
        self._kept.add(events)
        return len(events) < _PAGE

    def _last(self) -> int:
        with self._database.read() as connection:
            return last_event(connection)

    def _page(self, after: int) -> list[_Spelled]:
        with self._database.read() as connection:
            try:
                return _spelled(connection, after, _PAGE)
            except _NOT_SPELLED:
                ids = event_ids_after(connection, after, most=_PAGE)
                return [self._one(connection, event_id) for event_id in ids]

    def _one(self, connection: Connection, event_id: int) -> _Spelled:
        """Return an event; one that cannot be spelled must not keep back those after it."""
        try:
            return _spelled(connection, event_id - 1, 1)[0]
        except _NOT_SPELLED as error:
            self._not_told.tell(error)
            return _Spelled(event_id, "")


_NOT_SPELLED: Final = (LookupError, TypeError, ValueError)
"""What a row raises that this version does not understand, as of a server of a later one."""


def _spelled(connection: Connection, after: int, most: int) -> list[_Spelled]:
    events = events_after(connection, after, most=most)
    return [_Spelled(event.id, event_message(event)) for event in events]
