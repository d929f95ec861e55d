"""Thins the journal while the server runs: a few rows, a pause, a few rows."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from bootz.config.serving import RetentionSettings
from bootz.errors import BootzError
from bootz.log import get_logger
from bootz.server.operations.retention import Kept, Pruned, prune
from bootz.server.store.database import Database

log = get_logger()

_EVERY_S: Final = 3600.0
_PAUSE_S: Final = 0.05
"""Seconds between two transactions, in which routers' entries are written."""


def kept_since(settings: RetentionSettings, now: datetime) -> Kept:
    """Return since when attempts and events are kept at ``now`` (aware UTC)."""

    def since(days: int) -> datetime | None:
        return now - timedelta(days=days) if days else None

    return Kept(since(settings.attempts_days), since(settings.events_days))


class JournalThinner:
    """Removes what is too old once an hour.

    Args:
        database: of the site.
        settings: returns the site's, as they are now.
        clock: returns aware UTC.
    """

    def __init__(
        self,
        database: Database,
        settings: Callable[[], RetentionSettings],
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def run(self) -> None:
        """Do it until it is cancelled."""
        while True:
            try:
                await self.thin()
            except BootzError as error:
                log.warning("journal-not-pruned", reason=error.reason, detail=str(error))
            except Exception:
                # A defect of ours must not end what still serves.
                log.exception("journal-not-pruned")
            await asyncio.sleep(_EVERY_S)

    async def thin(self) -> Pruned:
        """Remove what is too old now, and return how much went.

        Raises:
            Unavailable: the database does not answer.
        """
        total = Pruned()
        steps = prune(self._database, kept_since(self._settings(), self._clock()))
        while (step := await asyncio.to_thread(_next, steps)) is not None:
            total += step
            await asyncio.sleep(_PAUSE_S)
        if total != Pruned():
            log.info("journal-pruned", attempts=total.attempts, events=total.events)
        return total


def _next(steps: Iterator[Pruned]) -> Pruned | None:
    return next(steps, None)
