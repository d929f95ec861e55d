"""What is the same in all tests of a process, and is made once for them: no test is about it.

SQLAlchemy keeps the statements that it compiled in each engine, and a test opens an engine of its
own. OpenSSL proves the primes of each RSA key that it reads, and the sites and parties of the tests
are copies that have the same keys. Each took a fifth of the time of the tests that meet it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.util import LRUCache

from bootz.keystore import files

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


def read_each_key_once() -> None:
    """Let a PEM file with the same bytes and passphrase be the same key; errors come each time."""
    files.load_pem_private_key = lru_cache(maxsize=500)(files.load_pem_private_key)
