"""The options of ``bootz chassis add`` and ``set``, and what they make of a record."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from pydantic import JsonValue

from bootz.cli.dhcp.options import DHCP_OPTIONS, with_dhcp, with_identifiers
from bootz.cli.inventory.base import name_and_version, read_document
from bootz.cli.inventory.tpm_options import TPM_OPTIONS, with_tpm
from bootz.model.chassis import BootMode, DynamicConfigPolicy, Release, VoucherDelivery
from bootz.server.operations.chassis_record import CardRecord, ChassisRecord, kind_by_slot
from bootz.server.operations.profile_document import Content

_F = TypeVar("_F", bound=Callable[..., Any])


def _words(
    enum: type[BootMode | Release | VoucherDelivery | DynamicConfigPolicy],
) -> click.Choice[str]:
    return click.Choice([member.value for member in enum])


_OPTIONS = (
    click.option("--part-number", help="Part number of the chassis."),
    click.option("--hostname", help="Host name of the router."),
    click.option("--profile", help='Profile of the chassis; "" removes it.'),
    click.option(
        "--boot-mode",
        type=_words(BootMode),
        help="Default: secure. insecure: data is sent unsigned; for labs only.",
    ),
    click.option("--modular/--fixed", default=None, help="Whether the chassis has slots."),
    click.option(
        "--card",
        "cards",
        multiple=True,
        metavar="SERIAL[:SLOT[:PART]]",
        help="Card of a modular chassis; repeatable. A card in a slot LC… is a line card.",
    ),
    click.option("--release", type=_words(Release), help="Bootz release of its software."),
    click.option(
        "--streaming/--no-streaming", default=None, help="Whether it may use the streaming calls."
    ),
    click.option(
        "--skip-idevid-serial-check/--check-idevid-serial",
        "skip_idevid_serial_check",
        default=None,
        help="For IDevIDs without a serial number; any device of the vendor may then request its "
        "data.",
    ),
    click.option(
        "--voucher-delivery",
        type=_words(VoucherDelivery),
        help="How several vouchers are delivered.",
    ),
    click.option(
        "--dynamic-config",
        type=_words(DynamicConfigPolicy),
        help="What to do with dynamic configuration in older dialects.",
    ),
    click.option(
        "--var",
        "variables",
        multiple=True,
        metavar="KEY=VALUE",
        help="Variable for templates; repeatable.",
    ),
    click.option(
        "--override-file",
        type=click.Path(path_type=Path),
        metavar="YAML",
        help="File with the profile keys that differ for this chassis.",
    ),
    click.option("--image", metavar="NAME/VERSION", help="Image, if not that of the profile."),
    *DHCP_OPTIONS,
    *TPM_OPTIONS,
)


def chassis_options(function: _F) -> _F:
    """Add the options that say what a chassis is and gets."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def with_options(record: ChassisRecord, options: Mapping[str, Any]) -> ChassisRecord:
    """Return a record with everything that the options give; what they do not name stays.

    Raises:
        BadParameter: an option's form is wrong.
        ConfigError: the override file does not fit.
    """
    changes: dict[str, Any] = {
        name: options[name]
        for name in (
            "part_number",
            "hostname",
            "profile",
            "modular",
            "streaming",
            "skip_idevid_serial_check",
        )
        if options[name] is not None
    }
    for name, enum in (
        ("boot_mode", BootMode),
        ("release", Release),
        ("voucher_delivery", VoucherDelivery),
        ("dynamic_config", DynamicConfigPolicy),
    ):
        if options[name] is not None:
            changes[name] = enum(options[name])
    if options["cards"]:
        known = {card.serial_number: card for card in record.cards}
        changes["cards"] = tuple(_card(text, known) for text in options["cards"])
    if options["variables"]:
        changes["variables"] = {**record.variables, **_variables(options["variables"])}
    changed = replace(record, **changes)
    if not changed.modular:
        changed = replace(changed, cards=(_own_card(changed),))
    cards = with_identifiers(with_tpm(changed.cards, options), options)
    changed = replace(changed, cards=cards, dhcp=with_dhcp(changed.dhcp, options))
    overrides: dict[str, object] = dict(record.overrides.to_json())
    if options["override_file"] is not None:
        overrides |= read_document(options["override_file"])
    if options["image"] is not None:
        overrides["image"] = name_and_version(options["image"], "--image")
    where = f"overrides of {record.serial_number}"
    return replace(changed, overrides=Content.parse(overrides, where=where))


def _own_card(record: ChassisRecord) -> CardRecord:
    """Return the one card of a fixed chassis, with what was known of it."""
    card = record.cards[0] if len(record.cards) == 1 else CardRecord(record.serial_number)
    return replace(
        card,
        serial_number=record.serial_number,
        part_number=record.part_number,
    )


def _card(text: str, known: Mapping[str, CardRecord]) -> CardRecord:
    serial, _, rest = text.partition(":")
    slot, _, part_number = rest.partition(":")
    card = known.get(serial, CardRecord(serial, kind=kind_by_slot(slot)))
    return replace(card, slot=slot or card.slot, part_number=part_number or card.part_number)


def _variables(pairs: tuple[str, ...]) -> dict[str, JsonValue]:
    variables: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.BadParameter("it is not KEY=VALUE", param_hint="--var")
        variables[key] = value
    return cast("dict[str, JsonValue]", variables)
