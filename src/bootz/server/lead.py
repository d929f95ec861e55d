"""What only the process that leads does, for as long as it leads."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final

from bootz.errors import Unavailable
from bootz.lasting import lasting
from bootz.log import get_logger
from bootz.server.store.leadership import Leadership

log = get_logger()

_LOOK_S: Final = 1.0
"""Seconds between two looks: so soon a leader that died is replaced."""


class Lead:
    """Whether this process leads; belongs to one event loop.

    Args:
        lock: held by the process that leads.
    """

    def __init__(self, lock: Leadership) -> None:
        self._lock = lock
        self._turn = asyncio.Lock()
        self._has: bool | None = None
        self._over = False

    async def held(self) -> bool:
        """Take the lead where there is no leader, and tell whether this process has it."""
        async with self._turn:
            if self._over:
                return False
            before = self._has
            try:
                self._has = await asyncio.to_thread(self._lock.hold)
            except Unavailable as error:
                self._has = False
                if before is not False:
                    log.warning("lead-lost", detail=str(error))
            if self._has and before is False:
                # The first one that leads says nothing: that is how it should be.
                log.info("lead-taken")
            return self._has

    async def run(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Run ``work`` whenever this process leads, until it is cancelled.

        A failure is told in the log, and the work is begun again.
        """
        await lasting("upkeep-failed", lambda: self._run(work))

    async def _run(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        while True:
            if await self.held():
                working = asyncio.get_running_loop().create_task(work())
                try:
                    while not working.done() and await self.held():
                        await asyncio.wait({working}, timeout=_LOOK_S)
                finally:
                    working.cancel()
                    outcome, *_ = await asyncio.gather(working, return_exceptions=True)
                if isinstance(outcome, Exception):
                    raise outcome
            await asyncio.sleep(_LOOK_S)

    async def give_up(self) -> None:
        """Let another process lead; this one does not any more."""
        async with self._turn:
            self._over = True
            self._has = False
            await asyncio.to_thread(self._lock.release)
