"""The folder: whole or not at all, named by the digest, and honest about what it holds."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from bootz.errors import BootzError, ConfigError, ConflictError, Unavailable
from bootz.images.depot import Depot, StoredFile

CONTENT = os.urandom(3 << 20)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "xr.iso"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "depot"


def test_add_keeps_content_under_its_digest_and_tells_progress(source: Path, folder: Path) -> None:
    steps: list[tuple[int, int]] = []
    stored = Depot(folder).add(source, progress=lambda done, whole: steps.append((done, whole)))
    assert stored == StoredFile(DIGEST, len(CONTENT))
    assert [path.name for path in folder.iterdir()] == [DIGEST]
    assert (folder / DIGEST).stat().st_mode & 0o777 == 0o444
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert steps == sorted(steps)
    with Depot(folder).open(DIGEST) as reading:
        assert reading.readall() == CONTENT  # type: ignore[attr-defined]


def test_add_again_heals_a_damaged_file(source: Path, folder: Path) -> None:
    depot = Depot(folder)
    stored = depot.add(source)
    kept = folder / stored.sha256
    kept.chmod(0o644)
    kept.write_bytes(b"x" + CONTENT[1:])
    with pytest.raises(Unavailable) as caught:
        depot.verify(stored)
    assert caught.value.reason == "image-file-damaged"
    assert depot.add(source) == stored
    depot.verify(stored)


def test_remove_is_told_once_and_open_downloads_go_on(source: Path, folder: Path) -> None:
    depot = Depot(folder)
    depot.add(source)
    with depot.open(DIGEST) as reading:
        assert depot.remove(DIGEST)
        assert not depot.holds(DIGEST)
        assert not depot.remove(DIGEST)
        assert reading.readall() == CONTENT  # type: ignore[attr-defined]
    with pytest.raises(Unavailable) as caught:
        depot.open(DIGEST)
    assert caught.value.reason == "image-file-missing"


def _pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.touch(), "image-file-unfit"),
        (lambda path: path.mkdir(), "image-file-unfit"),
        (_pipe, "image-file-unfit"),
        (lambda path: path.symlink_to("/dev/zero"), "image-file-unfit"),
        (lambda path: path.write_bytes(b"x" * 11), "image-file-unfit"),
        (lambda path: None, "file-unreadable"),
    ],
    ids=["empty", "folder", "pipe", "device", "too-large", "missing"],
)
def test_what_is_no_image_is_refused_and_leaves_nothing(
    tmp_path: Path, folder: Path, make: object, reason: str
) -> None:
    path = tmp_path / "image"
    make(path)  # type: ignore[operator]
    with pytest.raises(BootzError) as caught:
        Depot(folder, max_bytes=10).add(path)
    assert caught.value.reason == reason
    assert caught.value.where == str(path)
    assert not folder.exists()


@pytest.mark.parametrize("change", ["longer", "shorter", "rewritten"])
def test_a_source_that_is_being_written_is_refused(source: Path, folder: Path, change: str) -> None:
    def meddle(done: int, _whole: int) -> None:
        if done != 1 << 20:
            return
        with source.open("r+b") as writing:
            match change:
                case "longer":
                    writing.seek(0, os.SEEK_END)
                    writing.write(b"more")
                case "shorter":
                    writing.truncate(2 << 20)
                case _:
                    writing.write(b"other")

    with pytest.raises(ConflictError) as caught:
        Depot(folder).add(source, progress=meddle)
    assert caught.value.reason == "image-file-changed"
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable) as caught:
        Depot(tmp_path / "file" / "depot").add(source)
    assert caught.value.reason == "image-depot-unwritable"


def test_a_link_in_the_depot_is_not_followed(source: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / DIGEST).symlink_to(source)
    with pytest.raises(Unavailable):
        Depot(folder).open(DIGEST)


def test_a_name_that_is_no_digest_never_becomes_a_path(folder: Path) -> None:
    for name in ("../secret", DIGEST.upper(), DIGEST[1:], DIGEST + "\n"):
        with pytest.raises(RuntimeError):
            Depot(folder).holds(name)


def _add_and_hang(source: Path, folder: Path, told: Connection) -> None:
    def hang(_done: int, _whole: int) -> None:
        told.send("in the middle")
        signal.pause()

    Depot(folder).add(source, progress=hang)


def test_kill_in_the_middle_leaves_nothing_visible_and_the_next_add_sweeps(
    source: Path, folder: Path, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    adding = context.Process(target=_add_and_hang, args=(source, folder, theirs))
    adding.start()
    assert ours.recv() == "in the middle"
    other = tmp_path / "other"
    other.write_bytes(b"other")
    # While it lives, its work is left alone.
    kept = Depot(folder).add(other)
    leftovers = [path for path in folder.iterdir() if path.name != kept.sha256]
    assert len(leftovers) == 1
    adding.kill()
    adding.join()
    adding.close()
    assert not Depot(folder).holds(DIGEST)
    Depot(folder).add(other)
    assert [path.name for path in folder.iterdir()] == [kept.sha256]


def test_type_of_refusals_says_whose_fault_it_is() -> None:
    with pytest.raises(ConfigError):
        Depot(Path("/nonexistent")).add(Path("/dev/null"))
