"""``bootz image``: record and file change together, whatever happens in between."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from store.fresh import fresh_database

from bootz.cli.inventory.image_files import store_image
from bootz.cli.main import run
from bootz.errors import BootzError, Unavailable
from bootz.images.depot import Depot
from bootz.server.operations.images import ImageKind, list_images
from bootz.server.store.database import Database

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = fresh_database(tmp_path / "bootz.db")
    yield opened
    opened.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "xr.iso"
    path.write_bytes(b"image")
    return path


def add(database: Database, depot: Depot, source: Path, name: str = "xr", file: str = "") -> str:
    return store_image(
        database,
        depot,
        source,
        name=name,
        version="1",
        kind=ImageKind.IMAGE,
        file_name=file or source.name,
        now=NOW,
    ).sha256


def test_record_and_file_are_of_the_same_bytes(
    database: Database, source: Path, tmp_path: Path
) -> None:
    depot = Depot(tmp_path / "depot")
    digest = add(database, depot, source)
    assert digest == hashlib.sha256(b"image").hexdigest()
    with database.read() as connection:
        (record,) = list_images(connection)
    assert (record.sha256, record.size, record.file_name) == (digest, 5, "xr.iso")
    assert depot.holds(digest)


def test_the_same_name_twice_is_told_before_the_file_is_read(
    database: Database, source: Path, tmp_path: Path
) -> None:
    depot = Depot(tmp_path / "depot")
    digest = add(database, depot, source)
    with pytest.raises(BootzError) as caught:
        add(database, depot, tmp_path / "missing", file="x")
    assert caught.value.reason == "image-exists"
    assert depot.holds(digest)


@pytest.mark.parametrize("file", ["a/b", "..", "a\nb", "x" * 256])
def test_a_file_name_that_no_url_can_have_is_refused(
    database: Database, source: Path, tmp_path: Path, file: str
) -> None:
    with pytest.raises(BootzError) as caught:
        add(database, Depot(tmp_path / "depot"), source, file=file)
    assert caught.value.reason == "image-invalid"
    assert not (tmp_path / "depot").exists()


class _Vanishing(Depot):
    """A depot whose file is removed by somebody else right after it was added."""

    def holds(self, sha256: str) -> bool:
        self.remove(sha256)
        return super().holds(sha256)


def test_a_file_that_vanished_meanwhile_leaves_no_record(
    database: Database, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(Unavailable) as caught:
        add(database, _Vanishing(tmp_path / "depot"), source)
    assert caught.value.reason == "image-file-missing"
    with database.read() as connection:
        assert tuple(list_images(connection)) == ()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "site"
    assert run(["init", str(root)]) == 0
    monkeypatch.setenv("BOOTZ_SITE", str(root))
    return root


def test_walk_through(site: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*words: str) -> object:
        capsys.readouterr()
        assert run(["image", *words, "--output", "json"]) == 0
        return json.loads(capsys.readouterr().out or "null")

    digest = hashlib.sha256(b"image").hexdigest()
    added = told("add", str(source), "--name", "xr", "--version", "1")
    assert isinstance(added, dict)
    assert (added["sha256"], added["size"], added["kind"]) == (digest, 5, "image")
    assert added["path"] == f"/images/{digest}/xr.iso"
    told("add", str(source), "--name", "fix", "--version", "1", "--kind", "smu")
    listed = told("list")
    assert isinstance(listed, list)
    assert {(row["kind"], row["name"], row["stored"]) for row in listed} == {
        ("image", "xr", True),
        ("smu", "fix", True),
    }
    shown = told("show", "xr", "1", "--verify")
    assert isinstance(shown, dict)
    assert shown["verified"] is True
    # The file stays as long as a record names it.
    told("remove", "xr", "1")
    assert told("list") != []
    shown = told("show", "fix", "1", "--kind", "smu")
    assert isinstance(shown, dict)
    assert shown["stored"] is True
    told("remove", "fix", "1", "--kind", "smu")
    assert told("list") == []
    assert run(["image", "show", "fix", "1", "--kind", "smu"]) == 1


def test_a_damaged_file_is_replaced_although_it_is_in_use(
    site: Path, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = ["--name", "xr", "--version", "1"]

    def fails(*words: str, code: int = 1) -> str:
        capsys.readouterr()
        assert run(["image", *words]) == code
        return capsys.readouterr().err

    assert run(["image", "add", str(source), *named]) == 0
    assert run(["profile", "add", "base", "--image", "xr/1"]) == 0
    (stored,) = [path for path in site.rglob("*") if path.name.startswith("6105d6cc")]
    assert run(["image", "list", "--verify"]) == 0
    stored.chmod(0o644)
    stored.write_bytes(b"imagE")
    assert "image-file-damaged" in fails("list", "--verify")
    assert "image-in-use" in fails("remove", "xr", "1")
    other = tmp_path / "other.iso"
    other.write_bytes(b"another build")
    assert "image-file-other" in fails("replace", str(other), *named)
    assert len(list(stored.parent.iterdir())) == 1
    assert run(["image", "replace", str(source), *named]) == 0
    assert run(["image", "list", "--verify"]) == 0
    stored.unlink()
    assert "image-file-missing" in fails("list", "--verify")
    assert run(["image", "replace", str(source), *named]) == 0
    assert run(["image", "list", "--verify"]) == 0

    # The recorded one was wrong: the record changes, and nothing is left of the other file.
    capsys.readouterr()
    words = ["image", "replace", str(other), *named, "--other-content", "--output", "json"]
    assert run(words) == 0
    shown = json.loads(capsys.readouterr().out)
    digest = hashlib.sha256(b"another build").hexdigest()
    assert (shown["sha256"], shown["size"], shown["file_name"]) == (digest, 13, "xr.iso")
    assert [path.name for path in stored.parent.iterdir()] == [digest]
    assert run(["image", "list", "--verify"]) == 0
    assert "image-not-found" in fails("replace", str(source), "--name", "none", "--version", "1")


def test_damage_is_told(site: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["image", "add", str(source), "--name", "xr", "--version", "1"]) == 0
    (stored,) = [path for path in site.rglob("*") if path.name.startswith("6105d6cc")]
    stored.chmod(0o644)
    stored.write_bytes(b"imagE")
    assert run(["image", "show", "xr", "1", "--verify"]) == 1
    assert "image-file-damaged" in capsys.readouterr().err
