"""What an engineer pastes: lines with their prompts, broken lines, and what a router printed.

The block of the vendor's guide is one: prompts stand before its commands, and the longest of them
is broken at a blank. Source: Cisco IOS XR, Deploy Router Using Bootz.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

_PROMPT: Final = re.compile(r"\s*RP/\d+/RP\w*/CPU\d+:[A-Za-z0-9._-]*(?:\([^()\s]*\))?\s*#\s*")
_TIMESTAMP: Final = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d(?:\.\d+)? \S+"
)


def has_prompt(line: str) -> bool:
    """Tell whether a line begins with a router's prompt."""
    return _PROMPT.match(line) is not None


def bare(line: str) -> str:
    """Return the command in a line: without the prompt, and without the time that XR prints."""
    line = _PROMPT.sub("", line, count=1)
    return "" if _TIMESTAMP.fullmatch(line.strip()) else line.strip()


def joins(cut: str, line: str) -> bool:
    """Tell whether a line is the rest of one that lacks a value at its end.

    It has no prompt, and the other has one, or it is a path, which no command begins with.
    """
    rest = line.strip()
    return bool(rest) and not has_prompt(line) and (has_prompt(cut) or rest.startswith("/"))


def unbroken(lines: Iterable[str], is_cut: Callable[[str], bool]) -> Iterator[str]:
    """Return lines with broken ones joined: ``is_cut`` tells that a line lacks only a value."""
    held = ""
    for line in lines:
        if held and joins(held, line):
            yield f"{held} {line.strip()}"
            held = ""
            continue
        if held:
            yield held
        held = line if is_cut(line) else ""
        if not held:
            yield line
    if held:
        yield held
