"""Where routers come in: the Bootz port with health and reflection, and the image store."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from bootz.config.site import SiteConfig
from bootz.config.values import parse_endpoint
from bootz.server.listening import Address
from bootz.server.metrics.measuring import Load
from bootz.server.part import Part
from bootz.server.rendering.reached import ImageTarget, Reached
from bootz.server.site import Site
from bootz.server.snapshot import Snapshot
from bootz.server.store.inventory import SqlInventory
from bootz.server.store.journal import SqlJournal
from bootz.server.stores import Stores
from bootz.transport.grpc.call import Method
from bootz.transport.listener import GrpcListener
from bootz.transport.pressure import LoadCounts
from bootz.transport.standard import StandardServices
from bootz.transport.tls import RefusedHandshake
from bootz.wire.dialects import DIALECTS, REPORT_STATUS
from bootz.wire.generated import bootz_2023_11_pb2, bootz_pb2, bootz_v0_1_0_pb2

_SCHEMAS: Final = (bootz_pb2, bootz_2023_11_pb2, bootz_v0_1_0_pb2)
"""All in one pool; those of the old paths are there for reflection alone."""


class ImageStore(Protocol):
    """The depot's door, which another party fills."""

    @property
    def downloads(self) -> int:
        """Downloads under way."""

    @property
    def bytes_sent(self) -> int:
        """Bytes of all downloads so far."""

    @property
    def counts(self) -> LoadCounts:
        """What has happened since the start at the bounds."""

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

    open: Callable[[SqlInventory, SqlJournal, Site, Part], ImageStore]
    target: ImageTarget


class Doors:
    """The listeners of one site.

    Args:
        site: the site, with the addresses to listen on.
        depot: the image store.
        calls: the method table of the Bootz services.
        snapshot: the TLS contexts to begin with.
        part: which of them this process opens.
        on_refused: told each handshake that failed, with the peer.
        before_handshake: awaited before each handshake.
    """

    def __init__(
        self,
        site: Site,
        stores: Stores,
        depot: DepotDoor,
        calls: Mapping[str, Method],
        snapshot: Snapshot,
        part: Part,
        *,
        on_refused: Callable[[str, RefusedHandshake], None],
        before_handshake: Callable[[], Awaitable[None]],
    ) -> None:
        limits = site.config.limits.share(part.processes).listener()
        services = dict.fromkeys(dialect.service for dialect in DIALECTS)
        self._standard = StandardServices(
            list(services), pool=_SCHEMAS[0].DESCRIPTOR.pool, limits=limits
        )
        self._grpc = GrpcListener(
            {**calls, **self._standard.methods},
            limits=limits,
            context=snapshot.grpc,
            on_refused=on_refused,
            before_handshake=before_handshake,
            engine=site.config.transport.http2_engine,
            # A router that has its data comes back to report, and may report again.
            followed={path: not path.endswith(f"/{REPORT_STATUS}") for path in calls},
            returning=part.returning,
            handing=part.handing,
            share_port=part.shares_ports,
            proxies=site.config.transport.proxies,
        )
        self._part = part
        self._target = depot.target
        self._images = depot.open(stores.inventory, stores.journal, site, part)
        self._image_address: tuple[str, tuple[Address, ...]] = ("https", ())

    async def open_images(
        self, config: SiteConfig, tls: ssl.SSLContext
    ) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
        """Let the image store listen over HTTP and over HTTPS; return where.

        Where another process has it, it listens at the addresses of the settings.

        Raises:
            Unavailable: an address cannot be listened on.
        """
        http, https = _pairs(config.images.http), _pairs(config.images.https)
        if self._part.images:
            http = await self._images.start(http)
            https = await self._images.start(https, tls)
        self._image_address = ("http", http) if http else ("https", https)
        return http, https

    async def open_bootz(self, config: SiteConfig) -> tuple[Address, ...]:
        """Let the Bootz port listen; return where.

        Raises:
            Unavailable: an address cannot be listened on.
        """
        return await self._grpc.start(_pairs(config.listen))

    def reached(self, config: SiteConfig) -> Reached:
        """Return how routers reach the image store."""
        scheme, addresses = self._image_address
        return Reached(
            self._target,
            base_url=config.images.base_url or "",
            image_scheme=scheme,
            image_port=addresses[0][1] if addresses else 0,
            advertised=config.advertised,
        )

    def take(self, snapshot: Snapshot) -> None:
        """Use other TLS contexts for connections to come."""
        self._grpc.context = snapshot.grpc
        self._images.replace_tls(snapshot.https)

    def tell_health(self, *, serving: bool) -> None:
        """Say whether routers can be answered."""
        self._standard.set_serving(serving=serving)

    @property
    def http2_engine(self) -> str:
        """The HTTP/2 engine of the Bootz port, with its version."""
        return self._grpc.engine

    @property
    def connections(self) -> int:
        """Connections of the Bootz port that are open or wait to be."""
        return self._grpc.connection_count

    def load(self, journal_waiting: int) -> Load:
        """Return what is under way now."""
        return Load(
            self._grpc.connection_count,
            self._grpc.counts,
            journal_waiting,
            self._images.downloads,
            self._images.bytes_sent,
            self._images.counts.proxy_headers_refused,
        )

    async def drain(self, timeout: float) -> None:
        """Stop accepting, let calls and downloads end for ``timeout`` seconds, then cut them."""
        self._standard.stop()
        await asyncio.gather(self._grpc.drain(timeout), self._images.drain(timeout))


def _pairs(listen: Sequence[str]) -> tuple[Address, ...]:
    return tuple(parse_endpoint(text).pair for text in listen)
