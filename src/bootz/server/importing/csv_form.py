"""Chassis as CSV: a row per chassis, or per card of a modular one.

Source: RFC 4180 section 2. The delimiter is the one that the first row uses. The columns of
``COLUMNS`` may be in any order; ``var:NAME`` is the variable NAME, ``label:NAME`` the label. An
empty cell says nothing. Rows of the same vendor and serial number are one chassis; later rows
repeat its values or leave them empty.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
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
from bootz.server.importing.items import MAX_FAULTS, ImportFault, Item, ReadFile
from bootz.server.importing.places import GROUPS, LABEL, VARIABLE, Cells, cells_named
from bootz.server.operations.chassis_record import PLAIN_FIELDS
from bootz.server.operations.labels import fold_key

CHASSIS_COLUMNS: Final = ("vendor", "serial_number", *PLAIN_FIELDS)
CARD_COLUMNS: Final = (
    "card_serial_number",
    "card_part_number",
    "card_slot",
    "card_kind",
    "card_mac",
    "card_client_id",
    "card_duid",
)
DHCP_COLUMNS: Final = ("dhcp_ipv4", "dhcp_ipv6", "dhcp_gateway")
COLUMNS: Final = CHASSIS_COLUMNS + CARD_COLUMNS + DHCP_COLUMNS

_FREE: Final = tuple(GROUPS)
"""How columns begin whose cells are texts of the operator's own."""

MAX_ROWS: Final = 500_000
MAX_COLUMNS: Final = 1024
_MAX_UNKNOWN: Final = 20
"""Unknown columns that are told one by one."""

_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_TRUTHS: Final = frozenset({"modular", "streaming", "skip_idevid_serial_check"})
_OTHER_NAMES: Final = {
    **dict.fromkeys(("manufacturer", "make", "maker"), "vendor"),
    **dict.fromkeys(("serial", "sn", "s/n", "serial_no", "chassis_serial"), "serial_number"),
    **dict.fromkeys(("name", "host", "router", "device", "device_name"), "hostname"),
    **dict.fromkeys(("pid", "model", "part", "pn", "part_no"), "part_number"),
    **dict.fromkeys(("mac", "mac_address", "mgmt_mac"), "card_mac"),
    **dict.fromkeys(("ip", "ipv4", "address", "ip_address", "mgmt_ip"), "dhcp_ipv4"),
    **dict.fromkeys(("ipv6", "ipv6_address"), "dhcp_ipv6"),
    **dict.fromkeys(("gateway", "gw"), "dhcp_gateway"),
    **dict.fromkeys(("slot",), "card_slot"),
    **dict.fromkeys(("client_id",), "card_client_id"),
    **dict.fromkeys(("duid",), "card_duid"),
    **{name: f"{LABEL}{name}" for name in ("site", "rack", "batch", "room", "region", "pop")},
}
"""What people call our columns: enough to ask whether they mean them, not to take them for them."""


def parse_csv(text: str, where: str) -> ReadFile:
    """Return the chassis of a table; every fault of its first row and of each cell is told.

    A fault's place is ``where`` and the row, as a spreadsheet counts rows; a cell has its name.

    Raises:
        ConfigError: ``import-file-invalid``: it has no first row that names columns.
    """
    said, table = open_table(text)
    reader = _Reader(where)
    row = 0
    try:
        for row, cells in enumerate(read_rows(table, _delimiter(said, table)), 1):
            if not any(map(strip_cell, cells)):
                continue
            if reader.header is None:
                reader.read_header(row, cells)
            else:
                reader.read_row(row, cells)
            if row > MAX_ROWS or len(reader.faults) >= MAX_FAULTS:
                reader.tell(
                    row, _invalid("reading stopped here: too many rows, or too many errors")
                )
                break
    except csv.Error as error:
        reader.tell(row + 1, _invalid(f"the row that begins here is not CSV: {error}"))
    if reader.header is None and not reader.faults:
        raise _invalid("it is empty: the first row must contain column names", "line 1")
    return reader.result()


@dataclass(frozen=True, slots=True)
class _Header:
    """``names`` has what each column is called here, empty for one that is not read.

    ``columns`` has the number of each that is, counted from 1.
    """

    names: tuple[str, ...]
    titles: tuple[str, ...]
    columns: Mapping[str, int]


@dataclass(slots=True)
class _Chassis:
    """What the rows of one chassis say; ``said`` is what the first of them says."""

    row: int
    said: Mapping[str, object]
    document: dict[str, object]
    card_rows: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Reader:
    """Reads row by row; what a row says of a chassis is added to what those before it said."""

    where: str
    header: _Header | None = None
    faults: list[ImportFault] = field(default_factory=list)
    chassis: dict[tuple[str, str], _Chassis] = field(default_factory=dict)
    spoilt: set[tuple[str, str]] = field(default_factory=set)
    """Chassis of which a row has a fault: what the others say is not the whole of it."""

    def result(self) -> ReadFile:
        """Return the chassis that were read whole."""
        columns = {} if self.header is None else self.header.columns
        return ReadFile(
            tuple(
                Item(
                    "chassis",
                    f"{self.where}:{each.row}",
                    each.document,
                    Cells(columns, each.row, tuple(each.card_rows)),
                )
                for key, each in self.chassis.items()
                if key not in self.spoilt
            ),
            tuple(self.faults),
        )

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

    def read_row(self, row: int, cells: Sequence[str]) -> None:
        """Take what a row says."""
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
            return
        if len(self.faults) == before:
            self._add(row, said, header)
        if len(self.faults) > before:
            self.spoilt.add(_key(said, row))

    def _add(self, row: int, said: Mapping[str, object], header: _Header) -> None:
        def tell(detail: str, *names: str) -> None:
            named = [(header.columns[name], name) for name in names if name in header.columns]
            self.tell(row, _invalid(detail), *named)

        document, card = _document(said)
        key = _key(said, row)
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


def column_of(title: str) -> str:
    """Return the column that a title names, in whatever case; empty if it names none."""
    prefix, colon, name = title.partition(":")
    for start in _FREE:
        if colon and f"{prefix.strip().casefold()}:" == start and name.strip():
            return f"{start}{fold_key(name) if start == LABEL else name.strip()}"
    folded = _folded(title)
    return folded if folded in _KNOWN else ""


_KNOWN: Final = frozenset(COLUMNS)


def _folded(title: str) -> str:
    return re.sub(r"[\s_-]+", "_", title.strip().casefold())


def _title(cell: str) -> str:
    try:
        return read_cell(cell, free=True)
    except ConfigError:
        return strip_cell(cell)


def meant_column(title: str) -> str:
    """Return the column that an unknown title may stand for; empty if none is like it."""
    folded = _folded(title[:64])
    if meant := _OTHER_NAMES.get(folded):
        return meant
    close = get_close_matches(folded, COLUMNS, n=1, cutoff=0.6)
    return close[0] if close else ""


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
    text = read_cell(cell, free=name.startswith(_FREE))
    if name not in _TRUTHS or not text:
        return text
    truth = _TRUTH.get(text.casefold())
    if truth is None:
        raise _invalid("is neither true nor false", seen=text[:40])
    return truth


def _key(said: Mapping[str, object], row: int) -> tuple[str, str]:
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
