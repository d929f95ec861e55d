"""A site's database with chassis, and a sender over it whose clock the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from store.fresh import fresh_database
from store.world import Maker, call
from webhooks.receiver import Receiver

from bootz.config.operator import WebhookSettings
from bootz.config.site import SiteConfig
from bootz.server.operations.chassis import add_chassis
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.vendors import add_vendor
from bootz.server.operations.webhooks import Webhook, add_webhook, webhook_named
from bootz.server.ports import CallRecord
from bootz.server.store.attempt_log import AttemptLog, JournalLimits
from bootz.server.store.database import Database
from bootz.server.webhooks.sender import WebhookSender

LOOPBACK = WebhookSettings(private_targets=(ip_network("127.0.0.0/8"),))  # type: ignore[arg-type]


@dataclass
class Site:
    """``now`` is the clock; it moves when the test moves it."""

    root: Path
    database: Database
    settings: WebhookSettings = LOOPBACK
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    chassis: dict[str, int] = field(default_factory=dict)
    _log: AttemptLog = field(default_factory=lambda: AttemptLog(JournalLimits()))
    _calls: int = 0

    def add_chassis(self, serial: str, **settings: Any) -> None:
        with self.database.write() as connection:
            record = ChassisRecord("Acme", serial, **settings)
            self.chassis[serial] = add_chassis(connection, record).key

    def happen(self, *serials: str, **changes: Any) -> None:
        """Let the journal record a call of each."""
        calls = []
        for serial in serials:
            self._calls += 1
            known = {
                "claimed_serial": serial,
                "chassis_key": self.chassis.get(serial),
                "nonce_digest": f"{self._calls}",
            }
            calls.append(call(**{**known, **changes}))
        self.record(*calls)

    def record(self, *calls: CallRecord) -> None:
        with self.database.write_journal() as connection:
            self._log.write(connection, calls)

    def add(self, receiver: Receiver, name: str = "ops", **options: Any) -> None:
        with self.database.write() as connection:
            add_webhook(
                connection, name, receiver.url, now=self.now, secret=receiver.secret, **options
            )

    def webhook(self, name: str = "ops") -> Webhook:
        with self.database.read() as connection:
            return webhook_named(connection, name)

    def later(self, **wait: float) -> None:
        self.now += timedelta(**wait)

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """Send what is due within the block."""
        config = SiteConfig(organization="Example", webhooks=self.settings)
        sender = WebhookSender(
            self.database, config, self.root, clock=lambda: self.now, draw=lambda: 1.0
        )
        task = asyncio.create_task(sender.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def settled(
        self, delivered: int, *, waiting: int = 0, dead: int = 0, name: str = "ops"
    ) -> Webhook:
        """Wait until so many deliveries have arrived, and so many are left."""
        async with asyncio.timeout(60):
            while True:
                found = self.webhook(name)
                if (found.delivered, found.waiting, found.dead) == (delivered, waiting, dead):
                    return found
                await asyncio.sleep(0)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    database = fresh_database(tmp_path / "bootz.db")
    with database.write() as connection:
        add_vendor(connection, Maker("Acme").vendor)
    made = Site(tmp_path, database)
    for serial in ("FX1", "FX2"):
        made.add_chassis(serial, labels={"site": serial.lower()})
    yield made
    database.close()
