"""The mutants of our own server: all can be made, and some of them are, to see that they are found.

All of them are tried by ``make check-mutants``; docs/conformance.md has what came of it.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bootz.conformance.server.catalogue import all_cases
from bootz.conformance.server.suite import CaseChoice, chosen

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "tools" / "mutants.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutants"] = module
    spec.loader.exec_module(module)
    return module


def test_every_mutant_can_be_made(tool: ModuleType, tmp_path: Path) -> None:
    mutants = tool.read_mutants()
    names = [mutant.name for mutant in mutants]
    assert len(set(names)) == len(names) > 50
    cases = all_cases()
    for mutant in mutants:
        for file in {edit.file for edit in mutant.edits}:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / "src" / "bootz" / file, tmp_path / file)
        with mutant.applied(tmp_path):
            assert chosen(cases, CaseChoice(mutant.cases, slow=True))


def test_the_page_has_every_mutant_and_none_survives(tool: ModuleType) -> None:
    rows = tool.PAGE.read_text().partition(tool._BEGIN)[2].partition(tool._END)[0].splitlines()[2:]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == [
        mutant.check for mutant in tool.read_mutants()
    ]
    assert not [row for row in rows if "not found" in row]


def test_some_mutants_are_found(tool: ModuleType) -> None:
    """A check of unary calls, and one of streams."""
    wanted = [m for m in tool.read_mutants() if m.name in {"client-certificate", "challenge-fresh"}]
    trials = list(tool.try_mutants(wanted))
    assert len(trials) == 2
    assert all(trial.caught for trial in trials)


def test_a_mutant_that_does_not_apply_is_told(tool: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n")
    for old, new in (("x = 1", "x = 2"), ("y", "z"), ("x = 1\nx", "x = (")):
        edit = tool.Edit("a.py", old, new)
        with pytest.raises((ValueError, SyntaxError)):
            edit.apply(tmp_path)
    assert (tmp_path / "a.py").read_text() == "x = 1\nx = 1\n"
