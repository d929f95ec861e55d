"""The door over a site in a folder, and callers of every role; through HTTP, in one process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from store.fresh import fresh_database
from store.world import maker, owner

from bootz.cli.site.door_surroundings import door_surroundings
from bootz.config.site import SiteConfig
from bootz.server.api.app import create_app
from bootz.server.api.auth.accounts import add_account, begin_session
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.auth.tokens import add_token
from bootz.server.api.context import Door
from bootz.server.api.ports import DoorSurroundings
from bootz.server.key_roles import KeyRole
from bootz.server.operations.chassis import add_chassis
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.site_certificates import (
    IN_FORCE,
    SiteCertificate,
    store_site_certificates,
)
from bootz.server.operations.vendors import add_vendor
from bootz.server.store.database import Database


@dataclass
class World:
    """A site's door; ``now`` and ``ticks`` are its clocks."""

    database: Database
    client: TestClient
    now: datetime
    surroundings: DoorSurroundings
    ticks: float = 0.0
    tokens: dict[OperatorRole, str] = field(default_factory=dict)
    """A token of each role."""

    def call(
        self, role: OperatorRole | None, method: str, path: str, **options: Any
    ) -> httpx2.Response:
        """Call as a program with this role, or as nobody."""
        headers = dict(options.pop("headers", {}))
        if role is not None:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        return self.client.request(method, f"/api/v1{path}", headers=headers, **options)

    def get(self, path: str, role: OperatorRole = OperatorRole.VIEWER) -> Any:
        answer = self.call(role, "GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def chassis(self, serial: str, **settings: Any) -> int:
        with self.database.write() as connection:
            return add_chassis(connection, ChassisRecord("Acme", serial, **settings)).key

    def session(self, name: str, role: OperatorRole) -> str:
        with self.database.write() as connection:
            account = add_account(connection, name, role, now=self.now)
            return begin_session(connection, account, "127.0.0.1", now=self.now)


@contextmanager
def opened_world(tmp_path: Path) -> Iterator[World]:
    """Make a site in a folder, and its door."""
    database = fresh_database(tmp_path / "bootz.db")
    begun = datetime.now(UTC)
    config = SiteConfig()
    surroundings = door_surroundings(tmp_path, config)
    door = Door(database, config, lambda: made.now, lambda: made.ticks, surroundings)
    # A wrong answer of the door is an answer, not an exception of the test.
    client = TestClient(create_app(door), raise_server_exceptions=False)
    made = World(database, client, begun, surroundings, ticks=time.monotonic())
    with database.write() as connection:
        add_vendor(connection, maker("Acme").vendor)
        store_site_certificates(
            connection,
            [
                SiteCertificate(role, f"{role.value}/1", IN_FORCE, "here", (owner().der,))
                for role in KeyRole
            ],
        )
        for role in OperatorRole:
            _, secret = add_token(
                connection, role.value, role, now=begun, expires_at=begun + timedelta(days=1)
            )
            made.tokens[role] = secret
    yield made
    client.close()
    database.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened_world(tmp_path) as made:
        yield made
