"""The image store as a process of its own, beside those that serve routers.

It opens no key of the owner; of the site's keys it reads that of TLS alone.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from bootz.config.site import SiteConfig
from bootz.config.values import parse_endpoint
from bootz.errors import BootzError
from bootz.log import get_logger
from bootz.server.doors import DepotDoor
from bootz.server.keys.tls_certificates import TlsMaterial, ensure_tls
from bootz.server.listening import Address, Bound, Listens
from bootz.server.metrics.folder import counting_of_site
from bootz.server.metrics.measuring import ServerMetrics
from bootz.server.part import Part
from bootz.server.site import Site, open_site
from bootz.server.stores import Stores
from bootz.transport.tls import server_context

log = get_logger()


class StoreServer:
    """The image store of a site; those that serve routers renew its certificate.

    Args:
        site: the site, with the addresses to listen on.
        listens: what a reload puts in place of the addresses in the settings, too.
        depot: the image store.
        part: of this process.
        on_settings: told the settings at start and after each reload (for the log).
    """

    def __init__(
        self,
        site: Site,
        *,
        listens: Listens,
        depot: DepotDoor,
        part: Part,
        on_settings: Callable[[SiteConfig], None] = lambda _: None,
    ) -> None:
        self._site = listens.applied(site)
        self._listens = listens
        self._depot = depot
        self._part = part
        self._on_settings = on_settings
        self._failed: object = None

    async def start(self) -> Bound:
        """Load everything and listen.

        Raises:
            ConfigError: settings, TLS key or database do not hold.
            Unavailable: an address, the database or a file does not do.
        """
        site = self._site
        self._metrics = ServerMetrics(counting_of_site(site.root), time.monotonic)
        try:
            self._stores = await Stores.open(site, lambda: None)
        except BaseException:
            self._metrics.close()
            raise
        try:
            await self._load(site)
            self._images = self._depot.open(
                self._stores.inventory, self._stores.journal, site, self._part
            )
            try:
                http = await self._images.start(_pairs(site.config.images.http))
                https = await self._images.start(_pairs(site.config.images.https), self._context)
            except BaseException:
                await self._images.drain(0)
                raise
        except BaseException:
            await self._stores.close()
            self._metrics.close()
            raise
        self._on_settings(site.config)
        return Bound((), http, https)

    async def _load(self, site: Site) -> None:
        self._stamp = site.keys_stamp()
        tls: TlsMaterial = await asyncio.to_thread(ensure_tls, site, site.clock())
        self._context = server_context(tls.certificate, tls.key, protocols=("http/1.1",))

    async def reload(self) -> None:
        """Read settings and keys again; where something does not hold, all stays as it was."""
        try:
            site = self._listens.applied(open_site(self._site.root, clock=self._site.clock))
            await self._exchange(site)
        except BootzError as error:
            log.error("reload-failed", reason=error.reason, detail=str(error))
        else:
            self._on_settings(site.config)
            log.info("reloaded")

    async def _exchange(self, site: Site) -> None:
        await self._load(site)
        self._site = site
        self._images.replace_tls(self._context)

    async def tend(self) -> None:
        """Use a TLS certificate that was renewed; try a database again that took no entries."""
        stamp = self._site.keys_stamp()
        if stamp not in (self._stamp, self._failed):
            try:
                await self._exchange(self._site)
            except BootzError as error:
                self._failed = stamp
                log.error("reload-failed", reason=error.reason, detail=str(error))
        await self._stores.mend()
        self._look()

    def _look(self) -> None:
        images = self._images
        self._metrics.look_at_images(
            images.downloads, images.bytes_sent, images.counts.proxy_headers_refused
        )

    async def keep_vouchers(self) -> None:
        """Leave vouchers to the processes that serve routers."""
        await asyncio.get_running_loop().create_future()

    async def drain(self) -> None:
        """Stop accepting, let downloads end within the site's time, and close all."""
        try:
            await self._images.drain(self._site.config.drain_timeout)
        finally:
            self._look()
            await self._stores.close()
            self._metrics.close()


def _pairs(listen: Sequence[str]) -> tuple[Address, ...]:
    return tuple(parse_endpoint(text).pair for text in listen)
