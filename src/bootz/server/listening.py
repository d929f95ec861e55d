"""Where a site listens: what the command says in place of the settings, and what came of it."""

from dataclasses import dataclass

from bootz.config.values import Endpoint
from bootz.log import get_logger
from bootz.server.site import Site

log = get_logger()

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Listens:
    """Addresses in place of those in the settings; None takes those of the settings."""

    bootz: tuple[str, ...] | None = None
    image_http: tuple[str, ...] | None = None
    image_https: tuple[str, ...] | None = None

    def applied(self, site: Site) -> Site:
        """Return the site with these addresses."""
        config = site.config
        images = {
            name: value
            for name, value in (("http", self.image_http), ("https", self.image_https))
            if value is not None
        }
        changed: dict[str, object] = {"images": config.images.model_copy(update=images)}
        if self.bootz is not None:
            changed["listen"] = self.bootz
        return Site(site.root, config.model_copy(update=changed), site.clock)


@dataclass(frozen=True, slots=True)
class Bound:
    """Where the server listens, with the ports that the system chose for 0."""

    bootz: tuple[Address, ...]
    image_http: tuple[Address, ...]
    image_https: tuple[Address, ...]


def say_bound(bound: Bound, *, base_url: str | None, **words: object) -> None:
    """Log one line per listener, and at last ``serving`` with all of them.

    ``base_url`` is the one of the settings; ``words`` are more fields of ``serving``.
    """
    rows = {
        "bootz": bound.bootz,
        "image-http": bound.image_http,
        "image-https": bound.image_https,
    }
    for door, addresses in rows.items():
        for address in addresses:
            log.info("listening", door=door, address=written(address))
    log.info("serving", **bound_record(bound), **words)
    for host in unreached_hosts(bound) if base_url is None else ():
        log.warning(
            "image-urls-lead-nowhere",
            address=host,
            detail="routers that reach the server here get image URLs with this address, "
            "and the image store does not listen on it; set images.http or images.base_url",
        )


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
