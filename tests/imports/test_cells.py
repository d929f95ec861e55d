"""Of a table, every error names its cell: whether a value cannot be read, or means nothing here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from imports.conftest import Shell
from store.world import maker

from bootz.cli.main import run
from bootz.server.site import Site

TABLES = Path(__file__).parent / "tables"


@pytest.fixture
def stocked(site: Site, shell: Shell, tmp_path: Path) -> Site:
    ca = tmp_path / "ca.der"
    ca.write_bytes(maker().ca)
    shell(site, "vendor", "add", "Bootz Labs", "--ca", ca)
    shell(site, "chassis", "add", "OLD1", "--vendor", "Bootz Labs", "--hostname", "old")
    cards = ("--modular", "--card", "RP0:0", "--card", "RP1:1")
    shell(site, "chassis", "add", "CH0", "--vendor", "Bootz Labs", *cards)
    return site


def faults(site: Site, path: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """Return row and cell of each error of an import."""
    capsys.readouterr()
    code = run(["--site", str(site.root), "import", str(path), "--output", "json"])
    out = capsys.readouterr().out
    if code == 0:
        return []
    return [
        (fault["place"].removeprefix(f"{path}:"), fault["where"].partition(",")[0])
        for fault in json.loads(out)
    ]


@pytest.mark.parametrize(
    ("columns", "rows", "told"),
    [
        ("card_mac", ["A,ZZ:11"], ["C2 (card_mac)"]),
        ("card_client_id", ["A,é"], ["C2 (card_client_id)"]),
        ("card_duid", ["A,xyz"], ["C2 (card_duid)"]),
        ("card_kind", ["A,fan"], ["C2 (card_kind)"]),
        ("profile", ["A,nowhere"], ["C2 (profile)"]),
        ("boot_mode", ["A,fast"], ["C2 (boot_mode)"]),
        ("release", ["A,7.7"], ["C2 (release)"]),
        ("label:site", ["A," + "x" * 200], ["C2 (label:site)"]),
        ("label:-", ["A,x"], ["C2 (label:-)"]),
        ("hostname", ["A," + "x" * 300], ["C2 (hostname)"]),
        ("part_number", ["A," + "x" * 300], ["C2 (part_number)"]),
        ("dhcp_ipv4", ["A,10.0.0.1/99"], ["C2 (dhcp_ipv4)"]),
        ("dhcp_ipv6", ["A,fe80::zz"], ["C2 (dhcp_ipv6)"]),
        ("dhcp_gateway", ["A,gw"], ["C2 (dhcp_gateway)"]),
        ("modular", ["A,yes"], ["C2 (modular)"]),
        ("hostname", ["A,a", "A,a"], ["B3 (serial_number)"]),
        ("hostname", ["OLD1,new"], ["C2 (hostname)"]),
        ("hostname", ["RP0,x"], ["B2 (serial_number)"]),
        ("card_serial_number", ["A,B"], ["C2 (card_serial_number)"]),
        ("hostname", ["x" * 80 + ",a"], ["B2 (serial_number)"]),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_its_cell(
    stocked: Site,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    columns: str,
    rows: list[str],
    told: list[str],
) -> None:
    path = tmp_path / "t.csv"
    lines = [f"vendor,serial_number,{columns}", *(f"Bootz Labs,{row}" for row in rows)]
    path.write_text("\n".join(lines).replace(",", ";") + "\n")
    assert [cell for _, cell in faults(stocked, path, capsys)] == [f"cell {each}" for each in told]


def test_of_variables_that_are_too_long_the_longest_is_told(
    stocked: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.csv"
    names = [f"var:v{number}" for number in range(41)]
    cells = ["x" * (120_000 if number == 7 else 105_000) for number in range(41)]
    path.write_text(f"vendor,serial_number,{','.join(names)}\nBootz Labs,A,{','.join(cells)}\n")
    assert faults(stocked, path, capsys) == [("2", "cell J2 (var:v7)")]


def test_all_that_is_wrong_of_a_row_is_told_at_once(
    stocked: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "boot_mode,release,vendor,serial_number,profile,card_mac\n"
        "fast,7.7,Bootz Labs,A,,\n"
        ",,Nobody,B,nowhere,zz\n"
    )
    assert faults(stocked, path, capsys) == [
        ("2", "cells A2 (boot_mode)"),
        ("3", "cell C3 (vendor)"),
        ("3", "cell E3 (profile)"),
        ("3", "cell F3 (card_mac)"),
    ]


def test_a_card_is_told_in_its_own_row(
    stocked: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "vendor,serial_number,modular,card_serial_number,card_slot,card_mac\n"
        "Bootz Labs,CH1,yes,C1,0,00:11:22:33:44:55\n"
        "Bootz Labs,CH1,,C2,1,00:11:22:33:44:5\n"
        "Bootz Labs,CH2,yes,D1,0,\n"
        "Bootz Labs,CH2,,D2,1,\n"
        "Bootz Labs,CH2,,D1,2,\n"
        "Bootz Labs,CH3,yes,E1,0,\n"
        "Bootz Labs,CH3,,RP1,1,\n"
        "Bootz Labs,CH0,,RP1,9,zz\n"
    )
    assert faults(stocked, path, capsys) == [
        ("3", "cell F3 (card_mac)"),
        ("6", "cell D6 (card_serial_number)"),
        ("8", "cell D8 (card_serial_number)"),
        ("9", "cell F9 (card_mac)"),
    ]


@pytest.mark.parametrize(
    ("name", "serials"),
    [
        ("semicolon", ["CSV0002"]),
        ("trailing-delimiter", ["CSV0003"]),
        ("tab", ["CSV0005"]),
        ("header-case", ["CSV0006"]),
        ("excel-text-guards", ["0019", "0020"]),
        ("macs", ["MAC0001", "MAC0002", "MAC0003", "MAC0004"]),
    ],
)
def test_tables_as_spreadsheets_write_them_are_read(
    stocked: Site, shell: Shell, name: str, serials: list[str]
) -> None:
    shell(stocked, "import", TABLES / f"{name}.csv")
    found = {each["serial_number"] for each in shell(stocked, "chassis", "list")}
    assert found >= set(serials)


def test_a_shortened_number_is_told_with_its_cell(
    stocked: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    path = TABLES / "shortened-number.csv"
    assert faults(stocked, path, capsys) == [("2", "cell B2 (serial_number)")]


def test_a_value_of_two_routers_is_told_with_the_cell(
    stocked: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site = ["--site", str(stocked.root)]
    assert run([*site, "import", str(TABLES / "macs.csv")]) == 0
    doubles = TABLES / "doubles.csv"
    assert run([*site, "import", str(doubles)]) == 0
    told = capsys.readouterr().err
    assert f"MAC0006 ({doubles}:3, cell E3)" in told
    assert f"MAC0005 ({doubles}:2, cell D2)" in told
