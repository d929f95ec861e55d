"""Writes what an installation needs out of ``requirements.lock``: all but what only builds it.

Run it with a Python that has the lock file installed: which package needs which is read there.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

ROOT = Path(__file__).parents[1]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRAS = re.compile(r"\[([^\]]*)\]")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


def main() -> None:
    """Print the lock file without what only the build needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["project"]["optional-dependencies"].values()
    runs = reached([*project["project"]["dependencies"], *(one for each in groups for one in each)])
    builds = reached(project["dependency-groups"]["build"])
    for entry in entries((ROOT / "requirements.lock").read_text()):
        if normal(entry) not in builds - runs:
            sys.stdout.write(entry)


def entries(lock: str) -> list[str]:
    """Return the entries of a lock file: a package with its hashes, on several lines."""
    return re.findall(r"^\S.*\n(?:[ \t].*\n)*", lock, re.MULTILINE)


def normal(requirement: str) -> str:
    """Return the name of a package as registries compare it (PEP 503)."""
    found = _NAME.match(requirement)
    if found is None:
        raise ValueError(f"{requirement!r} names no package")
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def reached(requirements: Iterable[str]) -> set[str]:
    """Return the names of all packages that these need, on whatever platform."""
    waiting = [*requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        extras = _EXTRAS.search(requirement.partition(";")[0])
        wanted = frozenset(re.split(r"\s*,\s*", extras[1]) if extras else ())
        name = normal(requirement)
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        for each in needs(name):
            extra = _EXTRA.search(each.partition(";")[2])
            if extra is None or extra[1] in wanted:
                waiting.append(each)
    return {name for name, _ in seen}


def needs(name: str) -> list[str]:
    """Return what an installed package says that it needs; nothing for one of other platforms."""
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


if __name__ == "__main__":
    main()
