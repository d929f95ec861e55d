"""Cells of a table as spreadsheets write them: read where that is certain, else refused.

A text is protected by an apostrophe (``'0019``) or a formula (``="0020"``). Without protection a
spreadsheet changes it: long numbers lose digits (``4.09E+11``), slots become dates (``2-Jan``).
Such a cell cannot be read back. ``write_cell`` protects what ``read_cell`` would read otherwise.
Source: docs/operator.md, "CSV".
"""

import csv
import re
from collections.abc import Iterator
from typing import Final

from bootz.errors import ConfigError

DELIMITERS: Final = (",", ";", "\t", "|")

_INVISIBLE: Final = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060\u00ad"
_SEPARATOR: Final = re.compile(r'"?sep=(.)"?[,;\t]*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
_GUARD: Final = re.compile(r'="((?:[^"]|"")*)"', re.DOTALL)
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_NUMBER: Final = re.compile(r"[-+]?[0-9][-+0-9.,:/Ee ]*")
_FORMULA_ERROR: Final = re.compile(
    r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|#+)", re.IGNORECASE
)
_SHORTENED: Final = re.compile(r"[-+]?[0-9](?:[.,][0-9]+)?E[-+][0-9]{1,3}", re.IGNORECASE)
_MONTH: Final = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DATE: Final = re.compile(
    rf"[0-9]{{1,2}}-{_MONTH}(?:-[0-9]{{2,4}})?|{_MONTH}-[0-9]{{2,4}}"
    r"|[0-9]{1,2}/[0-9]{1,2}/(?:19|20)[0-9]{2}"
    r"|(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}(?: 00:00:00)?"
)


def cell_name(row: int, column: int) -> str:
    """Return a cell's name in a spreadsheet; both numbers begin with 1."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


def read_cell(cell: str, *, free: bool) -> str:
    """Return the text that a cell stands for; empty for an empty one.

    Args:
        cell: as it is in the file.
        free: any text may stand here, so that dates and apostrophes are what they are.

    Raises:
        ConfigError: ``import-cell-unreadable``: a spreadsheet has changed it.
    """
    if cell.isalnum() and cell.isascii():
        return cell
    text = strip_cell(cell)
    if guarded := _GUARD.fullmatch(text):
        return guarded[1].replace('""', '"')
    text = strip_cell(text.replace("\u00a0", " "))
    if text.startswith("'") and (not free or _NUMBER.fullmatch(text[1:])):
        return strip_cell(text[1:])
    if text.startswith("="):
        raise _unreadable("it contains a formula, not a value")
    if _FORMULA_ERROR.fullmatch(text):
        raise _unreadable(f"it contains a spreadsheet error, {text[:10]}")
    if _SHORTENED.fullmatch(text):
        raise _unreadable(
            f"a spreadsheet has shortened a number to {text}; the other digits are lost"
        )
    if not free and _DATE.fullmatch(text):
        raise _unreadable(f"a spreadsheet has changed it to a date, {text}")
    return text


def write_cell(text: str, *, free: bool) -> str:
    """Return a cell that ``read_cell`` reads as this text."""
    try:
        # Python's csv before 3.13 puts no quotes around a carriage return where rows end with "\n",
        # and the cell would end there; around quotes it does.
        same = read_cell(text, free=free) == text and "\r" not in text
    except ConfigError:
        same = False
    return text if same else '="{}"'.format(text.replace('"', '""'))


def strip_cell(text: str) -> str:
    """Return a text without blanks and marks at its ends that nothing shows."""
    before = ""
    while before != text:
        before, text = text, text.strip().strip(_INVISIBLE)
    return text


def open_table(text: str) -> tuple[str, str]:
    """Return a table's delimiter, as far as its file says it, and the table itself.

    A first line ``sep=;`` is for the spreadsheet alone, which does not count it as a row.
    """
    said = _SEPARATOR.match(text)
    return (said[1], text[said.end() :]) if said else ("", text)


def read_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Return the rows of a table; a spreadsheet counts them as they come, empty ones too.

    Raises:
        csv.Error: a quote is not closed, or closed in the midst of a cell.
    """
    lines = (line[0] for line in _LINE.finditer(text))
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _unreadable(detail: str) -> ConfigError:
    return ConfigError("import-cell-unreadable", detail)
