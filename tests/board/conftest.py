"""The board over a site in a folder: through HTTP in one process, and before a real browser."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from board import night
from fastapi.testclient import TestClient
from store.fresh import fresh_database

from bootz.cli.site.door_surroundings import door_surroundings
from bootz.config.site import SiteConfig
from bootz.server.api.app import create_app
from bootz.server.api.auth.accounts import begin_session, find_account
from bootz.server.api.auth.principals import SESSION_COOKIE
from bootz.server.api.context import Door
from bootz.server.board.app import install
from bootz.server.store.database import Database

_CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@dataclass
class Board:
    """A site's board; ``now`` and ``ticks`` are its clocks."""

    database: Database
    client: TestClient
    now: datetime
    ticks: float = 0.0

    def get(self, path: str, **options: Any) -> httpx2.Response:
        return self.client.get(f"/board{path}", follow_redirects=False, **options)

    def page(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:2000])
        return answer.text

    def csrf(self, path: str = "/") -> str:
        found = _CSRF.search(self.get(path).text)
        assert found is not None
        return found[1]

    def post(self, path: str, fields: dict[str, Any], **options: Any) -> httpx2.Response:
        data = {"csrf": self.csrf(), **fields}
        return self.client.post(f"/board{path}", data=data, follow_redirects=False, **options)

    def result(self, path: str, fields: dict[str, Any], **options: Any) -> httpx2.Response:
        """Send a form whose result has an address, and return it; a reload shows it again."""
        sent = self.post(path, fields, **options)
        assert sent.status_code == 303, (path, sent.status_code, sent.text[:500])
        address = sent.headers["location"].removeprefix("/board")
        found = self.get(address)
        assert re.sub(_CSRF, "", self.get(address).text) == re.sub(_CSRF, "", found.text)
        return found

    def enter(self, name: str) -> None:
        """Log in without the slow proof of a password."""
        self.client.cookies.clear()
        # The oldest sessions of an account go: none is as old as another.
        self.now += timedelta(milliseconds=1)
        with self.database.write() as connection:
            account = find_account(connection, name)
            secret = begin_session(connection, account, "testclient", now=self.now)
        self.client.cookies.set(SESSION_COOKIE, secret)

    def login(self, name: str, to: str = "") -> httpx2.Response:
        """Log in by the form."""
        self.client.cookies.clear()
        fields = {
            "csrf": self.csrf("/login"),
            "name": name,
            "password": night.PASSWORD,
            "to": to,
        }
        return self.client.post("/board/login", data=fields, follow_redirects=False)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    database = fresh_database(tmp_path / "bootz.db")
    now = datetime.now(UTC)
    config = SiteConfig(organization="Example")
    surroundings = door_surroundings(tmp_path, config)
    door = Door(database, config, lambda: made.now, lambda: made.ticks, surroundings)
    # A wrong answer of the door is an answer, not an exception of the test.
    client = TestClient(create_app(door, [install]), raise_server_exceptions=False)
    made = Board(database, client, now, time.monotonic())
    night.people(database, now)
    yield made
    client.close()
    database.close()
