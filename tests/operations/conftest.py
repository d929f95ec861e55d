"""An SQLite inventory with a vendor; a site with commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from operations.shell import shell
from sqlalchemy import Connection
from store.fresh import fresh_database
from store.world import maker

from bootz.server.operations.vendors import add_vendor
from bootz.server.store.database import Database

__all__ = ["shell"]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = fresh_database(tmp_path / "bootz.db")
    with opened.write() as connection:
        add_vendor(connection, maker().vendor)
    yield opened
    opened.close()


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.write() as opened:
        yield opened
