"""Images come whole and right, or not at all.

Source: docs/protocol/workflow.md W10; docs/protocol/workflow.md#enemies.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from device.image_server import ImageServer

from bootz.device.download import DownloadOptions, InvalidImage
from bootz.device.installer import check_image, expected_digest, fetch_image
from bootz.errors import Unavailable
from bootz.model.bootstrap import SoftwareImage
from bootz.wire.uri import BootzUri

CONTENT = b"BOOTZ-IMAGE " + bytes(range(256)) * 400
DIGEST = hashlib.sha256(CONTENT).hexdigest()
OPTIONS = DownloadOptions(connect=5, stall=5, tries=3, wait=0)


def fetch(
    folder: Path,
    script: list[str],
    *,
    content: bytes = CONTENT,
    digest: str = DIGEST,
    options: DownloadOptions = OPTIONS,
    host: str = "127.0.0.1",
) -> tuple[Path | InvalidImage, ImageServer]:
    async def story() -> tuple[Path | InvalidImage, ImageServer]:
        async with ImageServer(content, script) as server:
            url = server.url.replace("127.0.0.1", host)
            image = SoftwareImage("os", "1", url, digest)
            try:
                return await fetch_image(image, folder, options, lambda *_: None), server
            except InvalidImage as error:
                return error, server

    return asyncio.run(asyncio.wait_for(story(), 60))


@pytest.mark.parametrize(
    ("script", "ranges"),
    [
        ([], [""]),
        (["cut", ""], ["", f"{len(CONTENT) // 2}-"]),
        (["cut", "no-ranges"], ["", f"{len(CONTENT) // 2}-"]),
        (["cut", "cut", ""], ["", f"{len(CONTENT) // 2}-", f"{len(CONTENT) * 3 // 4}-"]),
        (["cut", "shrunk", ""], ["", f"{len(CONTENT) // 2}-", ""]),
        (["broken", ""], ["", ""]),
        (["lies-long", "complete"], ["", f"{len(CONTENT)}-"]),
        (["lies-long", "beyond"], ["", f"{len(CONTENT)}-"]),
        # Answers to a range that are not the one that was asked for.
        *(
            (["cut", manner], ["", f"{len(CONTENT) // 2}-"])
            for manner in ("earlier", "beginning", "unit-in-capitals", "length-unknown")
        ),
        # At worst it begins from the first byte.
        *(
            (["cut", manner, ""], ["", f"{len(CONTENT) // 2}-", ""])
            for manner in ("wrong-range", "later", "no-content-range", "other-unit", "longer")
        ),
        (["cut", "beyond", ""], ["", f"{len(CONTENT) // 2}-", ""]),
    ],
)
def test_an_image_arrives_whole_over_interruptions(
    tmp_path: Path, script: list[str], ranges: list[str]
) -> None:
    result, server = fetch(tmp_path, script)
    assert isinstance(result, Path)
    assert result.read_bytes() == CONTENT
    assert server.ranges == ranges
    assert [path.name for path in tmp_path.iterdir()] == [DIGEST]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (["missing"], "os-image-not-found"),
        (["broken"] * 3, "os-image-unreachable"),
        (["cut"] * 3, "os-image-cut"),
        (["lies-long"] * 3, "os-image-cut"),
        (["lies-short"], "os-image-hash"),
        (["cut", "longer", "longer", "longer"], "os-image-length"),
        (["one-byte"] * 3, "os-image-length"),
    ],
)
def test_what_is_not_the_image_is_refused(tmp_path: Path, script: list[str], reason: str) -> None:
    result, _ = fetch(tmp_path, script)
    assert isinstance(result, InvalidImage)
    assert result.reason == reason
    assert not (tmp_path / DIGEST).exists()


@pytest.mark.parametrize("script", [["in-parts"] * 15, ["in-parts-of-unknown"] * 15, ["cut"] * 5])
def test_tries_that_bring_something_new_do_not_count(tmp_path: Path, script: list[str]) -> None:
    """More parts than there are tries, each of more than the least that counts."""
    content = bytes(1 << 20 if len(script) > 5 else 4 << 20)
    digest = hashlib.sha256(content).hexdigest()
    result, server = fetch(tmp_path, script, content=content, digest=digest)
    assert isinstance(result, Path)
    assert result.read_bytes() == content
    assert len(server.ranges) > OPTIONS.tries


def test_parts_of_two_files_are_thrown_away_together(tmp_path: Path) -> None:
    """The file was exchanged between two tries: what was joined is of neither."""

    async def story() -> Path:
        async with ImageServer(bytes(len(CONTENT)), ["cut"]) as server:
            image = SoftwareImage("os", "1", server.url, DIGEST)

            def exchanged(_have: int, _total: int | None) -> None:
                server.content = CONTENT

            return await fetch_image(image, tmp_path, OPTIONS, exchanged)

    path = asyncio.run(asyncio.wait_for(story(), 60))
    assert path.read_bytes() == CONTENT


def test_the_wait_between_tries_is_random_below_a_bound_that_doubles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", wait)
    chances = iter([0.5, 0.25, 0.0])
    options = replace(OPTIONS, tries=4, wait=2.0, chance=lambda: next(chances))
    result, _ = fetch(tmp_path, ["broken"] * 4, options=options)
    assert isinstance(result, InvalidImage)
    assert [seconds for seconds in waited if seconds] == [2.0, 2.0]


def test_another_file_under_the_url_is_refused_and_not_kept(tmp_path: Path) -> None:
    result, _ = fetch(tmp_path, [], content=CONTENT[:-1] + b"!")
    assert isinstance(result, InvalidImage)
    assert (result.reason, result.expected) == ("os-image-hash", DIGEST)
    assert list(tmp_path.iterdir()) == []


def test_a_stalled_server_is_given_up(tmp_path: Path) -> None:
    options = DownloadOptions(connect=5, stall=0.05, tries=2, wait=0)
    result, server = fetch(tmp_path, ["stall", "stall"], options=options)
    assert isinstance(result, InvalidImage)
    assert result.reason == "os-image-stalled"
    assert len(server.ranges) == 2


def test_nobody_listening_is_told(tmp_path: Path) -> None:
    image = SoftwareImage("os", "1", "http://127.0.0.1:1/x", DIGEST)
    with pytest.raises(InvalidImage) as caught:
        asyncio.run(fetch_image(image, tmp_path, OPTIONS, lambda *_: None))
    assert caught.value.reason == "os-image-unreachable"


def test_a_part_of_another_file_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / f"{DIGEST}.part").write_bytes(b"of an earlier, other file")
    result, server = fetch(tmp_path, [])
    assert isinstance(result, Path)
    assert server.ranges == ["25-", ""]


def test_an_image_that_is_there_is_not_fetched_again_unless_it_was_damaged(tmp_path: Path) -> None:
    (tmp_path / DIGEST).write_bytes(CONTENT)
    assert fetch(tmp_path, [])[1].ranges == []
    (tmp_path / DIGEST).write_bytes(b"damaged")
    result, server = fetch(tmp_path, [])
    assert isinstance(result, Path)
    assert (server.ranges, result.read_bytes()) == ([""], CONTENT)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "file:///etc/passwd", "http://", "x"])
def test_only_http_is_fetched(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidImage) as caught:
        asyncio.run(
            fetch_image(SoftwareImage("os", "1", url, DIGEST), tmp_path, OPTIONS, lambda *_: None)
        )
    assert caught.value.reason == "os-image-url"


COLONS = ":".join(DIGEST[at : at + 2] for at in range(0, 64, 2))


@pytest.mark.parametrize("algorithm", ["SHA256", "ietf-sztp-conveyed-info:sha-256"])
@pytest.mark.parametrize("text", [DIGEST, COLONS, DIGEST.upper()])
def test_both_names_and_both_forms_of_a_hash_are_read(algorithm: str, text: str) -> None:
    assert expected_digest(SoftwareImage("os", "1", "", "", algorithm, text)) == DIGEST


@pytest.mark.parametrize(
    ("algorithm", "text"),
    [
        ("MD5", DIGEST),
        ("SHA512", DIGEST),
        ("SHA256", DIGEST[:-2]),
        ("SHA256", DIGEST + "00"),
        ("SHA256", COLONS[:-1]),
        ("SHA256", "../" + DIGEST[3:]),
        ("SHA256", ""),
    ],
)
def test_another_hash_is_refused(algorithm: str, text: str) -> None:
    with pytest.raises(InvalidImage) as caught:
        expected_digest(SoftwareImage("os", "1", "", "", algorithm, text))
    assert caught.value.reason == "os-image-hash-form"


@pytest.mark.parametrize(
    ("content", "strict", "good"),
    [
        (b"", False, False),
        (b"\n <!DOCTYPE html>", False, False),
        (b"<html>", False, False),
        (b"\x7fELF", False, True),
        (b"\x7fELF", True, False),
        (b"BOOTZ-IMAGE", True, True),
    ],
)
def test_what_is_an_image(tmp_path: Path, content: bytes, strict: bool, good: bool) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    if good:
        check_image(path, strict=strict)
        return
    with pytest.raises(InvalidImage) as caught:
        check_image(path, strict=strict)
    assert caught.value.reason == "os-image-not-an-image"


def test_a_name_is_located_as_the_bootstrap_server_is(tmp_path: Path) -> None:
    asked: list[str] = []

    async def locate(uri: BootzUri) -> str:
        asked.append(uri.host)
        if uri.host == "nowhere.example":
            raise Unavailable("dhcp-name-unresolved", "no such name", where=uri.host)
        return "127.0.0.1"

    options = replace(OPTIONS, locate=locate)
    result, _ = fetch(tmp_path, [], options=options, host="images.example")
    assert isinstance(result, Path)
    assert asked == ["images.example"]
    result, _ = fetch(tmp_path / "other", [], options=options, host="nowhere.example")
    assert isinstance(result, InvalidImage)
    assert result.reason == "os-image-unreachable"
