"""Runs the operator's door: sockets, TLS, signals; a process of its own."""

import asyncio
import secrets
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
import uvicorn
from fastapi import FastAPI

from bootz.config.site import SiteConfig
from bootz.config.values import Endpoint
from bootz.errors import BootzError, Unavailable
from bootz.lasting import lasting
from bootz.server.api.app import Part, create_app
from bootz.server.api.connections import MAX_CONNECTIONS, DoorProtocol, cut_off_overdue
from bootz.server.api.context import Door
from bootz.server.api.ports import DoorSurroundings
from bootz.server.api.tls import DoorTls
from bootz.server.database_url import database_url
from bootz.server.sources.keeping import sources_kept
from bootz.server.sources.syncing import SourceRoom
from bootz.server.store.database import open_database
from bootz.server.webhooks.sender import WebhookSender

if TYPE_CHECKING:
    from collections.abc import Iterator

log = structlog.get_logger()

_BACKLOG: Final = 512
_SEND_BUFFER: Final = 256 << 10
"""Bytes that the system keeps for a caller who reads slowly; by itself it would take megabytes."""
_KEEP_ALIVE_S: Final = 15
_STOP_S: Final = 10
_WARM_S: Final = 30.0
"""Seconds after which callers are answered though the door is not warm yet.

A busy machine needs some; a database that does not answer is given up sooner, by its own timeouts.
"""

OnBound = Callable[[Sequence[Endpoint]], None]


async def serve_door(
    root: Path,
    config: SiteConfig,
    listen: Sequence[Endpoint],
    surroundings: DoorSurroundings,
    *,
    clock: Callable[[], datetime],
    on_bound: OnBound = lambda _bound: None,
    with_stdin: bool = False,
    parts: Sequence[Part] = (),
) -> None:
    """Serve the door of a site until SIGTERM or SIGINT.

    Args:
        root: the site's folder.
        config: its settings.
        listen: the addresses; port 0 lets the system choose.
        surroundings: the other parties, as they are joined to it.
        clock: returns aware UTC.
        on_bound: called with the addresses once they listen.
        parts: what is served beside the API, such as the board.
        with_stdin: also end when stdin does, as it does when the server that started us dies.

    Raises:
        ConfigError: a setting or the certificate does not hold.
        Unavailable: the database does not answer, or an address cannot be listened on.
    """
    tls = None if config.operator.tls is None else DoorTls(root, config.operator.tls)
    context = None if tls is None else tls.context
    database = open_database(database_url(root, config.database))
    try:
        door = Door(database, config, clock, time.monotonic, surroundings, root)
        sockets = [_bound(endpoint) for endpoint in listen]
        try:
            room = SourceRoom(root, config, database, clock)
            async with sources_kept(room, time.monotonic, context):
                await _serve(door, sockets, tls, on_bound, parts, with_stdin=with_stdin)
        finally:
            for each in sockets:
                each.close()
    finally:
        database.close()


async def _serve(
    door: Door,
    sockets: Sequence[socket.socket],
    tls: DoorTls | None,
    on_bound: OnBound,
    parts: Sequence[Part],
    *,
    with_stdin: bool,
) -> None:
    app = create_app(door, parts)
    settings = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_STOP_S,
        limit_concurrency=MAX_CONNECTIONS,
        http=DoorProtocol,
        h11_max_incomplete_event_size=16 << 10,
        ws="none",
    )
    settings.load()
    settings.ssl = None if tls is None else tls.context
    server = _Server(settings, door, with_stdin=with_stdin)
    draw = secrets.SystemRandom().random
    sender = WebhookSender(door.database, door.config, door.root, clock=door.clock, draw=draw)
    endpoints = [Endpoint(*each.getsockname()[:2]) for each in sockets]
    # Who calls from now on waits in the kernel's queue, and then for little.
    warming = asyncio.create_task(warm(app))
    await asyncio.wait([warming], timeout=_WARM_S)
    on_bound(endpoints)
    scheme = "http" if tls is None else "https"
    log.info("door-serving", addresses=[f"{scheme}://{each}" for each in endpoints])
    connections = server.server_state.connections
    works: dict[str, Callable[[], Awaitable[None]]] = {
        "webhooks-failed": sender.run,
        "overdue-connections-not-cut": lambda: cut_off_overdue(connections),
    }
    if tls is not None:
        works["door-certificate-not-read"] = lambda: tls.keep(door.clock)
    kept = [asyncio.create_task(lasting(event, work)) for event, work in works.items()]
    beside = [*kept, warming]
    try:
        async with app.state.bell.heard():
            await server.serve(sockets=list(sockets))
    finally:
        for each in beside:
            each.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    log.info("door-stopped")


async def warm(app: FastAPI) -> None:
    """Do at once what the first caller would wait for: parts of a door name it in ``warm``."""
    for each in app.state.warm:
        try:
            await asyncio.to_thread(each)
        except BootzError as error:
            # The first caller waits, and is told.
            log.warning("door-not-warm", reason=error.reason, detail=str(error))
        except Exception:
            # A defect of ours: the first caller meets it again, and gets an answer.
            log.exception("door-not-warm")


class _Server(uvicorn.Server):
    """Ends streams of events when it is told to stop, instead of waiting for their readers."""

    def __init__(self, config: uvicorn.Config, door: Door, *, with_stdin: bool) -> None:
        super().__init__(config)
        self._door = door
        self._with_stdin = with_stdin

    @contextmanager
    def capture_signals(self) -> "Iterator[None]":
        """Stop at SIGTERM and SIGINT; the loop's handlers, so that nothing is raised again."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        for each in signals:
            loop.add_signal_handler(each, self._stop)
        if self._with_stdin:
            loop.add_reader(sys.stdin.fileno(), self._stop)
        try:
            yield
        finally:
            if self._with_stdin:
                loop.remove_reader(sys.stdin.fileno())
            for each in signals:
                loop.remove_signal_handler(each)

    def _stop(self) -> None:
        self._door.closing.set()
        self.should_exit = True


def _bound(endpoint: Endpoint) -> socket.socket:
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(endpoint.pair)
        made.listen(_BACKLOG)
        made.setblocking(False)
    except OSError as error:
        made.close()
        raise Unavailable(
            "listen-failed", error.strerror or "cannot be listened on", where=str(endpoint)
        ) from error
    return made
