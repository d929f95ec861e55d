"""Chassis as CSV: a row per chassis, or per card of a modular one.

Source: RFC 4180 section 2, in UTF-8. The columns of ``COLUMNS`` may stand in any order;
``var:NAME`` is the variable NAME. An empty cell says nothing. Rows of the same
vendor and serial number are one chassis, of which later rows repeat the words or leave them empty.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bootz.errors import ConfigError
from bootz.server.importing.items import Fault, Item, ReadFile
from bootz.server.operations.chassis_record import PLAIN_FIELDS

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

VARIABLE: Final = "var:"
_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_TRUTHS: Final = frozenset({"modular", "streaming", "skip_idevid_serial_check"})


def parse_csv(text: str, where: str) -> ReadFile:
    """Return the chassis of a table; every fault of a row is told.

    Raises:
        ConfigError: ``import-file-invalid``; not CSV, or its first row is not right.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    faults: list[Fault] = []
    chassis: dict[tuple[str, str], tuple[str, dict[str, object]]] = {}
    try:
        header = _header(next(reader, []))
        for line, row in _numbered(reader):
            place = f"{where}:{line}"
            try:
                _add(chassis, _cells(header, row), place)
            except ConfigError as error:
                faults.append(Fault(place, error))
    except csv.Error as error:
        raise _invalid(f"is not CSV: {error}", f"line {reader.line_num}") from None
    items = tuple(Item("chassis", place, document) for place, document in chassis.values())
    return ReadFile(items, tuple(faults))


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Return each row that is not empty with the line on which it begins."""
    line = getattr(reader, "line_num", 0) + 1
    for row in reader:
        if any(cell.strip() for cell in row):
            yield line, row
        line = getattr(reader, "line_num", 0) + 1


def _header(names: Sequence[str]) -> list[str]:
    header = [name.strip() for name in names]
    unknown = [
        name
        for name in header
        if name not in COLUMNS and not (name.startswith(VARIABLE) and name != VARIABLE)
    ]
    if not header or unknown:
        raise _invalid(
            f"the first row must contain column names: {', '.join(COLUMNS)}, {VARIABLE}NAME",
            "line 1",
            seen=", ".join(unknown)[:200],
        )
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise _invalid(f"columns appear twice: {', '.join(doubled)}", "line 1")
    if "vendor" not in header:
        raise _invalid("the column vendor is missing", "line 1")
    if not {"serial_number", "card_serial_number"}.intersection(header):
        raise _invalid("the column serial_number is missing", "line 1")
    return header


def _cells(header: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    if len(row) != len(header):
        raise _invalid(
            "the row does not have as many cells as the first row",
            expected=str(len(header)),
            seen=str(len(row)),
        )
    return {name: cell.strip() for name, cell in zip(header, row, strict=True) if cell.strip()}


def _add(
    chassis: dict[tuple[str, str], tuple[str, dict[str, object]]],
    cells: Mapping[str, str],
    place: str,
) -> None:
    document = _chassis(cells)
    dhcp = {name.removeprefix("dhcp_"): cells[name] for name in DHCP_COLUMNS if name in cells}
    if dhcp:
        document["dhcp"] = dhcp
    card = {name.removeprefix("card_"): cells[name] for name in CARD_COLUMNS if name in cells}
    serial = str(document.get("serial_number", ""))
    if card and "serial_number" not in card:
        # A fixed chassis is its own card.
        card["serial_number"] = serial
        if "part_number" in document:
            card.setdefault("part_number", str(document["part_number"]))
    # A chassis without a serial number of its own is one row.
    key = (str(document.get("vendor", "")).casefold(), serial.casefold() or place)
    if key not in chassis:
        if card:
            document["cards"] = [card]
        chassis[key] = (place, document)
        return
    before = chassis[key][1]
    odd = [name for name, value in document.items() if before.get(name) != value]
    odd = [name for name in odd if name not in {"vendor", "serial_number"}]
    if odd:
        raise _invalid(f"contradicts the first row of the chassis: {', '.join(odd)}")
    cards = before.setdefault("cards", [])
    if not card or not isinstance(cards, list):
        raise _invalid("the chassis appears twice, and this row has no card")
    cards.append(card)


def _chassis(cells: Mapping[str, str]) -> dict[str, object]:
    document: dict[str, object] = {}
    variables: dict[str, object] = {}
    for name, cell in cells.items():
        if name in _TRUTHS:
            truth = _TRUTH.get(cell.lower())
            if truth is None:
                raise _invalid(f"{name} is neither true nor false")
            document[name] = truth
        elif name in CHASSIS_COLUMNS:
            document[name] = cell
        elif name.startswith(VARIABLE):
            variables[name.removeprefix(VARIABLE)] = cell
    if variables:
        document["variables"] = variables
    return document


def _invalid(detail: str, where: str = "", *, expected: str = "", seen: str = "") -> ConfigError:
    return ConfigError("import-file-invalid", detail, where=where, expected=expected, seen=seen)
