"""The composition root of the owner's server: picks the parts, and swaps them on reload."""

import asyncio
import os
import secrets
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from bootz.config import SiteConfig, parse_endpoint
from bootz.errors import BootzError, Unavailable
from bootz.log import get_logger
from bootz.server.onboarding.grpc import bootstrap_methods
from bootz.server.onboarding.grpc_streams import stream_methods
from bootz.server.onboarding.open_streams import OpenStreams
from bootz.server.onboarding.service import BootstrapService
from bootz.server.onboarding.streaming import StreamService
from bootz.server.ports import Clock
from bootz.server.rendering.reached import ImageTarget, Reached
from bootz.server.rendering.renderer import SiteRenderer
from bootz.server.site import Site, open_site
from bootz.server.snapshot import Snapshot, grpc_context, load_snapshot
from bootz.server.store.inventory import SqlInventory
from bootz.server.store.journal import SqlJournal
from bootz.server.voucher_source.keeper import VoucherKeeper
from bootz.server.voucher_source.opening import Surroundings
from bootz.server.voucher_source.waiting import WaitingInventory
from bootz.transport.listener import GrpcListener
from bootz.transport.standard import StandardServices
from bootz.transport.tls import RefusedHandshake
from bootz.trust.vendor import Vendor
from bootz.wire.dialects import DIALECTS
from bootz.wire.generated import bootz_2023_11_pb2, bootz_pb2, bootz_v0_1_0_pb2

log = get_logger()

_SCHEMAS: Final = (bootz_pb2, bootz_2023_11_pb2, bootz_v0_1_0_pb2)
"""All in one pool; those of the old paths are there for reflection alone."""

Address = tuple[str, int]

_MAX_TELLING: Final = 1000
"""Refused handshakes that wait for the journal; who knocks faster is only logged."""

_RETRY_S: Final = 10.0
"""Seconds after which what did not work is tried again: an owner's key, a certificate that is due.

They are measured by the monotonic clock: the other one may jump.
"""


class ImageStore(Protocol):
    """The depot's door, which another party fills."""

    async def start(
        self, addresses: Sequence[Address], tls: ssl.SSLContext | None = None
    ) -> tuple[Address, ...]:
        """Listen, with TLS or without; return the addresses with their real ports.

        Raises:
            Unavailable: an address cannot be listened on.
        """

    def replace_tls(self, tls: ssl.SSLContext) -> None:
        """Use another context for TLS connections to come."""

    async def drain(self, timeout: float) -> None:
        """Stop accepting, let downloads end for at most ``timeout`` seconds, then cut them."""


@dataclass(frozen=True, slots=True)
class DepotDoor:
    """What joins the image store to this party: its door, and how it spells a file's URL."""

    open: Callable[[SqlInventory, SqlJournal, Site], ImageStore]
    target: ImageTarget


@dataclass(frozen=True, slots=True)
class Listens:
    """Addresses in place of those in the settings; None takes those of the settings."""

    bootz: tuple[str, ...] | None = None
    image_http: tuple[str, ...] | None = None
    image_https: tuple[str, ...] | None = None

    def applied(self, site: Site) -> Site:
        """Return the site with these addresses."""
        config = site.config
        images = {
            name: value
            for name, value in (("http", self.image_http), ("https", self.image_https))
            if value is not None
        }
        changed: dict[str, object] = {"images": config.images.model_copy(update=images)}
        if self.bootz is not None:
            changed["listen"] = self.bootz
        return Site(site.root, config.model_copy(update=changed), site.clock)


@dataclass(frozen=True, slots=True)
class Bound:
    """Where the server listens, with the ports that the system chose for 0."""

    bootz: tuple[Address, ...]
    image_http: tuple[Address, ...]
    image_https: tuple[Address, ...]


class SiteServer:
    """A running server of one site.

    Args:
        site: the site, with the addresses to listen on.
        listens: what a reload puts in place of the addresses in the settings, too.
        depot: the image store.
        on_settings: told the settings at start and after each reload (for the log).
        monotonic: seconds that only ever rise; the age of challenges, and the waits of upkeep.
    """

    def __init__(
        self,
        site: Site,
        *,
        listens: Listens,
        depot: DepotDoor,
        on_settings: Callable[[SiteConfig], None] = lambda _: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._listens = listens
        self._depot = depot
        self._on_settings = on_settings
        self._site = listens.applied(site)
        self._clock: Clock = site.clock
        self._changing = asyncio.Lock()
        self._telling: set[asyncio.Task[None]] = set()
        self._retry_at = monotonic()
        self._tls_flaw = ""
        self._draining = False

    async def start(self) -> Bound:
        """Load everything and listen.

        Raises:
            ConfigError: settings, keys or database do not hold.
            Unavailable: an address, the database or a file does not do.
        """
        config = self._site.config
        patience = config.limits.listener().database_seconds
        self._database = self._site.database(lock_seconds=patience)
        self._inventory = SqlInventory(self._database, patience=patience)
        self._journal = SqlJournal(self._database, patience=patience, on_writable=self._tell_health)
        self._journal.start()
        self._keeper = VoucherKeeper(
            Surroundings(self._database, self._site.root, self._clock, os.environ),
            lambda: self._site.pinned_domain_cert(),
            monotonic=self._monotonic,
        )
        try:
            self._snapshot = await self._load(self._site)
            return await self._listen(config)
        except BaseException:
            await self._close_stores()
            raise

    async def _listen(self, config: SiteConfig) -> Bound:
        limits = config.limits.listener()
        self._renderer = SiteRenderer(self._inventory.intent, Reached(self._depot.target))
        inventory = WaitingInventory(self._inventory, self._keeper.lacking)
        self._service = BootstrapService(
            inventory=inventory,
            renderer=self._renderer,
            journal=self._journal,
            owner=lambda: self._snapshot.owner_state(),
            clock=self._clock,
        )
        streaming = StreamService(
            inventory=inventory,
            renderer=self._renderer,
            journal=self._journal,
            owner=lambda: self._snapshot.owner_state(),
            clock=self._clock,
            monotonic=self._monotonic,
            draw=secrets.token_bytes,
        )
        streams = OpenStreams(config.limits.streams())
        services = dict.fromkeys(dialect.service for dialect in DIALECTS)
        self._standard = StandardServices(
            list(services), pool=_SCHEMAS[0].DESCRIPTOR.pool, limits=limits
        )
        self._grpc = GrpcListener(
            {
                **bootstrap_methods(self._service, limits),
                **stream_methods(streaming, limits, streams),
                **self._standard.methods,
            },
            limits=limits,
            context=self._snapshot.grpc,
            on_refused=self._on_refused,
            before_handshake=self._refresh_clients,
        )
        self._images = self._depot.open(self._inventory, self._journal, self._site)
        try:
            http = await self._images.start(_pairs(config.images.http))
            https = await self._images.start(_pairs(config.images.https), self._snapshot.https)
            self._image_address = ("http", http) if http else ("https", https)
            self._renderer.reached = self._reached(config)
            await self._journal.probe()
            bootz = await self._grpc.start(_pairs(config.listen))
        except BaseException:
            await self._images.drain(0)
            await self._grpc.drain(0)
            raise
        self._tell_health()
        self._on_settings(config)
        return Bound(bootz, http, https)

    async def keep_vouchers(self) -> None:
        """Fetch and renew vouchers from the vendors' sources until it is cancelled."""
        await self._keeper.run()

    async def reload(self) -> None:
        """Read settings and keys again; where something does not hold, all stays as it was."""
        try:
            site = self._listens.applied(open_site(self._site.root, clock=self._site.clock))
            before, after = _at_start(self._site.config), _at_start(site.config)
            for name in before:
                if before[name] != after[name]:
                    log.warning("restart-needed", setting=name)
            await self._swap(site)
            self._keeper.wake()
        except BootzError as error:
            log.error("reload-failed", reason=error.reason, detail=str(error))

    async def tend(self) -> None:
        """Do what time and other processes have made due.

        Keys that changed or are to be renewed are loaded; a database that took no entries is tried
        again. Call it about once a second.
        """
        await self._tend_keys()
        if not self._journal.writable:
            # What was opened while the file could only be read stays so until it is closed.
            self._inventory.reconnect()
            await self._journal.probe()

    async def _tend_keys(self) -> None:
        snapshot = self._snapshot
        self._judge_tls(snapshot)
        changed = self._site.keys_stamp() != snapshot.keys_stamp
        if self._monotonic() < self._retry_at or not (changed or snapshot.due(self._clock())):
            return
        try:
            await self._swap(self._site)
        except BootzError as error:
            self._retry_at = self._monotonic() + _RETRY_S
            log.error("reload-failed", reason=error.reason, detail=str(error))
        else:
            if self._snapshot.flaw is not None:
                self._retry_at = self._monotonic() + _RETRY_S

    def _judge_tls(self, snapshot: Snapshot) -> None:
        """Say once that the TLS certificate in use is out of date, and once that it is not."""
        flaw = snapshot.tls.flaw(self._clock())
        if flaw and not self._tls_flaw:
            log.warning("tls-certificate-out-of-date", detail=flaw)
        elif self._tls_flaw and not flaw:
            log.info("tls-certificate-in-date")
        self._tls_flaw = flaw

    async def _swap(self, site: Site) -> None:
        async with self._changing:
            snapshot = await self._load(site, self._snapshot)
            self._site, self._snapshot = site, snapshot
            self._grpc.context = snapshot.grpc
            self._images.replace_tls(snapshot.https)
            self._renderer.reached = self._reached(site.config)
            self._tell_health()
        self._on_settings(site.config)
        log.info("reloaded", tls_not_after=snapshot.tls.not_after.isoformat())

    def _tell_health(self) -> None:
        """Say whether routers can be answered: data are signed, and every call is put on record."""
        serving = self._snapshot.owner is not None and self._journal.writable
        self._standard.set_serving(serving=serving and not self._draining)

    async def _load(self, site: Site, before: Snapshot | None = None) -> Snapshot:
        self._vendors = await self._inventory.vendors()
        clients = _client_cas(self._vendors)
        return await asyncio.to_thread(load_snapshot, site, clients, self._clock(), before)

    async def _refresh_clients(self) -> None:
        """Take over vendors' CAs that changed, in whatever process, before a handshake."""
        try:
            async with asyncio.timeout(self._site.config.limits.handshake_timeout):
                # The same object while nothing has changed.
                if await self._inventory.vendors() is self._vendors:
                    return
                async with self._changing:
                    self._take_clients(await self._inventory.vendors())
        except (BootzError, TimeoutError) as error:
            log.warning("vendors-not-refreshed", detail=str(error) or "the database is slow")

    def _take_clients(self, vendors: tuple[Vendor, ...]) -> None:
        self._vendors = vendors
        clients = _client_cas(vendors)
        if clients == self._snapshot.clients:
            return
        context = grpc_context(self._snapshot.tls, clients)
        self._snapshot = replace(self._snapshot, grpc=context, clients=clients)
        self._grpc.context = context
        log.info("vendor-cas-changed", certificates=len(clients))

    def _reached(self, config: SiteConfig) -> Reached:
        scheme, addresses = self._image_address
        return Reached(
            self._depot.target,
            base_url=config.images.base_url or "",
            image_scheme=scheme,
            image_port=addresses[0][1] if addresses else 0,
            advertised=config.advertised,
        )

    def _on_refused(self, peer: str, refusal: RefusedHandshake) -> None:
        if not refusal.certificate or len(self._telling) >= _MAX_TELLING:
            log.info("handshake-failed", peer=peer, error=refusal.reason)
            return
        task = asyncio.get_running_loop().create_task(self._tell(peer, refusal.reason))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, peer: str, told: str) -> None:
        try:
            await self._service.refused_handshake(peer, told)
        except Unavailable as error:
            log.error("refusal-not-recorded", reason=error.reason, detail=str(error))

    async def drain(self) -> None:
        """Stop accepting, let calls and downloads end within the site's time, and close all."""
        timeout = self._snapshot.config.drain_timeout
        self._draining = True
        self._tell_health()
        try:
            await asyncio.gather(self._grpc.drain(timeout), self._images.drain(timeout))
            await asyncio.gather(*self._telling)
        finally:
            await self._close_stores()

    async def _close_stores(self) -> None:
        await self._journal.close()
        await self._inventory.close()
        self._database.close()


def _at_start(config: SiteConfig) -> dict[str, object]:
    """Return the settings that are read at start only."""
    images = config.images
    return {
        "listen": config.listen,
        "database": config.database,
        "limits": config.limits,
        "images": (images.folder, images.http, images.https, images.check_hours),
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


def _pairs(listen: Sequence[str]) -> tuple[Address, ...]:
    return tuple(parse_endpoint(text).pair for text in listen)
