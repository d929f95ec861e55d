"""The door of a site whose people log in by a provider."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from fastapi.testclient import TestClient
from oidc.double import Provider, providing
from store.fresh import fresh_database

from bootz.cli.site.door_surroundings import door_surroundings
from bootz.config.operator import OidcSettings, OperatorSettings
from bootz.config.site import SiteConfig
from bootz.server.api.app import create_app
from bootz.server.api.auth.accounts import Account, list_accounts
from bootz.server.api.context import Door
from bootz.server.api.oidc.routes import oidc_part
from bootz.server.operations.audit import AuditFilter, latest_entries
from bootz.server.store.database import Database

ROLES = {"netops": "operator", "netadmins": "admin", "readers": "viewer"}
BASE = "http://127.0.0.1:15080"


@dataclass
class Site:
    """A site's door; ``browser`` is one that keeps its cookies."""

    root: Path
    database: Database
    browser: TestClient
    ticks: list[float] = field(default_factory=lambda: [1000.0])
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def begin(self) -> str:
        """Ask for a login; return where the browser is sent."""
        answer = self.browser.get("/api/v1/login/oidc", follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def end(self, query: dict[str, str]) -> httpx2.Response:
        """Come back from the provider."""
        return self.browser.get(f"/api/v1/login/oidc/callback?{urlencode(query)}")

    def login(self, provider: Provider) -> httpx2.Response:
        return self.end(provider.authorize(self.begin()))

    def accounts(self) -> tuple[Account, ...]:
        with self.database.read() as connection:
            return list_accounts(connection)

    def me(self) -> Any:
        return self.browser.get("/api/v1/me").json()

    def outcomes(self) -> list[tuple[str, str]]:
        """Return the audit's verbs and outcomes, the oldest first."""
        with self.database.read() as connection:
            entries = latest_entries(connection, AuditFilter(), most=100)
        return [(entry.verb, entry.outcome) for entry in reversed(entries)]


@contextmanager
def door_of(root: Path, settings: OidcSettings) -> Iterator[Site]:
    database = fresh_database(root / "bootz.db")
    config = SiteConfig(operator=OperatorSettings(oidc=settings))
    part = oidc_part(settings, root)
    door = Door(
        database,
        config,
        lambda: made.now,
        lambda: made.ticks[0],
        door_surroundings(root, config),
        root,
    )
    client = TestClient(create_app(door, (part,)), base_url=BASE, raise_server_exceptions=False)
    made = Site(root, database, client)
    with client:
        yield made
    database.close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing(Provider()) as made:
        yield made


@pytest.fixture
def site(tmp_path: Path, provider: Provider) -> Iterator[Site]:
    settings = OidcSettings(
        issuer=provider.issuer,
        client_id="bootz",
        base_url=BASE,
        roles=ROLES,  # type: ignore[arg-type]
    )
    with door_of(tmp_path, settings) as made:
        yield made
