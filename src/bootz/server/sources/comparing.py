"""What a sync would do with each device: a pure comparison of source, marker and record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from pydantic import JsonValue

from bootz.errors import BootzError, ConflictError
from bootz.model.chassis import fold_serial
from bootz.server.importing.merging import merged_chassis
from bootz.server.operations.chassis_record import ChassisRecord, normal_chassis
from bootz.server.sources.mapping import DeviceFault, Document, MappedDevice
from bootz.server.sources.markers import Marker

CLEAR: Final = frozenset({"cards"})
"""A source lists all cards of a chassis: those it does not name are no longer there."""

_INNER: Final = ("dhcp", "labels")


class Fate(Enum):
    """What becomes of a device."""

    ADD = "add"
    CHANGE = "change"
    SAME = "same"
    ADOPT = "adopt"
    REPLACE = "replace"
    """Another router has its place: the one on record goes on hold, the new one is added."""
    FOREIGN = "foreign"
    DIFFERS = "differs"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Compared:
    """A device and its fate; ``document`` is what an import is given, with removals as null."""

    mapped: MappedDevice
    fate: Fate
    marker: Marker | None = None
    before: ChassisRecord | None = None
    document: Mapping[str, object] = field(default_factory=dict, repr=False)

    @property
    def fault(self) -> DeviceFault | None:
        """What a person is told, if this is not simply done."""
        reasons = {
            Fate.FOREIGN: ("source-not-owner", "the chassis belongs to someone else"),
            Fate.DIFFERS: ("source-differs", "someone changed the chassis here"),
            Fate.BUSY: ("source-busy", "the router is being onboarded"),
        }
        told = reasons.get(self.fate)
        if told is None:
            return None
        device = self.mapped.device
        error = ConflictError(*told, where=device.label, seen=device.serial)
        return DeviceFault(device.id, device.label, device.url, error)


@dataclass(frozen=True, slots=True)
class CompareTerms:
    """What a comparison goes by; ``busy`` are the keys of chassis that are being onboarded."""

    update: bool = False
    adopt: bool = False
    busy: frozenset[int] = frozenset()


def compare(
    mapped: MappedDevice,
    marker: Marker | None,
    marked: ChassisRecord | None,
    found: ChassisRecord | None,
    owner: Marker | None,
    terms: CompareTerms,
) -> Compared:
    """Return the fate of a device.

    Args:
        mapped: the device.
        marker: of the chassis that this source has for this device, if there is one.
        marked: the record of that chassis.
        found: the record that has the device's serial numbers.
        owner: of ``found``: whose it is.
        terms: what an operator asked for.
    """
    document = mapped.document
    if marker is None or marked is None:
        if found is None:
            return Compared(mapped, Fate.ADD, document=document)
        if owner is None and terms.adopt and not changes(found, document):
            return Compared(mapped, Fate.ADOPT, None, found, document)
        return Compared(mapped, Fate.FOREIGN, owner, found)
    if found is None or found.key != marked.key:
        if found is not None:
            return Compared(mapped, Fate.FOREIGN, owner, found)
        return Compared(mapped, Fate.REPLACE, marker, marked, document)
    before = marker.said
    said = with_removals(before, document)
    if not changes(marked, said):
        return Compared(mapped, Fate.SAME, marker)
    if changes(marked, before) and not terms.update:
        return Compared(mapped, Fate.DIFFERS, marker, marked)
    if marked.key in terms.busy:
        return Compared(mapped, Fate.BUSY, marker, marked)
    return Compared(mapped, Fate.CHANGE, marker, marked, said)


def changes(record: ChassisRecord, document: Mapping[str, object]) -> bool:
    """Return whether a document would change anything on record; one that does not hold would."""
    try:
        merged = merged_chassis(record, document, CLEAR)
        after = normal_chassis(ChassisRecord.from_document(merged))
    except BootzError:
        return True
    return after.to_whole_document() != record.to_whole_document()


def with_removals(said: Mapping[str, JsonValue], document: Document) -> dict[str, object]:
    """Return a document that says ``null`` for what the source said before, and says no more."""
    after: dict[str, object] = {**dict.fromkeys(said), **document}
    for key in _INNER:
        old, new = said.get(key), document.get(key)
        if isinstance(old, Mapping):
            after[key] = {**dict.fromkeys(old), **(new if isinstance(new, Mapping) else {})}
    if "cards" in document:
        after["cards"] = _cards_with_removals(said.get("cards"), document["cards"])
    return after


def _cards_with_removals(said: JsonValue, cards: JsonValue) -> list[dict[str, object]]:
    before = {_serial(card): card for card in _objects(said)}
    return [{**dict.fromkeys(before.get(_serial(card), ())), **card} for card in _objects(cards)]


def _objects(cards: JsonValue) -> list[Mapping[str, JsonValue]]:
    return [each for each in cards if isinstance(each, Mapping)] if isinstance(cards, list) else []


def _serial(card: Mapping[str, JsonValue]) -> str:
    return fold_serial(str(card.get("serial_number", "")))


def too_many(gone: int, marked: int, percent: float, at_least: int) -> bool:
    """Return whether more disappeared at once than is allowed."""
    return gone > max(at_least, marked * percent / 100)


def unasked(markers: Sequence[Marker], selected: frozenset[str]) -> list[Marker]:
    """Return the chassis that must be asked for by id: not selected, and not known to have left."""
    return [each for each in markers if each.device not in selected and not each.left]
