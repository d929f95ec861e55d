"""The port ``Journal`` on the database: one writer commits everything that waits, then tells.

Under load one flush of the disk serves many routers: at most one transaction is begun every ten
milliseconds, by all processes that write together. Alone, a router waits for its own. What was
acknowledged has reached the disk; what the queue cannot hold is refused, never forgotten.

With SQLite the statements are run in the event loop, where they are function calls, and only the
commit in a thread: two threads of Python that take turns at every statement cost more than the
statements. Where another process keeps on writing, and with PostgreSQL, the thread does it all.
"""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from bootz.errors import Unavailable
from bootz.log import get_logger
from bootz.server.ports import CallRecord
from bootz.server.store.attempt_log import AttemptLog, Entry, JournalLimits, Onboarded
from bootz.server.store.database import Database
from bootz.server.store.entries import DownloadRecord
from bootz.server.store.journal_turns import JournalTurns

log = get_logger()

MAX_WAITING: Final = 4096
"""Entries in memory; at some kilobytes each, and a slow disk, still a modest amount."""
_MAX_BATCH: Final = 512
"""Entries of one transaction, so that the first does not wait for ever for the last."""
_MAX_AT_ONCE: Final = 64
"""Entries that are written in the event loop in one turn: some milliseconds."""

PACE_S: Final = 0.01
"""Seconds between the begins of two transactions, so that what is under way shares the next one:
each costs two changes of the running thread, which are more than its statements."""
_MAX_PACE_S: Final = 0.05
"""The same where several processes write together, each at its own times, however many they are:
no router waits for longer."""

_LOOK_S: Final = 0.002
"""Seconds until the next look, where another process is writing: it is done in about that time."""
_MAX_LOOKS: Final = 10
"""Looks after which the thread waits in line for its turn, so that it comes."""

_Waiting = tuple[Entry, "asyncio.Future[None]"]
_Job = tuple[Sequence[_Waiting], bool]
"""What the thread has to do: entries, and whether they are written and only to be committed."""


def pace_of(processes: int) -> float:
    """Return the pace of each of several processes that write together.

    In seconds. Up to five of them begin no more transactions than one alone; of more no router is
    to wait for longer.
    """
    return min(PACE_S * processes, _MAX_PACE_S)


class SqlJournal:
    """The record of every attempt; fills the port ``Journal``. Belongs to one event loop.

    Call ``start`` first; ``close`` writes what waits and ends the writer.

    Args:
        database: where it is kept.
        limits: how much of it is kept.
        max_waiting: entries in memory.
        patience: seconds after which a caller no longer waits for an entry to be written.
        pace: seconds between the begins of two transactions, as of ``pace_of``.
        on_writable: called in the event loop when ``writable`` has changed.
        on_onboarded: called in the event loop when a report of success is durable.
    """

    def __init__(
        self,
        database: Database,
        *,
        limits: JournalLimits | None = None,
        max_waiting: int = MAX_WAITING,
        patience: float = 60.0,
        pace: float = PACE_S,
        on_writable: Callable[[], None] = lambda: None,
        on_onboarded: Callable[[Onboarded], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._turns = JournalTurns(database)
        self._log = AttemptLog(limits or JournalLimits())
        self._max_waiting = max_waiting
        self._patience = patience
        self._pace = pace
        self._on_writable = on_writable
        self._on_onboarded = on_onboarded
        # Of whoever has the turn, until they are told.
        self._onboarded: list[Onboarded] = []
        self.writable = True
        """Whether the database took what was written last."""
        self._waiting: deque[_Waiting] = deque()
        # At most one job at a time; None is the end.
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._working = False
        self._idle = asyncio.Event()
        # When the last transaction was begun, by the loop's clock.
        self._begun = -pace
        # How often another process was found writing since then.
        self._looks = 0
        self._closing = True
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writer: threading.Thread | None = None

    def start(self) -> None:
        """Start the writer; call it in the event loop that will use the journal."""
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._writer = threading.Thread(
            target=self._write_all, args=(self._loop,), name="journal", daemon=True
        )
        self._writer.start()

    async def close(self) -> None:
        """Write what waits, then end; later entries are refused."""
        self._closing = True
        if self._writer is not None:
            while self._working or self._waiting:
                self._idle.clear()
                await self._idle.wait()
            self._jobs.put(None)
            await asyncio.to_thread(self._writer.join)

    async def record(self, call: CallRecord) -> None:
        """Store one call; when this returns it survives a crash of process and machine.

        Raises:
            Unavailable: the queue is full, the journal closed, or the database refuses or does
                not answer in time. In the last case the entry may still be written.
        """
        await self._enqueue(call)

    async def record_download(self, download: DownloadRecord) -> None:
        """Store that an image was fetched, for the latest attempt of the chassis it belongs to.

        Raises:
            Unavailable: the queue is full, the journal closed, or the database refuses or does
                not answer in time. In the last case the entry may still be written.
        """
        await self._enqueue(download)

    @property
    def waiting(self) -> int:
        """Entries that wait for the writer."""
        return len(self._waiting)

    async def probe(self) -> None:
        """Find out whether the database takes entries, and set ``writable``."""
        try:
            await asyncio.to_thread(self._database.check_writable)
        except Unavailable as error:
            log.error("journal-not-writable", detail=str(error))
            self._tell_writable(writable=False)
        else:
            self._tell_writable(writable=True)

    def _tell_writable(self, *, writable: bool) -> None:
        if writable != self.writable:
            self.writable = writable
            self._on_writable()

    async def _enqueue(self, entry: Entry) -> None:
        if self._loop is None:
            raise RuntimeError("the journal was not started")
        if self._closing or len(self._waiting) >= self._max_waiting:
            raise Unavailable(
                "journal-overloaded",
                "the journal is closed" if self._closing else "too many calls are waiting",
                where="journal",
            )
        done = self._loop.create_future()
        self._waiting.append((entry, done))
        if not self._working:
            self._working = True
            self._write_soon(self._loop)
        patience = self._loop.call_later(self._patience, self._lose_patience, done)
        try:
            await done
        finally:
            patience.cancel()

    def _lose_patience(self, done: "asyncio.Future[None]") -> None:
        if not done.done():
            done.set_exception(
                Unavailable(
                    "database-unavailable",
                    f"the journal was not written within {self._patience:g} s",
                    where="database",
                )
            )

    def _write_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write in a later turn of the loop, with what else comes until then."""
        loop.call_at(self._begun + self._pace, self._write_next)

    def _write_next(self) -> None:
        """Write what waits, in the event loop; the thread commits it, or does it all."""
        if not self._waiting:
            self._working = False
            self._idle.set()
            return
        loop = asyncio.get_running_loop()
        self._begun = loop.time()
        try:
            connection = self._turns.begin_at_once()
            if connection is None and self._turns.at_once and self._looks < _MAX_LOOKS:
                self._looks += 1
                loop.call_later(_LOOK_S, self._write_next)
                return
        except Exception:
            # A defect of ours: the thread goes on in its own way, so that callers get an answer.
            log.exception("journal-failed", entries=len(self._waiting))
            connection = None
        self._looks = 0
        most = _MAX_BATCH if connection is None else _MAX_AT_ONCE
        batch = tuple(islice(self._waiting, most))
        for _ in batch:
            self._waiting.popleft()
        written = False
        if connection is not None:
            try:
                self._onboarded.extend(self._log.write(connection, _as_it_stands(batch)))
                written = True
            except Exception as error:
                # The thread meets it again, and tells it.
                self._onboarded.clear()
                self._turns.give_up(error)
        self._jobs.put((batch, written))

    def _write_all(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            self._work(loop)
        finally:
            self._turns.close()

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while (job := self._jobs.get()) is not None:
            batch, written = job
            error = self._commit(len(batch)) if written else self._write(batch)
            if error is not None and len(batch) > 1 and not isinstance(error, Unavailable):
                # One entry that cannot be written must not take the others with it.
                outcomes = [(each[1], self._write([each])) for each in batch]
            else:
                outcomes = [(done, error) for _, done in batch]
            try:
                onboarded, self._onboarded = self._onboarded, []
                loop.call_soon_threadsafe(self._tell, outcomes, onboarded)
            except RuntimeError:
                # The loop has ended, and with it everybody who waited; the entries are written.
                return

    def _write(self, batch: Sequence[_Waiting]) -> Exception | None:
        def write() -> None:
            with self._turns.turn() as connection:
                onboarded = self._log.write(connection, _as_it_stands(batch))
            self._onboarded.extend(onboarded)

        return self._failure(write, len(batch))

    def _commit(self, entries: int) -> Exception | None:
        error = self._failure(self._turns.commit, entries)
        if error is not None:
            self._onboarded.clear()
        return error

    def _failure(self, act: Callable[[], None], entries: int) -> Exception | None:
        try:
            act()
        except Unavailable as error:
            log.error("journal-not-written", detail=str(error), entries=entries)
            return error
        except Exception as error:
            # A defect of ours: the call fails, the writer lives on.
            log.exception("journal-failed", entries=entries)
            return error
        return None

    def _tell(
        self,
        outcomes: Sequence[tuple["asyncio.Future[None]", Exception | None]],
        onboarded: Sequence[Onboarded],
    ) -> None:
        if self._waiting:
            self._write_soon(asyncio.get_running_loop())
        else:
            self._write_next()
        self._tell_writable(
            writable=not any(isinstance(error, Unavailable) for _, error in outcomes)
        )
        for done, error in outcomes:
            # A caller that has gone does not wait any more.
            if done.done():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)
        for each in onboarded:
            self._on_onboarded(each)


def _as_it_stands(batch: Sequence[_Waiting]) -> list[Entry]:
    """Return entries with what became of their callers while they waited: some have gone."""
    return [
        replace(entry, abandoned=True) if done.done() and isinstance(entry, CallRecord) else entry
        for entry, done in batch
    ]
