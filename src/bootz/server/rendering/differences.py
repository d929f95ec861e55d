"""Differences between two texts, line by line, for people to read. Pure."""

import difflib
from collections.abc import Iterable
from typing import Final, NamedTuple

import yaml

MOST: Final = 4_000
"""Lines of one text that are compared; a comparison takes time with their square."""


class DifferenceLine(NamedTuple):
    """One line: ``kind`` is ``ins``, ``del`` or ``span``, the element that shows it."""

    kind: str
    text: str

    @property
    def marked(self) -> str:
        """The line with a sign before it: ``+``, ``-`` or a blank."""
        return f"{_SIGNS[self.kind]} {self.text}"


_SIGNS: Final = {"ins": "+", "del": "-", "span": " "}


def difference(before: str, after: str) -> list[DifferenceLine]:
    """Return the lines of two texts, each as added, removed or the same."""
    old, new = before.splitlines()[:MOST], after.splitlines()[:MOST]
    lines: list[DifferenceLine] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            lines += (DifferenceLine("span", text) for text in old[old_from:old_to])
            continue
        lines += (DifferenceLine("del", text) for text in old[old_from:old_to])
        lines += (DifferenceLine("ins", text) for text in new[new_from:new_to])
    return lines


def differs(lines: Iterable[DifferenceLine]) -> bool:
    """Return whether any line was added or removed."""
    return any(line.kind != "span" for line in lines)


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as it is, line by line."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def as_text(document: object) -> str:
    """Return a document as YAML, for people to read."""
    return yaml.dump(
        document, Dumper=_Dumper, allow_unicode=True, sort_keys=True, default_flow_style=False
    )
