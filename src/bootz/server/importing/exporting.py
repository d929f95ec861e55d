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
from bootz.server.importing.csv_form import CHASSIS_COLUMNS, COLUMNS, VARIABLE
from bootz.server.importing.items import SECTIONS, VERSION
from bootz.server.importing.yaml_form import read_plain
from bootz.server.operations.chassis import CardRecord, ChassisRecord, list_chassis
from bootz.server.operations.images import list_images
from bootz.server.operations.profiles import list_profiles
from bootz.server.operations.vendors import list_vendors
from bootz.server.operations.vouchers import list_vouchers

Document = Mapping[str, JsonValue]


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


def write_csv(connection: Connection) -> Iterator[str]:
    """Return the chassis as a table, in pieces.

    Raises:
        ConfigError: ``export-not-csv``: a chassis has overrides, TPM keys, or variables that are
            no texts; the first one is named.
    """
    variables = sorted({name for record in list_chassis(connection) for name in record.variables})
    columns = [*COLUMNS, *(f"{VARIABLE}{name}" for name in variables)]
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for record in list_chassis(connection):
        writer.writerows(_table_rows(record))
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _table_rows(record: ChassisRecord) -> Iterator[dict[str, str]]:
    _check_fits(record)
    row = {name: _cell(value) for name, value in record.to_document().items()}
    row = {name: row[name] for name in CHASSIS_COLUMNS if name in row}
    row |= {f"{VARIABLE}{name}": str(value) for name, value in record.variables.items()}
    row |= {f"dhcp_{name}": str(value) for name, value in record.dhcp.to_json().items()}
    if not record.modular:
        card = record.cards[0]
        yield row | _card_cells(card, ("mac", "client_id", "duid", "slot"))
        return
    for card in record.cards:
        yield row | _card_cells(
            card, ("serial_number", "part_number", "slot", "kind", "mac", "client_id", "duid")
        )
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
    if not all(_is_cell(value) for value in record.variables.values()):
        odd.append("variables that are not texts")
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


def _is_cell(value: JsonValue) -> bool:
    return isinstance(value, str) and value == value.strip() != "" and "\x00" not in value


def _card_cells(card: CardRecord, names: Iterable[str]) -> dict[str, str]:
    document = card.to_document()
    return {f"card_{name}": str(document[name]) for name in names if name in document}


def _cell(value: JsonValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
