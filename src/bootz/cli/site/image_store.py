"""Joins the depot and the owner's server, which do not know each other, in one process.

The server's inventory says what may be served, and its journal hears of downloads.
"""

from bootz.cli.site.image_target import image_target
from bootz.images.depot import Depot
from bootz.images.fetching import ImageFetcher
from bootz.images.http_server import ImageServer
from bootz.images.ports import CatalogueEntry, Download
from bootz.keystore.files import load_certificates
from bootz.server.doors import DepotDoor
from bootz.server.operations.images import list_images
from bootz.server.part import Part
from bootz.server.ports import Clock
from bootz.server.site import Site
from bootz.server.store.entries import DownloadRecord
from bootz.server.store.inventory import SqlInventory
from bootz.server.store.journal import SqlJournal


class _Catalogue:
    """Fills the depot's port ``Catalogue`` from the inventory."""

    def __init__(self, inventory: SqlInventory) -> None:
        self._inventory = inventory

    async def find(self, sha256: str, file_name: str) -> CatalogueEntry | None:
        """Return the file with this digest and name, None if it may not be served."""
        record = await self._inventory.served_file(sha256, file_name)
        if record is None:
            return None
        return CatalogueEntry(record.sha256, record.file_name, record.size)

    async def files(self) -> list[CatalogueEntry]:
        """Return all files on record."""
        records = await self._inventory.run(list_images)
        return [CatalogueEntry(each.sha256, each.file_name, each.size) for each in records]


class _Observer:
    """Fills the depot's port ``DownloadObserver`` with the journal."""

    def __init__(self, journal: SqlJournal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    async def downloaded(self, download: Download) -> None:
        """Take note of a download that has ended, whole or cut, or that goes on for long."""
        await self._journal.record_download(
            DownloadRecord(
                at=self._clock(),
                url_tag=download.url_tag,
                sha256=download.sha256,
                file_name=download.file_name,
                peer=download.peer,
                start=download.start,
                bytes_sent=download.bytes_sent,
                size=download.size,
                complete=download.complete,
                ended=download.ended,
            )
        )


def _open(inventory: SqlInventory, journal: SqlJournal, site: Site, part: Part) -> ImageServer:
    depot = Depot(site.images_folder)
    sources = site.config.images.fetch_from
    return ImageServer(
        depot,
        _Catalogue(inventory),
        _Observer(journal, site.clock),
        check_every=site.config.images.check_hours * 3600,
        share_port=part.shares_ports,
        proxies=site.config.transport.proxies,
        fetcher=ImageFetcher(depot, sources, lambda: _source_anchors(site)) if sources else None,
    )


def _source_anchors(site: Site) -> tuple[bytes, ...]:
    """Return the CAs (DER) of other stores' TLS certificates, as they are now.

    Raises:
        ConfigError: they cannot be read.
    """
    named = site.config.images.fetch_ca
    if named is not None:
        return load_certificates(site.root / named)
    keys = site.keys
    return tuple(keys.certificates(name)[0] for name in keys.read().trust_anchors)


def site_depot() -> DepotDoor:
    """Return the depot of a site, as its server takes it."""
    return DepotDoor(_open, image_target)
