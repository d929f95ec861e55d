"""What a file of an import holds: items of sections, each with its place in the file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain
from typing import Final

from bootz.errors import BootzError, KeyPath
from bootz.server.importing.places import Cells

MAX_FILE_BYTES: Final = 256 << 20
MAX_DEPTH: Final = 64
"""Levels of nesting in a document."""

MAX_INNER_DEPTH: Final = MAX_DEPTH - 4
"""Of one that will stand inside another when it is exported, as a chassis's overrides do."""

MAX_DIGITS: Final = 300
"""Digits of a whole number, its sign among them."""

MAX_FAULTS: Final = 1000
"""Faults that are told; a file with more is wrong as a whole."""

VERSION: Final = 1
"""The form of the document; stands under ``version``."""

SECTIONS: Final = ("vendors", "images", "profiles", "chassis", "vouchers")
"""In the order in which one needs the other."""


class FileForm(Enum):
    """The forms of a file; the reference's configuration is another thing (``reference``)."""

    YAML = "yaml"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class ImportFault:
    """What is wrong, and where in which file."""

    place: str
    error: BootzError


@dataclass(frozen=True, slots=True)
class Item:
    """One entry: ``place`` is file and line, for a person; ``cells`` are those of a table."""

    section: str
    place: str
    document: Mapping[str, object] = field(repr=False)
    cells: Cells | None = field(default=None, repr=False)

    def fault(self, error: BootzError) -> ImportFault:
        """Return an error with its place: of a table, the row and the cells that do not fit."""
        if self.cells is None:
            return ImportFault(self.place, error)
        row, cells = self.cells.of(self.document, error.keys)
        where = ", ".join(filter(None, (cells, error.where)))
        told = type(error)(
            error.reason, error.detail, where=where, expected=error.expected, seen=error.seen
        )
        return ImportFault(f"{self.place.rpartition(':')[0]}:{row}", told)

    def place_of(self, key: KeyPath) -> str:
        """Return the place of a value: with its cell, where a table says it."""
        cell = "" if self.cells is None else self.cells.said(self.document, key)
        return f"{self.place}, cell {cell}" if cell else self.place


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that was read; with faults it holds no items that could be applied.

    ``items`` may be gone through several times; those of a table are made again each time, so that
    they are never all in memory. ``sections`` are those that they can be of.
    """

    items: Iterable[Item]
    faults: tuple[ImportFault, ...] = ()
    sections: frozenset[str] = frozenset(SECTIONS)


@dataclass(frozen=True, slots=True)
class SectionItems:
    """The items of one section in some files, in their order, as often as they are asked for."""

    section: str
    files: Sequence[ReadFile]

    def __iter__(self) -> Iterator[Item]:
        """Return the items."""
        read = (file.items for file in self.files if self.section in file.sections)
        return (item for item in chain.from_iterable(read) if item.section == self.section)
