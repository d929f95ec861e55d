"""Says when there may be news in the journal or the inventory, so that who waits need not look.

With PostgreSQL every writer rings in its own transaction (NOTIFY), and this process listens. With
SQLite, and while the connection is lost, who waits looks a few times a second.

Source: PostgreSQL documentation, "LISTEN" and "NOTIFY".
"""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from bootz.lasting import Defects
from bootz.log import get_logger
from bootz.server.store.database import CHANNEL, Database
from bootz.sql.prepared import driver_of

log = get_logger()

LOOK_S: Final = 0.25
"""Seconds between two looks where nothing rings, and at least between two in any case."""
_NET_S: Final = 1.0
"""Seconds after which one looks though nothing rang: a pooler before the database may drop it."""
_AGAIN_S: Final = 5.0
"""Seconds after which a lost connection is made again."""
_TURN_S: Final = 0.5
"""Seconds in which the listener sees that it is to end."""
_LISTEN: Final = text(f"LISTEN {CHANNEL}")


class NewsBell:
    """Rings for everyone who waits in one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._count = 0
        self._rung = asyncio.Condition()
        self.listening = False
        """Whether writers are heard; else one has to look."""

    @property
    def count(self) -> int:
        """How often it rang."""
        return self._count

    async def wait(self, heard: int) -> int:
        """Wait until it rang more often than ``heard``, or it is time to look; return the count.

        ``heard`` is what the call before returned, or ``count`` at first.
        """
        # Many may write in one moment: they are looked at together.
        await asyncio.sleep(LOOK_S)
        if self.listening:
            try:
                async with asyncio.timeout(_NET_S - LOOK_S), self._rung:
                    await self._rung.wait_for(lambda: self._count != heard)
            except TimeoutError:
                pass
        return self._count

    @asynccontextmanager
    async def heard(self) -> AsyncIterator[None]:
        """Listen within the block, where the engine can tell."""
        if self._database.embedded:
            yield
            return
        ends = threading.Event()
        loop = asyncio.get_running_loop()
        thread = threading.Thread(
            target=self._listen, args=(loop, ends), name="news-bell", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            ends.set()
            await asyncio.to_thread(thread.join)

    def _listen(self, loop: asyncio.AbstractEventLoop, ends: threading.Event) -> None:
        defects = Defects("news-bell-failed")
        while not ends.is_set():
            try:
                self._follow(loop, ends)
            except SQLAlchemyError as error:
                log.info("news-bell-lost", detail=type(error).__name__)
            except Exception as error:
                # A defect of ours: who waits looks by itself until it is heard again.
                defects.tell(error)
            finally:
                self.listening = False
            ends.wait(_AGAIN_S)

    def _follow(self, loop: asyncio.AbstractEventLoop, ends: threading.Event) -> None:
        with _own_connection(self._database.engine) as connection:
            connection.execute(_LISTEN)
            driver: Any = driver_of(connection)
            self.listening = True
            # What was written before it was heard.
            self._ring_in(loop)
            try:
                while not ends.is_set():
                    for _ in driver.notifies(timeout=_TURN_S, stop_after=1):
                        self._ring_in(loop)
            except connection.dialect.loaded_dbapi.Error as error:
                log.info("news-bell-lost", detail=type(error).__name__)

    def _ring_in(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.run_coroutine_threadsafe(self._ring(), loop)

    async def _ring(self) -> None:
        async with self._rung:
            self._count += 1
            self._rung.notify_all()


def _own_connection(engine: Engine) -> Connection:
    """Return a connection that never goes back to the pool, where it would go on listening."""
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    connection.detach()
    return connection
