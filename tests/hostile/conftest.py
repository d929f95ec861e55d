"""A site made once, and a copy of it for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import ENGINES
from world import World, make_site, manufacturer

from bootz.config.serving import TransportSettings


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template") / "site"
    make_site(root)
    return root


@pytest.fixture(params=ENGINES)
def world(tmp_path: Path, template: Path, request: pytest.FixtureRequest) -> World:
    """A site with one vendor, on each HTTP/2 engine; its keys are those of the template."""
    made = World(tmp_path, template)
    made.settings["transport"] = TransportSettings(http2_engine=request.param)
    made.add_vendor(manufacturer())
    return made
