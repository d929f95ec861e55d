"""What is in force: settings, keys and vendors' CAs, and how others take their place."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from bootz.config.site import SiteConfig
from bootz.errors import BootzError
from bootz.log import get_logger
from bootz.server.site import Site
from bootz.server.snapshot import Snapshot, grpc_context, load_snapshot
from bootz.server.store.inventory import SqlInventory
from bootz.trust.vendor import Vendor

log = get_logger()

_RETRY_S: Final = 10.0
"""Seconds after which what did not work is tried again: an owner's key, a certificate that is due.

They are measured by the monotonic clock: the other one may jump.
"""


class InForce:
    """Holds the snapshot that the server works with, and exchanges it as a whole.

    Args:
        site: the site, with the addresses to listen on.
        inventory: where the vendors are.
        monotonic: seconds that only ever rise.
        on_change: told each snapshot that takes the place of another.
    """

    def __init__(
        self,
        site: Site,
        inventory: SqlInventory,
        *,
        monotonic: Callable[[], float],
        on_change: Callable[[Snapshot], None],
    ) -> None:
        self.site = site
        self._inventory = inventory
        self._monotonic = monotonic
        self._on_change = on_change
        self._changing = asyncio.Lock()
        self._retry_at = monotonic()
        self._tls_flaw = ""

    async def start(self) -> None:
        """Load everything for the first time.

        Raises:
            ConfigError: settings or keys do not hold.
            Unavailable: the database or a file does not do.
        """
        self.snapshot, self._vendors = await self._load(self.site)

    async def exchange(self, site: Site) -> None:
        """Put the settings of ``site`` in force, with its keys; or nothing of them.

        Raises:
            BootzError: something does not hold.
        """
        async with self._changing:
            # Together: a reload that fails leaves vendors' changes to the next handshake.
            snapshot, self._vendors = await self._load(site, self.snapshot)
            self.site, self.snapshot = site, snapshot
            self._on_change(snapshot)
        log.info("reloaded", tls_not_after=snapshot.tls.not_after.isoformat())

    async def tend(self) -> None:
        """Load keys that changed or are to be renewed. Call it about once a second.

        Of several processes on one folder of keys the first issues a certificate that is due, and
        the others find it there.
        """
        snapshot, now = self.snapshot, self.site.clock()
        self._judge_tls(snapshot.tls.flaw(now))
        changed = self.site.keys_stamp() != snapshot.keys_stamp
        if self._monotonic() < self._retry_at or not (changed or snapshot.due(now)):
            return
        try:
            await self.exchange(self.site)
        except BootzError as error:
            self._retry_at = self._monotonic() + _RETRY_S
            log.error("reload-failed", reason=error.reason, detail=str(error))
        else:
            if self.snapshot.flaw is not None:
                self._retry_at = self._monotonic() + _RETRY_S

    async def refresh_clients(self) -> None:
        """Take over vendors' CAs that changed, in whatever process, before a handshake."""
        if self._inventory.kept_vendors() is self._vendors:
            return
        try:
            async with asyncio.timeout(self.site.config.limits.handshake_timeout):
                # The same object while nothing has changed.
                if await self._inventory.vendors() is self._vendors:
                    return
                async with self._changing:
                    self._take_clients(await self._inventory.vendors())
        except (BootzError, TimeoutError) as error:
            log.warning("vendors-not-refreshed", detail=str(error) or "the database is slow")

    async def _load(
        self, site: Site, before: Snapshot | None = None
    ) -> tuple[Snapshot, tuple[Vendor, ...]]:
        vendors = await self._inventory.vendors()
        clients = _client_cas(vendors)
        snapshot = await asyncio.to_thread(load_snapshot, site, clients, site.clock(), before)
        return snapshot, vendors

    def _take_clients(self, vendors: tuple[Vendor, ...]) -> None:
        self._vendors = vendors
        clients = _client_cas(vendors)
        if clients == self.snapshot.clients:
            return
        context = grpc_context(self.snapshot.tls, clients)
        self.snapshot = replace(self.snapshot, grpc=context, clients=clients)
        self._on_change(self.snapshot)
        log.info("vendor-cas-changed", certificates=len(clients))

    def _judge_tls(self, flaw: str) -> None:
        """Say once that the TLS certificate in use is out of date, and once that it is not."""
        if flaw and not self._tls_flaw:
            log.warning("tls-certificate-out-of-date", detail=flaw)
        elif self._tls_flaw and not flaw:
            log.info("tls-certificate-in-date")
        self._tls_flaw = flaw


def settings_at_start(config: SiteConfig) -> dict[str, object]:
    """Return the settings that are read at start only."""
    images = config.images
    return {
        "listen": config.listen,
        "database": config.database,
        "limits": config.limits,
        "transport": config.transport,
        "workers": config.workers,
        "telemetry": config.telemetry,
        "images": (
            *(images.folder, images.http, images.https, images.check_hours),
            *(images.fetch_from, images.fetch_ca),
        ),
    }


def _client_cas(vendors: Sequence[Vendor]) -> tuple[bytes, ...]:
    """Return the CAs (DER) whose devices pass TLS: those of all vendors together.

    Their intermediates are among them, for devices that send a bare leaf; what counts is the
    second verification, against the anchors of the chassis's own manufacturer.
    """
    return tuple(
        dict.fromkeys(
            certificate
            for vendor in vendors
            for certificate in (*vendor.idevid_anchors.certificates, *vendor.idevid_intermediates)
        )
    )
