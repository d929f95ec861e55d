"""A site to import into, and a shell to call."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from store.cluster import Cluster

from bootz.cli.main import run
from bootz.server.site import Site, open_site

Shell = Callable[..., Any]


def make_site(root: Path, *words: str) -> Site:
    assert run(["init", str(root), *words]) == 0
    return open_site(root)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new site, whose keys are made once."""
    root = tmp_path_factory.mktemp("template") / "site"
    make_site(root)
    return root


@pytest.fixture
def site(tmp_path: Path, template: Path) -> Site:
    return open_site(shutil.copytree(template, tmp_path / "site"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def any_site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    """A site on each of the engines."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("template")
        return open_site(shutil.copytree(template, tmp_path / "site"))
    cluster: Cluster = request.getfixturevalue("cluster")
    return make_site(tmp_path / "site", "--database", cluster.url())


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    """Call ``bootz`` and return what it printed as JSON; with a code that is not 0, the error."""

    def call(site: Site, *words: object, code: int = 0) -> Any:
        capsys.readouterr()
        ended = run(["--site", str(site.root), *map(str, words), "--output", "json"])
        told = capsys.readouterr()
        assert ended == code, told.err
        return json.loads(told.out or "null") if told.out else json.loads(told.err or "null")

    return call
