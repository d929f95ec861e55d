"""The serial numbers of a purchase order: a list, one on a line, or a table of a spreadsheet."""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bootz.errors import ConfigError
from bootz.server.importing.cells import (
    DELIMITERS,
    cell_name,
    open_table,
    read_cell,
    read_rows,
    strip_cell,
)
from bootz.server.importing.csv_columns import column_of, meant_column
from bootz.server.importing.files import read_text

_COMMENT: Final = ("#", "!", "//")
_HEAD: Final = 20
"""Rows among which the titles are looked for."""

_REMARK: Final = re.compile(r"\s+(?:#|!|//).*")
_SERIAL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:/+-]{0,62}[A-Za-z0-9])?")
_DIGIT: Final = re.compile("[0-9]")

_Rows = Sequence[tuple[int, list[str]]]


def read_purchase_order(path: Path, column: str | None) -> list[str]:
    """Return the serial numbers in a file; empty lines and comments (``#``) count for nothing.

    A comment may stand behind a serial number too.

    ``column`` names the column; None: the one whose title means serial number, or the only one.

    Raises:
        ConfigError: ``purchase-order-invalid``: no such column, or a cell that is not a serial
            number; ``import-cell-unreadable``: a spreadsheet has spoilt it.
        Unavailable: the file cannot be read.
    """
    said, table = open_table(read_text(path))
    marks = (said,) if said in DELIMITERS else DELIMITERS
    tried: list[_Rows] = []
    flaws: list[csv.Error] = []
    for mark in marks:
        # A table whose cells are all quoted cannot be read with another delimiter than its own.
        try:
            tried.append(_rows(table, mark))
        except csv.Error as error:
            flaws.append(error)
    chosen = next((rows for rows in tried if _title(rows, column) is not None), None)
    if chosen is None and flaws and max(map(_width, tried), default=0) < 2:
        raise _invalid(f"it is not CSV: {flaws[0]}", str(path)) from flaws[0]
    rows = chosen if chosen is not None else max(tried, key=_width)
    title = _title(rows, column)
    if title is None and (column is not None or _width(rows) > 1):
        titles = ", ".join(rows[0][1])[:200] if rows else ""
        raise _invalid(
            f"none of the first {_HEAD} rows has a column with that title"
            if column is not None
            else "no column is titled as serial numbers are; name it: --column",
            str(path),
            expected=column or "serial number",
            seen=titles or "nothing",
        )
    head, at = title or (-1, 0)
    return [_serial(path, row, cells, at) for row, cells in rows[head + 1 :]]


def _rows(table: str, mark: str) -> _Rows:
    """Return the rows that say something, with their numbers.

    Raises:
        csv.Error: a quote is not closed, or closed in the midst of a cell.
    """

    def kept() -> Iterator[tuple[int, list[str]]]:
        for row, cells in enumerate(read_rows(table, mark), 1):
            said = [strip_cell(cell) for cell in cells]
            if any(said) and not said[0].startswith(_COMMENT):
                yield row, cells

    return list(kept())


def _width(rows: _Rows) -> int:
    return len(rows[0][1]) if rows else 0


def _title(rows: _Rows, column: str | None) -> tuple[int, int] | None:
    """Return the row and the column of the title, None if there is none.

    A purchase order may have some rows with its number and date above the titles.
    """
    for head, (_, cells) in enumerate(rows[:_HEAD]):
        for at, cell in enumerate(cells):
            title = strip_cell(cell).strip("\"'")
            if column is not None:
                if title.casefold() == column.strip().casefold():
                    return head, at
            elif column_of(title) == "serial_number" or _means_serial(title):
                return head, at
    return None


def _means_serial(title: str) -> bool:
    # A serial number itself has digits, and is not the title of its column.
    return not _DIGIT.search(title) and meant_column(title) == "serial_number"


def _serial(path: Path, row: int, cells: Sequence[str], at: int) -> str:
    where = f"{path} {cell_name(row, at + 1)}"
    text = _REMARK.sub("", cells[at]) if at < len(cells) else ""
    try:
        serial = read_cell(text, free=False)
    except ConfigError as error:
        raise ConfigError(
            error.reason, error.detail, where=where, expected=error.expected, seen=error.seen
        ) from error
    if not _SERIAL.fullmatch(serial) or not _DIGIT.search(serial):
        raise _invalid(
            "this is not a serial number",
            where,
            expected="1 to 64 letters, digits and . _ : / + -, with a digit",
            seen=repr(serial[:80]),
        )
    return serial


def _invalid(detail: str, where: str, *, expected: str = "", seen: str = "") -> ConfigError:
    return ConfigError("purchase-order-invalid", detail, where=where, expected=expected, seen=seen)
