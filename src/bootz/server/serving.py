"""Serving a site until it is told to stop: signals, upkeep, and the words on the way."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any, Final, Protocol

from bootz.log import get_logger
from bootz.server.listening import Bound

log = get_logger()

_TEND_S: Final = 1.0
_CUT_S: Final = 1.0
"""Seconds in which a drain that is cut may still leave word that this process serves no more."""
_REPEAT_S: Final = 1.0
"""Seconds within which a signal that repeats is the same one."""


class Served(Protocol):
    """What is served: the site, or the part of it that this process has."""

    async def start(self) -> Bound:
        """Load everything and listen.

        Raises:
            BootzError: the site, a key or an address does not do.
        """

    async def reload(self) -> None:
        """Read settings and keys again; where something does not hold, all stays as it was."""

    async def tend(self) -> None:
        """Do what time and other processes have made due. Call it about once a second."""

    async def keep_vouchers(self) -> None:
        """Fetch and renew vouchers, where this process does, until it is cancelled."""

    async def drain(self) -> None:
        """Stop accepting, let calls and downloads end within the site's time, and close all."""


class CutShort(Exception):
    """All has stopped, but what was under way was left as it stood.

    Threads of it may wait for the database for long, and whoever ends in the usual way waits for
    them. The process should end at once: what is on record survives that, as it survives SIGKILL.
    """


class Stops:
    """Wishes to stop: the first one lets running calls end, a second one cuts them."""

    def __init__(self) -> None:
        self._wishes = asyncio.Queue[float]()
        self._last = -_REPEAT_S

    def stop(self) -> None:
        """Wish it; call it in the event loop."""
        now = asyncio.get_running_loop().time()
        # Supervisors send a signal to a process and to its group: that is one wish.
        if now - self._last >= _REPEAT_S:
            self._last = now
            self._wishes.put_nowait(now)

    async def wait(self) -> None:
        """Wait for a wish."""
        await self._wishes.get()


async def serve_until_stopped(
    server: Served, *, stops: Stops, on_bound: Callable[[Bound], None]
) -> None:
    """Serve until SIGTERM or SIGINT, which let running calls end; a second one cuts them.

    While nothing listens yet there are none, and the first one cuts the start. SIGHUP reads
    settings and keys again. ``stops`` are further wishes to stop.

    Raises:
        BootzError: the site, a key or an address does not do.
        CutShort: it has stopped in the middle of its start, or at a second signal.
    """
    loop = asyncio.get_running_loop()
    reloads = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stops.stop)
    loop.add_signal_handler(signal.SIGHUP, reloads.set)
    stopping = loop.create_task(stops.wait())
    try:
        bound = await _start(server, stopping)
    except BaseException:
        stopping.cancel()
        raise
    try:
        on_bound(bound)
        async with asyncio.TaskGroup() as upkeep:
            tasks = [
                upkeep.create_task(_tend(server)),
                upkeep.create_task(_reload(server, reloads)),
                upkeep.create_task(server.keep_vouchers()),
            ]
            await stopping
            for task in tasks:
                task.cancel()
        log.info("draining")
    finally:
        stopping.cancel()
        draining = loop.create_task(server.drain())
        hurry = loop.create_task(stops.wait())
        await asyncio.wait({draining, hurry}, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        cut = not draining.done()
        if cut:
            log.warning("drain-cut-short")
            draining.cancel()
        ended = asyncio.gather(draining, hurry, return_exceptions=True)
        await asyncio.wait({ended}, timeout=_CUT_S if cut else None)
    log.info("stopped")
    if cut:
        raise CutShort


async def _start(server: Served, stopping: "asyncio.Task[None]") -> Bound:
    starting = asyncio.get_running_loop().create_task(server.start())
    try:
        both: set[asyncio.Future[Any]] = {starting, stopping}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            return starting.result()
    finally:
        starting.cancel()
    log.info("stopped")
    raise CutShort


async def _tend(server: Served) -> None:
    while True:
        await asyncio.sleep(_TEND_S)
        try:
            await server.tend()
        except Exception:
            # A defect of ours, which must not end what still serves.
            log.exception("upkeep-failed")


async def _reload(server: Served, wanted: asyncio.Event) -> None:
    while True:
        await wanted.wait()
        wanted.clear()
        try:
            await server.reload()
        except Exception:
            log.exception("upkeep-failed")
