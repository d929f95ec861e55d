"""Whatever an import takes, in whatever form, is exported and taken again, unchanged."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from store.world import NOW, maker

from bootz.cli.inventory.base import read_document
from bootz.errors import ConfigError
from bootz.server.importing.applying import Applied, Terms, apply_items
from bootz.server.importing.csv_form import parse_csv
from bootz.server.importing.differences import Action
from bootz.server.importing.documents import items_of
from bootz.server.importing.exporting import export_sections, write_csv, write_json, write_yaml
from bootz.server.importing.items import MAX_INNER_DEPTH, ReadFile
from bootz.server.importing.json_form import parse_json
from bootz.server.importing.yaml_form import parse_yaml
from bootz.server.operations.chassis import ChassisRecord, add_chassis
from bootz.server.operations.profile_document import Content, ProfileDocument
from bootz.server.operations.profiles import ProfileRecord, add_profile
from bootz.server.operations.vendors import add_vendor
from bootz.server.store.database import Database, open_database

TERMS = Terms(now=NOW, pinned_domain_cert=b"", has_image=lambda _: False)
ENDLESS = "a number without end"

# What nothing can write is among them: halves of characters, numbers without end.
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=12) | st.sampled_from(
    ["'0019", '="0020"', "4.09E+11", "null", "on", "1e5", "a\n b\n\n", "\u2028", "\ud800", "\x00"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**310), 10**310)
    | st.floats(allow_nan=True)
    | st.just(ENDLESS)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)
CHASSIS = st.fixed_dictionaries(
    {"vendor": st.just("Acme"), "serial_number": NAMES},
    optional={
        "hostname": NAMES,
        "part_number": NAMES | st.none(),
        "streaming": st.booleans() | st.none(),
        "variables": st.dictionaries(TEXTS, VALUES, max_size=3) | st.none(),
        "cards": st.lists(
            st.fixed_dictionaries({}, optional={"slot": NAMES, "client_id": TEXTS}), max_size=1
        ),
        "overrides": st.fixed_dictionaries(
            {},
            optional={
                "vendor_config": TEXTS | st.none(),
                "image": st.none() | st.just(""),
                "credentials": st.dictionaries(TEXTS, VALUES, max_size=2),
                "boot_config": st.booleans(),
                "ta_file": st.sampled_from(["", "/misc/disk1/ta.cert", "disk0:/ta.cert"]),
            },
        ),
    },
)
PROFILES = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "description": NAMES,
        "script": TEXTS.map("#!{}".format),
        "oc_config": st.dictionaries(TEXTS, VALUES, max_size=2) | TEXTS,
        "variables": st.dictionaries(TEXTS, VALUES, max_size=3),
    },
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path_factory.mktemp('db')}/bootz.db", create=True)
    with opened.write() as connection:
        add_vendor(connection, maker().vendor)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def connection(database: Database) -> Iterator[Connection]:
    with database.write() as opened:
        yield opened
        opened.rollback()


def taken(connection: Connection, read: ReadFile) -> Applied | None:
    """What an import of this would do, None if it would be refused."""
    if read.faults:
        return None
    applied = apply_items(connection, [read], TERMS)
    return None if applied.faults else applied


def exported(connection: Connection, form: str) -> str:
    if form == "csv":
        return "".join(write_csv(connection))
    sections = export_sections(connection, pinned_sha256="", now=NOW, only=("profiles", "chassis"))
    return "".join((write_json if form == "json" else write_yaml)(sections))


def read_again(text: str, form: str) -> ReadFile:
    # As it would come from a file.
    text = text.encode().decode()
    if form == "csv":
        return parse_csv(text, "again")
    return items_of(*(parse_json if form == "json" else parse_yaml)(text), "again")


def check_round(connection: Connection, form: str) -> None:
    before = exported(connection, form)
    again = taken(connection, read_again(before, form))
    assert again is not None
    assert {change.action for change in again.changes} <= {Action.SAME}
    assert exported(connection, form) == before


@given(st.lists(CHASSIS, max_size=2), st.lists(PROFILES, max_size=2))
@example([{"vendor": "Acme", "serial_number": "A", "variables": {"a": ENDLESS}}], [])
@example([{"vendor": "Acme", "serial_number": "A", "variables": {"a": "\ud800"}}], [])
@example([{"vendor": "Acme", "serial_number": "A", "variables": {"\x00": [10**299]}}], [])
@example([], [{"name": "p", "variables": {"a": None, "b": [None, {"c": None}]}}])
@settings(max_examples=40)
def test_what_json_brings_is_exported_and_taken_again(
    connection: Connection, chassis: list[Any], profiles: list[Any]
) -> None:
    text = json.dumps({"chassis": chassis, "profiles": profiles})
    savepoint = connection.begin_nested()
    try:
        with suppress(ConfigError):
            read = items_of(*parse_json(text.replace(f'"{ENDLESS}"', "1e999")), "f")
            if taken(connection, read):
                for form in ("json", "yaml"):
                    check_round(connection, form)
    finally:
        savepoint.rollback()


CELLS = TEXTS | st.sampled_from(["", "1", "RP0", "00:11:22:33:44:55", '="x"'])
NAMED = ["hostname", "part_number", "streaming", "card_slot", "card_mac", "var:a", "var: B:c"]


@given(
    st.sampled_from(",;\t|"),
    st.lists(st.sampled_from(NAMED), unique=True),
    st.lists(st.tuples(NAMES, st.lists(CELLS, min_size=7, max_size=7)), max_size=4),
)
@example(",", ["var:a", "hostname"], [("A", ["a\rb", "h", *[""] * 5]), ("B", ["c", *[""] * 6])])
@example(
    ",", ["hostname", "var:a"], [("A", ["h", "\r", *[""] * 5]), ("B", ["", "a\r\n", *[""] * 5])]
)
@settings(max_examples=40)
def test_what_a_table_brings_is_exported_and_taken_again(
    connection: Connection, mark: str, columns: list[str], rows: list[tuple[str, list[str]]]
) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=mark)
    writer.writerow(["vendor", "serial_number", *columns])
    writer.writerows(["Acme", name, *cells[: len(columns)]] for name, cells in rows)
    savepoint = connection.begin_nested()
    try:
        if taken(connection, parse_csv(buffer.getvalue(), "f")):
            for form in ("csv", "json", "yaml"):
                check_round(connection, form)
    finally:
        savepoint.rollback()


@pytest.mark.parametrize("value", ['"\\ud800"', "1e999", "-1e999", f"1{'0' * 300}", "NaN"])
@pytest.mark.parametrize("where", ["variables", "overrides"])
def test_what_no_file_can_hold_is_not_taken(value: str, where: str) -> None:
    inner = (
        f'{{"credentials": {{"a": {value}}}}}' if where == "overrides" else f'{{"a": [{value}]}}'
    )
    with pytest.raises(ConfigError) as caught:
        parse_json(f'{{"chassis": [{{"vendor": "Acme", "{where}": {inner}}}]}}')
    assert caught.value.reason == "import-file-invalid"


def test_half_a_character_from_a_command_line_is_not_taken(connection: Connection) -> None:
    halves: list[dict[str, Any]] = [
        {"variables": {"a": "\udcff"}},
        {"variables": {"\udcff": 1}},
        {"overrides": Content.parse({"credentials": {"a": "\udcff"}})},
    ]
    for half in halves:
        with pytest.raises(ConfigError) as caught:
            add_chassis(connection, ChassisRecord("Acme", "H1", **half))
        assert caught.value.reason == "chassis-invalid"
    document = ProfileDocument.parse({"variables": {"a": "\udcff"}})
    with pytest.raises(ConfigError) as caught:
        add_profile(connection, ProfileRecord("p", document))
    assert caught.value.reason == "profile-invalid"


def test_a_document_of_an_option_leaves_room_to_be_exported(tmp_path: Path) -> None:
    path = tmp_path / "o.yaml"
    path.write_text(
        "credentials: " + "{a: " * (MAX_INNER_DEPTH - 1) + "1" + "}" * (MAX_INNER_DEPTH - 1)
    )
    document = read_document(path)
    entry = {"vendor": "Acme", "serial_number": "A", "overrides": document}
    for form, write in (("json", write_json), ("yaml", write_yaml)):
        read = read_again("".join(write([("chassis", [entry])])), form)
        (item,) = read.items
        assert item.document == entry
    path.write_text("a: " + "[" * MAX_INNER_DEPTH + "]" * MAX_INNER_DEPTH)
    with pytest.raises(ConfigError):
        read_document(path)
