"""What a chassis would get, before it asks: rendered as the server does; nothing is signed.

``bootz chassis render``, the API's ``render`` and the preflight all show this.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from bootz.errors import UnknownChassis
from bootz.model.bootstrap import CertzProfile
from bootz.model.chassis import Chassis
from bootz.model.kinds import BootMode
from bootz.model.nearest import did_you_mean
from bootz.server.operations.chassis import chassis_by_key
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.intent import ChassisIntent, build_intent
from bootz.server.operations.shared import SharedRecords, read_shared
from bootz.server.rendering.content import Occasion, render_card
from bootz.server.rendering.reached import Reached
from bootz.server.rendering.server_data import refused_by_router
from bootz.server.rendering.templates import Templates
from bootz.server.store.inventory import known_chassis
from bootz.wire.answers import decode_bootstrap_data, encode_bootstrap_data
from bootz.wire.certz import sole_profile
from bootz.wire.dialects import Dialect, dialect_by_name, written_dialect


@dataclass(frozen=True, slots=True)
class PreviewTerms:
    """What an answer takes from the site. ``trust_anchor`` is DER, ``reached_at`` host and port."""

    reached: Reached
    trust_anchor: bytes = field(repr=False)
    reached_at: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a router would get, and what it was made of."""

    chassis: Chassis
    intent: ChassisIntent
    dialect: Dialect
    body: bytes = field(repr=False)


def preview_chassis(
    connection: Connection,
    key: int,
    terms: PreviewTerms,
    *,
    dialect: str | None = None,
    cards: Sequence[str] = (),
) -> Preview:
    """Render a chassis on record.

    Args:
        connection: to the inventory.
        key: the chassis's.
        terms: what comes from the site.
        dialect: None: that of the chassis's release.
        cards: serial numbers; empty: all cards of the chassis.

    Raises:
        ConfigError: no such dialect, a template fails, or gives something invalid.
        PolicyError: ``dynamic-config-refused``.
        UnknownChassis: the chassis is not on record, or a card is not one of its own.
    """
    return render_record(
        chassis_by_key(connection, key),
        read_shared(connection),
        terms,
        Templates(),
        dialect=dialect,
        cards=cards,
    )


def render_record(
    record: ChassisRecord,
    shared: SharedRecords,
    terms: PreviewTerms,
    templates: Templates,
    *,
    dialect: str | None = None,
    cards: Sequence[str] = (),
) -> Preview:
    """Render a chassis as ``preview_chassis`` does, from what has been read already."""
    chassis = known_chassis(record, shared)
    for card in cards:
        if chassis.card(card) is None:
            meant = did_you_mean(card, [each.serial_number for each in chassis.cards])
            raise UnknownChassis(
                "chassis-not-found", f"is not a card of this chassis{meant}", where=card
            )
    chosen = dialect_by_name(dialect or chassis.release.value)
    intent = build_intent(record, shared)
    occasion = Occasion(chosen, terms.trust_anchor, terms.reached_at)
    serials = cards or [card.serial_number for card in chassis.cards]
    body = encode_bootstrap_data(
        [
            render_card(
                intent, chassis, serial, occasion, reached=terms.reached, templates=templates
            )
            for serial in serials
        ],
        chosen,
    )
    return Preview(chassis, intent, chosen, body)


def preview_warnings(preview: Preview) -> Iterator[str]:
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
