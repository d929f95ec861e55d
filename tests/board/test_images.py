"""A file that is dropped on the page of images: streamed, bounded, whole or not at all."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
from board import night
from board.conftest import Board

from bootz.server.operations.images import list_images
from bootz.server.operations.uploads import MAX_UPLOADS

CONTENT = bytes(range(256)) * 12_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FIELDS = {"kind": "image", "name": "xr", "version": "7.11", "sha256": ""}


def send(board: Board, content: bytes = CONTENT, name: str = "xr.iso", **fields: str) -> Any:
    files = {"file": (name, io.BytesIO(content))}
    return board.post("/images/content", {**FIELDS, **fields}, files=files)


def stored(tmp_path: Path) -> list[str]:
    """The files of the image store, and what is under way."""
    return sorted(path.name for path in (tmp_path / "images").rglob("*") if path.is_file())


def names(board: Board) -> list[str]:
    with board.database.read() as connection:
        return [each.full_name for each in list_images(connection)]


def test_a_file_is_in_the_store_and_its_digest_on_the_page(board: Board, tmp_path: Path) -> None:
    board.enter("operator")

    sent = send(board, sha256=DIGEST.upper())

    assert sent.status_code == 303
    page = board.page(sent.headers["location"].removeprefix("/board"))
    assert page.count(DIGEST) == 2
    assert "3072000 bytes" in page
    assert stored(tmp_path) == [DIGEST]
    assert names(board) == ["image xr 7.11"]
    # The same name again, another digest than was said, an empty file, none: nothing stays.
    for refused, reason in (
        (send(board), "image-exists"),
        (send(board, version="8", sha256="00" * 32), "image-file-other"),
        (send(board, b"", version="8"), "image-file-unfit"),
        (send(board, name="a/b", version="8"), "image-invalid"),
        (send(board, kind="firmware", version="8"), "image-invalid"),
        (send(board, version=""), "image-invalid"),
    ):
        assert refused.status_code in {409, 422}, reason
        assert reason in refused.text
        assert 'data-address="/board/' in refused.text
    assert stored(tmp_path) == [DIGEST]
    assert names(board) == ["image xr 7.11"]
    for _ in range(MAX_UPLOADS):
        assert send(board, b"", version="9").status_code == 422
    assert send(board, version="9").status_code == 303


def test_who_may_not_sends_nothing(board: Board, tmp_path: Path) -> None:
    night.inventory(board.database, 1)
    board.enter("viewer")
    assert "/board/images/content" not in board.page("/images")
    assert send(board).status_code == 403
    board.client.cookies.clear()
    assert (
        board.client.post("/board/images/content", data={}, follow_redirects=False)
        .headers["location"]
        .startswith("/board/login")
    )
    board.enter("operator")
    files = {"file": ("xr.iso", io.BytesIO(CONTENT))}
    forged = board.client.post(
        "/board/images/content", data={**FIELDS, "csrf": "00"}, files=files, follow_redirects=False
    )
    assert (forged.status_code, "csrf-refused" in forged.text) == (403, True)
    assert stored(tmp_path) == []


def raw(board: Board, body: bytes, media: str = "multipart/form-data; boundary=b") -> Any:
    return board.client.post("/board/images/content", content=body, headers={"Content-Type": media})


def part(name: str, value: str, file_name: str = "") -> bytes:
    named = f'; filename="{file_name}"' if file_name else ""
    return (
        f'--b\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n{value}\r\n'
    ).encode()


def form(board: Board, *parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    fields = {**FIELDS, "csrf": board.csrf()}
    return b"".join([*(part(*each) for each in fields.items()), *parts, end])


def test_a_form_that_is_not_whole_leaves_nothing(board: Board, tmp_path: Path) -> None:
    board.enter("operator")
    file = part("file", "some bytes", "xr.iso")
    for body in (
        form(board, file, end=b""),
        form(board, file, file),
        form(board, file, part("late", "x")),
        form(board, part("long", "x" * 5000), file),
        form(board, *(part(f"n{number}", "x") for number in range(20)), file),
        form(board, b"--b\r\nX: " + b"y" * 5000 + b"\r\n\r\n", file),
        form(board, b'--b\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nx\r\n', file),
        b"nonsense",
    ):
        refused = raw(board, body)
        assert (refused.status_code, "request-invalid" in refused.text) == (400, True), body[:200]
    assert raw(board, form(board)).status_code == 422
    assert raw(board, b"{}", "application/json").status_code == 400
    assert raw(board, b"{}", "multipart/form-data").status_code == 400
    assert stored(tmp_path) == []
    assert names(board) == []
    assert raw(board, form(board, file)).status_code == 200
    assert names(board) == ["image xr 7.11"]


def test_a_body_without_a_length_is_refused(board: Board, tmp_path: Path) -> None:
    board.enter("operator")
    body = form(board, part("file", "some bytes", "xr.iso"))

    def pieces() -> Iterator[bytes]:
        yield body

    refused: httpx2.Response = board.client.post(
        "/board/images/content",
        content=pieces(),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert refused.status_code == 400
    assert "Content-Length" in refused.text
    assert stored(tmp_path) == []
