"""Tables as spreadsheets write them: read where that is certain, else told with the cell."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bootz.errors import ConfigError
from bootz.server.importing.cells import cell_name, read_cell, write_cell
from bootz.server.importing.csv_columns import COLUMNS, MAX_COLUMNS
from bootz.server.importing.csv_form import parse_csv
from bootz.server.importing.files import FileForm, read_import
from bootz.server.importing.items import MAX_FAULTS

ROW = {"vendor": "Bootz Labs", "serial_number": "FX1", "hostname": "r1"}


def documents(text: str) -> list[dict[str, object]]:
    read = parse_csv(text, "f.csv")
    assert read.faults == ()
    return [dict(item.document) for item in read.items]


def faults(text: str) -> list[tuple[str, str, str]]:
    return [
        (fault.place, fault.error.where, fault.error.reason)
        for fault in parse_csv(text, "f.csv").faults
    ]


@pytest.mark.parametrize(
    "text",
    [
        "vendor;serial_number;hostname\r\nBootz Labs;FX1;r1\r\n",
        "vendor\tserial_number\thostname\r\nBootz Labs\tFX1\tr1\r\n",
        "vendor|serial_number|hostname\nBootz Labs|FX1|r1\n",
        '"vendor";"serial_number";"hostname"\r\n"Bootz Labs";"FX1";"r1"\r\n',
        "sep=;\r\nvendor;serial_number;hostname\r\nBootz Labs;FX1;r1\r\n",
        "vendor,serial_number,hostname,\r\nBootz Labs,FX1,r1,\r\n",
        "vendor,serial_number,hostname,,,\r\nBootz Labs,FX1,r1,,,\r\n,,,,,\r\n",
        "vendor,serial_number,hostname\nBootz Labs,FX1,r1,,,,\n",
        "vendor,,serial_number,hostname\nBootz Labs,,FX1,r1\n",
        "Vendor,Serial_Number,Hostname\r\nBootz Labs,FX1,r1\r\n",
        "VENDOR,SERIAL NUMBER,HOSTNAME\nBootz Labs,FX1,r1\n",
        "vendor , Serial-Number,\u00a0hostname\n Bootz\u00a0Labs ,\u200bFX1\u00a0,r1\n",
        "\n\nvendor,serial_number,hostname\n\nBootz Labs,FX1,r1\n",
        "vendor,serial_number,hostname\rBootz Labs,FX1,r1\r",
        '="vendor",serial_number,hostname\n"=""Bootz Labs""","=""FX1""","\'r1"\n',
        "vendor;serial_number;hostname\nBootz Labs;'FX1;r1\n",
    ],
)
def test_what_a_spreadsheet_makes_of_a_table_is_read(text: str) -> None:
    assert documents(text) == [ROW]


def test_guards_keep_leading_zeros() -> None:
    text = 'vendor,serial_number,hostname\nBootz Labs,\'0019,r19\nBootz Labs,="0020",r20\n'
    for each in (text, text.replace('="0020"', '"=""0020"""')):
        assert [row["serial_number"] for row in documents(each)] == ["0019", "0020"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_encoding_is_told_by_the_mark(tmp_path: Path, encoding: str) -> None:
    text = "vendor\tserial_number\thostname\nBootz Labs\tFX1\tr1\n"
    mark = "\ufeff" if encoding.endswith("e") else ""
    path = tmp_path / "f.csv"
    path.write_bytes((mark + text).encode(encoding))
    (item,) = read_import(path, FileForm.CSV).items
    assert item.document == ROW


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("vendor,serial_number\nM\u00fcller,1\n".encode("cp1252"), "UTF-8"),
        ("vendor,serial_number\nA,1\n".encode("utf-16-le"), "UTF-16"),
        ("vendor,serial_number\nA,1\n".encode("utf-32"), "UTF-32"),
        (b"\xff\xfev\x00e", "UTF-16"),
        (b"PK\x03\x04\x14\x00\x06\x00", "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "workbook"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=words):
        read_import(path, FileForm.CSV)


@pytest.mark.parametrize(
    "cell",
    [
        "4.09E+11",
        "4,09E+11",
        "1E+10",
        "2-Jan",
        "02-Jan-26",
        "Jan-01",
        "1/2/2003",
        "2026-01-02",
        "#N/A",
        "#REF!",
        "########",
        "=A1&B1",
    ],
)
def test_a_spoilt_cell_is_told_by_name_and_hides_no_other_row(cell: str) -> None:
    text = f'hostname;vendor;serial_number\nr1;A;"{cell}"\nr2;A;FX2\nr3;A;"{cell}"\n'
    read = parse_csv(text, "f.csv")
    assert [item.document["serial_number"] for item in read.items] == ["FX2"]
    assert faults(text) == [
        ("f.csv:2", "cell C2 (serial_number)", "import-cell-unreadable"),
        ("f.csv:4", "cell C4 (serial_number)", "import-cell-unreadable"),
    ]


def test_rows_are_counted_as_a_spreadsheet_counts_them() -> None:
    # A cell of two lines is in one row, an empty row counts, the line with the delimiter does not.
    text = (
        "sep=,\nvendor,serial_number,var:banner,streaming\n"
        'A,FX1,"line 1\nline 2\nline 3",\n\nA,FX2,,maybe\nA,FX3,x\n'
    )
    read = parse_csv(text, "f.csv")
    assert [item.place for item in read.items] == ["f.csv:2"]
    assert faults(text) == [
        ("f.csv:4", "cell D4 (streaming)", "import-file-invalid"),
        ("f.csv:5", "cell D5 (streaming)", "import-file-invalid"),
    ]


@pytest.mark.parametrize(
    ("title", "meant"),
    [
        ("hostnam", "hostname"),
        ("Serial", "serial_number"),
        ("Manufacturer", "vendor"),
        ("MAC", "card_mac"),
        ("ip address", "dhcp_ipv4"),
        ("cards_slot", "card_slot"),
    ],
)
def test_an_unknown_column_hides_no_row_and_gets_a_guess(title: str, meant: str) -> None:
    text = f"vendor,serial_number,{title},streaming\nA,FX1,x,\nA,FX2,x,maybe\n"
    read = parse_csv(text, "f.csv")
    assert [item.document["serial_number"] for item in read.items] == ["FX1"]
    assert f"did you mean {meant}?" in read.faults[0].error.detail
    assert faults(text)[1:] == [("f.csv:3", "cell D3 (streaming)", "import-file-invalid")]


def test_a_missing_column_hides_no_cell() -> None:
    text = "vendor,serail_number,streaming\nA,FX1,maybe\n"
    told = faults(text)
    assert [place for place, _, _ in told] == ["f.csv:1", "f.csv:1", "f.csv:2"]


def test_a_bad_row_of_a_chassis_leaves_out_its_other_rows() -> None:
    text = (
        "vendor,serial_number,modular,card_serial_number\n"
        "A,CH1,maybe,RP0\nA,CH1,,RP1\na,ch1,,RP2\nA,CH2,yes,RP3\n"
    )
    read = parse_csv(text, "f.csv")
    assert [item.document["serial_number"] for item in read.items] == ["CH2"]
    assert len(read.faults) == 1


def test_later_rows_may_leave_some_variables_empty() -> None:
    text = (
        "vendor,serial_number,modular,var:a,var:b,card_serial_number\n"
        "A,CH1,yes,1,2,RP0\nA,CH1,,1,,RP1\n"
    )
    (document,) = documents(text)
    assert document["variables"] == {"a": "1", "b": "2"}
    odd = parse_csv(text.replace(",,1,,RP1", ",,3,,RP1"), "f.csv").faults
    assert "var:a" in odd[0].error.detail
    assert "row 2" in odd[0].error.detail


def test_a_row_with_another_delimiter_says_so() -> None:
    (fault,) = parse_csv("vendor;serial_number\nA,FX1\nA;FX2\n", "f.csv").faults
    assert fault.place == "f.csv:2"
    assert "separated by ," in fault.error.detail


@pytest.mark.parametrize(
    "text",
    [
        ",".join(["vendor", "serial_number", *("x" * 3 for _ in range(160_000))]),
        ",".join(["vendor", "serial_number", *(f"var:{n}" for n in range(80_000))]) + "\nA,B\n",
        "vendor,serial_number\n" + "A,B\n" * 200_000,
        "vendor,serial_number\nA,B" + ",x" * 300_000 + "\n",
        "vendor," + "y" * 640_000,
    ],
)
def test_a_large_table_costs_no_more_than_its_size(text: str) -> None:
    told = parse_csv(text, "f.csv").faults
    assert 0 < len(told) <= MAX_FAULTS + 1
    assert max(len(fault.error.detail) for fault in told) < 2000


def test_columns_are_bounded() -> None:
    fits = ["vendor", "serial_number", *(f"var:{n}" for n in range(MAX_COLUMNS - 2))]
    assert documents(",".join(fits) + "\nA,B" + "," * (MAX_COLUMNS - 2) + "\n")
    (fault,) = parse_csv(",".join([*fits, "var:x"]) + "\n", "f.csv").faults
    assert str(MAX_COLUMNS) in fault.error.detail


def test_cells_are_named_as_in_a_spreadsheet() -> None:
    assert [cell_name(1, n) for n in (1, 26, 27, 52, 702, 703)] == [
        *("A1", "Z1", "AA1", "AZ1", "ZZ1", "AAA1")
    ]


@given(st.text(max_size=30), st.booleans())
@example("'0019", True)
@example('="x"', True)
@example(" a\u00a0b ", True)
@example("4.09E+11", False)
@example("2-Jan", False)
def test_what_is_written_into_a_cell_is_read_from_it(text: str, free: bool) -> None:
    assert read_cell(write_cell(text, free=free), free=free) == text


@given(st.text(max_size=30), st.booleans())
def test_any_cell_is_read_or_told(cell: str, free: bool) -> None:
    try:
        read_cell(cell, free=free)
    except ConfigError as error:
        assert error.reason == "import-cell-unreadable"  # noqa: PT017


TITLES = st.sampled_from([*COLUMNS, "var:x", "VENDOR", "colour", ""]) | st.text(max_size=5)


@given(
    st.lists(TITLES, max_size=6),
    st.lists(st.lists(st.text(max_size=6), max_size=7), max_size=4),
    st.sampled_from(",;\t|"),
)
def test_any_table_is_read_or_told(titles: list[str], rows: list[list[str]], mark: str) -> None:
    text = "\n".join(mark.join(cells) for cells in [titles, *rows])
    try:
        read = parse_csv(text, "f.csv")
    except ConfigError as error:
        assert error.reason == "import-file-invalid"  # noqa: PT017
        return
    for fault in read.faults:
        assert fault.error.reason in {"import-file-invalid", "import-cell-unreadable"}
