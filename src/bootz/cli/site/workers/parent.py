"""The parent of the processes that serve a site: it opens no key, and serves no router.

It holds the addresses, so that a child that is started again finds them, passes signals on, and
starts a child again that has died.
"""

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import structlog

from bootz.cli.site.workers.child import IMAGES, LACKING, READY, ROUTERS, Child, written
from bootz.config.site import SiteConfig
from bootz.config.values import parse_endpoint
from bootz.errors import BootzError, Unavailable
from bootz.processes import COMMAND, MAX_LINE, Event, read_event
from bootz.server.listening import Address, Bound, Listens, say_bound
from bootz.server.listening import written as written_address
from bootz.server.serving import Stops
from bootz.server.site import Site, open_site
from bootz.transport.binding import bind
from bootz.transport.handing import Handing
from bootz.transport.returning import TABLE_BYTES, Returning

log = structlog.get_logger()

_START_S: Final = 120.0
_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 60.0
_STEADY_S: Final = 60.0
"""A child that ran so long is started again at once."""


class _Running:
    """One child: started again when it dies, until it is told to stop."""

    def __init__(
        self,
        site: Path,
        child: Child,
        bound: Bound,
        on_lacking: "OnLacking",
        handing: Handing | None,
    ) -> None:
        self.child = child
        self._handing = handing
        self.ready: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._site = site
        self._bound = bound
        self._on_lacking = on_lacking
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._away = False
        # Of its present process: whether that listens, and is to read settings again once it does.
        self._up = self._reload_due = False
        self._task = asyncio.get_running_loop().create_task(self._keep())

    def send(self, number: signal.Signals) -> None:
        """Pass a signal on."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    def reload(self) -> None:
        """Let it read settings again; SIGHUP would end one that starts."""
        if self._up:
            self.send(signal.SIGHUP)
        else:
            self._reload_due = True

    def tell(self, line: bytes) -> None:
        """Pass a line on."""
        process = self._process
        if process is not None and process.returncode is None and process.stdin is not None:
            process.stdin.write(line)

    def stop(self) -> None:
        """Let it end its calls; it is not started again."""
        self._stopping = True
        if self._process is None or self._process.returncode is not None:
            self._task.cancel()
        self.send(signal.SIGTERM)

    def _is_stopping(self) -> bool:
        return self._stopping

    async def ended(self) -> None:
        """Wait until it has ended."""
        await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        wait = 0.0
        while not self._is_stopping():
            began = time.monotonic()
            code: int | None = None
            try:
                code = await self._run()
            except Exception as error:
                # As of a machine without a free process or descriptor: it is tried again.
                fault = f"{type(error).__name__}: {error}"
                log.error("worker-not-started", part=self.child.name, detail=fault)
            if self._handing is not None:
                returning = Returning(self.child.returning, number=self.child.number)
                returning.takes_connections(yes=False)
                self._handing.pass_on(returning.others(), number=self.child.number)
            if not self.ready.done():
                # At the first start: what does not do then does not do later.
                self.ready.set_exception(
                    Unavailable("worker-failed", f"it ended with {code}", where=self.child.name)
                )
                return
            if self._is_stopping():
                return
            if time.monotonic() - began >= _STEADY_S:
                wait = 0.0
            self._away = True
            log.error(
                "worker-ended",
                part=self.child.name,
                number=self.child.number,
                exit_code=code,
                again_in_seconds=wait,
            )
            await asyncio.sleep(wait)
            wait = min(_LONGEST_WAIT_S, max(_FIRST_WAIT_S, wait * 2))

    def _is_up(self, told: Event) -> None:
        self._up = True
        # Done already, too, where all is to stop: nobody waits for it any more.
        if not self.ready.done():
            self.ready.set_result(told)
        if self._away:
            self._away = False
            log.info("worker-back", part=self.child.name, number=self.child.number)
        if self._reload_due:
            self._reload_due = False
            self.send(signal.SIGHUP)

    async def _run(self) -> int:
        self._up = self._reload_due = False
        process = self._process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *("--site", str(self._site), "serve", "--part", written(self.child)),
            *_options("--listen", self._bound.bootz),
            *_options("--image-http", self._bound.image_http),
            *_options("--image-https", self._bound.image_https),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=MAX_LINE,
            pass_fds=self.child.descriptors,
        )
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("stdin and stdout are not pipes")
        try:
            async for line in process.stdout:
                told = read_event(line)
                event = told.get("event")
                if event == READY:
                    self._is_up(told)
                elif event == LACKING:
                    self._on_lacking(self, line)
            return await process.wait()
        except BaseException:
            # It ends with its stdin.
            process.stdin.close()
            await process.wait()
            raise


OnLacking = Callable[[_Running, bytes], None]


async def serve_crew(
    site: Site,
    workers: int,
    *,
    listens: Listens,
    on_settings: Callable[[SiteConfig], None],
    on_bound: Callable[[Bound], None],
) -> None:
    """Serve by ``workers`` processes until SIGTERM or SIGINT; SIGHUP lets them read settings again.

    Raises:
        Unavailable: an address cannot be listened on, or a process does not come up.
    """
    config = listens.applied(site).config
    stops, reloads = Stops(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stops.stop)
    loop.add_signal_handler(signal.SIGHUP, reloads.set)
    with ExitStack() as held:
        bound = await _reserve(config, held)
        table = os.memfd_create("returning")
        held.callback(os.close, table)
        os.ftruncate(table, TABLE_BYTES)
        # The parent keeps both ends, and gives what waits for a child that died to the others.
        pairs = [socket.socketpair(type=socket.SOCK_SEQPACKET) for _ in range(workers)]
        for end in itertools.chain.from_iterable(pairs):
            held.callback(end.close)
        children: list[_Running] = []

        def pass_on(told: _Running, line: bytes) -> None:
            for each in children:
                if each is not told and not each.child.serves_images:
                    each.tell(line)

        def begin(name: str, number: int) -> None:
            child = Child(name, number, workers, table)
            handing = None
            if name == ROUTERS:
                outboxes = tuple(outbox.fileno() for outbox, _ in pairs)
                child = replace(child, inbox=pairs[number][1].fileno(), outboxes=outboxes)
                handing = Handing(pairs[number][1], [outbox for outbox, _ in pairs])
            children.append(_Running(site.root, child, bound, pass_on, handing))

        stopping = loop.create_task(stops.wait())
        reloading = loop.create_task(_pass_reloads(site, children, reloads, on_settings))
        try:
            # The first one makes what is missing, such as a certificate; the others find it.
            begin(ROUTERS, 0)
            if not await _ready(children, stopping):
                return
            for number in range(1, workers):
                begin(ROUTERS, number)
            if bound.image_http or bound.image_https:
                begin(IMAGES, 0)
            if not await _ready(children, stopping):
                return
            on_bound(bound)
            engine = children[0].ready.result().get("http2_engine")
            say_bound(bound, base_url=config.images.base_url, http2_engine=engine, workers=workers)
            await stopping
            log.info("draining")
        finally:
            reloading.cancel()
            stopping.cancel()
            await _stop(children, stops)
    log.info("stopped")


async def _reserve(config: SiteConfig, held: ExitStack) -> Bound:
    """Bind all addresses, without listening: ports that the system chooses are chosen once."""

    async def reserve(listen: Sequence[str]) -> tuple[Address, ...]:
        found: list[Address] = []
        for host, port in (parse_endpoint(text).pair for text in listen):
            if port:
                # Another server that listens there would get a part of the connections.
                (await bind(host, port, shared=False)).close()
            reserved: socket.socket = await bind(host, port, shared=True)
            held.callback(reserved.close)
            found.append((host, reserved.getsockname()[1]))
        return tuple(found)

    images = config.images
    return Bound(
        await reserve(config.listen), await reserve(images.http), await reserve(images.https)
    )


def _options(name: str, addresses: Sequence[Address]) -> list[str]:
    return [word for address in addresses for word in (name, written_address(address))]


async def _ready(children: Sequence[_Running], stopping: "asyncio.Task[None]") -> bool:
    """Wait until all children listen; tell whether they do, and not that all is to stop."""
    waiting = asyncio.gather(*(each.ready for each in children))
    try:
        both: set[asyncio.Future[Any]] = {waiting, stopping}
        await asyncio.wait(both, timeout=_START_S, return_when=asyncio.FIRST_COMPLETED)
        if stopping.done():
            return False
        if not waiting.done():
            raise Unavailable("worker-failed", f"not ready within {_START_S:g} s", where="serve")
        waiting.result()
        return True
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def _pass_reloads(
    site: Site,
    children: Sequence[_Running],
    wanted: asyncio.Event,
    on_settings: Callable[[SiteConfig], None],
) -> None:
    while True:
        await wanted.wait()
        wanted.clear()
        try:
            on_settings(open_site(site.root, clock=site.clock).config)
        except BootzError as error:
            # No child would take it either.
            log.error("reload-failed", reason=error.reason, detail=str(error))
            continue
        for each in children:
            each.reload()


async def _stop(children: Sequence[_Running], stops: Stops) -> None:
    for each in children:
        each.stop()
    ended = asyncio.gather(*(each.ended() for each in children))
    hurry = asyncio.get_running_loop().create_task(stops.wait())
    both: set[asyncio.Future[Any]] = {ended, hurry}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    hurry.cancel()
    if not ended.done():
        log.warning("drain-cut-short")
        for each in children:
            each.send(signal.SIGTERM)
    await asyncio.gather(ended, hurry, return_exceptions=True)
