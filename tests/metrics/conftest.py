"""A site made once, and a copy of it for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import World, make_site, manufacturer


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template") / "site"
    make_site(root)
    return root


@pytest.fixture
def world(tmp_path: Path, template: Path) -> World:
    made = World(tmp_path, template)
    made.add_vendor(manufacturer())
    return made
