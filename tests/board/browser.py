"""A real Chromium before a real door: the board as a person has it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from board import night
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from store.fresh import fresh_database

from bootz.cli.site.door_surroundings import door_surroundings
from bootz.config.site import SiteConfig
from bootz.server.api.app import create_app
from bootz.server.api.auth.accounts import begin_session, find_account
from bootz.server.api.auth.principals import SESSION_COOKIE
from bootz.server.api.context import Door
from bootz.server.board.app import install
from bootz.server.store.database import Database

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
AXE = Path(__file__).parent / "vendor" / "axe.min.js"


class BoardServer(uvicorn.Server):
    """The door in a thread; ``stop`` and ``start`` are a lost connection."""

    def __init__(self, door: Door, port: int) -> None:
        config = uvicorn.Config(
            create_app(door, [install]), port=port, log_config=None, lifespan="off"
        )
        super().__init__(config)
        self._door = door
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self.run)

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._listening.set()

    def start(self) -> int:
        self._thread.start()
        assert self._listening.wait(60)
        port: int = self.servers[0].sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        self.should_exit = True
        self.force_exit = True
        self._thread.join(60)


@dataclass
class Site:
    """A site whose board is served, and the browser before it."""

    database: Database
    door: Door
    server: BoardServer
    base: str
    browser: Browser
    now: datetime

    def context(self, name: str = "", **options: Any) -> BrowserContext:
        """Return a browser of a person, logged in if named."""
        made = self.browser.new_context(base_url=self.base, **options)
        if name:
            with self.database.write() as connection:
                account = find_account(connection, name)
                secret = begin_session(connection, account, "test", now=datetime.now(UTC))
            made.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": self.base}])
        return made

    def page(self, name: str = "", **options: Any) -> Page:
        """Return a page that fails the test on an error of script or of the policy."""
        page = self.context(name, **options).new_page()
        page.set_default_timeout(30_000)
        told: list[str] = []
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on(
            "console",
            lambda message: (
                told.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )
        page.errors = told  # type: ignore[attr-defined]
        return page

    def restart(self) -> None:
        """Start the door again where it was."""
        self.server.stop()
        port = int(self.base.rpartition(":")[2])
        self.door = Door(
            self.database,
            self.door.config,
            self.door.clock,
            self.door.monotonic,
            self.door.surroundings,
            self.door.root,
        )
        self.server = BoardServer(self.door, port)
        self.server.start()


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    """Serve a new site's board, with a browser."""
    database = fresh_database(folder / "bootz.db")
    now = datetime.now(UTC)
    night.people(database, now)
    config = SiteConfig(organization="Example Networks", sources=(night.SOURCE,))
    surroundings = door_surroundings(folder, config)
    door = Door(database, config, lambda: datetime.now(UTC), time.monotonic, surroundings, folder)
    server = BoardServer(door, 0)
    base = f"http://127.0.0.1:{server.start()}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        site = Site(database, door, server, base, browser, now)
        try:
            yield site
        finally:
            browser.close()
            site.server.stop()
            database.close()


def axe(page: Page) -> list[str]:
    """Return what axe-core finds wrong with a page."""
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa',"
        " 'best-practice'], resultTypes: ['violations']})"
    )
    return [
        f"{each['id']}: {node['target']} {node['failureSummary'][:200]}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
