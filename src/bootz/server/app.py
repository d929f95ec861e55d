"""The composition root of the owner's server: picks the parts, and swaps them on reload."""

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bootz.config.site import SiteConfig
from bootz.errors import BootzError
from bootz.log import get_logger
from bootz.server.doors import DepotDoor, Doors
from bootz.server.in_force import InForce, settings_at_start
from bootz.server.keys.door import DoorRenewal
from bootz.server.keys.publishing import publish_certificates
from bootz.server.lead import Lead
from bootz.server.listening import Bound, Listens, written
from bootz.server.metrics.folder import counting_of_site
from bootz.server.metrics.measuring import ServerMetrics
from bootz.server.onboarding.grpc import bootstrap_methods
from bootz.server.onboarding.grpc_streams import stream_methods
from bootz.server.onboarding.open_streams import OpenStreams
from bootz.server.onboarding.service import BootstrapService, OwnerState
from bootz.server.onboarding.streaming import StreamService
from bootz.server.part import WHOLE, Part
from bootz.server.presence import Presence
from bootz.server.refusals import Refusals
from bootz.server.rendering.reached import Reached
from bootz.server.rendering.renderer import SiteRenderer
from bootz.server.retention import JournalThinner
from bootz.server.site import Site, open_site
from bootz.server.snapshot import Snapshot
from bootz.server.store.leadership import leadership
from bootz.server.stores import Stores
from bootz.server.tracing import open_tracing
from bootz.server.voucher_source.keeper import VoucherKeeper
from bootz.server.voucher_source.opening import Surroundings
from bootz.server.voucher_source.waiting import WaitingInventory
from bootz.server.waiting_elsewhere import WaitingElsewhere
from bootz.transport.grpc.call import Method

log = get_logger()

_LOOK_S: Final = 1.0
"""Seconds between two tries to write, while something else waits for the database."""


class SiteServer:
    """A running server of one site: its stores, what is in force, its doors, its vouchers.

    Args:
        site: the site, with the addresses to listen on.
        listens: what a reload puts in place of the addresses in the settings, too.
        depot: the image store.
        on_settings: told the settings at start and after each reload (for the log).
        monotonic: seconds that only ever rise; the age of challenges, and the waits of upkeep.
        part: which part of the site this process serves.
        on_lacking: told the serial numbers of cards whose vouchers a router waits for, which the
            process that leads has to fetch.
        revision_seconds: seconds within which a change of the inventory counts at the latest.
    """

    def __init__(
        self,
        site: Site,
        *,
        listens: Listens,
        depot: DepotDoor,
        on_settings: Callable[[SiteConfig], None] = lambda _: None,
        monotonic: Callable[[], float] = time.monotonic,
        part: Part = WHOLE,
        on_lacking: Callable[[Sequence[str]], None] = lambda _: None,
        revision_seconds: float = 0.0,
    ) -> None:
        self._revision_seconds = revision_seconds
        self._part = part
        self._on_lacking = on_lacking
        self._site = listens.applied(site)
        self._listens = listens
        self._depot = depot
        self._on_settings = on_settings
        self._monotonic = monotonic
        self._draining = False
        self._published: Snapshot | None = None

    async def start(self) -> Bound:
        """Load everything and listen.

        Raises:
            ConfigError: settings, keys or database do not hold.
            Unavailable: an address, the database or a file does not do.
        """
        site = self._site
        self._tracing = open_tracing(site.config.telemetry)
        self._metrics = ServerMetrics(counting_of_site(site.root), self._monotonic)
        try:
            self._stores = await Stores.open(
                site,
                lambda: self._tell_health(),
                on_onboarded=self._metrics.onboarded,
                revision_seconds=self._revision_seconds,
                processes=self._part.processes,
            )
        except BaseException:
            self._metrics.close()
            raise
        self._in_force = InForce(
            site, self._stores.inventory, monotonic=self._monotonic, on_change=self._take
        )
        self._lead = Lead(leadership(self._stores.database))
        self._keeper = VoucherKeeper(
            Surroundings(self._stores.database, site.root, site.clock, os.environ),
            lambda: self._in_force.site.pinned_domain_cert(),
            monotonic=self._monotonic,
        )
        self._door_renewal = DoorRenewal(self._monotonic)
        self._waiting = WaitingElsewhere(self._stores.database, self._monotonic)
        self._presence = Presence(self._stores.database, site.clock, self._monotonic)
        self._thinner = JournalThinner(
            self._stores.database, lambda: self._in_force.site.config.retention, site.clock
        )
        try:
            await self._in_force.start()
            await self._presence.check(site)
            await self._publish()
            bound = await self._listen(site)
            self._presence.begin(site, [written(each) for each in bound.bootz])
            return bound
        except BaseException:
            await self._lead.give_up()
            await self._stores.close()
            self._metrics.close()
            raise

    async def _listen(self, site: Site) -> Bound:
        config, snapshot = site.config, self._in_force.snapshot
        shared = config.limits.share(self._part.processes)
        limits = shared.listener()
        inventory = WaitingInventory(self._stores.inventory, self._hear_lacking)
        journal = self._metrics.measured_journal(self._stores.journal)
        if self._tracing is not None:
            journal = self._tracing.traced_journal(journal)
        self._renderer = renderer = SiteRenderer(
            self._stores.inventory.intent, Reached(self._depot.target)
        )
        service = BootstrapService(
            inventory=inventory,
            renderer=renderer,
            journal=journal,
            owner=self._owner_state,
            clock=site.clock,
        )
        streaming = StreamService(
            inventory=inventory,
            renderer=renderer,
            journal=journal,
            owner=self._owner_state,
            clock=site.clock,
            monotonic=self._monotonic,
            draw=secrets.token_bytes,
        )
        self._refusals = Refusals(service)
        self._doors = Doors(
            site,
            self._stores,
            self._depot,
            self._observed(
                {
                    **bootstrap_methods(service, limits),
                    **stream_methods(streaming, limits, OpenStreams(shared.streams())),
                }
            ),
            snapshot,
            self._part,
            on_refused=self._refusals.take,
            before_handshake=self._in_force.refresh_clients,
        )
        try:
            http, https = await self._doors.open_images(config, snapshot.https)
            renderer.reached = self._doors.reached(config)
            await self._stores.journal.probe()
            bootz = await self._doors.open_bootz(config)
        except BaseException:
            await self._doors.drain(0)
            raise
        self._tell_health()
        self._metrics.take(snapshot, self._doors.http2_engine)
        self._on_settings(config)
        return Bound(bootz, http, https)

    @property
    def http2_engine(self) -> str:
        """The HTTP/2 engine of the Bootz port, with its version."""
        return self._doors.http2_engine

    def _observed(self, methods: Mapping[str, Method]) -> Mapping[str, Method]:
        """Return the method table with each call counted, and traced where that is wanted."""
        counted = self._metrics.measured_calls(methods)
        return counted if self._tracing is None else self._tracing.traced_calls(counted)

    def _owner_state(self) -> OwnerState:
        return self._metrics.measured_owner(self._in_force.snapshot.owner_state())

    async def keep_vouchers(self) -> None:
        """Keep vouchers, and the journal, while this process leads, until it is cancelled."""
        await self._lead.run(self._keep)

    async def _keep(self) -> None:
        async with asyncio.TaskGroup() as keeping:
            keeping.create_task(self._keeper.run())
            keeping.create_task(self._thinner.run())

    def lacking(self, serials: Sequence[str]) -> None:
        """Hear that a router of another process waits for these cards' vouchers."""
        self._keeper.lacking(serials)

    def _hear_lacking(self, serials: Sequence[str]) -> None:
        self._keeper.lacking(serials)
        self._waiting.hear(serials)
        self._on_lacking(serials)

    async def reload(self) -> None:
        """Read settings and keys again; where something does not hold, all stays as it was."""
        present = self._in_force.site
        try:
            site = self._listens.applied(open_site(present.root, clock=present.clock))
            before, after = settings_at_start(self._site.config), settings_at_start(site.config)
            for name in before:
                if before[name] != after[name]:
                    log.warning("restart-needed", setting=name)
            await self._in_force.exchange(site)
            self._keeper.wake()
        except BootzError as error:
            log.error("reload-failed", reason=error.reason, detail=str(error))

    async def tend(self) -> None:
        """Do what time and other processes have made due.

        Keys that changed or are to be renewed are loaded; a database that took no entries is tried
        again. Call it about once a second.
        """
        leads = await self._look_who_leads()
        await self._waiting.tend(leads=leads)
        await self._in_force.tend()
        await self._door_renewal.tend(self._in_force.snapshot)
        self._presence.tend(self._in_force.site, connections=self._doors.connections, leads=leads)
        self._look()
        if self._in_force.snapshot is not self._published:
            await self._publish()

    async def _look_who_leads(self) -> bool:
        """Tell whether this process leads, and try again to write until that is known.

        The lead's connection may be to a machine that is silent: what acknowledges routers finds
        another one without it.
        """
        holding = asyncio.create_task(self._lead.held())
        try:
            while not holding.done():
                await asyncio.wait({holding}, timeout=_LOOK_S)
                await self._stores.mend()
        finally:
            holding.cancel()
        return holding.result()

    async def _publish(self) -> None:
        """Let who may open no key know the certificates; tried again where it fails."""
        snapshot = self._in_force.snapshot
        try:
            await asyncio.to_thread(publish_certificates, snapshot.site, self._stores.database)
        except BootzError as error:
            log.warning("certificates-not-published", reason=error.reason, detail=str(error))
        else:
            self._published = snapshot

    def _look(self) -> None:
        self._metrics.look(self._doors.load(self._stores.journal.waiting))

    def _take(self, snapshot: Snapshot) -> None:
        """Work with another snapshot from now on."""
        self._doors.take(snapshot)
        self._renderer.reached = self._doors.reached(snapshot.config)
        self._metrics.take(snapshot, self._doors.http2_engine)
        self._tell_health()
        self._on_settings(snapshot.config)

    def _tell_health(self) -> None:
        """Say whether routers can be answered: data are signed, and every call is put on record."""
        serving = self._in_force.snapshot.owner is not None and self._stores.journal.writable
        self._doors.tell_health(serving=serving and not self._draining)

    async def drain(self) -> None:
        """Stop accepting, let calls and downloads end within the site's time, and close all."""
        self._draining = True
        self._tell_health()
        try:
            await self._doors.drain(self._in_force.snapshot.config.drain_timeout)
            await self._refusals.settle()
        finally:
            self._look()
            await self._presence.end()
            await self._lead.give_up()
            await self._stores.close()
            self._metrics.close()
            if self._tracing is not None:
                await self._tracing.close()
