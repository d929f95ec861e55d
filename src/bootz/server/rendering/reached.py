"""How a router reaches this site: the addresses that stand in what it is given."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bootz.config.site import SiteConfig
from bootz.config.values import parse_endpoint
from bootz.errors import ConfigError
from bootz.model.chassis import Chassis
from bootz.server.operations.intent import ChassisIntent, IntendedImage
from bootz.wire.server_data import ServerData, has_server_data, with_server_data

DEFAULT_TA_FILE: Final = "/misc/disk1/ta.cert"
"""Where IOS XR keeps the trust anchor (docs/protocol/workflow.md S5)."""

_KNOWS_SERVER_LINE: Final = ("cisco", "bootz labs")
"""What the names begin with of manufacturers whose platforms know the line."""

ImageTarget = Callable[[str, str, str], str]
"""From digest, file name and tag to the path and query at the image store."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What a site says of its own addresses; swapped whole on reload.

    ``base_url`` is what image URLs begin with, empty for the address at which the router reached
    the server, with the scheme and port of the image store: ``image_scheme``, ``image_port`` (0
    without a store). ``advertised`` are hosts that stand in place of the address.
    """

    image_target: ImageTarget
    base_url: str = ""
    image_scheme: str = "http"
    image_port: int = 0
    advertised: tuple[str, ...] = ()

    def image_url(self, image: IntendedImage, url_tag: str, reached_at: tuple[str, int]) -> str:
        """Return the URL of an image: its own elsewhere, else that in the site's store.

        Raises:
            ConfigError: ``image-url-unknown``.
        """
        if image.url:
            return image.url
        base = self.base_url
        if not base:
            if not self.image_port:
                raise ConfigError(
                    "image-url-unknown",
                    f"{image.name} {image.version} is in an image store that has no listening "
                    "address",
                    where="image",
                )
            host = bare_host(reached_at[0])
            host = f"[{host}]" if ":" in host else host
            base = f"{self.image_scheme}://{host}:{self.image_port}"
        return base + self.image_target(image.sha256, image.file_name, url_tag)

    def server_address(self, reached_at: tuple[str, int]) -> tuple[str, int]:
        """Return where cards that come later find the server (docs/protocol/workflow.md S5)."""
        host, port = reached_at
        # An address first: the router resolves a name with its one name-server, which may be away.
        own = sorted(self.advertised, key=lambda each: not _is_address(each))
        return (own[0] if own else bare_host(host), port)


def reached_of(config: SiteConfig, target: ImageTarget) -> Reached:
    """Return how routers reach a site by its settings alone: the ports that are written there."""
    images = config.images
    listens = images.http or images.https
    return Reached(
        target,
        base_url=images.base_url or "",
        image_scheme="http" if images.http else "https",
        image_port=parse_endpoint(listens[0]).port if listens else 0,
        advertised=config.advertised,
    )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def bare_host(host: str) -> str:
    """Return an address without its zone, which means something on this machine only."""
    return host.partition("%")[0]


def with_server_line(
    config: bytes,
    dynamic: bytes,
    intent: ChassisIntent,
    chassis: Chassis,
    address: tuple[str, int],
) -> bytes:
    """Return a vendor configuration with the stored server data of a modular chassis.

    They are added, in the form that the configuration has, where the platform knows them and the
    operator has not written any (docs/protocol/workflow.md S5).
    """
    document = intent.document
    wanted = document.ztp_server_line
    known = any(
        name.casefold().startswith(_KNOWS_SERVER_LINE)
        for name in (intent.vendor.name, *intent.vendor.aliases)
    )
    if not chassis.modular or wanted == "off" or (wanted == "auto" and not known):
        return config
    text = config.decode()
    if has_server_data(text) or has_server_data(dynamic.decode()):
        return config
    host, port = address
    data = ServerData(host, port, document.ta_file or DEFAULT_TA_FILE)
    return with_server_data(text, data).encode()
