"""Writing an inventory so that an import reads it back: YAML and JSON whole, CSV its chassis.

Images are written by name and digest, vouchers as base64: those that pin this site's certificate
and are not past their end. Texts come in pieces, so that an inventory of any size fits.
"""

import base64
import csv
import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import yaml
from pydantic import JsonValue
from sqlalchemy import Connection

from bootz.errors import ConfigError
from bootz.model.chassis import CardKind, fold_serial
from bootz.server.importing.cells import write_cell
from bootz.server.importing.csv_columns import (
    CARD_COLUMNS,
    CHASSIS_COLUMNS,
    COLUMNS,
    MAX_COLUMNS,
    column_of,
)
from bootz.server.importing.differences import Document
from bootz.server.importing.items import MAX_FILE_BYTES, SECTIONS, VERSION
from bootz.server.importing.places import GROUPS, VARIABLE
from bootz.server.importing.yaml_form import read_plain
from bootz.server.operations.chassis import CardRecord, ChassisRecord, list_chassis
from bootz.server.operations.images import list_images
from bootz.server.operations.profiles import list_profiles
from bootz.server.operations.texts import check_writable
from bootz.server.operations.vendors import list_vendors
from bootz.server.operations.vouchers.records import list_vouchers


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes texts of several lines as blocks, for people."""


def _represent_text(dumper: Any, text: str) -> Any:
    # What a reader of ours takes for a number stands in quotes, whatever PyYAML takes it for.
    plain = None if isinstance(read_plain(text), str) else "'"
    style = "|" if "\n" in text else plain
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def export_sections(
    connection: Connection,
    *,
    pinned_sha256: str,
    now: datetime,
    only: Collection[str] = SECTIONS,
) -> Iterator[tuple[str, Iterable[Document]]]:
    """Return the sections that were asked for, with their entries."""
    readers: dict[str, Callable[[], Iterable[Document]]] = {
        "vendors": lambda: (each.to_document() for each in list_vendors(connection)),
        "images": lambda: (each.to_document() for each in list_images(connection)),
        "profiles": lambda: (each.to_document() for each in list_profiles(connection)),
        "chassis": lambda: (each.to_document() for each in list_chassis(connection)),
        "vouchers": lambda: _vouchers(connection, pinned_sha256, now),
    }
    for section in SECTIONS:
        if section in only:
            yield section, readers[section]()


def check_exportable(sections: Iterable[tuple[str, Iterable[Document]]]) -> None:
    """Check that everything can be written, before anything is.

    Raises:
        ConfigError: ``export-unwritable``: an older version took what no file can hold.
    """
    for section, documents in sections:
        for document in documents:
            name = document.get("name") or document.get("serial_number") or ""
            where = f"{section} {str(name)[:64]!r}"
            check_writable(
                document, section, reason="export-unwritable", where=where, most=MAX_FILE_BYTES
            )


def _vouchers(connection: Connection, pinned_sha256: str, now: datetime) -> Iterator[Document]:
    for record in list_vouchers(connection):
        ended = record.expires_on is not None and record.expires_on <= now
        if record.pinned_sha256 == pinned_sha256 and not ended:
            yield {
                "vendor": record.vendor,
                "serial_number": record.serial_number,
                "voucher": base64.b64encode(record.raw).decode("ascii"),
            }


_END: Final = "...\n"


def write_yaml(sections: Iterable[tuple[str, Iterable[Document]]]) -> Iterator[str]:
    """Return a document in pieces."""
    yield f"version: {VERSION}\n"
    for section, documents in sections:
        yield f"{section}:\n"
        empty = True
        for document in documents:
            empty = False
            text = yaml.dump(
                [dict(document)], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
            )
            # A text that ends in empty lines makes the library end the document, in mid-list.
            yield text[: -len(_END)] if text.endswith(f"\n{_END}") else text
        if empty:
            yield "  []\n"


def write_json(sections: Iterable[tuple[str, Iterable[Document]]]) -> Iterator[str]:
    """Return a document in pieces; a line per entry."""
    yield f'{{\n"version": {VERSION}'
    for section, documents in sections:
        yield f',\n"{section}": ['
        comma = ""
        for document in documents:
            yield f"{comma}\n{json.dumps(document, ensure_ascii=False)}"
            comma = ","
        yield "\n]"
    yield "\n}\n"


def _as_it_is(record: ChassisRecord) -> ChassisRecord:
    return record


def write_csv(
    connection: Connection, *, shown: Callable[[ChassisRecord], ChassisRecord] = _as_it_is
) -> Iterator[str]:
    """Return the chassis as a table, in pieces; ``shown`` may hide what is in one.

    Raises:
        ConfigError: ``export-not-csv``: a chassis has overrides, TPM keys, or variables that are
            no texts; the first one is named.
    """
    named: set[str] = set()
    for record in list_chassis(connection):
        # All are checked before the first row is written: a cut table could be imported.
        _check_fits(record)
        named.update(
            f"{start}{name}" for start, group in GROUPS.items() for name in getattr(record, group)
        )
    columns = [*COLUMNS, *sorted(named)]
    if len(columns) > MAX_COLUMNS:
        raise ConfigError("export-not-csv", f"it would have over {MAX_COLUMNS} columns")
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writerow({name: write_cell(name, free=True) for name in columns})
    for record in list_chassis(connection):
        writer.writerows(_table_rows(shown(record)))
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    # The first row of an inventory without chassis.
    yield buffer.getvalue()


def _table_rows(record: ChassisRecord) -> Iterator[dict[str, str]]:
    document = record.to_document()
    row = {name: _cell(document[name]) for name in CHASSIS_COLUMNS if name in document}
    for start, group in GROUPS.items():
        texts: Mapping[str, JsonValue] = getattr(record, group)
        row |= {f"{start}{name}": _cell(text, free=True) for name, text in texts.items()}
    row |= {f"dhcp_{name}": _cell(value) for name, value in record.dhcp.to_json().items()}
    if not record.modular:
        # It is its own card: serial number, part number and kind are the chassis's.
        own = {"card_serial_number", "card_part_number", "card_kind"}
        yield row | {k: v for k, v in _card_cells(record.cards[0]).items() if k not in own}
        return
    for card in record.cards:
        yield row | _card_cells(card)
        row = {name: row[name] for name in ("vendor", "serial_number") if name in row}


def _check_fits(record: ChassisRecord) -> None:
    where = f"chassis {record.serial_number or record.cards[0].serial_number!r}"
    odd: list[str] = []
    if record.overrides.to_json():
        odd.append("overrides")
    if record.dhcp.uris:
        odd.append("dhcp.uris")
    if any("tpm" in card.to_document() for card in record.cards):
        odd.append("tpm")
    if not all(isinstance(value, str) and value for value in record.variables.values()):
        odd.append("variables that are not texts, or empty")
    if any(column_of(f"{VARIABLE}{name}") != f"{VARIABLE}{name}" for name in record.variables):
        odd.append("variables whose names cannot be column names")
    if record.modular and not record.serial_number and len(record.cards) > 1:
        odd.append("several cards, but no chassis serial number to connect them")
    if not record.modular and (
        fold_serial(record.cards[0].serial_number) != fold_serial(record.serial_number)
        or record.cards[0].part_number != record.part_number
        or record.cards[0].kind is not CardKind.CONTROL
    ):
        odd.append("a card that contradicts the chassis")
    if odd:
        raise ConfigError("export-not-csv", f"it has {', '.join(odd)}", where=where)


def _card_cells(card: CardRecord) -> dict[str, str]:
    cells = {f"card_{name}": value for name, value in card.to_document().items()}
    return {name: _cell(cells[name]) for name in CARD_COLUMNS if name in cells}


def _cell(value: JsonValue, *, free: bool = False) -> str:
    return write_cell(str(value).lower() if isinstance(value, bool) else str(value), free=free)
