"""A site, and a person who types commands at it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from store.fresh import fresh_database
from store.world import maker, owner

from bootz.cli.main import run
from bootz.keystore.files import write_certificates
from bootz.server.operations.chassis import find_chassis
from bootz.server.ports import CallRecord
from bootz.server.store.database import open_database
from bootz.server.store.journal import SqlJournal


class Shell:
    """A site, and a person who types commands at it."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.capsys = capsys

    def ok(self, *words: str) -> str:
        code, out, err = self.run(*words)
        assert code == 0, err
        return out

    def json(self, *words: str) -> Any:
        return json.loads(self.ok(*words, "--output", "json"))

    def refused(self, *words: str) -> str:
        code, _, err = self.run(*words, "--output", "json")
        assert code == 1
        reason: str = json.loads(err.splitlines()[-1])["error"]["reason"]
        return reason

    def run(self, *words: str) -> tuple[int, str, str]:
        code = run(["--site", str(self.root), *words])
        out, err = self.capsys.readouterr()
        return code, out, err

    def file(self, name: str, content: str | bytes) -> str:
        path = self.root / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def record(self, *calls: CallRecord) -> None:
        async def write() -> None:
            journal = SqlJournal(database)
            journal.start()
            for each in calls:
                await journal.record(each)
            await journal.close()

        database = open_database(f"sqlite:///{self.root}/bootz.db")
        asyncio.run(write())
        database.close()

    def change(self, statement: str) -> None:
        """Change the database as nobody should."""
        database = open_database(f"sqlite:///{self.root}/bootz.db")
        with database.write() as connection:
            connection.execute(text(statement))
        database.close()

    def key(self, serial: str) -> int:
        database = open_database(f"sqlite:///{self.root}/bootz.db")
        with database.read() as connection:
            key = find_chassis(connection, serial).key
        database.close()
        return key


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    (tmp_path / "bootz.yaml").write_text(
        "owner: {certificate: oc.pem, key: oc.key, pinned_domain_certificate: pdc.pem}\n"
    )
    fresh_database(tmp_path / "bootz.db").close()
    for name in ("oc.pem", "pdc.pem"):
        write_certificates(tmp_path / name, [owner().der])
    made = Shell(tmp_path, capsys)
    ca = made.file("acme.der", maker().ca)
    made.ok("vendor", "add", "Acme", "--ca", ca, "--alias", "Acme Inc", "--ien", "9")
    return made
