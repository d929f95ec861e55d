"""Imports of more rows than are in memory at once: one transaction, and every place is told."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from imports.conftest import Shell, make_site

from bootz.cli.main import run
from bootz.server.importing.csv_form import parse_csv
from bootz.server.site import Site

HEADER = "vendor,serial_number,hostname,card_serial_number,card_slot,modular\n"
ROWS = 1010
"""More than are planned at once."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = make_site(tmp_path / "site")
    pem = made.root / "keys" / "trust-anchor" / "1.pem"
    assert run(["--site", str(made.root), "vendor", "add", "Acme", "--ca", str(pem)]) == 0
    return made


def table(tmp_path: Path, *more: str) -> Path:
    rows = "".join(f"Acme,FX{number:04d},r{number},,,\n" for number in range(ROWS))
    path = tmp_path / "t.csv"
    path.write_text(HEADER + rows + "".join(f"{line}\n" for line in more))
    return path


def count(site: Site, shell: Shell) -> int:
    return len(shell(site, "chassis", "list"))


def test_a_fault_in_the_last_rows_undoes_the_first(
    site: Site, shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(
        tmp_path,
        "Acme,CH1,m1,fx0005,RP0,true",
        f"Acme,FX{ROWS},bad name\x07,,,",
        "Nobody,X1,x1,,,",
    )
    capsys.readouterr()
    assert run(["--site", str(site.root), "import", str(path), "--output", "json"]) == 1
    told = capsys.readouterr()
    faults: list[dict[str, Any]] = json.loads(told.out)
    assert [(each["place"], each["reason"]) for each in faults] == [
        (f"{path}:{ROWS + 2}", "import-twice"),
        (f"{path}:{ROWS + 3}", "chassis-invalid"),
        (f"{path}:{ROWS + 4}", "vendor-not-found"),
    ]
    assert f"appears at {path}:7 too" in faults[0]["detail"]
    assert "D1012 (card_serial_number)" in faults[0]["where"]
    assert count(site, shell) == 0
    assert "chassis.add" not in {each["verb"] for each in shell(site, "audit", "list")}


def test_rows_far_apart_are_one_chassis_and_doubles_name_both_cells(
    site: Site, shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.csv"
    table(tmp_path)
    first, *rest = path.read_text().splitlines(keepends=True)
    path.write_text(
        "".join(
            [first, "Acme,CH1,m1,A1,RP0,true\n", *rest, "Acme,CH1,,A2,RP1,\n", "Acme,Z1,R7,,,\n"]
        )
    )
    capsys.readouterr()
    assert run(["--site", str(site.root), "import", str(path)]) == 0
    told = capsys.readouterr()
    assert f"{ROWS + 2} added, 0 updated" in told.err
    warned = " ".join(told.err.split())
    assert f"FX0007 ({path}:10, cell C10), Z1 ({path}:{ROWS + 4}, cell C{ROWS + 4})" in warned
    chassis = shell(site, "chassis", "show", "CH1")
    assert [card["serial_number"] for card in chassis["cards"]] == ["A1", "A2"]
    path.write_text(path.read_text().replace("Acme,FX0003,r3,", "Acme,FX0003,R3,"))
    assert shell(site, "import", path, "--update") == [
        {
            "action": "update",
            "section": "chassis",
            "name": "Acme FX0003",
            "changes": ["hostname: r3 → R3"],
        }
    ]


def test_a_table_is_never_in_memory_as_chassis() -> None:
    def peak(rows: int) -> int:
        text = HEADER + "".join(f"Acme,FX{number:06d},r{number},,,\n" for number in range(rows))
        tracemalloc.start()
        try:
            read = parse_csv(text, "f.csv")
            assert sum(1 for _ in read.items) == rows
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # One chassis takes over a kilobyte as an item; eight bytes are kept of each to find doubles.
    assert peak(4000) - peak(1000) < 3000 * 150
