"""Joins the operator's door to the other parties: image store, DHCP, and what serves a URL."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from bootz.cli.inventory.chassis.preflight import dhcp_checks
from bootz.cli.site.image_target import image_target
from bootz.config.site import SiteConfig
from bootz.images.depot import Depot, StoredFile
from bootz.images.reach import why_unreachable
from bootz.images.uploads import Uploads
from bootz.server.api.ports import DoorSurroundings
from bootz.server.preflight.terms import DhcpChecks


def door_surroundings(root: Path, config: SiteConfig) -> DoorSurroundings:
    """Return what the door of a site asks of others."""
    folder = root / config.images.folder
    depot = Depot(folder)
    return DoorSurroundings(
        _Images(depot, Uploads(folder, depot)),
        image_target,
        partial(_dhcp, root, config),
        why_unreachable,
    )


def _dhcp(
    root: Path,
    config: SiteConfig,
    connection: Connection,
    now: datetime,
    *,
    ask: bool,
    server: bool,
) -> DhcpChecks:
    return dhcp_checks(connection, config, root, now, ask=ask, server=server)


@dataclass(frozen=True, slots=True)
class _Images:
    """Fills the port ``DoorImages`` with a folder."""

    depot: Depot
    uploads: Uploads

    def holds(self, sha256: str) -> bool:
        return self.depot.holds(sha256)

    def verify(self, sha256: str, size: int) -> None:
        self.depot.verify(StoredFile(sha256, size))

    def remove(self, sha256: str) -> bool:
        return self.depot.remove(sha256)

    def check_room(self, size: int) -> None:
        self.uploads.check_room(size)

    def received(self, key: str) -> int:
        return self.uploads.received(key)

    def check_offset(self, key: str, offset: int) -> None:
        """Check that an upload has come to where a piece begins."""
        self.uploads.check_offset(key, offset)

    def append(self, key: str, offset: int, data: bytes) -> int:
        return self.uploads.append(key, offset, data)

    def finish(self, key: str, sha256: str, size: int) -> str:
        return self.uploads.finish(key, sha256, size)

    def drop(self, key: str) -> None:
        self.uploads.drop(key)
