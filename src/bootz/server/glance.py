"""A look at a site's inventory for lists and the shell, without what changes need.

It is for what is usual: an SQLite file of this program's version that can be read. Of everything
else it says nothing; whoever asked opens the site, which says what is wrong.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from bootz.config.file import CONFIG_NAME, DEFAULT_DATABASE, parse_settings, read_settings
from bootz.errors import ConfigError, Unavailable
from bootz.server.store.listing import Execute
from bootz.server.store.version import SCHEMA_VERSION

_SQLITE: Final = "sqlite:///"
_WAIT_S: Final = 1.0
"""Seconds to wait for a lock, which a reader of a database in WAL mode hardly ever meets."""


@contextmanager
def glance(root: Path) -> Iterator[Execute | None]:
    """Open the database of the site in ``root`` for one consistent look; None: open the site."""
    file = _database_file(root)
    connection = None if file is None else _connect(file)
    if connection is None:
        yield None
        return

    def execute(statement: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        try:
            return connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise Unavailable("database-unavailable", str(error), where="database") from error

    with closing(connection):
        yield execute


def _database_file(root: Path) -> Path | None:
    """Return the file of the database, None where the settings name something else."""
    try:
        everything = parse_settings(read_settings(root / CONFIG_NAME))
    except ConfigError:
        return None
    if "progress" in everything:
        return None
    settings = everything.get("database", {})
    if not isinstance(settings, dict) or not settings.keys() <= {"url"}:
        return None
    url = settings.get("url", DEFAULT_DATABASE)
    name = url.removeprefix(_SQLITE) if isinstance(url, str) else url
    # What a URL could mean otherwise than it looks is left to whoever knows URLs.
    if name == url or not name or name == ":memory:" or set(name) & set("?%#"):
        return None
    return root / name


def _connect(file: Path) -> sqlite3.Connection | None:
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(file.absolute()))}?mode=ro",
            uri=True,
            timeout=_WAIT_S,
            isolation_level=None,
        )
    except sqlite3.Error:
        return None
    try:
        connection.execute("BEGIN")
        found = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    except sqlite3.Error:
        found = None
    if found != (SCHEMA_VERSION,):
        connection.close()
        return None
    return connection
