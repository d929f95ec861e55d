"""Images by the API: in pieces that survive a lost connection, and whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from api.conftest import World
from fastapi.testclient import TestClient

from bootz.cli.site.door_surroundings import door_surroundings
from bootz.config.site import SiteConfig
from bootz.server.api.app import create_app
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.context import Door

CONTENT = bytes(range(256)) * 12_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
BODY = {"name": "os", "version": "2", "file_name": "os.iso", "size": len(CONTENT)}


def begin(world: World, **changes: Any) -> Any:
    return world.call(OperatorRole.OPERATOR, "POST", "/images/uploads", json={**BODY, **changes})


def send(world: World, key: str, first: int, last: int, content: bytes | None = None) -> Any:
    return world.call(
        OperatorRole.OPERATOR,
        "PUT",
        f"/images/uploads/{key}/content",
        content=CONTENT[first : last + 1] if content is None else content,
        headers={"Content-Range": f"bytes {first}-{last}/{len(CONTENT)}"},
    )


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "images").iterdir())


def test_a_whole_file_is_on_record_and_in_the_store(world: World, tmp_path: Path) -> None:
    key = begin(world, sha256=DIGEST).json()["id"]

    done = world.call(
        OperatorRole.OPERATOR, "PUT", f"/images/uploads/{key}/content", content=CONTENT
    ).json()

    assert (done["received"], done["image"]["sha256"]) == (len(CONTENT), DIGEST)
    assert files(tmp_path) == [DIGEST]
    (listed,) = world.get("/images")["results"]
    assert (listed["stored"], listed["path"]) == (True, f"/images/{DIGEST}/os.iso")
    again = begin(world)
    assert (again.status_code, again.json()["reason"]) == (409, "image-exists")
    removed = world.call(OperatorRole.OPERATOR, "DELETE", f"/images/{listed['id']}")
    assert removed.status_code == 200
    assert files(tmp_path) == []


@pytest.mark.parametrize("restarted", [False, True])
def test_pieces_go_on_where_the_connection_was_lost(
    world: World, tmp_path: Path, restarted: bool
) -> None:
    key = begin(world).json()["id"]
    half = 1_500_000
    assert send(world, key, 0, half - 1).json()["received"] == half
    wrong = send(world, key, half + 1, half + 10)
    assert (wrong.status_code, wrong.json()["reason"]) == (409, "upload-offset-wrong")
    if restarted:
        around = door_surroundings(tmp_path, SiteConfig())
        door = Door(world.database, SiteConfig(), lambda: world.now, lambda: world.ticks, around)
        world.client = TestClient(create_app(door), raise_server_exceptions=False)

    path = f"/images/uploads/{key}"
    there = world.call(OperatorRole.OPERATOR, "GET", path).json()["received"]
    done = send(world, key, there, len(CONTENT) - 1).json()

    assert done["image"]["sha256"] == DIGEST
    assert files(tmp_path) == [DIGEST]
    assert world.call(OperatorRole.OPERATOR, "GET", path).status_code == 404


def test_another_digest_leaves_nothing(world: World, tmp_path: Path) -> None:
    key = begin(world, sha256="0" * 64).json()["id"]

    refused = send(world, key, 0, len(CONTENT) - 1)

    assert (refused.status_code, refused.json()["reason"]) == (409, "image-file-other")
    assert files(tmp_path) == []
    assert world.get("/images")["count"] == 0


def test_more_than_was_said_is_refused(world: World) -> None:
    key = begin(world).json()["id"]

    longer = send(world, key, 0, 9, CONTENT[:11])
    beyond = world.call(
        OperatorRole.OPERATOR,
        "PUT",
        f"/images/uploads/{key}/content",
        content=b"x",
        headers={"Content-Range": "bytes 5-4/10"},
    )

    assert (longer.status_code, longer.json()["reason"]) == (413, "request-too-large")
    assert (beyond.status_code, beyond.json()["reason"]) == (400, "request-invalid")


def test_an_upload_is_its_senders_alone_and_ends(world: World, tmp_path: Path) -> None:
    key = begin(world).json()["id"]
    send(world, key, 0, 99)
    path = f"/images/uploads/{key}"

    assert world.call(OperatorRole.ADMIN, "GET", path).status_code == 404
    assert world.call(OperatorRole.VIEWER, "DELETE", path).status_code == 403
    assert world.call(OperatorRole.OPERATOR, "DELETE", path).status_code == 200
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"file_name": "../os.iso"},
        {"file_name": "a/b"},
        {"size": 0},
        {"size": 1 << 40},
        {"sha256": "XYZ"},
        {"name": ""},
        {"colour": "red"},
    ],
)
def test_what_cannot_be_an_image_is_told_before_it_is_sent(
    world: World, changes: dict[str, Any]
) -> None:
    refused = begin(world, **changes)

    assert refused.status_code == 400, refused.text
    assert refused.json()["errors"][0]["where"].endswith(next(iter(changes)))
