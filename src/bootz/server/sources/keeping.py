"""Keeping the inventory as its sources say, for as long as a process runs."""

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog
from aiohttp import web

from bootz.config.sources import SourceSettings
from bootz.config.values import parse_endpoint
from bootz.errors import BootzError, ConfigError
from bootz.keystore.protected import read_secret
from bootz.lasting import lasting
from bootz.server.sources.planning import SyncOrder
from bootz.server.sources.pushing import push_all
from bootz.server.sources.ringing import HEADER, MAX_BODY, HookBell
from bootz.server.sources.schedule import Schedule
from bootz.server.sources.syncing import SourceRoom, sync
from bootz.server.store.actor import Actor
from bootz.server.store.leadership import leadership

log = structlog.get_logger()

_PUSH_EVERY_S: Final = 5.0
_ECHOES: Final = 1000


class Echoes(set[str]):
    """The ids of our latest requests; older ones are forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self._order: deque[str] = deque()

    def add(self, element: str) -> None:
        """Remember an id."""
        if not element or element in self:
            return
        super().add(element)
        self._order.append(element)
        if len(self._order) > _ECHOES:
            self.discard(self._order.popleft())


@dataclass
class Keeper:
    """Reads one source when it is due, and tells it what is due."""

    room: SourceRoom
    settings: SourceSettings
    ticks: Callable[[], float]
    leads: Callable[[], Awaitable[bool]]
    """Whether this process keeps the sources of the site, of several that could."""
    schedule: Schedule = field(init=False)
    echoes: Echoes = field(default_factory=Echoes)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.schedule = Schedule(float(self.settings.interval))

    def ring(self) -> None:
        """Note that the source changed."""
        self.schedule.ring(self.ticks())
        self._changed.set()

    async def read(self) -> None:
        """Sync whenever it is due, until cancelled."""
        self.schedule.begin(self.ticks())
        while True:
            await self._until_due()
            rung = self.schedule.rung
            self.schedule.start(self.ticks())
            # Who is rung reads the source, whoever leads: the source rings nowhere else.
            reason = "source-sync-failed"
            try:
                reason = await self.sync_once() if rung or await self.leads() else ""
            finally:
                self.schedule.end(self.ticks(), reason)

    async def sync_once(self) -> str:
        """Sync, and return the reason if it failed."""
        name = self.settings.name
        try:
            synced = await sync(
                self.room, self.settings, SyncOrder(), Actor(f"source:{name}", self.settings.url)
            )
        except BootzError as error:
            log.warning("source-sync-failed", source=name, reason=error.reason, detail=str(error))
            return error.reason
        except Exception:
            # A defect of ours must not end the keeping: it is tried again as after a failure.
            log.exception("source-sync-failed", source=name)
            return "source-sync-failed"
        if synced.wrote:
            log.info("source-synced", source=name, **synced.counts)
        return ""

    async def _until_due(self) -> None:
        while True:
            self._changed.clear()
            wait = self.schedule.wait(self.ticks())
            if wait == 0:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()

    async def tell(self) -> None:
        """Write back what is due, until cancelled."""
        while True:
            try:
                if await self.leads():
                    await push_all(self.room, self.settings, self.echoes)
            except BootzError as error:
                log.warning("source-push-failed", source=self.settings.name, reason=error.reason)
            await asyncio.sleep(_PUSH_EVERY_S)


@asynccontextmanager
async def sources_kept(
    room: SourceRoom, ticks: Callable[[], float], tls: ssl.SSLContext | None
) -> AsyncIterator[list[Keeper]]:
    """Keep all sources of a site within the block. ``tls`` is for webhooks that ask for it.

    Raises:
        ConfigError: a webhook cannot be set up.
    """
    lead = leadership(room.database, "sources")
    one_at_a_time = asyncio.Lock()

    async def leads() -> bool:
        async with one_at_a_time:
            try:
                return await asyncio.to_thread(lead.hold)
            except BootzError:
                return False

    keepers = [Keeper(room, settings, ticks, leads) for settings in room.config.sources]
    runners: list[web.AppRunner] = []
    tasks: list[asyncio.Task[None]] = []
    create_task = asyncio.get_running_loop().create_task
    try:
        for keeper in keepers:
            if keeper.settings.webhook is not None:
                runners.append(await _listen(keeper, tls))
            name = keeper.settings.name
            tasks.append(create_task(lasting("source-sync-failed", keeper.read, source=name)))
            if keeper.settings.push.anything:
                tasks.append(create_task(lasting("source-push-failed", keeper.tell, source=name)))
        yield keepers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for runner in runners:
            await runner.cleanup()
        lead.release()


def hook_app(keeper: Keeper, bell: HookBell) -> web.Application:
    """Return the receiver of a source's webhooks."""

    async def receive(request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413)
        rings = bell.rings(body, request.headers.get(HEADER, ""))
        if rings is None:
            log.warning(
                "source-hook-bad-signature",
                source=keeper.settings.name,
                peer=request.remote,
                count=bell.bad_signatures,
            )
            return web.Response(status=401)
        if rings:
            keeper.ring()
        return web.Response(status=202)

    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_post("/{path:.*}", receive)
    return app


async def _listen(keeper: Keeper, tls: ssl.SSLContext | None) -> web.AppRunner:
    hook = keeper.settings.webhook
    if hook is None:
        raise RuntimeError("the source has no webhook")
    if hook.tls and tls is None:
        raise ConfigError(
            "site-config-invalid",
            "a webhook with tls needs the door's certificate",
            where=f"sources.{keeper.settings.name}.webhook",
            expected="operator.tls, or tls: false on a protected network",
        )
    try:
        endpoint = parse_endpoint(hook.listen)
    except ValueError as error:
        raise ConfigError(
            "site-config-invalid",
            str(error),
            where=f"sources.{keeper.settings.name}.webhook.listen",
            expected="ADDRESS:PORT",
        ) from error
    secret = read_secret(keeper.room.root / hook.secret_file)
    runner = web.AppRunner(hook_app(keeper, HookBell(secret, keeper.echoes, hook.own_user)))
    await runner.setup()
    try:
        await web.TCPSite(
            runner, endpoint.host, endpoint.port, ssl_context=tls if hook.tls else None
        ).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigError(
            "site-config-invalid",
            f"cannot listen: {error.strerror or error}",
            where=f"sources.{keeper.settings.name}.webhook",
            seen=hook.listen,
        ) from error
    return runner
