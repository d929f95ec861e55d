"""What the options of ``bootz chassis add`` and ``set`` make of a record."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

import click
from pydantic import JsonValue, ValidationError

from bootz.cli.inventory.base import name_and_version, read_document, read_file
from bootz.model.chassis import fold_serial
from bootz.model.identity import TpmRecord, TpmVersion
from bootz.model.kinds import BootMode, DynamicConfigPolicy, Release, VoucherDelivery
from bootz.model.nearest import did_you_mean
from bootz.server.operations.chassis_record import CardRecord, ChassisRecord, kind_by_slot
from bootz.server.operations.dhcp_settings import DhcpSettings
from bootz.server.operations.labels import fold_key
from bootz.server.operations.profile_document import Content
from bootz.server.operations.texts import faults_of
from bootz.server.operations.tpm_record import read_ek_certificate, read_tpm_key

_AS_GIVEN: Final = (
    "part_number",
    "hostname",
    "profile",
    "modular",
    "streaming",
    "skip_idevid_serial_check",
)
_AS_ENUM: Final = {
    "boot_mode": BootMode,
    "release": Release,
    "voucher_delivery": VoucherDelivery,
    "dynamic_config": DynamicConfigPolicy,
}
_TPM_READERS: Final[Mapping[str, Callable[[bytes, str], bytes]]] = {
    "ek": read_tpm_key,
    "ppk": read_tpm_key,
    "key": read_tpm_key,
    "ek_certificate": read_ek_certificate,
}
_IDENTIFIERS: Final = {"macs": "mac", "client_ids": "client_id", "duids": "duid"}


def with_options(record: ChassisRecord, options: Mapping[str, Any]) -> ChassisRecord:
    """Return a record with everything that the options give; what they do not name stays.

    Raises:
        BadParameter: an option's form is wrong, or it names no card of the chassis.
        ConfigError: a file does not fit.
        Unavailable: a file cannot be read.
    """
    changes: dict[str, Any] = {
        name: options[name] for name in _AS_GIVEN if options[name] is not None
    }
    for name, enum in _AS_ENUM.items():
        if options[name] is not None:
            changes[name] = enum(options[name])
    if options["cards"]:
        known = {card.serial_number: card for card in record.cards}
        changes["cards"] = tuple(_card(text, known) for text in options["cards"])
    if options["variables"]:
        changes["variables"] = {**record.variables, **_variables(options["variables"])}
    if options["labels"]:
        changes["labels"] = {**record.labels, **_labels(options["labels"])}
    changed = replace(record, **changes)
    if not changed.modular:
        changed = replace(changed, cards=(_own_card(changed),))
    cards = changed.cards
    if options["forget_tpm"]:
        cards = tuple(replace(card, tpm=TpmRecord()) for card in cards)
    for serial, hint, change in _card_changes(options):
        cards = _changed(cards, serial, hint, change)
    changed = replace(changed, cards=cards, dhcp=_with_dhcp(changed.dhcp, options))
    overrides: dict[str, object] = dict(record.overrides.to_json())
    if options["override_file"] is not None:
        overrides |= read_document(options["override_file"])
    if options["image"] is not None:
        overrides["image"] = name_and_version(options["image"], "--image")
    where = f"overrides of {record.serial_number}"
    return replace(changed, overrides=Content.parse(overrides, where=where))


def without(
    record: ChassisRecord,
    variables: Collection[str],
    overrides: Collection[str],
    labels: Collection[str],
) -> ChassisRecord:
    """Return a record without these variables, overrides and labels."""
    content = {k: v for k, v in record.overrides.to_json().items() if k not in overrides}
    folded = {fold_key(key) for key in labels}
    return replace(
        record,
        variables={k: v for k, v in record.variables.items() if k not in variables},
        overrides=Content.parse(content, where=f"overrides of {record.serial_number}"),
        labels={k: v for k, v in record.labels.items() if k not in folded},
    )


def _own_card(record: ChassisRecord) -> CardRecord:
    """Return the one card of a fixed chassis, with what was known of it."""
    card = record.cards[0] if len(record.cards) == 1 else CardRecord(record.serial_number)
    return replace(card, serial_number=record.serial_number, part_number=record.part_number)


def _card(text: str, known: Mapping[str, CardRecord]) -> CardRecord:
    serial, _, rest = text.partition(":")
    slot, _, part_number = rest.partition(":")
    card = known.get(serial, CardRecord(serial, kind=kind_by_slot(slot)))
    return replace(card, slot=slot or card.slot, part_number=part_number or card.part_number)


def _variables(pairs: tuple[str, ...]) -> dict[str, JsonValue]:
    return cast("dict[str, JsonValue]", dict(_pairs(pairs, "--var")))


def _labels(pairs: tuple[str, ...]) -> dict[str, str]:
    return {fold_key(key): value for key, value in _pairs(pairs, "--label")}


def _pairs(pairs: tuple[str, ...], hint: str) -> Iterator[tuple[str, str]]:
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.BadParameter("it is not KEY=VALUE", param_hint=hint)
        yield key, value


_Change = Callable[[CardRecord], CardRecord]


def _card_changes(options: Mapping[str, Any]) -> Iterator[tuple[str, str, _Change]]:
    """Return what ``[SERIAL=]VALUE`` options do: serial number or "", the option, the change."""
    for text in options["tpm_versions"]:
        serial, version = _split(text)
        if version not in {each.value for each in TpmVersion}:
            raise click.BadParameter("it is 1.2 or 2.0", param_hint="--tpm-version")
        yield serial, "--tpm-version", _in_tpm(version=TpmVersion(version))
    for name, read in _TPM_READERS.items():
        for text in options[f"tpm_{name}"]:
            serial, file = _split(text)
            data = read(read_file(Path(file)), file)
            yield serial, f"--tpm-{name.replace('_', '-')}", _in_tpm(**{name: data})
    for option, field in _IDENTIFIERS.items():
        for text in options[option]:
            serial, value = _split(text)
            yield serial, f"--{field.replace('_', '-')}", _in_card(**{field: value})


def _in_tpm(**change: Any) -> _Change:
    return lambda card: replace(card, tpm=replace(card.tpm, **change))


def _in_card(**change: Any) -> _Change:
    return lambda card: replace(card, **change)


def _split(text: str) -> tuple[str, str]:
    """Return serial number, empty if none is named, and value."""
    serial, equals, value = text.partition("=")
    return (serial, value) if equals else ("", text)


def _changed(
    cards: tuple[CardRecord, ...], serial: str, hint: str, change: _Change
) -> tuple[CardRecord, ...]:
    folded = fold_serial(serial)
    named = [
        card
        for card in cards
        if (fold_serial(card.serial_number) == folded if serial else len(cards) == 1)
    ]
    if not named:
        meant = did_you_mean(serial, [card.serial_number for card in cards])
        told = f"the chassis has no card {serial!r}{meant}" if serial else "name the card"
        raise click.BadParameter(f"{told}: SERIAL=VALUE", param_hint=hint)
    return tuple(change(card) if card in named else card for card in cards)


def _with_dhcp(settings: DhcpSettings, options: Mapping[str, Any]) -> DhcpSettings:
    """Return settings with everything that the options give."""
    changed: dict[str, Any] = dict(settings.to_json())
    for name in ("ipv4", "ipv6", "gateway"):
        if options[name] is not None:
            changed[name] = options[name] or None
    if options["dhcp_uris"]:
        changed["uris"] = [uri for uri in options["dhcp_uris"] if uri]
    try:
        return DhcpSettings.model_validate(changed)
    except ValidationError as error:
        raise click.BadParameter(faults_of(error), param_hint="DHCP") from None
