"""The port ``Journal`` on the database: one writer commits everything that waits, then tells.

Under load one flush of the disk serves many routers; alone, a router waits for its own. What
was acknowledged has reached the disk; what the queue cannot hold is refused, never forgotten.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
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

_Waiting = tuple[Entry, "asyncio.Future[None]"]


class SqlJournal:
    """The record of every attempt; fills the port ``Journal``. Belongs to one event loop.

    Call ``start`` first; ``close`` writes what waits and ends the writer.

    Args:
        database: where it is kept.
        limits: how much of it is kept.
        max_waiting: entries in memory.
        patience: seconds after which a caller no longer waits for an entry to be written.
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
        on_writable: Callable[[], None] = lambda: None,
        on_onboarded: Callable[[Onboarded], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._turns = JournalTurns(database)
        self._log = AttemptLog(limits or JournalLimits())
        self._max_waiting = max_waiting
        self._patience = patience
        self._on_writable = on_writable
        self._on_onboarded = on_onboarded
        # Of the writer alone until they are told.
        self._onboarded: list[Onboarded] = []
        self.writable = True
        """Whether the database took what was written last."""
        # None is the end.
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
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
        self._waiting.put(None)
        if self._writer is not None:
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
        return self._waiting.qsize()

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
        if self._closing or self._waiting.qsize() >= self._max_waiting:
            raise Unavailable(
                "journal-overloaded",
                "the journal is closed" if self._closing else "too many calls are waiting",
                where="journal",
            )
        done = self._loop.create_future()
        self._waiting.put((entry, done))
        try:
            async with asyncio.timeout(self._patience):
                await done
        except TimeoutError as error:
            raise Unavailable(
                "database-unavailable",
                f"the journal was not written within {self._patience:g} s",
                where="database",
            ) from error

    def _write_all(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            self._write_batches(loop)
        finally:
            self._turns.close()

    def _write_batches(self, loop: asyncio.AbstractEventLoop) -> None:
        while batch := self._next_batch():
            error = self._write([entry for entry, _ in batch])
            if error is not None and len(batch) > 1 and not isinstance(error, Unavailable):
                # One entry that cannot be written must not take the others with it.
                outcomes = [(done, self._write([entry])) for entry, done in batch]
            else:
                outcomes = [(done, error) for _, done in batch]
            try:
                onboarded, self._onboarded = self._onboarded, []
                loop.call_soon_threadsafe(self._tell, outcomes, onboarded)
            except RuntimeError:
                # The loop has ended, and with it everybody who waited; the entries are written.
                return

    def _next_batch(self) -> list[_Waiting]:
        """Wait for an entry, and return it with all that wait behind it; nothing at the end."""
        batch: list[_Waiting] = []
        try:
            while len(batch) < _MAX_BATCH:
                waiting = self._waiting.get(block=not batch)
                if waiting is None:
                    # The last one: after what waits is written, this is met again.
                    self._waiting.put(None)
                    break
                batch.append(waiting)
        except queue.Empty:
            pass
        return batch

    def _write(self, entries: Sequence[Entry]) -> Exception | None:
        try:
            with self._turns.turn() as connection:
                onboarded = self._log.write(connection, entries)
            self._onboarded.extend(onboarded)
        except Unavailable as error:
            log.error("journal-not-written", detail=str(error), entries=len(entries))
            return error
        except Exception as error:
            # A defect of ours: the call fails, the writer lives on.
            log.exception("journal-failed", entries=len(entries))
            return error
        return None

    def _tell(
        self,
        outcomes: Sequence[tuple["asyncio.Future[None]", Exception | None]],
        onboarded: Sequence[Onboarded],
    ) -> None:
        self._tell_writable(
            writable=not any(isinstance(error, Unavailable) for _, error in outcomes)
        )
        for each in onboarded:
            self._on_onboarded(each)
        for done, error in outcomes:
            # A caller that has gone does not wait any more.
            if done.done():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)
