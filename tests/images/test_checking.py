"""A file that is not what was added any more is noticed, not served, and can be replaced."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from pathlib import Path

import pytest
from images.depot_world import CONTENT, DIGEST, World, run, sealed
from structlog.testing import capture_logs

from bootz.errors import Unavailable
from bootz.images.checking import ImageChecker
from bootz.images.depot import Depot, StoredFile, is_sealed
from bootz.images.http_server import ImageServer
from bootz.images.ports import CatalogueEntry

ENTRY = CatalogueEntry(DIGEST, "xr.iso", len(CONTENT))


def flipped(path: Path, *, quietly: bool = False) -> None:
    """Change one byte; quietly, as a disk does that fails."""
    status = path.stat()
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff")
    if quietly:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_file_that_was_added_carries_its_seal(tmp_path: Path) -> None:
    world = run(_nothing, tmp_path)
    path = tmp_path / "depot" / DIGEST
    assert is_sealed(path.stat(), DIGEST)
    flipped(path)
    assert not is_sealed(path.stat(), DIGEST)
    with pytest.raises(Unavailable):
        world.depot.verify(StoredFile(DIGEST, len(CONTENT)), seal=True)
    assert not is_sealed(path.stat(), DIGEST)


async def _nothing(_world: World) -> None:
    pass


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_was_written_to_is_not_served_until_it_is_replaced(
    tmp_path: Path, method: str
) -> None:
    async def story(world: World) -> None:
        path = tmp_path / "depot" / DIGEST
        assert (await world.ask(method=method)).status == 200
        flipped(path)
        with capture_logs() as told:
            for _ in range(3):
                refused = await world.ask(method=method)
                assert (refused.status, refused.headers["Retry-After"]) == (503, "30")
        # It is compared once, not for each router.
        damaged = [each for each in told if each["event"] == "image-file-damaged"]
        assert [(each["sha256"], each["file_name"]) for each in damaged] == [(DIGEST, "xr.iso")]
        source = tmp_path / "again.iso"
        source.write_bytes(CONTENT)
        world.depot.add(source)
        answer = await world.ask()
        assert (answer.status, answer.body) == (200, CONTENT)

    run(story, tmp_path)


@pytest.mark.parametrize("change", ["touched", "copied"])
def test_a_file_that_is_right_but_was_touched_is_served_and_sealed_again(
    tmp_path: Path, change: str
) -> None:
    """As after a restore from a backup that does not keep times."""

    async def story(world: World) -> None:
        path = tmp_path / "depot" / DIGEST
        if change == "touched":
            os.utime(path)
        else:
            other = tmp_path / "copy"
            shutil.copyfile(path, other)
            other.rename(path)
        assert not is_sealed(path.stat(), DIGEST)
        assert (await world.ask()).body == CONTENT
        assert is_sealed(path.stat(), DIGEST)

    run(story, tmp_path)


def test_a_disk_that_fails_in_silence_is_found_on_schedule(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        flipped(tmp_path / "depot" / DIGEST, quietly=True)
        # Neither length nor time says so.
        assert (await world.ask()).status == 200
        with capture_logs() as told:
            await world.server.check()
            await world.server.check()
        assert [each["event"] for each in told] == ["image-file-damaged"]
        assert (await world.ask()).status == 503
        flipped_back = tmp_path / "depot" / DIGEST
        flipped_back.write_bytes(CONTENT)
        sealed(flipped_back)
        await world.server.check()
        assert (await world.ask()).body == CONTENT

    run(story, tmp_path)


@pytest.mark.parametrize("damage", ["missing", "shorter", "a folder"])
def test_the_schedule_goes_on_past_a_file_that_is_not_there(tmp_path: Path, damage: str) -> None:
    async def story(world: World) -> None:
        other = b"another image"
        digest = hashlib.sha256(other).hexdigest()
        path = tmp_path / "depot" / digest
        if damage == "shorter":
            path.write_bytes(b"short")
        elif damage == "a folder":
            path.mkdir()
        world.entries = {
            (digest, "other"): CatalogueEntry(digest, "other", len(other)),
            **world.entries,
        }
        flipped(tmp_path / "depot" / DIGEST, quietly=True)
        with capture_logs() as told:
            await world.server.check()
        assert len(told) == 2
        assert told[1]["sha256"] == DIGEST

    run(story, tmp_path)


def test_the_schedule_begins_with_the_server(tmp_path: Path) -> None:
    checked = asyncio.Event()

    class Asked(World):
        async def files(self) -> list[CatalogueEntry]:
            checked.set()
            return []

    async def play() -> None:
        world = Asked(tmp_path, Depot(tmp_path / "depot"), {})
        server = ImageServer(world.depot, world, world, check_every=3600)
        await server.start([("127.0.0.1", 0)])
        await asyncio.wait_for(checked.wait(), 60)
        await server.drain(0)

    asyncio.run(play())


def test_a_digest_that_takes_long_is_waited_for_and_then_told(tmp_path: Path) -> None:
    """The router comes back; a comparison that was begun goes on."""
    run(_nothing, tmp_path)
    path = tmp_path / "depot" / DIGEST
    os.utime(path)
    goes = asyncio.Event()

    class Slow(Depot):
        def verify(self, *args: object, **words: object) -> os.stat_result:
            asyncio.run_coroutine_threadsafe(goes.wait(), loop).result(60)
            return super().verify(*args, **words)  # type: ignore[arg-type]

    async def play() -> None:
        nonlocal loop
        loop = asyncio.get_running_loop()
        checker = ImageChecker(Slow(tmp_path / "depot"), wait=0.01)
        with pytest.raises(Unavailable) as caught:
            await checker.admit(ENTRY, path.stat())
        assert caught.value.reason == "image-file-unchecked"
        goes.set()
        await checker.check_all([ENTRY])
        await checker.admit(ENTRY, path.stat())
        await checker.close()

    loop: asyncio.AbstractEventLoop
    asyncio.run(play())


def test_where_nothing_can_be_sealed_it_is_compared_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A depot of another user, or on a disk that is only read."""
    run(_nothing, tmp_path)
    path = tmp_path / "depot" / DIGEST
    os.utime(path)
    reads: list[str] = []

    class Counted(Depot):
        def verify(self, *args: object, **words: object) -> os.stat_result:
            reads.append("read")
            return super().verify(*args, **words)  # type: ignore[arg-type]

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    async def play() -> None:
        checker = ImageChecker(Counted(tmp_path / "depot"))
        monkeypatch.setattr(os, "utime", refuse)
        await checker.admit(ENTRY, path.stat())
        await checker.admit(ENTRY, path.stat())
        await checker.close()

    asyncio.run(play())
    assert reads == ["read"]


def test_closing_stops_a_comparison_in_the_middle(tmp_path: Path) -> None:
    folder = tmp_path / "depot"
    folder.mkdir()
    size = 1 << 40
    with (folder / DIGEST).open("wb") as writing:
        writing.truncate(size)

    async def play() -> None:
        checker = ImageChecker(Depot(folder), wait=0.01)
        with pytest.raises(Unavailable):
            await checker.admit(CatalogueEntry(DIGEST, "big", size), (folder / DIGEST).stat())
        await checker.close()

    # Reading it to its end would take hours; the loop's end waits for the thread.
    asyncio.run(asyncio.wait_for(play(), 60))
