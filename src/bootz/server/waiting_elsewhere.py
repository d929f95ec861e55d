"""Tells the server that leads of cards whose vouchers routers wait for at this one."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from bootz.errors import BootzError
from bootz.log import get_logger
from bootz.server.store.database import Database
from bootz.server.store.waiting_cards import tell_waiting

log = get_logger()

_AGAIN_S: Final = 30.0
"""Seconds for which a card that was told of is not told of again; its router keeps asking."""


class WaitingElsewhere:
    """What routers wait for here; belongs to one event loop.

    Args:
        database: of the site.
        monotonic: seconds that only ever rise.
    """

    def __init__(self, database: Database, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._monotonic = monotonic
        self._heard: set[str] = set()
        self._told: dict[str, float] = {}

    def hear(self, serials: Sequence[str]) -> None:
        """Hear that a router waits for the vouchers of these cards, which are on record."""
        self._heard.update(serial for serial in serials if serial not in self._told)

    async def tend(self, *, leads: bool) -> None:
        """Tell the leader, unless this server leads. Call it about once a second."""
        at = self._monotonic()
        self._told = {serial: until for serial, until in self._told.items() if until > at}
        heard, self._heard = self._heard, set()
        if leads or not heard:
            return
        try:
            await asyncio.to_thread(self._tell, heard)
        except BootzError as error:
            log.info("waiting-not-told", reason=error.reason, detail=str(error))
        else:
            self._told |= dict.fromkeys(heard, at + _AGAIN_S)

    def _tell(self, serials: set[str]) -> None:
        with self._database.write() as connection:
            tell_waiting(connection, serials)
