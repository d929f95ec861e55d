"""The word list of lint finds what people would read, where it is, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.plain_words import LIST, check, finds, markdown_prose, python_prose, read_rules

RULES = read_rules(LIST.read_text())


def words_of(code: str) -> list[tuple[int, str]]:
    return [each for prose in python_prose(code) for each in finds(prose, RULES)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("What it shall get.", "shall"),
        ("Nobody answers here.", "Nobody"),
        ("it was changed meanwhile; again", "meanwhile"),
        ("issued anew each day", "anew"),
        ("The host of a bootz URI is none.", "is none"),
        ("rules that are none", "are none"),
        ("the folder is no site", "is no"),
        ("a key stands twice in it", "stands twice"),
        ("No connection comes about.", "comes about"),
        ("a file is not of its form", "is not of its form"),
    ],
)
def test_an_odd_word_is_found(words: str, found: str) -> None:
    ((line, told),) = words_of(f'"""Opens a room."""\n\nX = "{words}"\n')
    assert line == 3
    assert told.startswith(f'"{found}')
    assert ": write " in told


@pytest.mark.parametrize(
    "words",
    [
        "There is none, and there are none in the list.",
        "there is no such site",
        "it is no longer served",
        "None of them is None.",
        "What stands for IPv4, and marshalling of shallow copies.",
        "``shall`` and `nobody` are code",
        "a user anybodyelse",
    ],
)
def test_a_plain_text_is_left_alone(words: str) -> None:
    assert words_of(f'X = "{words}"\n') == []


def test_names_keys_and_code_are_no_prose() -> None:
    assert words_of('KEYS = {"nobody": 1, "meanwhile": anew}\nshall = "anew"\n') == []


def test_a_phrase_is_found_where_it_is_written() -> None:
    code = 'X = (\n    "a long text about what "\n    f"this {name} shall "\n    "get of it"\n)\n'
    assert words_of(code) == [(3, '"shall": write must, will or should')]
    docstring = '"""One.\n\n    What is broken over lines,\n    or a URI that is\n    none.\n"""\n'
    assert [line for line, _ in words_of(docstring)] == [4]


def test_pages_are_read_without_their_code() -> None:
    page = (
        "# One\n\nWhat `shall` be,\n[shall](shall.md) be.\n\n```\nnobody here\n```\n\n| nobody |\n"
    )
    told = [each for prose in markdown_prose(page) for each in finds(prose, RULES)]
    assert [(line, what.split(":")[0]) for line, what in told] == [(4, '"shall"'), (10, '"nobody"')]


def test_each_find_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / "src/room.py").write_text('"""What it shall be."""\n')
    (tmp_path / "docs/page.md").write_text("One.\n\nIssued anew.\n")
    (tmp_path / "README.md").write_text("Plain words.\n")
    assert check(tmp_path, RULES) == [
        'docs/page.md:3: "anew": write again',
        'src/room.py:1: "shall": write must, will or should',
    ]


@pytest.mark.parametrize("line", ["shall", "shall => ", " => must"])
def test_a_list_with_half_a_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="words => instead"):
        read_rules(f"# a comment\n\n{line}\n")
