"""What one card gets, from what is intended for its chassis: a pure function of its arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from bootz.errors import ConfigError, PolicyError, UnknownChassis
from bootz.model.bootstrap import BootConfig, BootstrapData, CertzProfile, JsonObject, SoftwareImage
from bootz.model.chassis import Chassis, DynamicConfigPolicy, fold_serial
from bootz.server.operations.chassis_record import CardRecord
from bootz.server.operations.intent import ChassisIntent, IntendedImage
from bootz.server.rendering.documents import render_json_text, render_object, render_text
from bootz.server.rendering.reached import Reached, with_server_line
from bootz.server.rendering.templates import Templates
from bootz.trust.certificates import pem_from_der
from bootz.wire.dialects import Dialect
from bootz.wire.image_hash import HashFormat, write_hash

SCRIPT_KEY: Final = "pre-configuration-script"
"""Where metadata hold the script of workflow step W11."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What differs from one call to the next. ``trust_anchor`` is DER."""

    dialect: Dialect
    trust_anchor: bytes = field(repr=False)
    reached_at: tuple[str, int]


def render_card(
    intent: ChassisIntent,
    chassis: Chassis,
    serial: str,
    occasion: Occasion,
    *,
    reached: Reached,
    templates: Templates,
) -> BootstrapData:
    """Return what a card gets; ``serial`` is spelt as the device spelt it.

    Raises:
        ConfigError: a template fails, or gives something invalid.
        PolicyError: ``dynamic-config-refused``.
    """
    document = intent.document
    _check_dynamic(intent, chassis, occasion.dialect)
    values = _context(intent, serial, occasion, reached)
    return BootstrapData(
        serial_number=serial,
        server_trust_cert=occasion.trust_anchor,
        image=_image(intent, reached, occasion.reached_at),
        boot_password_hash=document.boot_password_hash or "",
        boot_config=_boot_config(intent, chassis, values, occasion, reached, templates),
        credentials=render_object(templates, document.credentials, values, "credentials"),
        pathz=render_object(templates, document.pathz, values, "pathz"),
        authz=render_object(templates, document.authz, values, "authz"),
        certz_profiles=_certz(intent, values, templates),
    )


def _check_dynamic(intent: ChassisIntent, chassis: Chassis, dialect: Dialect) -> None:
    document = intent.document
    dynamic = document.dynamic_vendor_config or document.dynamic_oc_config
    refuses = chassis.dynamic_config is DynamicConfigPolicy.REFUSE
    if dynamic and document.boot_config and refuses and not dialect.dynamic_config:
        raise PolicyError(
            "dynamic-config-refused",
            "there is dynamic configuration, which this dialect does not support",
            where="dynamic_config",
            expected="a dialect with dynamic configuration",
            seen=dialect.name,
        )


def _boot_config(
    intent: ChassisIntent,
    chassis: Chassis,
    values: Mapping[str, object],
    occasion: Occasion,
    reached: Reached,
    templates: Templates,
) -> BootConfig | None:
    document = intent.document
    if not document.boot_config:
        return None
    dynamic = render_text(
        templates, document.dynamic_vendor_config, values, "dynamic_vendor_config"
    )
    vendor = render_text(templates, document.vendor_config, values, "vendor_config")
    return BootConfig(
        metadata=_metadata(intent, values, templates),
        vendor_config=with_server_line(
            vendor, dynamic, intent, chassis, reached.server_address(occasion.reached_at)
        ),
        oc_config=render_json_text(templates, document.oc_config, values, "oc_config"),
        bootloader_config=render_object(
            templates, document.bootloader_config, values, "bootloader_config"
        )
        or {},
        dynamic_vendor_config=dynamic,
        dynamic_oc_config=render_json_text(
            templates, document.dynamic_oc_config, values, "dynamic_oc_config"
        ),
    )


def _metadata(
    intent: ChassisIntent, values: Mapping[str, object], templates: Templates
) -> JsonObject:
    document = intent.document
    metadata = render_object(templates, document.metadata, values, "metadata") or {}
    if document.script is None:
        return metadata
    if SCRIPT_KEY in metadata:
        raise ConfigError(
            "rendered-invalid",
            "there is also a script under `script`",
            where=f"metadata.{SCRIPT_KEY}",
        )
    script = templates.render(document.script, values, "script")
    if not script.startswith("#!"):
        raise ConfigError("rendered-invalid", "the output must start with #!", where="script")
    return {**metadata, SCRIPT_KEY: script}


def _certz(
    intent: ChassisIntent, values: Mapping[str, object], templates: Templates
) -> tuple[CertzProfile, ...] | None:
    entries = intent.document.certz_profiles
    if entries is None:
        return None
    return tuple(
        CertzProfile(
            entry.ssl_profile_id,
            render_object(templates, entry.certz, values, f"certz_profiles.{entry.ssl_profile_id}")
            or {},
            entry.primary,
        )
        for entry in entries
    )


def _image(
    intent: ChassisIntent, reached: Reached, reached_at: tuple[str, int]
) -> SoftwareImage | None:
    image, document = intent.image, intent.document
    if image is None:
        return None
    form = HashFormat(document.image_hash_format)
    return SoftwareImage(
        name=image.name,
        version=image.version,
        url=reached.image_url(image, intent.url_tag, reached_at),
        sha256=image.sha256,
        algorithm=document.image_hash_algorithm,
        hash_text=write_hash(image.sha256, form) if form is not HashFormat.HEX else "",
    )


def _context(
    intent: ChassisIntent, serial: str, occasion: Occasion, reached: Reached
) -> dict[str, object]:
    """Return what templates can name; documented in docs/templates.md."""
    record, vendor = intent.chassis, intent.vendor
    host, port = reached.server_address(occasion.reached_at)

    def shown(image: IntendedImage) -> dict[str, object]:
        return {
            "kind": image.kind.value,
            "name": image.name,
            "version": image.version,
            "file_name": image.file_name,
            "url": reached.image_url(image, intent.url_tag, occasion.reached_at),
            "sha256": image.sha256,
            "size": image.size,
        }

    cards = {fold_serial(card.serial_number): _card(card) for card in record.cards}
    card = cards.get(fold_serial(serial))
    if card is None:
        raise UnknownChassis(
            "chassis-not-found", "the card was removed while its data was rendered", where=serial
        )
    return {
        "chassis": {
            "manufacturer": vendor.name,
            "serial_number": record.serial_number,
            "part_number": record.part_number,
            "hostname": record.hostname,
            "modular": record.modular,
            "boot_mode": record.boot_mode.value,
            "cards": tuple(cards.values()),
        },
        "card": card,
        "vendor": {"name": vendor.name, "aliases": vendor.aliases, "ien": vendor.ien},
        "variables": intent.variables,
        "image": None if intent.image is None else shown(intent.image),
        "smus": tuple(shown(image) for image in intent.smus),
        "patches": tuple(shown(image) for image in intent.patches),
        "server": {
            "address": host,
            "port": port,
            "trust_anchor": _pem(occasion.trust_anchor),
        },
        "dialect": occasion.dialect.name,
    }


@lru_cache(maxsize=4)
def _pem(trust_anchor: bytes) -> str:
    """Return the trust anchor as text; all chassis get the same, and at a change another."""
    return pem_from_der([trust_anchor]).decode()


def _card(card: CardRecord) -> dict[str, object]:
    return {
        "serial_number": card.serial_number,
        "part_number": card.part_number,
        "slot": card.slot,
        "kind": card.kind.value,
        "mac": card.mac,
    }
