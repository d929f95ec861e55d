"""The parsers of import files: whatever comes is read as it stands, or refused with its line."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bootz.errors import ConfigError
from bootz.server.importing.csv_columns import COLUMNS
from bootz.server.importing.csv_form import parse_csv
from bootz.server.importing.documents import items_of
from bootz.server.importing.exporting import write_json, write_yaml
from bootz.server.importing.files import parse_import
from bootz.server.importing.items import FileForm
from bootz.server.importing.json_form import parse_json
from bootz.server.importing.yaml_form import parse_yaml

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.lists(st.dictionaries(TEXTS, VALUES, max_size=3), max_size=3)


@given(ENTRIES, ENTRIES)
@example([], [{"\n": None}, {}])
@example([{"a": "line\n\n"}, {"b": "...\n"}], [])
def test_what_is_written_is_read_again(
    vendors: list[dict[str, Any]], chassis: list[dict[str, Any]]
) -> None:
    sections = [("vendors", vendors), ("chassis", chassis)]
    wanted = {"version": 1, "vendors": vendors, "chassis": chassis}
    text = "".join(write_json(sections))
    document, lines = parse_json(text)
    assert document == wanted
    assert len(lines) == len(vendors) + len(chassis)
    assert parse_yaml("".join(write_yaml(sections)))[0] == wanted


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_yaml, parse_json, lambda text: parse_csv(text, "f.csv")):
        try:
            parse(text)
        except ConfigError as error:
            assert error.reason == "import-file-invalid"  # noqa: PT017


@given(st.text(alphabet="[]{}\",:\\ \n0a-&*!|>'#", max_size=60))
@settings(max_examples=300)
def test_any_structure_is_read_or_refused(text: str) -> None:
    for parse in (parse_yaml, parse_json):
        try:
            document, lines = parse(text)
        except ConfigError:
            continue
        for fault in items_of(document, lines, "f").faults:
            assert fault.error.reason == "import-file-invalid"


@given(VALUES)
def test_json_is_read_as_python_reads_it(value: object) -> None:
    assert parse_json(json.dumps(value))[0] == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x [1]\nb: *x\n", "anchor"),
        ("b: *x\n", "alias"),
        ("a: !!python/object/apply:os.system ['id']\n", "tag"),
        ("a: !!str 1\n", "tag"),
        ("a: 1\nb: 2\na: 3\n", "twice"),
        ("chassis:\n- {x: 1, x: 2}\n", "twice"),
        ("a: 1\n---\nb: 2\n", "second document"),
        ("? [1]\n: 2\n", "key is not a text"),
        ("a: [1\n", "line 2"),
        ("a: b: c\n", "line 1"),
        ("a: '\n", "line"),
        ("a: " + "[" * 100_000, "nest"),
        ("- " * 10_000 + "1", "nest"),
        ("a: 1" + "0" * 400 + ".0", "too large"),
    ],
)
def test_tricks_of_yaml_are_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text)
    assert words in str(caught.value)


def test_aliases_that_would_unfold_to_gigabytes_are_refused_at_once() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
    )
    with pytest.raises(ConfigError, match="anchor"):
        parse_yaml(bomb)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("No", "No"),
        ("0123", "0123"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-01-02", "2026-01-02"),
        ("1e5", "1e5"),
        ("<<", "<<"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("-7", -7),
        ("7.25", 7.25),
        ("'7'", "7"),
        ('"\\u0041"', "A"),
    ],
)
def test_plain_words_stay_words(text: str, value: object) -> None:
    assert parse_yaml(f"a: {text}\n")[0] == {"a": value}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1, "a": 2}', "twice"),
        ('{"a": NaN}', "not a number"),
        ('{"a": -Infinity}', "not a number"),
        ('{"a":\n[1e999]}', "line 2: a number is too large"),
        ('{"a":\n\n-1' + "0" * 400 + "}", "line 3: a number is too large"),
        ('{"a":\n"\\ud800"}', "line 2"),
        ('{"a": "\\ude00\\ud83d"}', "half of a character"),
        ('{"a": 1,}', "line 1"),
        ('{"a": 1}\n{}', "line 2"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("", "not JSON"),
        ('{"a": "\x01"}', "not JSON"),
    ],
)
def test_tricks_of_json_are_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_json(text)
    assert words in str(caught.value)


def test_brackets_in_texts_are_no_nesting() -> None:
    text = json.dumps({"a": "[" * 1000 + '\\"' * 50 + "{"})
    assert parse_json(text)[0] == json.loads(text)


def test_the_form_of_the_document_is_told_whole() -> None:
    read = items_of({"version": 2, "chassi": [], "vendors": {}, "chassis": [1, {}]}, {}, "f")
    assert len(read.faults) == 4
    assert [item.place for item in read.items] == ["f: chassis[1]"]
    assert items_of(None, {}, "f").items == ()
    assert items_of([1], {}, "f").faults


CHASSIS = "vendor,serial_number,hostname,var:site\n"


def test_a_table_of_fixed_chassis() -> None:
    read = parse_csv(f"{CHASSIS}Acme, FX1 ,r1,\n\n Acme,FX2,,berlin\n", "f.csv")
    assert [(item.place, dict(item.document)) for item in read.items] == [
        ("f.csv:2", {"vendor": "Acme", "serial_number": "FX1", "hostname": "r1"}),
        (
            "f.csv:4",
            {"vendor": "Acme", "serial_number": "FX2", "variables": {"site": "berlin"}},
        ),
    ]


def test_rows_of_one_chassis_are_its_cards() -> None:
    text = (
        "vendor,serial_number,modular,card_serial_number,card_slot,card_kind\n"
        "Acme,CH1,yes,RP0,0,\nAcme,CH1,,RP1,1,\nacme,ch1,yes,LC0,2,line\n"
    )
    (item,) = parse_csv(text, "f.csv").items
    assert item.document["modular"] is True
    assert item.document["cards"] == [
        {"serial_number": "RP0", "slot": "0"},
        {"serial_number": "RP1", "slot": "1"},
        {"serial_number": "LC0", "slot": "2", "kind": "line"},
    ]


def test_a_fixed_chassis_may_say_its_mac() -> None:
    text = "vendor,serial_number,part_number,card_mac\nAcme,FX1,P1,001122334455\n"
    (item,) = parse_csv(text, "f.csv").items
    assert item.document["cards"] == [{"mac": "001122334455"}]


@pytest.mark.parametrize(
    "row",
    [
        "Acme,FX1",
        "Acme,FX1,r1,x,y",
        "Acme,A,r1,\nAcme,A,r2,",
        "Acme,A,r1,\nAcme,A,r1,",
    ],
)
def test_a_row_that_does_not_fit_is_named(row: str) -> None:
    read = parse_csv(f"{CHASSIS}{row}\nAcme,OK,,\n", "f.csv")
    (fault,) = read.faults
    assert fault.place == f"f.csv:{2 + row.count(chr(10))}"
    assert "OK" in {item.document["serial_number"] for item in read.items}


@pytest.mark.parametrize(
    ("text", "place", "where"),
    [
        ("serial_number\nA\n", "f.csv:1", ""),
        ("vendor\nA\n", "f.csv:1", ""),
        ("vendor,serial_number,serial_number\n", "f.csv:1", "cell C1 (serial_number)"),
        ("vendor,serial_number,colour\n", "f.csv:1", "cell C1 (colour)"),
        ("vendor,serial_number,var:\n", "f.csv:1", "cell C1 (var:)"),
        ('vendor,serial_number\nA,"B\n', "f.csv:2", ""),
        ('vendor,serial_number\nA,B\nA,"B"C\n', "f.csv:3", ""),
        (f"vendor,serial_number\nA,{'B' * 200_000}\n", "f.csv:2", ""),
    ],
)
def test_what_is_wrong_with_a_table_is_told_with_its_row_and_cell(
    text: str, place: str, where: str
) -> None:
    (fault,) = parse_csv(text, "f.csv").faults
    assert (fault.place, fault.error.where) == (place, where)
    assert fault.error.reason == "import-file-invalid"


def test_a_file_without_a_row_is_refused() -> None:
    for text in ("", "\n\n", ",,\n"):
        with pytest.raises(ConfigError):
            parse_csv(text, "f.csv")


def test_the_columns_are_the_documents_keys() -> None:
    text = f"{','.join(COLUMNS)}\n" + "x" + "," * (len(COLUMNS) - 1) + "\n"
    (item,) = parse_csv(text, "f.csv").items
    assert item.document == {"vendor": "x"}


def test_pyyaml_and_we_agree_on_its_own_output() -> None:
    document = {"a": ["1", 1, "on", True, None, "~", "1.5", 1.5, "2026-01-01", "a\nb\n", "x: y"]}
    assert parse_yaml(yaml.safe_dump(document))[0] == document


PACKED = {
    "version": 1,
    "vendors": [],
    "profiles": [{"name": "edge", "variables": {"n": -1.5e3, "t": 'xå\\"', "l": [None, True]}}],
    "chassis": [{"vendor": "Acme", "serial_number": f"FX{n}"} for n in range(3)],
}


@pytest.mark.parametrize("form", [FileForm.JSON, FileForm.YAML])
@pytest.mark.parametrize("indent", [None, 1])
def test_entries_that_are_kept_as_texts_are_what_the_whole_document_has(
    form: FileForm, indent: int | None
) -> None:
    text = json.dumps(PACKED, indent=indent)
    parse = parse_json if form is FileForm.JSON else parse_yaml
    document, lines = parse(text)

    read = parse_import(text, form, "f")

    wanted = items_of(document, lines, "f")
    assert list(read.items) == list(wanted.items)
    # As often as they are asked for, and never all in memory.
    assert list(read.items) == list(wanted.items)
    assert not isinstance(read.items, tuple)
    assert read.sections == {"profiles", "chassis"}


@pytest.mark.parametrize(
    "text",
    [
        '{"chassis": [{"a": 1} {"b": 2}]}',
        '{"chassis": [{"a": 1},]}',
        '{"chassis": [,{"a": 1}]}',
        '{"chassis": [{"a": 1}] "vendors": []}',
        '{"chassis": [{"a": 1}],}',
        '{"chassis": [{"a": 1}]} x',
        '{"chassis": [{"a": 1}], "chassis": []}',
        '{"chassis": [{"a": 1, "a": 2}]}',
        '{"chassis": [{"a": NaN}]}',
        '{"chassis": [{"a": 1e999}]}',
        '{"chassis": [{"a": "\\ud800"}]}',
        '{"chassis" [{"a": 1}]}',
        '{chassis: [{"a": 1}]}',
        '{"chassis": [{"a": 1}',
        '{"chassis": [{"a": 1}]',
        '{"chassis": [',
        '{"chassis"',
        "{",
        "",
    ],
)
def test_what_is_no_json_is_refused_entry_by_entry_as_it_is_whole(text: str) -> None:
    with pytest.raises(ConfigError) as whole:
        parse_json(text)
    with pytest.raises(ConfigError) as packed:
        parse_json(text, packed=True)
    assert str(packed.value) == str(whole.value)


SHORT = st.text(alphabet='ab:, "\\å', max_size=4)


@given(
    st.dictionaries(
        st.sampled_from(("chassis", "vendors", "version", "x")),
        st.lists(st.dictionaries(SHORT, st.integers() | SHORT)) | st.integers() | st.none(),
    ),
    st.sampled_from((None, 0, 3)),
)
def test_any_document_has_the_same_entries_as_texts(document: Any, indent: int | None) -> None:
    for parse, text in (
        (parse_json, json.dumps(document, indent=indent)),
        (parse_yaml, json.dumps(document)),
    ):
        whole = items_of(*parse(text), "f")  # type: ignore[operator]
        packed = items_of(*parse(text, packed=True), "f")  # type: ignore[operator]
        assert list(packed.items) == list(whole.items)
        assert [str(each) for each in packed.faults] == [str(each) for each in whole.faults]


@given(st.text(alphabet='{}[]:," ax1\n', max_size=30))
def test_any_text_is_read_or_refused_alike_entry_by_entry(text: str) -> None:
    told = []
    for packed in (False, True):
        try:
            told.append(list(items_of(*parse_json(text, packed=packed), "f").items))
        except ConfigError as error:
            told.append([str(error)])  # type: ignore[list-item]
    assert told[0] == told[1]
