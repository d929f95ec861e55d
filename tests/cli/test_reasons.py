"""``bootz reasons``."""

from __future__ import annotations

import json

import pytest

from bootz.cli.main import run
from bootz.reasons import REASONS


def test_all_reasons_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reasons", "--output", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["code"] for row in rows} == set(REASONS)
    assert all(row["meaning"] and row["action"] for row in rows)


def test_one_is_explained_in_any_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reasons", "Site-Missing"]) == 0
    assert "bootz init" in capsys.readouterr().out


def test_an_unknown_one_is_a_usage_error_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reasons", "site-mising"]) == 2
    assert "site-missing" in capsys.readouterr().err
