#!/usr/bin/env python3
"""Refuse words that a network engineer would not write, where people read: help, errors, pages.

It reads texts and docstrings of ``src`` and ``tools``, and all Markdown pages. Code in backticks,
fenced blocks and texts without a blank (names, keys) are left alone. The words are in
tools/plain_words.txt, each with what to write instead.

    tools/plain_words.py              exit code 1 and one line a find: FILE:LINE: what to write
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
LIST: Final = ROOT / "tools/plain_words.txt"

_CODE: Final = re.compile(r"``[^`]*``|`[^`\n]*`")
_FENCE: Final = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_LINK_TARGET: Final = re.compile(r"\]\([^)\s]*\)")


@dataclass(frozen=True, slots=True)
class Rule:
    """A word or phrase to avoid, and what to write instead."""

    pattern: re.Pattern[str]
    instead: str


@dataclass(frozen=True, slots=True)
class Prose:
    """A text that people read; ``rows`` are the source lines that it spans, from ``line`` on."""

    line: int
    words: str
    rows: tuple[str, ...]


def read_rules(text: str) -> tuple[Rule, ...]:
    """Return the rules of a list; empty lines and those with # are no rules.

    Raises:
        ValueError: a line has not both sides.
    """
    rules = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        words, arrow, instead = line.partition(" => ")
        if not arrow or not words.strip() or not instead.strip():
            raise ValueError(f"not `words => instead`: {line}")
        pattern = re.compile(rf"\b(?:{words.strip()})(?!\w)", re.IGNORECASE)
        rules.append(Rule(pattern, instead.strip()))
    return tuple(rules)


def python_prose(code: str) -> Iterator[Prose]:
    """Yield the texts and docstrings of a module that hold more than one word."""
    rows = code.splitlines()
    parts: set[int] = set()
    for node in ast.walk(ast.parse(code)):
        if id(node) in parts:
            continue
        if isinstance(node, ast.JoinedStr):
            parts.update(id(each) for each in ast.walk(node))
            pieces = (
                each.value if isinstance(each, ast.Constant) else "{}" for each in node.values
            )
            words = "".join(str(piece) for piece in pieces)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = node.value
        else:
            continue
        if " " in words.strip():
            end = node.end_lineno or node.lineno
            yield Prose(node.lineno, words, tuple(rows[node.lineno - 1 : end]))


def markdown_prose(page: str) -> Iterator[Prose]:
    """Yield each paragraph of a page, without its code blocks."""
    rows = _FENCE.sub(lambda found: "\n" * found[0].count("\n"), page).splitlines()
    begun = 0
    for number, row in enumerate([*rows, ""]):
        if row.strip():
            continue
        if begun < number:
            block = rows[begun:number]
            yield Prose(begun + 1, "\n".join(block), tuple(block))
        begun = number + 1


def finds(prose: Prose, rules: tuple[Rule, ...]) -> Iterator[tuple[int, str]]:
    """Yield line and words of each find."""
    words = " ".join(_plain(prose.words).split())
    for rule in rules:
        after = 0
        for found in rule.pattern.finditer(words):
            row, after = _place(prose.rows, found[0], after)
            yield prose.line + row, f'"{found[0]}": write {rule.instead}'


def _plain(words: str) -> str:
    """Return words without code and the targets of links."""
    return _LINK_TARGET.sub("]", _CODE.sub("``", words))


def _place(rows: tuple[str, ...], phrase: str, after: int) -> tuple[int, int]:
    """Return the row in which a phrase begins, and where to look for the next.

    ``after`` counts words. A phrase may be broken over rows, and over the quotes between them.
    """
    tokens = [
        (number, word)
        for number, row in enumerate(rows)
        for word in re.findall(r"\w+", _plain(row))
        if word != "f"
    ]
    wanted = re.findall(r"\w+", phrase)
    for begin in range(after, len(tokens) - len(wanted) + 1):
        if [word for _, word in tokens[begin : begin + len(wanted)]] == wanted:
            return tokens[begin][0], begin + 1
    return 0, after


def check(root: Path, rules: tuple[Rule, ...]) -> list[str]:
    """Return what is found below a folder, as ``FILE:LINE: what``."""
    pages = [*root.glob("*.md"), *(root / "docs").rglob("*.md")]
    modules = [path for folder in ("src", "tools") for path in (root / folder).rglob("*.py")]
    told = []
    for path in sorted([*pages, *modules]):
        if "generated" in path.parts:
            continue
        text = path.read_text()
        proses = markdown_prose(text) if path.suffix == ".md" else python_prose(text)
        where = path.relative_to(root)
        places = {place for prose in proses for place in finds(prose, rules)}
        told += [f"{where}:{line}: {what}" for line, what in sorted(places)]
    return told


def main() -> int:
    """Print what is found."""
    found = check(ROOT, read_rules(LIST.read_text()))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
