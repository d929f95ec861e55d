"""The servers of a site, each process by its own row: who serves, since when, and whether it lives.

A row is written again every few seconds, and removed when its process ends. That of a process that
was killed grows old.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from bootz.server.store.schema import SERVER
from bootz.sql.times import from_text, to_text

ALIVE: Final = timedelta(seconds=60)
"""A row that is older than this is of a process that was killed, or cannot reach the database."""

_FORGOTTEN: Final = timedelta(days=7)
"""So long a row of a killed process tells that there was one."""


@dataclass(frozen=True, slots=True)
class ServerRow:
    """A process that serves routers.

    ``name`` is new for each process; ``host`` the machine's name and ``folder`` the site's folder
    there; ``schema`` the version of the tables that the program was written for; ``agreed`` a
    digest of what all servers must have in common; ``connections`` those of the Bootz port.
    """

    name: str
    host: str
    folder: str
    pid: int
    version: str
    schema: int
    agreed: str
    listens: tuple[str, ...]
    started_at: datetime
    seen_at: datetime
    connections: int = 0
    leads: bool = False

    def alive(self, now: datetime) -> bool:
        """Tell whether it was seen a short while before ``now`` (aware UTC)."""
        # One that is ahead was written before the clock was set back.
        return abs(now - self.seen_at) <= ALIVE


def keep_server(connection: Connection, row: ServerRow) -> None:
    """Write a process's row, or write it again; rows that are forgotten go."""
    values = {
        "host": row.host,
        "folder": row.folder,
        "pid": row.pid,
        "version": row.version,
        "schema": row.schema,
        "agreed": row.agreed,
        "listens": json.dumps(row.listens),
        "started_at": to_text(row.started_at),
        "seen_at": to_text(row.seen_at),
        "connections": row.connections,
        "leads": row.leads,
    }
    changed = connection.execute(update(SERVER).where(SERVER.c.name == row.name).values(values))
    if changed.rowcount == 0:
        old = to_text(row.seen_at - _FORGOTTEN)
        connection.execute(delete(SERVER).where(SERVER.c.seen_at < old))
        connection.execute(insert(SERVER).values(name=row.name, **values))


def remove_server(connection: Connection, name: str) -> None:
    """Remove the row of a process that ends."""
    connection.execute(delete(SERVER).where(SERVER.c.name == name))


def list_servers(connection: Connection) -> Sequence[ServerRow]:
    """Return all rows, by host and begin."""
    order = select(SERVER).order_by(SERVER.c.host, SERVER.c.folder, SERVER.c.started_at)
    return tuple(
        ServerRow(
            name=row.name,
            host=row.host,
            folder=row.folder,
            pid=row.pid,
            version=row.version,
            schema=row.schema,
            agreed=row.agreed,
            listens=tuple(json.loads(row.listens)),
            started_at=from_text(row.started_at),
            seen_at=from_text(row.seen_at),
            connections=row.connections,
            leads=row.leads,
        )
        for row in connection.execute(order)
    )
