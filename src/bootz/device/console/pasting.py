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


def unbroken(
    lines: Iterable[str], is_cut: Callable[[str], bool], joins: Callable[[str, str], bool]
) -> Iterator[str]:
    """Return lines with broken ones joined.

    A line that ``is_cut`` is held back until the next one has come, however long that takes:
    ``joins`` tells whether that is its rest. If it is not, both are returned as they came.
    """
    held = ""
    for line in lines:
        if held and joins(held, line):
            held = f"{held} {line.strip()}"
        else:
            if held:
                yield held
            held = line
        if not is_cut(held):
            yield held
            held = ""
    if held:
        yield held
