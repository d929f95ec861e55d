"""A site with vendors and profiles, and a source of truth as it was recorded."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sources.product import TOKEN, Product, serving
from sqlalchemy import insert
from store.fresh import fresh_database
from store.world import Maker

from bootz.config.site import SiteConfig
from bootz.server.operations.chassis import list_chassis
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.profiles import ProfileRecord, add_profile
from bootz.server.operations.vendors import add_vendor
from bootz.server.sources.markers import Marker, read_markers
from bootz.server.sources.planning import Synced, SyncOrder
from bootz.server.sources.syncing import SourceRoom, sync
from bootz.server.store.database import Database
from bootz.server.store.schema import ATTEMPT
from bootz.sql.times import to_text

SELECT = {
    "netbox": {"status": ["planned", "staged"], "tag": ["bootz"]},
    "nautobot": {"status": ["Planned", "Staged"], "tag": ["bootz"]},
}
CARDS = [{"bay": r"^(RP|RSP)\d", "kind": "control"}, {"part_number": "^8800-LC", "kind": "line"}]


@dataclass
class SourceWorld:
    """``now`` is the clock of the site."""

    root: Path
    product: Product
    url: str
    database: Database
    now: datetime = field(default_factory=lambda: datetime(2026, 11, 28, 20, tzinfo=UTC))
    settings: dict[str, Any] = field(default_factory=dict)

    def room(self, **settings: Any) -> SourceRoom:
        source = {
            "name": "sot",
            "kind": self.product.kind,
            "url": self.url,
            "token_file": "sot.token",
            "select": SELECT[self.product.kind],
            "cards": CARDS,
            "on_fault": "hold",
            "page_size": 7,
            **self.settings,
            **settings,
        }
        config = SiteConfig.model_validate({"sources": [source]})
        return SourceRoom(self.root, config, self.database, lambda: self.now)

    def sync(self, order: SyncOrder | None = None, **settings: Any) -> Synced:
        room = self.room(**settings)
        return asyncio.run(sync(room, room.config.sources[0], order or SyncOrder()))

    def chassis(self) -> dict[str, ChassisRecord]:
        with self.database.read() as connection:
            return {record.hostname: record for record in list_chassis(connection)}

    def markers(self) -> dict[str, Marker]:
        with self.database.read() as connection:
            return {marker.device: marker for marker in read_markers(connection)}

    def digest(self) -> str:
        """SHA-256 of every row of every table."""
        with self.database.read() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            return hashlib.sha256("\n".join(raw.iterdump()).encode()).hexdigest()

    def later(self, **delta: float) -> None:
        self.now += timedelta(**delta)


def attempted(world: SourceWorld, hostname: str, state: str, reason: str = "") -> None:
    """Put an attempt in the journal."""
    record = world.chassis()[hostname]
    at = to_text(world.now)
    with world.database.write_journal() as connection:
        number = len(connection.execute(ATTEMPT.select()).all()) + 1
        values: dict[str, Any] = {}
        for column in ATTEMPT.columns:
            if not column.nullable and column.server_default is None:
                values[column.name] = 0 if "INT" in str(column.type) else ""
        values |= {
            "id": number,
            "chassis_id": record.key,
            "number": number,
            "started_at": at,
            "updated_at": at,
            "state": state,
            "reason": reason,
            "checks": "[]",
            "sent": "{}",
        }
        connection.execute(insert(ATTEMPT).values(values))


def _world(tmp_path: Path, product: Product, url: str) -> SourceWorld:
    (tmp_path / "sot.token").write_text(TOKEN + "\n")
    (tmp_path / "sot.token").chmod(0o600)
    tmp_path.chmod(0o700)
    database = fresh_database(tmp_path / "bootz.db")
    with database.write() as connection:
        for name in ("Cisco", "Arista"):
            add_vendor(connection, Maker(name).vendor)
        for name in ("edge", "core", "leaf"):
            add_profile(connection, ProfileRecord.from_document({"name": name}))
    return SourceWorld(tmp_path, product, url, database)


@pytest.fixture(params=["netbox", "nautobot"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SourceWorld]:
    """Of each product."""
    product = Product(request.param)
    with serving(product) as url:
        made = _world(tmp_path, product, url)
        yield made
        made.database.close()


@pytest.fixture
def netbox(tmp_path: Path) -> Iterator[SourceWorld]:
    """Of NetBox."""
    product = Product("netbox")
    with serving(product) as url:
        made = _world(tmp_path, product, url)
        yield made
        made.database.close()


@pytest.fixture
def nautobot(tmp_path: Path) -> Iterator[SourceWorld]:
    """Of Nautobot."""
    product = Product("nautobot")
    with serving(product) as url:
        made = _world(tmp_path, product, url)
        yield made
        made.database.close()
