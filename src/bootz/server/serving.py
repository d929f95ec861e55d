"""Serving a site until it is told to stop: signals, upkeep, and the words on the way."""

import asyncio
import signal
from collections.abc import Callable
from typing import Final

from bootz.config import Endpoint, SiteConfig
from bootz.log import get_logger
from bootz.server.app import SiteServer
from bootz.server.doors import Address, Bound, DepotDoor, Listens
from bootz.server.site import Site

log = get_logger()

_TEND_S: Final = 1.0
_REPEAT_S: Final = 1.0
"""Seconds within which a signal that repeats is the same one."""


async def serve_site(
    site: Site,
    *,
    listens: Listens,
    depot: DepotDoor,
    on_settings: Callable[[SiteConfig], None] = lambda _: None,
    on_bound: Callable[[Bound], None] = lambda _: None,
) -> None:
    """Serve until SIGTERM or SIGINT, which let running calls end; a second one cuts them.

    SIGHUP reads settings and keys again.

    Raises:
        BootzError: the site, a key or an address does not do.
    """
    server = SiteServer(site, listens=listens, depot=depot, on_settings=on_settings)
    loop = asyncio.get_running_loop()
    stops = asyncio.Queue[float]()
    last = -_REPEAT_S

    def stop() -> None:
        nonlocal last
        # Supervisors send a signal to a process and to its group: that is one wish.
        if loop.time() - last >= _REPEAT_S:
            last = loop.time()
            stops.put_nowait(last)

    reloads = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, reloads.set)
    bound = await server.start()
    try:
        on_bound(bound)
        say_bound(bound, server.http2_engine)
        for host in unreached_hosts(bound) if site.config.images.base_url is None else ():
            log.warning(
                "image-urls-lead-nowhere",
                address=host,
                detail="routers that reach the server here get image URLs with this address, "
                "and the image store does not listen on it; set images.http or images.base_url",
            )
        async with asyncio.TaskGroup() as upkeep:
            tasks = [
                upkeep.create_task(_tend(server)),
                upkeep.create_task(_reload(server, reloads)),
                upkeep.create_task(server.keep_vouchers()),
            ]
            await stops.get()
            for task in tasks:
                task.cancel()
        log.info("draining")
    finally:
        draining = loop.create_task(server.drain())
        hurry = loop.create_task(stops.get())
        await asyncio.wait({draining, hurry}, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if not draining.done():
            log.warning("drain-cut-short")
            draining.cancel()
        await asyncio.gather(draining, hurry, return_exceptions=True)
    log.info("stopped")


async def _tend(server: SiteServer) -> None:
    while True:
        await asyncio.sleep(_TEND_S)
        try:
            await server.tend()
        except Exception:
            # A defect of ours, which must not end what still serves.
            log.exception("upkeep-failed")


async def _reload(server: SiteServer, wanted: asyncio.Event) -> None:
    while True:
        await wanted.wait()
        wanted.clear()
        try:
            await server.reload()
        except Exception:
            log.exception("upkeep-failed")


def say_bound(bound: Bound, http2_engine: str) -> None:
    """Log one line per listener, and at last ``serving`` with all of them."""
    rows = {
        "bootz": bound.bootz,
        "image-http": bound.image_http,
        "image-https": bound.image_https,
    }
    for door, addresses in rows.items():
        for address in addresses:
            log.info("listening", door=door, address=written(address))
    log.info("serving", **bound_record(bound), http2_engine=http2_engine)


def unreached_hosts(bound: Bound) -> list[str]:
    """Return the hosts of the Bootz port at which the image store does not listen."""
    store = {host for host, _ in bound.image_http or bound.image_https}
    everywhere = {host for host in store if host in {"0.0.0.0", "::"}}  # noqa: S104 -- compared
    if not store:
        return []
    return [
        host
        for host in dict.fromkeys(host for host, _ in bound.bootz)
        if host not in store and not any((":" in host) == (":" in each) for each in everywhere)
    ]


def bound_record(bound: Bound) -> dict[str, list[str]]:
    """Return all addresses as texts; ``bound`` are those of the Bootz port."""
    return {
        "bound": [written(address) for address in bound.bootz],
        "image_http": [written(address) for address in bound.image_http],
        "image_https": [written(address) for address in bound.image_https],
    }


def written(address: Address) -> str:
    """Return an address as ``--listen`` takes it."""
    return str(Endpoint(*address))
