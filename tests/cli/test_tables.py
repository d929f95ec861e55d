"""Lists as tables: one of many rows has the columns of one of a few, at the cost of its text."""

from __future__ import annotations

import pytest

from bootz.cli.output import Column, Output, OutputFormat

COLUMNS = (Column("serial_number", "SERIAL"), Column("cards", right=True), Column("detail"))
ROWS: list[dict[str, object]] = [
    {"serial_number": "FX1", "cards": 1, "detail": "ready"},
    {"serial_number": "a-longer-one", "cards": 12, "detail": {"site": "osl", "rack": 4}},
    {"serial_number": "Ω漢字", "cards": 3, "detail": ["first", True, None]},
    {"serial_number": "", "cards": None, "detail": "esc\x1b[2J"},
    {"serial_number": "FX2", "cards": 2, "detail": "one line\nand another"},
]


def printed(capsys: pytest.CaptureFixture[str], count: int) -> list[str]:
    Output(OutputFormat.TABLE).rows(COLUMNS, (ROWS * count)[:count])
    return capsys.readouterr().out.splitlines()


def test_a_long_table_looks_as_a_short_one(capsys: pytest.CaptureFixture[str]) -> None:
    short, long = printed(capsys, 5), printed(capsys, 1000)

    assert long[: len(short)] == short
    assert len(long) == 1 + (len(short) - 1) * 200
    assert short[-2:] == ["FX2               2  one line", " " * 21 + "and another"]
    assert not any("\x1b" in line for line in long)


def test_a_cell_of_a_long_table_is_never_folded(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"serial_number": "x" * 600, "cards": 1, "detail": "end"}] * 300
    Output(OutputFormat.TABLE).rows(COLUMNS, rows)
    lines = capsys.readouterr().out.splitlines()

    assert len(lines) == 301
    assert lines[1] == f"{'x' * 600}      1  end"
