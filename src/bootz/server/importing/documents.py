"""The items of a document: those of its sections, kept as texts until each has its turn."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from bootz.errors import ConfigError
from bootz.server.importing.items import SECTIONS, VERSION, ImportFault, Item, ReadFile


class PackedEntry(str):
    """An entry as JSON text, a tenth of the memory of its object; made into one when needed."""

    __slots__ = ()

    @classmethod
    def of(cls, entry: Mapping[str, object]) -> Self:
        """Return an entry as text."""
        return cls(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))


@dataclass(frozen=True, slots=True)
class PackedItems:
    """Items that are made again each time they are gone through; ``entries`` with their lines."""

    where: str
    entries: Sequence[tuple[str, int, PackedEntry]]

    def __iter__(self) -> Iterator[Item]:
        """Return the items."""
        for section, line, entry in self.entries:
            yield Item(section, f"{self.where}:{line}", json.loads(entry))


def items_of(document: object, lines: Mapping[tuple[str, int], int], where: str) -> ReadFile:
    """Return the items of a document; every fault of its form is told.

    ``lines`` has the line of each item, by section and index. Of a document whose entries are
    packed they are made one by one, so that they are never all in memory.
    """
    if document is None:
        return ReadFile(())
    if not isinstance(document, Mapping):
        return ReadFile((), (_fault(where, "is not a mapping with sections"),))
    items: list[Item] = []
    packed: list[tuple[str, int, PackedEntry]] = []
    faults: list[ImportFault] = []
    for section, entries in document.items():
        if section == "version":
            if entries != VERSION:
                faults.append(_fault(where, f"version is not {VERSION}"))
            continue
        if section not in SECTIONS:
            known = ", ".join(SECTIONS)
            faults.append(
                _fault(where, f"{section!r:.60} is not a section; the sections are {known}")
            )
            continue
        if entries is None:
            continue
        if not isinstance(entries, list):
            faults.append(_fault(where, f"{section} is not a list"))
            continue
        for index, entry in enumerate(entries):
            line = lines.get((section, index))
            place = f"{where}:{line}" if line else f"{where}: {section}[{index}]"
            if isinstance(entry, PackedEntry):
                packed.append((section, line or 0, entry))
            elif isinstance(entry, Mapping):
                items.append(Item(section, place, entry))
            else:
                faults.append(_fault(place, f"the entry of {section} is not a mapping"))
    found = PackedItems(where, packed) if packed else tuple(items)
    sections = frozenset(section for section, _, _ in packed) if packed else frozenset(SECTIONS)
    return ReadFile(found, tuple(faults), sections)


def _fault(place: str, detail: str) -> ImportFault:
    return ImportFault(place, ConfigError("import-file-invalid", detail))
