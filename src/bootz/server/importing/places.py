"""Where in a table the values of one chassis stand: row and column become a cell, here alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bootz.errors import KeyPath
from bootz.server.importing.cells import cell_name

_SHOWN: Final = 6
"""Cells that are named of an error; more of them would not help anyone."""

VARIABLE: Final = "var:"
LABEL: Final = "label:"
GROUPS: Final = {VARIABLE: "variables", LABEL: "labels"}
"""How columns begin that name one of many, and under which key of a document those stand."""

_STARTS: Final = {"dhcp": "dhcp_"} | {key: start for start, key in GROUPS.items()}


def cells_named(row: int, columns: Sequence[tuple[int, str]]) -> str:
    """Return words for cells of a row, each with its column's number and title."""
    named = [
        cell_name(row, column) + (f" ({title[:64]})" if title else "")
        for column, title in columns[:_SHOWN]
    ]
    more = f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
    return f"cell{'s' * (len(columns) > 1)} {', '.join(named)}{more}"


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one chassis: ``columns`` of its table by name, the row that speaks of it first,
    and the row of each of its cards.
    """

    columns: Mapping[str, int]
    row: int
    card_rows: Sequence[int] = ()

    def of(self, document: Mapping[str, object], keys: Sequence[KeyPath]) -> tuple[int, str]:
        """Return the row and the cells where keys of a chassis's document are.

        What a document lacks altogether is told at the serial number, which says whose row it is.
        """
        found = list(dict.fromkeys(filter(None, (self._at(document, key) for key in keys))))
        if not found:
            own = next(
                (name for name in ("serial_number", "card_serial_number") if name in self.columns),
                "",
            )
            found = [(self.row, own)] if own else []
        if not found:
            return self.row, ""
        row = found[0][0]
        return row, cells_named(
            row, [(self.columns[name], name) for at, name in found if at == row]
        )

    def said(self, document: Mapping[str, object], key: KeyPath) -> str:
        """Return the cell that says a key, empty if none does."""
        at = self._at(document, key)
        return (
            "" if at is None or not _says(document, key) else cell_name(at[0], self.columns[at[1]])
        )

    def _at(self, document: Mapping[str, object], key: KeyPath) -> tuple[int, str] | None:
        """Return row and column of a key, None if the table has no column for it."""
        match key:
            case ("cards", int(index), str(name), *_):
                column = f"card_{name}"
                row = self.card_rows[index] if index < len(self.card_rows) else self.row
                if not _says(document, key) and name in self.columns:
                    # A fixed chassis is its own card.
                    column, row = name, self.row
            case (str(group), str(name), *_) if group in _STARTS:
                column, row = f"{_STARTS[group]}{name}", self.row
            case (str(column), *_):
                row = self.row
            case _:
                return None
        return (row, column) if column in self.columns else None


def _says(document: object, key: KeyPath) -> bool:
    """Return whether a document has something at a key."""
    for step in key:
        match document, step:
            case Mapping(), _ if step in document:
                document = document[step]
            case list(), int() if step < len(document):
                document = document[step]
            case _:
                return False
    return True
