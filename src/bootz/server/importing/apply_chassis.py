"""Chassis of an import, all at once: each is added to what is on record of it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sqlalchemy import Connection

from bootz.errors import BootzError, ConflictError, KeyPath
from bootz.model.chassis import fold_serial
from bootz.server.importing.applied import Applied, Terms, item_name, once, updated
from bootz.server.importing.differences import Action, EntryChange
from bootz.server.importing.items import MAX_FAULTS, Item
from bootz.server.importing.merging import folded, merged_chassis
from bootz.server.operations.chassis import (
    ChassisRecord,
    chassis_by_keys,
    insert_placed,
    update_placed,
)
from bootz.server.operations.chassis_placement import place_chassis, taken_serials
from bootz.server.operations.chassis_record import CardRecord
from bootz.server.operations.chassis_rows import Placed
from bootz.server.operations.doubles import SharingRouter, find_doubles
from bootz.server.operations.vendors import list_vendors
from bootz.server.rendering.server_data import beyond_public


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry: what it says, added to what is on record."""

    item: Item
    record: ChassisRecord
    before: ChassisRecord | None

    @property
    def name(self) -> str:
        record = self.record
        serial = record.serial_number or (record.cards[0].serial_number if record.cards else "")
        return f"{record.vendor.strip()} {serial.strip()}"[:200]


_PIECE: Final = 1000
"""Entries that are in memory at once."""


def apply_chassis(
    connection: Connection, items: Iterable[Item], terms: Terms, applied: Applied
) -> None:
    """Apply entries, a piece at a time; with any fault, the caller undoes what was written.

    ``items`` may be gone through twice: a second time to say where doubled values stand.
    """
    places: dict[int, str] = {}
    written: set[int] = set()
    left = iter(items)
    while piece := list(islice(left, _PIECE)):
        written.update(_apply_piece(connection, piece, terms, applied, places))
        if len(applied.faults) >= MAX_FAULTS:
            return
    if written and not applied.faults:
        applied.warn(_doubles_told(connection, items, written, places))


def _apply_piece(
    connection: Connection,
    items: Sequence[Item],
    terms: Terms,
    applied: Applied,
    places: dict[int, str],
) -> list[int]:
    """Apply some entries, and return the keys of the chassis that were added or changed.

    ``places`` says of each chassis that the file spoke of, where.
    """
    entries = _read(connection, items, terms, applied, places)
    placement = place_chassis(
        connection,
        [entry.record for entry in entries],
        # One that the file spoke of before is not this entry's: it is a double.
        own_keys=[
            entry.before.key if entry.before and entry.before.key not in places else 0
            for entry in entries
        ],
    )
    for index, flaw in placement.faults:
        entry = entries[index]
        other = placement.doubles.get(index)
        place = (
            entries[other].item.place
            if other is not None
            else places.get(placement.takers.get(index, 0), "")
        )
        if place:
            twice = f"its serial number appears at {place} too"
            flaw = ConflictError("import-twice", twice, where=entry.name, keys=flaw.keys)
        elif _follows(applied, entry.record, flaw):
            continue
        applied.fault(entry.item, _as_said(flaw, entry.item, _serials_of(entry.record.cards)))
    fresh: list[tuple[Placed, Item]] = []
    changed: list[tuple[ChassisRecord, Placed]] = []
    for placed, index in zip(placement.placed, placement.indexes, strict=True):
        entry = entries[index]
        before = entry.before
        if before is None:
            fresh.append((placed, entry.item))
            applied.change(EntryChange("chassis", entry.name, Action.ADD))
            _warn(applied, entry.item, placed)
            continue
        try:
            once(places, before.key, entry.item.place, entry.name)
            documents = (before.to_whole_document(), placed.record.to_whole_document())
            if documents[0] == documents[1]:
                applied.change(EntryChange("chassis", entry.name, Action.SAME))
                continue
            applied.change(updated("chassis", entry.name, *documents, terms))
            changed.append((before, placed))
            _warn(applied, entry.item, placed)
        except BootzError as error:
            serials = _serials_of(placed.record.cards)
            applied.fault(entry.item, _as_said(error, entry.item, serials))
    added = insert_placed(connection, [placed for placed, _ in fresh], placement.images)
    for record, (_, item) in zip(added, fresh, strict=True):
        places[record.key] = item.place
    update_placed(connection, changed, placement.images)
    return [record.key for record in (*added, *(before for before, _ in changed))]


def _warn(applied: Applied, item: Item, placed: Placed) -> None:
    applied.warn(f"{item.place}: {told}" for told in beyond_public(placed.record.overrides))


def _doubles_told(
    connection: Connection,
    items: Iterable[Item],
    written: Collection[int],
    places: Mapping[int, str],
) -> Iterator[str]:
    """Return words for each value that a chassis shares, with where the file says it."""
    doubles = find_doubles(connection, written)
    wanted = {places.get(owner.key, "") for double in doubles for owner in double.owners}
    said = {item.place: item for item in items if item.place in wanted} if doubles else {}

    def place(owner: SharingRouter) -> str:
        item = said.get(places.get(owner.key, ""))
        return "" if item is None else item.place_of(_said_key(owner.path, item, ()))

    return (double.told(place) for double in doubles)


def _read(
    connection: Connection,
    items: Sequence[Item],
    terms: Terms,
    applied: Applied,
    places: Mapping[int, str],
) -> list[_Entry]:
    entries: list[_Entry] = []
    for item, before in zip(items, on_record(connection, items), strict=True):
        document: Mapping[str, object] = item.document
        try:
            if before is not None and not _is_same(before, item):
                if before.key not in places:
                    raise _not_same(before, item)
                # The file itself has its card twice, which is told so.
                before = None
            document = merged_chassis(before, item.document, terms.clear)
            record = ChassisRecord.from_document(document, where=item_name(item))
        except BootzError as error:
            applied.fault(item, _as_said(error, item, _card_serials(document)))
        else:
            entries.append(_Entry(item, record, before))
    return entries


def on_record(connection: Connection, items: Sequence[Item]) -> list[ChassisRecord | None]:
    """Return what is on record of each entry's chassis: found by its own serial number or a card's.

    One that names neither vendor nor serial number as texts is found nowhere, and refused later.
    """
    vendors = {
        name.casefold(): vendor.key
        for vendor in list_vendors(connection)
        for name in (vendor.name, *vendor.aliases)
    }
    wanted: list[list[tuple[str, int]]] = []
    for item in items:
        vendor = vendors.get(folded(item.document.get("vendor")), 0)
        wanted.append([(serial, vendor) for serial in _serials(item.document) if vendor])
    taken = taken_serials(connection, {serial for each in wanted for serial, _ in each})
    keys = [next((taken[each] for each in pairs if each in taken), 0) for pairs in wanted]
    before = chassis_by_keys(connection, sorted({key for key in keys if key}))
    return [before.get(key) for key in keys]


def _serials(document: Mapping[str, object]) -> list[str]:
    cards = document.get("cards")
    own = [folded(document.get("serial_number"))]
    if isinstance(cards, list):
        own += [folded(card.get("serial_number")) for card in cards if isinstance(card, Mapping)]
    return [serial for serial in own if serial]


def _card_serials(document: Mapping[str, object]) -> list[str]:
    """Return the serial number of each card, folded; a fixed chassis's card has the chassis's."""
    cards = document.get("cards")
    own = document.get("serial_number")
    return [
        folded(card.get("serial_number", own)) if isinstance(card, Mapping) else ""
        for card in (cards if isinstance(cards, list) else ())
    ]


def _serials_of(cards: Sequence[CardRecord]) -> list[str]:
    return [fold_serial(card.serial_number) for card in cards]


def _as_said(error: BootzError, item: Item, serials: Sequence[str]) -> BootzError:
    """Return an error with the keys as they are in the entry, whose cards are ``serials``.

    What was checked is the entry with what is on record: a card may be at another place there.
    """
    error.keys = tuple(_said_key(key, item, serials) for key in error.keys)
    return error


def _said_key(key: KeyPath, item: Item, serials: Sequence[str]) -> KeyPath:
    """Return where in an entry a key is; cards are told by number or serial number."""
    match key:
        case ("cards", int(index), *rest) if index < len(serials):
            serial, before = serials[index], serials[:index].count(serials[index])
        case ("cards", str(text), *rest):
            serial, before = fold_serial(text), 0
        case _:
            return key
    said = [at for at, each in enumerate(_card_serials(item.document)) if each == serial]
    # A fixed chassis of which the entry names no card is its own card.
    return ("cards", said[min(before, len(said) - 1)] if said else 0, *rest)


def _is_same(before: ChassisRecord, item: Item) -> bool:
    """Tell whether an entry speaks of a chassis: it has no other serial number of its own."""
    said = folded(item.document.get("serial_number"))
    own = {folded(card.serial_number) for card in before.cards}
    return said in {"", folded(before.serial_number)} or (
        not before.serial_number and said not in own
    )


def _not_same(before: ChassisRecord, item: Item) -> ConflictError:
    """Return why an entry is refused that has one chassis's serial number and a card of another.

    To take it for a new name of the other would rename a chassis for a typing error.
    """
    said = folded(item.document.get("serial_number"))
    name = before.serial_number or before.hostname
    own = {folded(card.serial_number) for card in before.cards}
    if said in own:
        return ConflictError(
            "serial-taken",
            f"this is a card of the modular chassis {name!r}: enter the serial number of the "
            "chassis, and this one as the serial number of the card",
            where=item_name(item),
            keys=(("serial_number",),),
        )
    cards = ", ".join(serial for serial in _serials(item.document) if serial in own)
    return ConflictError(
        "serial-taken",
        f"the card {cards} belongs to chassis {name!r} in the inventory; to change the serial "
        "number of that chassis, use `bootz chassis set --new-serial`",
        where=item_name(item),
        keys=[
            ("cards", at, "serial_number")
            for at, serial in enumerate(_card_serials(item.document))
            if serial in own
        ],
    )


def _follows(applied: Applied, record: ChassisRecord, flaw: BootzError) -> bool:
    """Return whether a chassis's fault would only tell that of an entry it depends on again."""
    match flaw.reason:
        case "vendor-not-found":
            return ("vendors", record.vendor.strip().casefold()) in applied.lacking
        case "profile-not-found":
            return ("profiles", (record.profile or "").strip().casefold()) in applied.lacking
        case "image-not-found":
            return applied.lacks("images")
    return False
