"""Chassis as CSV: a row per chassis, or per card of a modular one.

Source: RFC 4180 section 2. The delimiter is the one that the first row uses. The columns of
``COLUMNS`` may be in any order; ``var:NAME`` is the variable NAME, ``label:NAME`` the label. An
empty cell says nothing. Rows of the same vendor and serial number are one chassis; later rows
repeat its values or leave them empty.
"""

import csv
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from bootz.errors import ConfigError
from bootz.model.chassis import fold_serial
from bootz.server.importing.cells import (
    DELIMITERS,
    open_table,
    read_cell,
    read_rows,
    strip_cell,
)
from bootz.server.importing.csv_columns import (
    CARD_COLUMNS,
    COLUMNS,
    DHCP_COLUMNS,
    FREE,
    MAX_COLUMNS,
    column_of,
    meant_column,
)
from bootz.server.importing.items import MAX_FAULTS, ImportFault, Item, ReadFile
from bootz.server.importing.places import GROUPS, LABEL, VARIABLE, Cells, cells_named

MAX_ROWS: Final = 500_000
_MAX_UNKNOWN: Final = 20
"""Unknown columns that are told one by one."""

_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_TRUTHS: Final = frozenset({"modular", "streaming", "skip_idevid_serial_check"})


def parse_csv(text: str, where: str) -> ReadFile:
    """Return the chassis of a table; every fault of its first row and of each cell is told.

    A fault's place is ``where`` and the row, as a spreadsheet counts rows; a cell has its name.
    The table is gone through once for the faults, and again whenever its chassis are asked for:
    they are never all in memory.

    Raises:
        ConfigError: ``import-file-invalid``: it has no first row that names columns.
    """
    said, rows = open_table(text)
    table = _Table(where, rows, _delimiter(said, rows))
    table.count_rows()
    reader = _Reader(where, dict(table.several))
    for _ in reader.read(table.rows()):
        pass
    if reader.header is None and not reader.faults:
        raise _invalid("it is empty: the first row must contain column names", "line 1")
    return ReadFile(table, tuple(reader.faults), frozenset({"chassis"}))


@dataclass(frozen=True, slots=True)
class _Header:
    """``names`` has what each column is called here, empty for one that is not read.

    ``columns`` has the number of each that is, counted from 1.
    """

    names: tuple[str, ...]
    titles: tuple[str, ...]
    columns: Mapping[str, int]


_Key = tuple[str, str]
"""Vendor and serial number, without case; of one without a serial number, its row."""


@dataclass(slots=True)
class _Chassis:
    """What the rows of one chassis say; ``said`` is what the first of them says."""

    row: int
    said: Mapping[str, object]
    document: dict[str, object]
    card_rows: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Table:
    """A table's text. ``several`` counts the rows of each chassis that has more than one."""

    where: str
    text: str = field(repr=False)
    delimiter: str
    several: dict[int, int] = field(default_factory=dict, repr=False)

    def __iter__(self) -> Iterator[Item]:
        return _Reader(self.where, dict(self.several)).read(self.rows())

    def rows(self) -> Iterator[list[str]]:
        """Return the rows as cells."""
        return read_rows(self.text, self.delimiter)

    def count_rows(self) -> None:
        """Find the chassis that have several rows, so that all others need not wait for more."""
        reader = _Reader(self.where, {})
        seen = array("q")
        # A fault of form is told by who reads the rows.
        with suppress(csv.Error):
            for row, cells in enumerate(self.rows(), 1):
                if row > MAX_ROWS:
                    break
                if not any(map(strip_cell, cells)):
                    continue
                if reader.header is None:
                    reader.read_header(row, cells)
                else:
                    seen.append(hash(reader.key_of(cells, row)))
        for one, other in pairwise(sorted(seen)):
            if one == other:
                self.several[one] = self.several.get(one, 1) + 1


@dataclass(slots=True)
class _Reader:
    """Reads row by row; what a row says of a chassis is added to what those before it said.

    ``left`` has how many rows are to come of each chassis that has several, by the number that
    stands for its vendor and serial number.
    """

    where: str
    left: dict[int, int]
    header: _Header | None = None
    faults: list[ImportFault] = field(default_factory=list)
    chassis: dict[_Key, _Chassis] = field(default_factory=dict)
    """Those of which more rows are to come."""
    held: dict[int, dict[_Key, None]] = field(default_factory=dict)
    """Their keys; two that have the same number are returned together."""
    spoilt: set[_Key] = field(default_factory=set)
    """Chassis of which a row has a fault: what the others say is not the whole of it."""

    def read(self, rows: Iterator[list[str]]) -> Iterator[Item]:
        """Return the chassis that were read whole, and keep the faults of the others."""
        row = 0
        try:
            for row, cells in enumerate(rows, 1):
                if not any(map(strip_cell, cells)):
                    continue
                if self.header is None:
                    self.read_header(row, cells)
                elif key := self.read_row(row, cells):
                    yield from self._whole(key)
                if row > MAX_ROWS or len(self.faults) >= MAX_FAULTS:
                    self.tell(
                        row, _invalid("reading stopped here: too many rows, or too many errors")
                    )
                    break
        except csv.Error as error:
            self.tell(row + 1, _invalid(f"the row that begins here is not CSV: {error}"))
        for key in tuple(self.chassis):
            yield from self._taken(key)

    def _whole(self, key: _Key) -> Iterator[Item]:
        """Return the chassis of a row that was read, if no more rows of it are to come."""
        number = hash(key)
        rows = self.left.get(number, 1) - 1
        held = self.held.setdefault(number, {}) if number in self.left else {}
        held[key] = None
        if rows:
            self.left[number] = rows
            return
        self.left.pop(number, None)
        self.held.pop(number, None)
        for each in held:
            yield from self._taken(each)

    def _taken(self, key: _Key) -> Iterator[Item]:
        chassis = self.chassis.pop(key, None)
        if chassis is not None and key not in self.spoilt:
            columns = {} if self.header is None else self.header.columns
            cells = Cells(columns, chassis.row, tuple(chassis.card_rows))
            yield Item("chassis", f"{self.where}:{chassis.row}", chassis.document, cells)
        self.spoilt.discard(key)

    def key_of(self, cells: Sequence[str], row: int) -> _Key:
        """Return what makes rows one chassis."""
        said: dict[str, object] = {}
        for name in ("vendor", "serial_number"):
            column = 0 if self.header is None else self.header.columns.get(name, 0)
            if 0 < column <= len(cells):
                with suppress(ConfigError):
                    said[name] = _value(name, cells[column - 1])
        return _key(said, row)

    def tell(self, row: int, error: ConfigError, *columns: tuple[int, str]) -> None:
        """Keep a fault with its row, and with its cells: numbers and titles of their columns."""
        if columns:
            where = cells_named(row, columns)
            error = ConfigError(
                error.reason, error.detail, where=where, expected=error.expected, seen=error.seen
            )
        self.faults.append(ImportFault(f"{self.where}:{row}", error))

    def read_header(self, row: int, cells: Sequence[str]) -> None:
        """Take the names of the columns; those that are unknown are told, and not read."""
        titles = [_title(cell) for cell in cells]
        while titles and not titles[-1]:
            titles.pop()
        if len(titles) > MAX_COLUMNS:
            self.tell(row, _invalid(f"it has over {MAX_COLUMNS} columns"))
            titles = titles[:MAX_COLUMNS]
        names: list[str] = []
        seen: set[str] = set()
        unknown = 0
        for column, title in enumerate(titles, 1):
            name = column_of(title)
            if title and not name:
                unknown += 1
                if unknown <= _MAX_UNKNOWN:
                    self.tell(row, _unknown(title), (column, title))
            elif name and name in seen:
                self.tell(row, _invalid(f"the column {name} appears twice"), (column, title))
                name = ""
            seen.add(name)
            names.append(name)
        if unknown > _MAX_UNKNOWN:
            self.tell(row, _invalid(f"{unknown - _MAX_UNKNOWN} more columns are unknown"))
        if unknown and len(seen - {""}) == 0:
            self.tell(
                row,
                _invalid(
                    "the first row must contain column names, with comma, semicolon or tab between "
                    "them: "
                    f"{', '.join(COLUMNS)}, {VARIABLE}NAME, {LABEL}NAME"
                ),
            )
        elif "vendor" not in seen:
            self.tell(row, _invalid("the column vendor is missing"))
        elif not {"serial_number", "card_serial_number"}.intersection(seen):
            self.tell(row, _invalid("the column serial_number is missing"))
        columns = {name: column for column, name in enumerate(names, 1) if name}
        self.header = _Header(tuple(names), tuple(titles), columns)

    def read_row(self, row: int, cells: Sequence[str]) -> _Key | None:
        """Take what a row says, and return of which chassis; None if no column tells that."""
        header = self.header
        if header is None:
            raise RuntimeError("the first row names the columns")
        before = len(self.faults)
        said: dict[str, object] = {}
        width = len(header.names)
        if len(cells) < width:
            self.tell(row, _short(cells, width), (len(cells) + 1, header.titles[len(cells)]))
        for column, (name, cell) in enumerate(zip(header.names, cells, strict=False), 1):
            try:
                if name:
                    if (value := _value(name, cell)) != "":
                        said[name] = value
                elif not header.titles[column - 1] and strip_cell(cell):
                    raise _invalid("this column has no name in the first row")
            except ConfigError as error:
                self.tell(row, error, (column, name))
        beyond = next((at for at in range(width, len(cells)) if strip_cell(cells[at])), None)
        if beyond is not None:
            self.tell(row, _invalid("this column has no name in the first row"), (beyond + 1, ""))
        if not {"serial_number", "card_serial_number"}.intersection(header.names):
            return None
        key = _key(said, row)
        if len(self.faults) == before:
            self._add(row, said, header, key)
        if len(self.faults) > before:
            self.spoilt.add(key)
        return key

    def _add(self, row: int, said: Mapping[str, object], header: _Header, key: _Key) -> None:
        def tell(detail: str, *names: str) -> None:
            named = [(header.columns[name], name) for name in names if name in header.columns]
            self.tell(row, _invalid(detail), *named)

        document, card = _document(said)
        if key not in self.chassis:
            self.chassis[key] = _Chassis(row, said, document)
            if card:
                document["cards"] = [card]
                self.chassis[key].card_rows.append(row)
            return
        first = self.chassis[key]
        own = {"vendor", "serial_number", *CARD_COLUMNS}
        odd = [name for name in said if name not in own and first.said.get(name) != said[name]]
        if odd:
            tell(f"contradicts row {first.row} of the chassis: {', '.join(odd)}", *odd)
            return
        cards = first.document.setdefault("cards", [])
        if not card or not isinstance(cards, list):
            tell(
                f"the chassis appears in row {first.row} too, and this row has no card",
                "serial_number",
            )
            return
        cards.append(card)
        first.card_rows.append(row)


def _title(cell: str) -> str:
    try:
        return read_cell(cell, free=True)
    except ConfigError:
        return strip_cell(cell)


def _unknown(title: str) -> ConfigError:
    meant = meant_column(title)
    own = f"a label's column is named {LABEL}NAME, a variable's {VARIABLE}NAME"
    words = f"did you mean {meant}?" if meant else own
    return _invalid(f"{title[:64]!r} is not a known column; {words}")


def _short(cells: Sequence[str], width: int) -> ConfigError:
    other = next((mark for mark in DELIMITERS if len(cells) == 1 and mark in cells[0]), "")
    words = f"; its cells are separated by {'tab' if other == chr(9) else other}" if other else ""
    return _invalid(
        f"the row does not have as many cells as the first row{words}",
        expected=str(width),
        seen=str(len(cells)),
    )


def _delimiter(said: str, table: str) -> str:
    """Return the delimiter: the one that is said, else that which gives most known columns."""
    if said in DELIMITERS:
        return said

    def known(delimiter: str) -> tuple[int, bool]:
        try:
            for cells in read_rows(table, delimiter):
                if any(map(strip_cell, cells)):
                    names = [column_of(_title(cell)) for cell in cells[:MAX_COLUMNS]]
                    return sum(map(bool, names)), len(cells) > 1
        except csv.Error:
            return -1, False
        return 0, False

    return max(DELIMITERS, key=known)


def _value(name: str, cell: str) -> object:
    """Return what a cell says; an empty text says nothing."""
    text = read_cell(cell, free=name.startswith(FREE))
    if name not in _TRUTHS or not text:
        return text
    truth = _TRUTH.get(text.casefold())
    if truth is None:
        raise _invalid("is neither true nor false", seen=text[:40])
    return truth


def _key(said: Mapping[str, object], row: int) -> _Key:
    """Return what makes rows one chassis; one without a serial number of its own is one row."""
    serial = fold_serial(str(said.get("serial_number", "")))
    return str(said.get("vendor", "")).casefold(), serial or f"\n{row}"


def _document(said: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Return what a row says of its chassis, and of the card."""
    document: dict[str, object] = {}
    card: dict[str, object] = {}
    for name, value in said.items():
        if name in CARD_COLUMNS:
            card[name.removeprefix("card_")] = value
        elif name in DHCP_COLUMNS:
            _inner(document, "dhcp")[name.removeprefix("dhcp_")] = value
        elif ":" in name:
            start, _, key = name.partition(":")
            _inner(document, GROUPS[f"{start}:"])[key] = value
        else:
            document[name] = value
    return document, card


def _inner(document: dict[str, object], key: str) -> dict[str, object]:
    inner = document.setdefault(key, {})
    if not isinstance(inner, dict):
        raise TypeError("a column has the name of a group of columns")
    return inner


def _invalid(detail: str, where: str = "", *, expected: str = "", seen: str = "") -> ConfigError:
    return ConfigError("import-file-invalid", detail, where=where, expected=expected, seen=seen)
