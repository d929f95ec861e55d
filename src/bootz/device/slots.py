"""Hands at the chassis: cards are put in, pulled out, exchanged and switched, running or not.

Each act replaces ``chassis.json`` in one step and rings the bell; the folder of a card that is
in no slot counts for nothing. A card outside of a chassis is a folder with a ``card.json``.
"""

import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bootz.device.bell import ring
from bootz.device.card_folder import CardFolder, CardParts
from bootz.device.hardware import BuiltCard, BuiltChassis, Hardware
from bootz.device.kinds import Power as Power
from bootz.errors import ConfigError, ConflictError, UnknownChassis
from bootz.keystore.files import atomic_write
from bootz.model.chassis import CardKind

MAX_LABEL_BYTES = 4096
_LABEL = TypeAdapter(BuiltCard)


def make_card(folder: Path, card: BuiltCard, parts: CardParts) -> None:
    """Build a card in a new or empty folder.

    Raises:
        ConflictError: something is there already.
    """
    if folder.exists():
        if any(folder.iterdir()):
            raise ConflictError("file-exists", "the folder is not empty", where=str(folder))
        folder.rmdir()
    CardFolder(folder).build(parts)
    _label(folder, card)


def insert(hardware: Hardware, slot: str, card_folder: Path) -> BuiltCard:
    """Put a card into an empty slot; its own folder is gone afterwards.

    Raises:
        ConfigError: the chassis is of fixed form, or has no such slot, or the card does not fit.
        ConflictError: the slot is not empty.
        UnknownChassis: there is no card in the folder.
    """
    card = _read_label(card_folder)
    inserted = _change(
        hardware, slot, lambda present: _fill(hardware, slot, card, card_folder, present)
    )
    _moved(card_folder)
    return inserted


def pull(hardware: Hardware, slot: str, card_folder: Path) -> BuiltCard:
    """Take a card out of its slot into a new or empty folder.

    Raises:
        ConfigError: the chassis is of fixed form, or has no such slot.
        ConflictError: the slot is empty, the card is the active one, or the folder is not empty.
    """
    pulled = _require(hardware, slot)
    _change(hardware, slot, lambda present: _take_out(hardware, present, slot, card_folder))
    return pulled


def exchange(hardware: Hardware, slot: str, new: Path, old: Path) -> BuiltCard:
    """Pull the card of a slot into the folder ``old``, and put the one in ``new`` there, at once.

    Raises:
        ConfigError: as ``insert``.
        ConflictError: as ``pull``.
        UnknownChassis: there is no card in the folder ``new``.
    """
    card = _read_label(new)
    _check_fit(slot, card)
    inserted = _change(
        hardware,
        slot,
        lambda present: _fill(hardware, slot, card, new, _take_out(hardware, present, slot, old)),
    )
    _moved(new)
    return inserted


def switch(hardware: Hardware, slot: str, power: Power) -> BuiltCard:
    """Switch the power of a slot; a card that gets power again is looked at again.

    Raises:
        ConfigError: the chassis is of fixed form, or has no such slot.
        ConflictError: the slot is empty, or the card is the active one.
    """

    def turn(record: BuiltChassis) -> BuiltChassis:
        card = _present(record, slot)
        _spare_active(record, card)
        place = card.place
        if power is Power.CYCLE or (power is Power.ON and not card.powered):
            place = _new_place(slot)
            source = hardware.card(card).path
            shutil.copytree(source, source.parent / place)
        turned = replace(card, place=place, powered=power is not Power.OFF)
        return _with(record, slot, turned)

    return _change(hardware, slot, turn)


def sweep_cards(hardware: Hardware) -> None:
    """Remove folders of cards that are in no slot: what an interrupted hand left behind."""

    def clean(record: BuiltChassis) -> BuiltChassis:
        present = {card.token for card in record.cards}
        for path in (hardware.folder / "cards").glob("*"):
            if path.name not in present:
                shutil.rmtree(path, ignore_errors=True)
        return record

    hardware.change(clean)


def _change(
    hardware: Hardware, slot: str, change: Callable[[BuiltChassis], BuiltChassis]
) -> BuiltCard:
    before = hardware.reload().card_in(slot)

    def checked(record: BuiltChassis) -> BuiltChassis:
        if not record.modular:
            raise ConfigError(
                "slot-fixed", "a router of fixed form has no slots", where=record.serial_number
            )
        if slot not in record.slots:
            raise ConfigError(
                "slot-unknown",
                "the chassis has no such slot",
                where=slot,
                expected=", ".join(record.slots),
                seen=slot,
            )
        return change(record)

    after = hardware.change(checked).card_in(slot)
    sweep_cards(hardware)
    ring(hardware.folder)
    card = after or before
    if card is None:
        raise RuntimeError("an empty slot cannot be emptied")
    return card


def _fill(
    hardware: Hardware, slot: str, card: BuiltCard, source: Path, record: BuiltChassis
) -> BuiltChassis:
    if record.card_in(slot) is not None:
        raise ConflictError("slot-taken", "there is a card in the slot", where=slot)
    _check_fit(slot, card)
    place = _new_place(slot)
    shutil.copytree(source, hardware.folder / "cards" / place)
    (hardware.folder / "cards" / place / "card.json").unlink()
    return _with(record, slot, replace(card, name=slot, slot=slot, place=place, powered=True))


def _check_fit(slot: str, card: BuiltCard) -> None:
    if slot.upper().startswith("RP") is not (card.kind is CardKind.CONTROL):
        raise ConfigError(
            "card-misfit",
            f"a {card.kind.value} card does not fit into the slot",
            where=slot,
            expected="a control card in an RP slot, a line card in any other",
        )


def _moved(source: Path) -> None:
    """The card is in the chassis: what it was made from is not a second one."""
    (source / "card.json").unlink(missing_ok=True)
    shutil.rmtree(source, ignore_errors=True)


def _take_out(hardware: Hardware, record: BuiltChassis, slot: str, target: Path) -> BuiltChassis:
    card = _present(record, slot)
    _spare_active(record, card)
    if target.exists() and any(target.iterdir()):
        raise ConflictError("file-exists", "the folder is not empty", where=str(target))
    shutil.copytree(hardware.card(card).path, target, dirs_exist_ok=True)
    _label(target, replace(card, name="", slot="", place="", powered=True))
    return _with(record, slot, None)


def _with(record: BuiltChassis, slot: str, card: BuiltCard | None) -> BuiltChassis:
    """Return the chassis with another card, or none, in a slot; cards stay in the slots' order."""
    others = [each for each in record.cards if each.name != slot]
    cards = [*others, card] if card is not None else others
    return replace(
        record, cards=tuple(sorted(cards, key=lambda each: record.slots.index(each.name)))
    )


def _require(hardware: Hardware, slot: str) -> BuiltCard:
    return _present(hardware.reload(), slot)


def _present(record: BuiltChassis, slot: str) -> BuiltCard:
    card = record.card_in(slot)
    if card is None:
        raise ConflictError("slot-empty", "there is no card in the slot", where=slot)
    return card


def _spare_active(record: BuiltChassis, card: BuiltCard) -> None:
    if card is record.active:
        raise ConflictError(
            "card-active",
            "this is the active route processor, on which the router is running",
            where=card.name,
        )


def _new_place(slot: str) -> str:
    return f"{slot}.{secrets.token_hex(4)}"


def _label(folder: Path, card: BuiltCard) -> None:
    document = {
        "name": "",
        "serial_number": card.serial_number,
        "part_number": card.part_number,
        "kind": card.kind.value,
    }
    # Last, because this file is what makes the folder a card.
    atomic_write(folder / "card.json", json.dumps(document).encode())


def _read_label(folder: Path) -> BuiltCard:
    path = folder / "card.json"
    if not path.is_file() or path.stat().st_size > MAX_LABEL_BYTES:
        raise UnknownChassis("card-missing", "there is no card here", where=str(folder))
    try:
        return _LABEL.validate_json(path.read_bytes())
    except ValidationError as error:
        raise ConfigError(
            "hardware-damaged", "the card's label is malformed", where=str(path)
        ) from error
