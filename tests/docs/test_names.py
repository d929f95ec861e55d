"""One name, one noun: whoever reads a class's name knows which one is meant."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "bootz"
SIBLINGS = ("dhcp/check/dnsmasq/", "dhcp/check/isc/", "dhcp/check/kea/")
"""A room for each DHCP server that is modelled: the same nouns, each as that server has them."""


def test_no_public_class_has_the_name_of_another() -> None:
    rooms: dict[str, list[str]] = defaultdict(list)
    for path in sorted(SOURCE.rglob("*.py")):
        if "generated" in path.parts:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                room = str(path.relative_to(SOURCE))
                room = "dhcp/check/SERVER" if room.startswith(SIBLINGS) else room
                if room not in rooms[node.name]:
                    rooms[node.name].append(room)
    assert len(rooms) > 500
    assert {name: paths for name, paths in rooms.items() if len(paths) > 1} == {}
