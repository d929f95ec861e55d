"""Statements are compiled once for all databases of a test run.

SQLAlchemy keeps what it compiled in each engine, and a test opens an engine of its own: without
this, a fifth of the time of a test that talks to a database would be the same compiling again.
The statements are the same ones, bound and run on each database as ever.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.util import LRUCache

_STATEMENTS = 4000
"""More than all tests have: what falls out is compiled again."""

_shared: dict[tuple[object, ...], tuple[Any, LRUCache[Any, Any]]] = {}
"""For each kind and version of a database: the first engine's dialect, and what was compiled."""


def share_compiled_statements() -> None:
    """Let every engine that connects from now on compile for all of its kind."""
    event.listen(Engine, "engine_connect", _join)


def _join(connection: Connection) -> None:
    engine = connection.engine
    own = engine.dialect
    kind = (type(own), own.server_version_info)
    engine.dialect, engine._compiled_cache = _shared.setdefault(kind, (own, LRUCache(_STATEMENTS)))
    connection.dialect = engine.dialect
