"""What ``bootz chassis render`` shows: the answer as the server would write it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from bootz.cli.site.image_target import image_target
from bootz.config.site import SiteConfig
from bootz.config.values import parse_endpoint
from bootz.model.chassis import fold_serial
from bootz.server.keys.publishing import site_certificates
from bootz.server.operations.chassis import find_chassis
from bootz.server.rendering.preview import (
    Preview,
    PreviewTerms,
    preview_chassis,
    preview_warnings,
)
from bootz.server.rendering.reached import reached_of
from bootz.server.site import Site
from bootz.server.store.database import Database
from bootz.server.store.inventory import stored_vouchers


@dataclass(frozen=True, slots=True)
class Shown:
    """What is printed, and what an operator would not expect in it."""

    preview: Preview
    warnings: tuple[str, ...]


def make_preview(
    site: Site,
    database: Database,
    serial: str,
    vendor: str | None,
    dialect: str | None,
    cards: Sequence[str],
    address: tuple[str, int],
) -> Shown:
    """Render what the server would answer; nothing is signed and nothing is journalled."""
    with database.read() as connection:
        key = find_chassis(connection, serial, vendor).key
        certificates = site_certificates(site)
        terms = site_terms(site, certificates.trust_anchor, address)
        preview = preview_chassis(connection, key, terms, dialect=dialect, cards=cards)
        chassis = preview.chassis
        serials = cards or [card.serial_number for card in chassis.cards]
        own = [known for each in serials if (known := chassis.card(each)) is not None]
        vouchers = stored_vouchers(
            connection, chassis, own, certificates.pinned_domain, site.clock()
        )
    lacking = {
        card.serial_number: vouchers.seen_of(folded)
        for card in own
        if (folded := fold_serial(card.serial_number)) not in vouchers.valid
    }
    return Shown(preview, (*preview_warnings(preview), *_without_voucher(lacking)))


def site_terms(
    site: Site, trust_anchor: bytes | None = None, address: tuple[str, int] | None = None
) -> PreviewTerms:
    """Return what an answer takes from the site; None: the anchor and address of the site."""
    return PreviewTerms(
        reached_of(site.config, image_target),
        trust_anchor or site_certificates(site).trust_anchor,
        address or reached_address(None, site.config),
    )


def _without_voucher(lacking: dict[str, str]) -> Iterator[str]:
    for serial, seen in lacking.items():
        yield (
            f"no valid voucher is stored for {serial} (seen: {seen}); a router in secure mode "
            "would be refused"
        )


def reached_address(reached_at: str | None, config: SiteConfig) -> tuple[str, int]:
    """Return the address at which the router reaches the server: as said, else as in ``listen``."""
    try:
        return parse_endpoint(reached_at or config.listen[0]).pair
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--reached-at") from error
