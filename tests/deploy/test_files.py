"""What is written by hand for packages agrees with the project that they are made of."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from bootz import __version__

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="module")
def runtime_lock() -> ModuleType:
    spec = importlib.util.spec_from_file_location("runtime_lock", DEPLOY / "runtime_lock.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lock_file_of_a_release_has_what_runs_and_not_what_builds(
    runtime_lock: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime_lock.main()
    written = capsys.readouterr().out
    names = {runtime_lock.normal(entry) for entry in runtime_lock.entries(written)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [each for extra in project["optional-dependencies"].values() for each in extra]
    direct = [*project["dependencies"], *extras]
    assert {runtime_lock.normal(each) for each in direct} <= names
    # What those need in turn.
    assert {"h11", "hpack", "cffi", "mako", "starlette", "markupsafe"} <= names
    assert not {"hatchling", "editables", "pathspec", "trove-classifiers", "pytest"} & names
    # Each entry as it stands in the lock file, with its hashes.
    whole = (ROOT / "requirements.lock").read_text()
    assert all(entry in whole for entry in runtime_lock.entries(written))
    assert all("--hash=sha256:" in entry for entry in runtime_lock.entries(written))


def test_a_requirement_of_an_extra_is_followed_only_where_it_is_wanted(
    runtime_lock: ModuleType,
) -> None:
    assert "psycopg-binary" in runtime_lock.reached(["psycopg[binary]"])
    assert "psycopg-binary" not in runtime_lock.reached(["psycopg"])


def test_the_debian_changelog_is_of_this_version() -> None:
    first = (DEPLOY / "debian" / "changelog").read_text().splitlines()[0]
    assert first.startswith(f"bootz ({__version__}-")


def test_the_container_runs_as_a_user_and_is_looked_at() -> None:
    lines = (DEPLOY / "container" / "Containerfile").read_text().replace("\\\n", " ")
    said = re.findall(r"^([A-Z]+) +(.*)$", lines, re.MULTILINE)
    keywords = [keyword for keyword, _ in said]
    by_name = dict(said)
    # A number, so that who runs it can see without the image that it is not root.
    user, group = by_name["USER"].split(":")
    assert int(user) > 0
    assert int(group) > 0
    # Nothing that is run at a start comes before the user does.
    assert keywords.index("USER") < keywords.index("ENTRYPOINT")
    assert keywords.count("USER") == 1
    assert json.loads(by_name["VOLUME"]) == ["/var/lib/bootz"]
    assert json.loads(by_name["ENTRYPOINT"]) == ["/usr/bin/bootz"]
    assert "HEALTHCHECK" in keywords
    assert by_name["STOPSIGNAL"] == "SIGTERM"
    assert "15006" in by_name["EXPOSE"].split()
    assert not any(re.search(r"pass|secret|token", value, re.IGNORECASE) for _, value in said)


def test_what_is_vendored_is_in_the_list_of_licences() -> None:
    written = (DEPLOY / "debian" / "copyright").read_text()
    for manifest in sorted((ROOT / "src").rglob("vendor/manifest.json")):
        assert f"Files: {manifest.parent.relative_to(ROOT)}/*" in written
        for row in json.loads(manifest.read_text()):
            assert f"License: {row['licence']}\n" in written
