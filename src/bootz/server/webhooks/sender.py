"""Sends what is due, as long as the door runs; of several doors of a site one does it.

A try is settled once it is over, several in one transaction. A process that is killed between the
receiver's acknowledgement and that leaves a delivery that is sent again: at least once, and with
the same id.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bootz.config.site import SiteConfig
from bootz.errors import BootzError, Unavailable
from bootz.log import get_logger
from bootz.server.store.database import Database
from bootz.server.store.leadership import leadership
from bootz.server.webhooks.delivery import Deliverer, DeliveryAnswer
from bootz.server.webhooks.envelope import source_of
from bootz.server.webhooks.queue import (
    Due,
    Settled,
    any_enabled,
    due_deliveries,
    news,
    settle,
    take_events,
)

log = get_logger()

_LOOK_S: Final = 0.25
"""Seconds between two looks at the journal and the queue."""
_IDLE_S: Final = 1.0
"""The same while there is no webhook."""
_REST_S: Final = 5.0
"""The same after a failure of the database, and while another process sends."""
_AT_ONCE: Final = 8
"""Tries of one webhook that are under way together."""


class WebhookSender:
    """Fills the queue and empties it.

    Args:
        database: of the site.
        config: the site's settings.
        root: the site's folder.
        clock: returns aware UTC.
        draw: a number from 0 to 1, which scatters tries.

    Raises:
        ConfigError: the file of CAs cannot be used.
    """

    def __init__(
        self,
        database: Database,
        config: SiteConfig,
        root: Path | None,
        *,
        clock: Callable[[], datetime],
        draw: Callable[[], float],
    ) -> None:
        self._database = database
        self._source = source_of(config.organization)
        self._clock = clock
        self._draw = draw
        self._deliverer = Deliverer(config.webhooks, root)
        self._lead = leadership(database, "webhooks")
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._busy: defaultdict[int, set[int]] = defaultdict(set)
        self._settled: list[Settled] = []
        self._looking: asyncio.Future[tuple[list[Due] | None, float]] | None = None
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Send until it is cancelled; what is under way then is sent again later."""
        try:
            while True:
                await self._wait(await self._turn())
        finally:
            tasks: tuple[asyncio.Future[Any], ...] = tuple(self._under_way.values())
            for task in tasks:
                task.cancel()
            if self._looking is not None:
                tasks = (*tasks, self._looking)
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(self._end, self._settled)

    def _end(self, settled: list[Settled]) -> None:
        """Write down what is over, and let another process send."""
        try:
            if settled and self._lead.hold():
                with self._database.write() as connection:
                    settle(connection, settled, self._clock())
        except BootzError as error:
            log.warning("webhooks-waiting", reason=error.reason, detail=str(error))
        finally:
            self._lead.release()

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._moved.wait()
        except TimeoutError:
            pass
        self._moved.clear()

    async def _turn(self) -> float:
        """Do what is due; return the seconds until the next look."""
        settled, self._settled = self._settled, []
        busy = {key: frozenset(each) for key, each in self._busy.items() if each}
        try:
            # Not given up half way: what it settles would be unknown.
            self._looking = asyncio.ensure_future(asyncio.to_thread(self._look, settled, busy))
            due, wait = await asyncio.shield(self._looking)
        except BootzError as error:
            self._settled[:0] = settled
            log.warning("webhooks-waiting", reason=error.reason, detail=str(error))
            return _REST_S
        except Exception:
            # A defect of ours must not end the door, nor the sending.
            self._settled[:0] = settled
            log.exception("webhooks-failed")
            return _REST_S
        for each in settled:
            self._forget(each.due)
        for each_due in due or ():
            if each_due.key not in self._under_way:
                self._begin(each_due)
        return wait

    def _look(
        self, settled: list[Settled], busy: dict[int, frozenset[int]]
    ) -> tuple[list[Due] | None, float]:
        """Settle, take events, and return what is due, and the seconds until the next look.

        None is due while another process sends.
        """
        if not self._lead.hold():
            return None, _REST_S
        now, database = self._clock(), self._database
        if settled:
            with database.write() as connection:
                dead = settle(connection, settled, now)
            if dead:
                log.error("webhook-deliveries-given-up", deliveries=dead)
        with database.read() as connection:
            if not any_enabled(connection):
                return [], _IDLE_S
            fresh = news(connection)
        more = False
        if fresh:
            with database.write() as connection:
                more = take_events(connection, self._source, now)
        done = {each.due.key for each in settled}
        left = {key: each - done for key, each in busy.items()}
        with database.read() as connection:
            due = due_deliveries(connection, now, left, _AT_ONCE)
        return list(due), 0.0 if more else _LOOK_S

    def _begin(self, due: Due) -> None:
        self._busy[due.webhook.key].add(due.key)
        task = asyncio.get_running_loop().create_task(self._send(due))
        self._under_way[due.key] = task

    def _forget(self, due: Due) -> None:
        self._under_way.pop(due.key, None)
        self._busy[due.webhook.key].discard(due.key)

    async def _send(self, due: Due) -> None:
        hook = due.webhook
        try:
            answer = await self._deliverer.post(
                hook.url, hook.secret, due.message_id, due.body, self._clock()
            )
        except Exception as error:
            # A defect of ours; the delivery is tried again like any other.
            log.exception("webhooks-failed", webhook=hook.name)
            flaw = Unavailable("webhook-unreachable", type(error).__name__, where="url")
            answer = DeliveryAnswer(0, flaw)
        if answer.error is not None:
            log.warning(
                "webhook-not-delivered",
                webhook=hook.name,
                message=due.message_id,
                tries=due.tries + 1,
                reason=answer.error.reason,
                detail=answer.error.detail,
            )
        self._settled.append(
            Settled(due, answer.error, answer.asked, gone=answer.gone, chance=self._draw())
        )
        self._moved.set()
