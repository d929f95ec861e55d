"""A site's door on a port of loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from api.conftest import World, opened_world
from store.world import maker, owner

from bootz.server.api.auth.roles import OperatorRole
from bootz.server.operations.vouchers.storing import store_voucher
from bootz.server.store.entries import CallRecord
from bootz.server.store.journal import SqlJournal

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass
class Door:
    """A site and where its door listens."""

    world: World
    url: str

    @property
    def token(self) -> str:
        return self.world.tokens[OperatorRole.OPERATOR]

    def example(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one of the examples as a person would."""
        return subprocess.run(
            [sys.executable, str(EXAMPLES / name), *words],
            env={**os.environ, "BOOTZ_URL": self.url, "BOOTZ_TOKEN": self.token},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def record(self, *calls: CallRecord) -> None:
        """Let these calls have happened."""

        async def write() -> None:
            journal = SqlJournal(self.world.database)
            journal.start()
            for each in calls:
                await journal.record(each)
            await journal.close()

        asyncio.run(write())

    def voucher(self, serial: str) -> None:
        with self.world.database.write() as connection:
            stored = store_voucher(
                connection,
                maker().voucher(serial, owner().der),
                pinned_domain_cert=owner().der,
                now=datetime.now(UTC),
            )
            assert stored.error is None, stored.error


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened_world(tmp_path) as world:
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(world.client.app, lifespan="off", log_config=None, ws="none")
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield Door(world, f"http://127.0.0.1:{listening.getsockname()[1]}")
        world.client.app.state.door.closing.set()  # type: ignore[attr-defined]
        server.should_exit = True
        thread.join()
        listening.close()
