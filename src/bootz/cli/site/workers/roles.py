"""What a process of ``bootz serve`` can serve: the whole site, or a part of it."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

from bootz.cli.site.image_store import site_depot
from bootz.cli.site.workers.child import Child, hear_parent, tell_lacking, tell_ready
from bootz.config.site import SiteConfig
from bootz.server.app import SiteServer
from bootz.server.listening import Bound, Listens, say_bound
from bootz.server.part import Part
from bootz.server.serving import Stops, serve_until_stopped
from bootz.server.site import Site
from bootz.server.store.inventory import REVISION_SECONDS
from bootz.server.store_part import StoreServer
from bootz.transport.handing import Handing
from bootz.transport.returning import Returning

OnSettings = Callable[[SiteConfig], None]
OnBound = Callable[[Bound], None]


async def serve_whole(
    site: Site, *, listens: Listens, on_settings: OnSettings, on_bound: OnBound
) -> None:
    """Serve a site in this process, until it is told to stop.

    Raises:
        BootzError: the site, a key or an address does not do.
    """
    server = SiteServer(
        site,
        listens=listens,
        depot=site_depot(),
        on_settings=on_settings,
        revision_seconds=REVISION_SECONDS,
    )

    def tell(bound: Bound) -> None:
        on_bound(bound)
        say_bound(bound, base_url=site.config.images.base_url, http2_engine=server.http2_engine)

    await serve_until_stopped(server, stops=Stops(), on_bound=tell)


async def serve_part(
    site: Site, child: Child, *, listens: Listens, on_settings: OnSettings, on_bound: OnBound
) -> None:
    """Serve a part of a site in this process, until it or its parent is told to stop.

    Raises:
        BootzError: the site, a key or an address does not do.
    """
    part = Part(
        processes=child.processes,
        images=child.serves_images,
        shares_ports=True,
        returning=Returning(child.returning, number=child.number),
        handing=_handing(child),
    )
    depot = site_depot()
    server: SiteServer | StoreServer
    if child.serves_images:
        server = StoreServer(site, listens=listens, depot=depot, part=part, on_settings=on_settings)
        lacking = None
    else:
        server = SiteServer(
            site,
            listens=listens,
            depot=depot,
            part=part,
            on_settings=on_settings,
            on_lacking=tell_lacking,
            revision_seconds=REVISION_SECONDS,
        )
        lacking = server.lacking
    stops = Stops()

    def tell(bound: Bound) -> None:
        on_bound(bound)
        engine = server.http2_engine if isinstance(server, SiteServer) else None
        tell_ready(bound, http2_engine=engine)

    hearing = asyncio.get_running_loop().create_task(
        hear_parent(lacking or (lambda _serials: None), stops.stop)
    )
    try:
        await serve_until_stopped(server, stops=stops, on_bound=tell)
    finally:
        hearing.cancel()
        with suppress(asyncio.CancelledError):
            await hearing


def _handing(child: Child) -> Handing | None:
    if child.inbox is None:
        return None
    return Handing(
        socket.socket(fileno=child.inbox),
        [socket.socket(fileno=each) for each in child.outboxes],
    )
