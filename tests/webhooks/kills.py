"""The sender killed again and again: every event arrives, in order per chassis.

``make check-webhooks ARGS="--kills 200"``; a few kills are in ``test_kills.py``. The receiver
fails now and then; the sender is a process of its own that is killed at random moments. Each is
forked from a process that has loaded all modules and does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import multiprocessing
import random
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from aiohttp import web
from sqlalchemy import func, select
from store.world import Maker
from webhooks.conftest import Site
from webhooks.receiver import Received, Receiver, receiving

from bootz.config.operator import WebhookSettings
from bootz.config.site import SiteConfig
from bootz.server.operations.vendors import add_vendor
from bootz.server.operations.webhooks import resend
from bootz.server.store.attempts import last_event
from bootz.server.store.database import open_database
from bootz.server.store.schema import EVENT, WEBHOOK
from bootz.server.webhooks.sender import WebhookSender

CHASSIS = 8


@dataclass(frozen=True)
class Tally:
    """What came of a run."""

    kills: int
    events: int
    received: int
    repeats: int
    lost: int
    out_of_order: int

    @property
    def holds(self) -> bool:
        return self.lost == self.out_of_order == 0

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.events} events, {self.received} messages received, "
            f"{self.repeats} of them repeats; lost: {self.lost}, out of order: {self.out_of_order}"
        )


def send(url: str, ready: Connection) -> None:
    """Be the sender, until killed."""
    asyncio.run(_send(url, ready))


async def _send(url: str, ready: Connection) -> None:
    database = open_database(url)
    settings = WebhookSettings(private_targets=(ip_network("127.0.0.0/8"),))  # type: ignore[arg-type]
    config = SiteConfig(organization="Example", webhooks=settings)
    sender = WebhookSender(
        database, config, None, clock=lambda: datetime.now(UTC), draw=lambda: 0.0
    )
    ready.send(None)
    await sender.run()


async def run(folder: Path, kills: int, seed: int) -> Tally:
    """Kill the sender so often, and then let it finish."""
    chance = random.Random(seed)
    url = f"sqlite:///{folder}/bootz.db"
    database = open_database(url, create=True)
    with database.write() as connection:
        add_vendor(connection, Maker("Acme").vendor)
    site = Site(folder, database)
    serials = [f"FX{number}" for number in range(CHASSIS)]
    for serial in serials:
        site.add_chassis(serial)
    with database.read() as connection:
        first = last_event(connection)

    async def respond(_: Received) -> web.Response:
        kind = chance.random()
        if kind < 0.05:
            await asyncio.sleep(chance.random() * 0.3)
        return web.Response(status=500 if 0.05 < kind < 0.1 else 204)

    async with receiving(Receiver(respond=respond)) as receiver:
        site.add(receiver)
        for _ in range(kills):
            process = await _started(url)
            for _ in range(chance.randrange(1, 6)):
                site.happen(*chance.sample(serials, chance.randrange(1, CHASSIS)))
                await asyncio.sleep(chance.random() * 0.1)
            await _kill(process)
        process = await _started(url)
        with database.write() as connection:
            resend(connection, "ops", now=datetime.now(UTC))
            events = last_event(connection) - first
        async with asyncio.timeout(120):
            while _untaken(site) or site.webhook().waiting:
                await asyncio.sleep(0.05)
        await _kill(process)
        database.close()
        return _tally(kills, range(first + 1, first + events + 1), receiver)


def _untaken(site: Site) -> int:
    """Return how many events are still to become deliveries."""
    with site.database.read() as connection:
        taken = connection.scalar(select(WEBHOOK.c.taken)) or 0
        wanted = select(func.count()).select_from(EVENT).where(EVENT.c.id > taken)
        return connection.scalar(wanted) or 0


async def _started(url: str) -> ForkServerProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["webhooks.conftest", "bootz.server.webhooks.sender"])
    heard, ready = context.Pipe(duplex=False)
    process = context.Process(target=send, args=(url, ready))
    # Started in a thread: the first one waits until all modules are loaded.
    await asyncio.to_thread(process.start)
    ready.close()
    await asyncio.to_thread(heard.recv)
    heard.close()
    return process


async def _kill(process: ForkServerProcess) -> None:
    process.kill()
    await asyncio.to_thread(process.join)
    process.close()


def _tally(kills: int, events: range, receiver: Receiver) -> Tally:
    seen = Counter(message.event_id for message in receiver.received)
    lanes: defaultdict[str, list[int]] = defaultdict(list)
    for message in receiver.received:
        lanes[message.chassis].append(message.event_id)
    acknowledged = {message.event_id for message in receiver.acknowledged}
    return Tally(
        kills,
        len(events),
        len(receiver.received),
        sum(count - 1 for count in seen.values()),
        sum(event not in acknowledged for event in events),
        sum(
            later < earlier
            for lane in lanes.values()
            for earlier, later in itertools.pairwise(lane)
        ),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = asyncio.run(run(Path(folder), told.kills, told.seed))
    print(tally)
    return 0 if tally.holds else 1


if __name__ == "__main__":
    sys.exit(main())
