"""Work that goes on as long as its process does, whatever goes wrong in it.

A task that ends by a defect takes nothing else with it, and so is missed only when what it did is
not done: it is told in the log, and begun again.
"""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable
from typing import Final

from bootz.log import get_logger

log = get_logger()

AGAIN_S: Final = 5.0
"""Seconds after which work that failed is begun again."""
_TELL_S: Final = 600.0
"""Seconds after which a failure that repeats is told again."""

Kind = tuple[object, ...]


class Defects:
    """Tells each kind of failure of one piece of work once, and again while it lasts.

    Args:
        event: what the log calls it.
        fields: what else the log says.
    """

    def __init__(self, event: str, **fields: object) -> None:
        self._event = event
        self._fields = fields
        self._told: dict[Kind, float] = {}

    def tell(self, error: Exception) -> None:
        """Put one in the log, with its traceback, unless it was put there shortly before."""
        kind, now = _kind(error), time.monotonic()
        told = self._told.get(kind)
        if told is None or now - told >= _TELL_S:
            self._told[kind] = now
            log.error(self._event, exc_info=error, **self._fields)


async def lasting(event: str, work: Callable[[], Awaitable[None]], **fields: object) -> None:
    """Do ``work``, and begin it again when it fails, until it returns or this is cancelled.

    Args:
        event: what the log calls a failure.
        work: begins the work.
        fields: what else the log says.
    """
    defects = Defects(event, **fields)
    while True:
        try:
            await work()
        except Exception as error:
            defects.tell(error)
            await asyncio.sleep(AGAIN_S)
        else:
            return


def _kind(error: BaseException) -> Kind:
    """Return what two failures have in common that are the same: their type and place."""
    frames = traceback.extract_tb(error.__traceback__)
    place = (frames[-1].filename, frames[-1].lineno) if frames else ()
    within = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return type(error), place, *map(_kind, within)
