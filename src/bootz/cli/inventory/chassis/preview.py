"""What ``bootz chassis render`` shows: the answer as the server would write it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import click

from bootz.cli.site.image_store import image_target
from bootz.config import SiteConfig, parse_endpoint
from bootz.errors import UnknownChassis
from bootz.model.bootstrap import CertzProfile
from bootz.model.chassis import Chassis, fold_serial
from bootz.model.kinds import BootMode
from bootz.model.nearest import did_you_mean
from bootz.server.operations.chassis import find_chassis
from bootz.server.operations.intent import ChassisIntent
from bootz.server.rendering.reached import Reached
from bootz.server.rendering.renderer import SiteRenderer
from bootz.server.rendering.server_data import refused_by_router
from bootz.server.site import Site
from bootz.server.store.database import Database
from bootz.server.store.inventory import SqlInventory
from bootz.wire.answers import decode_bootstrap_data
from bootz.wire.certz import sole_profile
from bootz.wire.dialects import Dialect, dialect_by_name, written_dialect


@dataclass(frozen=True, slots=True)
class Preview:
    """What a router would get, and what it was made of."""

    chassis: Chassis
    intent: ChassisIntent
    dialect: Dialect
    body: bytes = field(repr=False)
    without_voucher: Mapping[str, str]


async def make_preview(
    site: Site,
    database: Database,
    serial: str,
    vendor: str | None,
    dialect: str | None,
    cards: Sequence[str],
    address: tuple[str, int],
) -> Preview:
    """Render what the server would answer; nothing is signed and nothing is journalled."""
    with database.read() as connection:
        record = find_chassis(connection, serial, vendor)
    inventory = SqlInventory(database)
    try:
        found = await inventory.chassis_of_serial(record.cards[0].serial_number)
        chassis = next(each for each in found if each.key == record.key)
        for card in cards:
            if chassis.card(card) is None:
                meant = did_you_mean(card, [each.serial_number for each in chassis.cards])
                raise UnknownChassis(
                    "chassis-not-found", f"is not a card of this chassis{meant}", where=card
                )
        chosen = dialect_by_name(dialect or chassis.release.value)
        renderer = site_renderer(site, inventory)
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
        return Preview(
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


def site_renderer(site: Site, inventory: SqlInventory) -> SiteRenderer:
    """Return what renders for a site as its server does."""
    return SiteRenderer(inventory.intent, _reached(site.config))


def reached_address(reached_at: str | None, config: SiteConfig) -> tuple[str, int]:
    """Return the address at which the router reaches the server: as said, else as in ``listen``."""
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


def warnings_of(preview: Preview) -> Iterator[str]:
    """Return what an operator would not expect in the answer."""
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
    for response in decode_bootstrap_data(preview.body, dialect).responses:
        boot = response.boot_config
        if boot is not None and (
            refused := refused_by_router(boot.vendor_config, boot.dynamic_vendor_config)
        ):
            yield f"routers refuse the configuration of {response.serial_number}: {refused}"
    for serial, seen in preview.without_voucher.items():
        yield (
            f"no valid voucher is stored for {serial} (seen: {seen}); a router in secure mode "
            "would be refused"
        )
