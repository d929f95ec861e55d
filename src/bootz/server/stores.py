"""The database of a running server, and what reads and writes it there."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from bootz.server.site import Site
from bootz.server.store.attempt_log import Onboarded
from bootz.server.store.database import Database
from bootz.server.store.inventory import SqlInventory
from bootz.server.store.journal import SqlJournal, pace_of


@dataclass(frozen=True, slots=True)
class Stores:
    """Inventory and journal over one database. Whoever opens them closes them."""

    database: Database
    inventory: SqlInventory
    journal: SqlJournal

    @classmethod
    async def open(
        cls,
        site: Site,
        on_writable: Callable[[], None],
        on_onboarded: Callable[[Onboarded], None] = lambda _: None,
        revision_seconds: float = 0.0,
        processes: int = 1,
    ) -> Self:
        """Open the database of a site, and start the journal; arguments as those of the two.

        ``processes`` is the number of those that serve the routers together.

        Raises:
            ConfigError: the settings do not lead to a database of this version.
            Unavailable: it does not answer.
        """
        patience = site.config.limits.listener().database_seconds
        # In a thread, so that a wish to stop is heard while it does not answer.
        database = await asyncio.to_thread(site.database, lock_seconds=patience)
        inventory = SqlInventory(database, patience=patience, revision_seconds=revision_seconds)
        journal = SqlJournal(
            database,
            patience=patience,
            pace=pace_of(processes),
            on_writable=on_writable,
            on_onboarded=on_onboarded,
        )
        journal.start()
        return cls(database, inventory, journal)

    async def mend(self) -> None:
        """Try again to write, where the journal could not."""
        if not self.journal.writable:
            # What was opened while the file could only be read stays so until it is closed.
            self.inventory.reconnect()
            await self.journal.probe()

    async def close(self) -> None:
        """Write what waits, and close all."""
        await self.journal.close()
        await self.inventory.close()
        self.database.close()
