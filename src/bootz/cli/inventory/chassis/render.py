"""``bootz chassis render``: what the router of a chassis would get, before it asks."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import click

from bootz.cli.base import Cli, Verb
from bootz.cli.site.image_store import image_target
from bootz.config import SiteConfig, parse_endpoint
from bootz.errors import UnknownChassis
from bootz.model.bootstrap import CertzProfile
from bootz.model.chassis import BootMode, Chassis, fold_serial
from bootz.server.operations.chassis import find_chassis
from bootz.server.operations.intent import ChassisIntent
from bootz.server.rendering.reached import Reached
from bootz.server.rendering.renderer import SiteRenderer
from bootz.server.site import Site
from bootz.server.store.database import Database
from bootz.server.store.inventory import SqlInventory
from bootz.wire.certz import sole_profile
from bootz.wire.dialects import DIALECTS, Dialect, dialect_by_name, written_dialect
from bootz.wire.preview import preview_payload


@click.command("render", cls=Verb)
@click.argument("serial")
@click.option("--vendor", help="Manufacturer, if several have this serial number.")
@click.option(
    "--dialect",
    type=click.Choice([dialect.name for dialect in DIALECTS]),
    help="Protocol dialect of the router. Default: that of its release in the inventory.",
)
@click.option(
    "--card",
    "cards",
    multiple=True,
    metavar="SERIAL",
    help="Only this card; repeatable. Default: all cards of the chassis.",
)
@click.option(
    "--reached-at",
    metavar="ADDRESS:PORT",
    help="Address at which the router reaches the server. Default: the first in `listen`.",
)
@click.pass_obj
def render_command(
    cli: Cli,
    serial: str,
    vendor: str | None,
    dialect: str | None,
    cards: tuple[str, ...],
    reached_at: str | None,
) -> None:
    """Print what a router would get, field by field as it is on the wire; it may contain secrets.

    The real answer also has the nonce of the request and a signature.
    """
    site = cli.site()
    address = _address(reached_at, site.config)
    database = site.database()
    try:
        preview = asyncio.run(_render(site, database, serial, vendor, dialect, cards, address))
    finally:
        database.close()
    for warning in _warnings(preview):
        cli.output.warning(warning)
    cli.output.document(preview_payload(preview.body))


@dataclass(frozen=True, slots=True)
class _Preview:
    chassis: Chassis
    intent: ChassisIntent
    dialect: Dialect
    body: bytes = field(repr=False)
    without_voucher: Mapping[str, str]


async def _render(
    site: Site,
    database: Database,
    serial: str,
    vendor: str | None,
    dialect: str | None,
    cards: Sequence[str],
    address: tuple[str, int],
) -> _Preview:
    with database.read() as connection:
        record = find_chassis(connection, serial, vendor)
    inventory = SqlInventory(database)
    try:
        found = await inventory.chassis_of_card(record.cards[0].serial_number)
        chassis = next(each for each in found if each.key == record.key)
        for card in cards:
            if chassis.card(card) is None:
                raise UnknownChassis(
                    "chassis-not-found", "is not a card of this chassis", where=card
                )
        chosen = dialect_by_name(dialect or chassis.release.value)
        renderer = SiteRenderer(inventory.intent, _reached(site.config))
        keys = site.keys
        serials = cards or [card.serial_number for card in chassis.cards]
        body = await renderer.body(
            chassis,
            serials,
            chosen,
            trust_anchor=keys.certificates(keys.read().trust_anchors[0])[0],
            reached_at=address,
        )
        own = [known for each in serials if (known := chassis.card(each)) is not None]
        vouchers = await inventory.vouchers(chassis, own, site.pinned_domain_cert(), site.clock())
        return _Preview(
            chassis,
            await inventory.intent(chassis.key),
            chosen,
            body,
            {
                card.serial_number: vouchers.seen_of(serial)
                for card in own
                if (serial := fold_serial(card.serial_number)) not in vouchers.valid
            },
        )
    finally:
        await inventory.close()


def _address(reached_at: str | None, config: SiteConfig) -> tuple[str, int]:
    try:
        return parse_endpoint(reached_at or config.listen[0]).pair
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--reached-at") from error


def _reached(config: SiteConfig) -> Reached:
    images = config.images
    listens = images.http or images.https
    return Reached(
        image_target,
        base_url=images.base_url or "",
        image_scheme="http" if images.http else "https",
        image_port=parse_endpoint(listens[0]).port if listens else 0,
        advertised=config.advertised,
    )


def _warnings(preview: _Preview) -> Iterator[str]:
    chassis, dialect, document = preview.chassis, preview.dialect, preview.intent.document
    written = written_dialect(dialect, chassis.release)
    if written is not dialect:
        yield (
            f"the inventory says that the chassis runs release {chassis.release.value}, so a "
            "router at "
            f"this path is answered as {written.name}, not as {dialect.name}"
        )
    if chassis.boot_mode is BootMode.INSECURE:
        yield "INSECURE mode: a request without a nonce is answered unsigned"
    profiles = tuple(
        CertzProfile(entry.ssl_profile_id, {}, entry.primary)
        for entry in document.certz_profiles or ()
    )
    sole = sole_profile(profiles)
    if dialect.certificates and sole is not None and len(profiles) > 1:
        others = ", ".join(each.ssl_profile_id for each in profiles if each is not sole)
        who = (
            "routers of release v0.2 get" if dialect.certz_profiles else "this dialect has room for"
        )
        yield (
            f"{who} one certz profile: {sole.ssl_profile_id}"
            f"{'' if sole.primary else ' (the first; none is marked primary)'}; not {others}"
        )
    if (
        document.dynamic_vendor_config or document.dynamic_oc_config
    ) and not dialect.dynamic_config:
        yield "dynamic configuration is merged into the static one: it has no field for it"
    if not document.boot_config:
        yield "there is no boot configuration: routers treat it as missing and fail"
    image = preview.intent.image
    if image is not None and not image.sha256:
        yield f"the image {image.name} {image.version} has no digest: routers cannot verify it"
    for serial, seen in preview.without_voucher.items():
        yield (
            f"no valid voucher is stored for {serial} (seen: {seen}); a router in secure mode "
            "would be refused"
        )
