"""The harnesses: one file each in ``harnesses``, with one entry for bytes."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from bootz.errors import BootzError

HERE = Path(__file__).parent
NAMES = tuple(sorted(path.stem for path in (HERE / "harnesses").glob("[a-z]*.py")))
Entry = Callable[[bytes], None]


def load(name: str) -> Entry:
    """Return the entry of a harness."""
    entry: Entry = import_module(f"fuzz.harnesses.{name}").enter
    return entry


def feed(entry: Entry, data: bytes) -> bool:
    """Give bytes to a harness, and tell whether they were accepted.

    Our own errors are answers; anything else that is raised is a finding.
    """
    try:
        entry(data)
    except BootzError:
        return False
    return True
