"""A site's empty database for a test: its tables are made once, and copied."""

from __future__ import annotations

import atexit
from functools import cache
from pathlib import Path
from shutil import copy, rmtree
from tempfile import mkdtemp

from bootz.server.store.database import Database, open_database


@cache
def _made() -> Path:
    folder = Path(mkdtemp(prefix="bootz-db-"))
    atexit.register(rmtree, folder)
    made = folder / "bootz.db"
    open_database(f"sqlite:///{made}", create=True).close()
    return made


def fresh_file(path: Path) -> str:
    """Put an empty database of SQLite at a path, and return its URL."""
    copy(_made(), path)
    return f"sqlite:///{path}"


def fresh_database(path: Path) -> Database:
    """Put an empty database of SQLite at a path, and open it."""
    return open_database(fresh_file(path))
