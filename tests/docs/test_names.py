"""One name, one noun: whoever reads a class's name knows which one is meant."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "bootz"


def test_no_public_class_has_the_name_of_another() -> None:
    rooms: dict[str, list[str]] = defaultdict(list)
    for path in sorted(SOURCE.rglob("*.py")):
        if "generated" in path.parts:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                rooms[node.name].append(str(path.relative_to(SOURCE)))
    assert len(rooms) > 500
    assert {name: paths for name, paths in rooms.items() if len(paths) > 1} == {}
