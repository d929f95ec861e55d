"""A site as ``bootz init`` makes it, its ``bootz keys``, and a PKI of the operator's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from keystore.softhsm import SoftToken
from site_world import Pki

from bootz.cli.main import run
from bootz.server.site import Site, open_site

Keys = Callable[..., Any]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    root = tmp_path / "site"
    assert run(["init", str(root)]) == 0
    monkeypatch.setenv("BOOTZ_SITE", str(root))
    return open_site(root)


@pytest.fixture
def keys(site: Site, capsys: pytest.CaptureFixture[str]) -> Keys:
    def call(*words: object, code: int = 0) -> Any:
        capsys.readouterr()
        assert run(["keys", *map(str, words), "--output", "json"]) == code
        captured = capsys.readouterr()
        return json.loads(captured.out) if code == 0 else json.loads(captured.err)["error"]

    return call


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoftToken:
    monkeypatch.setenv("SOFTHSM2_CONF", "")
    return SoftToken(tmp_path / "hsm", label="site")


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    (tmp_path / "pki").mkdir()
    return Pki(tmp_path / "pki")
