"""What a preflight goes by: the site's settings and certificates, and what it asks of others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bootz.config.site import SiteConfig
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.site_certificates import SiteCertificates
from bootz.server.preflight.findings import PreflightCheck
from bootz.server.rendering.preview import PreviewTerms


class ImageFiles(Protocol):
    """The image store, as a preflight asks it."""

    def verify(self, sha256: str, size: int) -> None:
        """Read a whole file and compare it with its record.

        Raises:
            Unavailable: it is missing, cannot be read, or is not what was added.
        """


DhcpChecks = Callable[[Sequence[ChassisRecord]], Mapping[int, Sequence[PreflightCheck]]]
"""From chassis to what DHCP would do for them, by the database's key; empty: nothing was asked."""
UrlProbe = Callable[[str], str]
"""Asks whether a URL is served; returns what is wrong, empty where it is."""
NtpOffset = Callable[[], float]
"""Returns seconds by which a time server is ahead of this clock; raises Unavailable."""


@dataclass(frozen=True, slots=True)
class PreflightTerms:
    """What all checks of one run go by.

    ``server`` is false where another Bootz server serves the routers: what is told of ours is
    left out. ``url_probe`` and ``ntp`` are None where they are not to be asked.
    """

    config: SiteConfig
    certificates: SiteCertificates
    images: ImageFiles
    preview: PreviewTerms
    now: datetime
    server: bool = True
    door: Callable[[], Sequence[bytes]] = field(default=tuple, repr=False)
    """Reads the certificate of the operator's door (DER); empty where it has no TLS."""
    dhcp: DhcpChecks | None = field(default=None, repr=False)
    url_probe: UrlProbe | None = field(default=None, repr=False)
    ntp: NtpOffset | None = field(default=None, repr=False)
