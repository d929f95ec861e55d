"""docs/operator-ids.md: every id has its command and its test, and the test names the id."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from docs.test_readme import ROOT

PAGE = ROOT / "docs/operator-ids.md"
IDS = (
    *(f"O{n}" for n in (*range(1, 6), *range(10, 19), *range(20, 26))),
    *("O30", "O31", "O40", "O42", "O44", "O50", "O51", "O52"),
)
ROW = re.compile(r"^\| (O\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def rows() -> dict[str, tuple[str, str, str]]:
    return {found[1]: (found[2], found[3], found[4]) for found in ROW.finditer(PAGE.read_text())}


@cache
def module(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def test_every_id_is_on_the_page_once() -> None:
    assert [found[1] for found in ROW.finditer(PAGE.read_text())] == list(IDS)


@pytest.mark.parametrize("name", IDS)
def test_each_id_has_a_command_and_tests_that_name_it(name: str) -> None:
    what, command, tests = rows()[name]
    assert what
    assert "`" in command
    named = re.findall(r"`tests/([^`:]+)::(\w+)`", tests)
    assert named
    for path, test in named:
        tree = module(ROOT / "tests" / path)
        functions = {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
        assert test in functions, path
        assert re.search(rf"\b{name}\b", ast.get_docstring(tree) or ""), path
