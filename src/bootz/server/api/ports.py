"""What the door asks of other parties, which the command line joins to it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from bootz.server.preflight.terms import DhcpChecks, ImageFiles, UrlProbe
from bootz.server.rendering.reached import ImageTarget


class DoorImages(ImageFiles, Protocol):
    """The image store, as the door fills and empties it.

    An upload has a key of lower-case hex digits; what was received of it stays over restarts.
    """

    def holds(self, sha256: str) -> bool:
        """Tell whether there is a file of this digest; its content is not looked at."""

    def remove(self, sha256: str) -> bool:
        """Remove a file and tell whether it was there.

        Raises:
            Unavailable: the folder cannot be written.
        """

    def check_room(self, size: int) -> None:
        """Check that a file of so many bytes would fit.

        Raises:
            ConfigError: it is larger than any that is taken.
            Unavailable: the disk has no room for it, or the folder cannot be written.
        """

    def received(self, key: str) -> int:
        """Return how many bytes of an upload are there."""

    def check_offset(self, key: str, offset: int) -> None:
        """Check that an upload has come to where a piece begins.

        Raises:
            ConflictError: ``upload-offset-wrong``.
        """

    def append(self, key: str, offset: int, data: bytes) -> int:
        """Add bytes to an upload and return how many are there now.

        Raises:
            ConflictError: ``upload-offset-wrong``: something else is there than was thought.
            Unavailable: the folder cannot be written.
        """

    def finish(self, key: str, sha256: str, size: int) -> str:
        """Put an upload in its place as a file of the store, and return its digest.

        Args:
            key: the upload's.
            sha256: what its digest must be; empty: any.
            size: its bytes.

        Raises:
            ConflictError: ``image-file-other``: its digest is another; it is gone then.
            Unavailable: the folder cannot be written.
        """

    def drop(self, key: str) -> None:
        """Forget an upload."""


class DoorDhcp(Protocol):
    """DHCP, as a preflight of the door asks it."""

    def __call__(
        self, connection: Connection, now: datetime, *, ask: bool, server: bool
    ) -> DhcpChecks:
        """Return what judges DHCP for chassis.

        ``ask``: whether Kea is asked over the network; ``server``: whether it is our server that
        routers are to be told.
        """


@dataclass(frozen=True, slots=True)
class DoorSurroundings:
    """The other parties: image store, DHCP, and whether a URL is served."""

    images: DoorImages
    image_target: ImageTarget
    dhcp: DoorDhcp
    url_probe: UrlProbe
