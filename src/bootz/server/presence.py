"""A server's sign of life in the database, and its agreement with the site's other servers."""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Final

from bootz import __version__
from bootz.errors import BootzError, ConfigError
from bootz.lasting import Defects
from bootz.log import get_logger
from bootz.server.key_roles import KeyRole
from bootz.server.keys.publishing import site_certificates
from bootz.server.site import Site
from bootz.server.store.database import Database
from bootz.server.store.servers import ServerRow, keep_server, list_servers, remove_server
from bootz.server.store.version import SCHEMA_VERSION

log = get_logger()

_EVERY_S: Final = 10.0
"""Seconds between two signs of life."""


class Presence:
    """One process among those that serve a site. Belongs to one event loop.

    Args:
        database: the site's.
        clock: aware UTC.
        monotonic: seconds that only ever rise.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._row: ServerRow | None = None
        self._next = monotonic()
        self._told = False
        self._defects = Defects("sign-of-life-not-given")
        self._giving: asyncio.Task[bool] | None = None

    async def check(self, site: Site) -> None:
        """Check that this server agrees with those that serve now.

        Raises:
            ConfigError: ``servers-disagree``; files of keys do not hold.
            Unavailable: the database does not answer.
        """
        other = await asyncio.to_thread(self._stranger, site)
        if other is not None:
            raise ConfigError(
                "servers-disagree",
                "pinned domain certificate or trust anchor are not those of a server that runs",
                where="keys",
                expected=f"those of {other.host}:{other.folder}",
                seen=f"others in {site.keys_folder}",
            )

    def begin(self, site: Site, listens: Sequence[str]) -> None:
        """Serve from now on: the next sign of life is the first."""
        now = self._clock()
        self._row = ServerRow(
            name=secrets.token_hex(16),
            host=socket.gethostname(),
            folder=str(site.root),
            pid=os.getpid(),
            version=__version__,
            schema=SCHEMA_VERSION,
            agreed="",
            listens=tuple(listens),
            started_at=now,
            seen_at=now,
        )

    def tend(self, site: Site, *, connections: int, leads: bool) -> None:
        """Give a sign of life where one is due. Call it about once a second.

        It does not wait for a database that is slow.
        """
        if self._row is None or self._monotonic() < self._next:
            return
        if self._giving is None or self._giving.done():
            self._next = self._monotonic() + _EVERY_S
            row = replace(self._row, seen_at=self._clock(), connections=connections, leads=leads)
            self._giving = asyncio.get_running_loop().create_task(self._give(site, row))

    async def _give(self, site: Site, row: ServerRow) -> bool:
        """Return whether the database answered."""
        try:
            await asyncio.to_thread(self._write, site, row)
            other = await asyncio.to_thread(self._stranger, site)
        except BootzError as error:
            log.info("sign-of-life-not-given", reason=error.reason, detail=str(error))
            return False
        except Exception as error:
            # A defect of ours must not end what serves, nor keep it from its end.
            self._defects.tell(error)
            return True
        if other is not None and not self._told:
            log.warning("servers-disagree", other=f"{other.host}:{other.folder}")
        self._told = other is not None
        return True

    async def end(self) -> None:
        """Tell the others that this server serves no more; without it they find out in time."""
        if self._row is not None:
            row, self._row = self._row, None
            if self._giving is not None and not self._giving.done() and not await self._giving:
                # It was waited for long enough.
                return
            try:
                await asyncio.to_thread(self._remove, row.name)
            except BootzError as error:
                log.info("sign-of-life-not-given", reason=error.reason, detail=str(error))

    def _write(self, site: Site, row: ServerRow) -> None:
        told = replace(row, agreed=_agreed(site))
        with self._database.brief() as connection:
            keep_server(connection, told)

    def _remove(self, name: str) -> None:
        with self._database.brief() as connection:
            remove_server(connection, name)

    def _stranger(self, site: Site) -> ServerRow | None:
        """Return a server that runs elsewhere and does not agree with this one."""
        agreed, now = _agreed(site), self._clock()
        here = (socket.gethostname(), str(site.root))
        with self._database.read() as connection:
            rows = list_servers(connection)
        return next(
            (
                row
                for row in rows
                if row.agreed != agreed and row.alive(now) and (row.host, row.folder) != here
            ),
            None,
        )


def _agreed(site: Site) -> str:
    """Return a digest of what routers meet at whichever server."""
    certificates = site_certificates(site)
    roles = (KeyRole.PINNED_DOMAIN, KeyRole.TRUST_ANCHOR)
    return sha256(
        "".join(certificates.in_force(role).sha256 for role in roles).encode()
    ).hexdigest()
