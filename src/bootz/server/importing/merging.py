"""What a file's entry makes of one on record: what it does not name stays.

A key that is absent leaves what is on record, ``null`` takes it off, an object is merged key by
key, and a list takes the place of the one before. Cards are merged by their serial numbers, and
stay where the file does not list them. Source: RFC 7396 section 2, but for the cards.
"""

from collections.abc import Collection, Mapping
from typing import Final

from bootz.model.chassis import fold_serial
from bootz.server.importing.csv_columns import CARD_COLUMNS, DHCP_COLUMNS, column_of
from bootz.server.importing.places import GROUPS
from bootz.server.operations.chassis_record import PLAIN_FIELDS, ChassisRecord

Document = Mapping[str, object]

_INNER: Final = frozenset({*GROUPS.values(), "overrides", "dhcp"})
"""Keys of a chassis's document that are merged key by key."""
CLEARED: Final = (*PLAIN_FIELDS, *sorted(_INNER), "cards", *DHCP_COLUMNS, *CARD_COLUMNS[1:])
"""What ``--clear`` can name, with ``overrides.KEY``, ``var:NAME`` and ``label:NAME``."""


def cleared_column(text: str) -> str:
    """Return what is cleared by a name that a person wrote; empty if it names nothing."""
    column = column_of(text)
    if column in CLEARED or column.startswith(tuple(GROUPS)):
        return column
    folded = text.strip()
    start, dot, key = folded.partition(".")
    if folded in CLEARED or (start == "overrides" and dot and key):
        return folded
    return ""


def merged(before: Document, said: Document, inner: Collection[str] = ()) -> dict[str, object]:
    """Return a document with what an entry says of it; ``inner`` are merged key by key."""
    after = dict(before)
    for key, value in said.items():
        if key in inner and isinstance(value, Mapping):
            kept = after.get(key)
            after[key] = merged(kept if isinstance(kept, Mapping) else {}, value)
        elif value is None:
            after.pop(key, None)
        else:
            after[key] = value
    return after


def merged_chassis(
    before: ChassisRecord | None, said: Document, clear: Collection[str] = ()
) -> dict[str, object]:
    """Return the document of a chassis after an entry.

    Args:
        before: what is on record; None for a new one.
        said: the entry.
        clear: columns of which what is on record goes where the entry says nothing.
    """
    base: dict[str, object] = {} if before is None else dict(before.to_document())
    base.pop("cards", None)
    said = dict(_with_removals(base, said, clear))
    cards = said.pop("cards", ())
    if before is not None:
        # Spelt as it is on record: another spelling changes nothing.
        said.pop("vendor", None)
        if folded(said.get("serial_number")) == fold_serial(before.serial_number):
            said.pop("serial_number", None)
    after = merged(base, said, _INNER)
    if not isinstance(cards, list | tuple | None):
        return after | {"cards": cards}
    kept = [] if before is None or cards is None else _kept_cards(before, after)
    if "cards" in clear:
        named = {_serial(card, after) for card in cards or () if isinstance(card, Mapping)}
        kept = [card for card in kept if _serial(card, after) in named]
    joined = _merged_cards(kept, cards or (), after)
    return after | {"cards": joined} if joined else after


def folded(serial: object) -> str:
    """Return a serial number as numbers are compared; empty for what is not a text."""
    return fold_serial(serial) if isinstance(serial, str) else ""


def _kept_cards(before: ChassisRecord, after: Document) -> list[dict[str, object]]:
    modular = after.get("modular", False)
    if modular and not before.modular:
        # What a fixed chassis has as its card is itself, and no card of a chassis with slots.
        return []
    documents: list[dict[str, object]] = [dict(card.to_document()) for card in before.cards]
    if not modular and before.cards[0].part_number == before.part_number:
        documents[0].pop("part_number", None)
        documents[0] |= _own_part(after)
    return documents


def _merged_cards(
    kept: list[dict[str, object]], said: Collection[object], after: Document
) -> list[object]:
    cards: list[object] = list(kept)
    places = {_serial(card, after): place for place, card in enumerate(kept)}
    for card in said:
        if not isinstance(card, Mapping):
            cards.append(card)
            continue
        place = places.get(_serial(card, after))
        if place is not None:
            known = dict(kept[place])
            cards[place] = merged(known, card, {"tpm"}) | {"serial_number": known["serial_number"]}
            # Said a second time, it is a second card, which is told as such.
            del places[_serial(card, after)]
            continue
        fresh = merged({}, card, {"tpm"})
        if not after.get("modular", False):
            # A fixed chassis is its own card.
            fresh = {"serial_number": after.get("serial_number", "")} | _own_part(after) | fresh
        cards.append(fresh)
    return cards


def _serial(card: Document, after: Document) -> str:
    own = "" if after.get("modular", False) else after.get("serial_number")
    return folded(card.get("serial_number", own))


def _own_part(after: Document) -> dict[str, object]:
    return {"part_number": after["part_number"]} if "part_number" in after else {}


def _with_removals(base: Document, said: Document, clear: Collection[str]) -> Document:
    """Return an entry that says ``null`` for each column that is cleared and that it lacks."""
    after = dict(said)
    for column in clear:
        group, key = _group(column)
        if group == "cards":
            modular = after.get("modular", base.get("modular", False))
            cards = after.get("cards", [] if modular else [{}])
            if isinstance(cards, list):
                after["cards"] = [
                    {key: None, **card} if isinstance(card, Mapping) else card for card in cards
                ]
        elif group:
            inner = after.get(group, {})
            if isinstance(inner, Mapping):
                after[group] = {key: None, **inner}
        elif column in _INNER:
            inner, kept = after.get(column, {}), base.get(column)
            if isinstance(inner, Mapping) and isinstance(kept, Mapping):
                after[column] = {**dict.fromkeys(kept), **inner}
        elif column != "cards":
            after.setdefault(column, None)
    return after


def _group(column: str) -> tuple[str, str]:
    """Return under which key of a document a column stands, and by what name there."""
    if column in DHCP_COLUMNS:
        return "dhcp", column.removeprefix("dhcp_")
    if column in CARD_COLUMNS:
        return "cards", column.removeprefix("card_")
    for start, group in GROUPS.items():
        if column.startswith(start):
            return group, column.removeprefix(start)
    if column.startswith("overrides."):
        return "overrides", column.removeprefix("overrides.")
    return "", column
