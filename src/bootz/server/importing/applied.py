"""What an import goes by, and what it did; shared by its sections."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bootz.errors import BootzError, ConflictError
from bootz.server.importing.differences import Action, Document, EntryChange, differences, differing
from bootz.server.importing.items import MAX_FAULTS, ImportFault, Item

MAX_CHANGES: Final = 10_000
"""Changes that are listed; of the others their number is told."""
MAX_WARNINGS: Final = 1000
"""Warnings that are told; of the others their number is."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an import goes by.

    ``update`` takes over what differs from the record, ``always`` in these sections whatever
    ``update`` says. ``clear`` names columns of chassis of which what is on record goes where the
    file says nothing. ``has_image`` tells whether the image store holds a file of this SHA-256.
    ``pinned_domain_cert`` is DER.
    """

    now: datetime
    pinned_domain_cert: bytes = field(repr=False)
    has_image: Callable[[str], bool]
    update: bool = False
    always: frozenset[str] = frozenset()
    clear: frozenset[str] = frozenset()


@dataclass(slots=True)
class Applied:
    """What an import did, or would do; with faults it must be undone.

    ``changes`` are the first of those that change something.
    """

    changes: list[EntryChange] = field(default_factory=list)
    faults: list[ImportFault] = field(default_factory=list)
    lacking: set[tuple[str, str]] = field(default_factory=set)
    """Section and name, without case, of entries with a fault: others may depend on them."""
    warnings: list[str] = field(default_factory=list)
    _counts: Counter[tuple[str, Action]] = field(default_factory=Counter)
    _warned: int = 0

    def count(self, action: Action) -> int:
        """Return how many entries have this fate."""
        return sum(count for (_, fate), count in self._counts.items() if fate is action)

    @property
    def left_out(self) -> int:
        """How many changes are not listed."""
        return self.count(Action.ADD) + self.count(Action.UPDATE) - len(self.changes)

    @property
    def changed(self) -> frozenset[str]:
        """The sections of which an entry is added or updated."""
        return frozenset(section for section, fate in self._counts if fate is not Action.SAME)

    def change(self, change: EntryChange) -> None:
        """Count what becomes of an entry, and list it up to a bound."""
        self._counts[change.section, change.action] += 1
        if change.action is not Action.SAME and len(self.changes) < MAX_CHANGES:
            self.changes.append(change)

    def warn(self, warnings: Iterable[str]) -> None:
        """Keep warnings, up to a bound."""
        for warning in warnings:
            self._warned += 1
            if self._warned <= MAX_WARNINGS:
                self.warnings.append(warning)
            else:
                more = self._warned - MAX_WARNINGS
                self.warnings[MAX_WARNINGS:] = [f"{more} more warnings are not listed"]

    def fault(self, item: Item, error: BootzError) -> None:
        """Keep what is wrong with an entry, up to a bound."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(item.fault(error))

    def lacks(self, section: str) -> bool:
        """Return whether an entry of a section has a fault."""
        return any(section == each for each, _ in self.lacking)


def updated(
    section: str, name: str, before: Document, after: Document, terms: Terms
) -> EntryChange:
    """Return the change of something on record.

    Raises:
        ConflictError: ``import-differs``: updating was not asked for.
    """
    changes = tuple(differences(before, after))
    if not terms.update and section not in terms.always:
        keys = list(differing(before, after))
        raise ConflictError("import-differs", "; ".join(changes)[:500], where=name, keys=keys)
    return EntryChange(section, name, Action.UPDATE, changes)


def once(seen: dict[int, str], key: int, place: str, name: str) -> None:
    """Note that a file speaks of something on record.

    Raises:
        ConflictError: ``import-twice``: it does so at another place too.
    """
    if key in seen:
        raise ConflictError("import-twice", f"appears at {seen[key]} too", where=name)
    seen[key] = place


def item_name(item: Item) -> str:
    """Return what a person calls an entry, bounded."""
    for key in ("name", "serial_number"):
        text = item.document.get(key)
        if isinstance(text, str) and text.strip():
            # "chassis" is its own singular.
            one = item.section if item.section == "chassis" else item.section.removesuffix("s")
            return f"{one} {text.strip()[:64]!r}"
    return item.section
