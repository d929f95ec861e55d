"""Sources of truth through the operator's door."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sources.conftest import SourceWorld, attempted

from bootz.cli.site.door_surroundings import door_surroundings
from bootz.server.api.app import create_app
from bootz.server.api.auth.accounts import add_account, begin_session
from bootz.server.api.auth.principals import SESSION_COOKIE
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.auth.tokens import add_token
from bootz.server.api.context import Door
from bootz.server.board.app import install
from bootz.server.sources.pushing import push_all


@pytest.fixture
def call(netbox: SourceWorld, request: pytest.FixtureRequest) -> Iterator[Any]:
    room = netbox.room(**getattr(request, "param", {}))
    door = Door(
        netbox.database,
        room.config,
        lambda: netbox.now,
        lambda: 0.0,
        door_surroundings(netbox.root, room.config),
        netbox.root,
    )
    tokens = {}
    with netbox.database.write() as connection:
        for role in OperatorRole:
            end = netbox.now + timedelta(days=1)
            _, tokens[role] = add_token(
                connection, role.value, role, now=netbox.now, expires_at=end
            )
    with TestClient(create_app(door), raise_server_exceptions=False) as client:

        def send(role: OperatorRole, method: str, path: str, **options: Any) -> Any:
            headers = {"Authorization": f"Bearer {tokens[role]}", **options.pop("more", {})}
            return client.request(method, f"/api/v1{path}", headers=headers, **options)

        yield send


def test_a_source_is_shown_synced_and_let_go(call: Any, netbox: SourceWorld) -> None:
    tried = call(OperatorRole.OPERATOR, "POST", "/sources/sot/sync?dry_run=true", json={})
    assert tried.status_code == 200, tried.text
    assert tried.json()["counts"]["add"] == 21
    assert netbox.chassis() == {}

    done = call(OperatorRole.OPERATOR, "POST", "/sources/sot/sync", json={})
    assert (done.status_code, len(done.json()["changes"])) == (200, 21)
    (shown,) = call(OperatorRole.VIEWER, "GET", "/sources").json()
    assert (shown["name"], shown["chassis"], shown["warnings"]) == ("sot", 21, [])
    assert {fault["reason"] for fault in shown["faults"]} == {"source-no-serial", "source-no-name"}
    assert all(fault["next"] and "/dcim/devices/" in fault["url"] for fault in shown["faults"])
    body = {"serial_number": "FOC2801A002"}
    released = call(OperatorRole.OPERATOR, "POST", "/sources/release", json=body)
    assert released.json()["released_from"] == "sot"
    again = call(OperatorRole.OPERATOR, "POST", "/sources/release", json=body)
    assert (again.status_code, again.json()["reason"]) == (409, "source-not-owner")


def test_a_sync_is_held_to_what_was_read_and_done_once_under_its_key(call: Any) -> None:
    def post(path: str, **headers: str) -> Any:
        return call(OperatorRole.OPERATOR, "POST", path, json={}, more=headers)

    read = {"If-Match": call(OperatorRole.VIEWER, "GET", "/sources/sot").headers["ETag"]}
    for verb in ("sync", "check"):
        stale = post(f"/sources/sot/{verb}", **{"If-Match": '"0"'})
        assert (stale.status_code, stale.json()["reason"]) == (412, "etag-stale")

    first = post("/sources/sot/sync", **read, **{"Idempotency-Key": "k1"})
    assert (first.status_code, first.json()["counts"]["add"]) == (200, 21)
    again = post("/sources/sot/sync", **read, **{"Idempotency-Key": "k1"})
    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")
    assert post("/sources/sot/sync", **read).status_code == 412
    tried = post("/sources/sot/check?dry_run=true")
    assert tried.headers["X-Bootz-Dry-Run"] == "true"


@pytest.mark.parametrize("call", [{"on_fault": "stop"}], indirect=True)
def test_a_refused_sync_tells_the_faults_of_all_devices(call: Any) -> None:
    tried = call(OperatorRole.OPERATOR, "POST", "/sources/sot/sync?dry_run=true", json={}).json()
    assert (tried["refused"], tried["changes"], len(tried["faults"])) == (True, [], 2)
    assert call(OperatorRole.VIEWER, "GET", "/sources/sot").json()["faults"] == []

    refused = call(OperatorRole.OPERATOR, "POST", "/sources/sot/sync", json={})

    assert (refused.status_code, refused.json()["reason"]) == (422, "source-refused")
    shown = call(OperatorRole.VIEWER, "GET", "/sources/sot").json()
    assert shown["reason"] == "source-refused"
    assert {fault["reason"] for fault in shown["faults"]} == {"source-no-serial", "source-no-name"}


def test_a_source_is_checked(call: Any, netbox: SourceWorld) -> None:
    netbox.product.forbidden = {"dcim/modules/"}

    rows = call(OperatorRole.OPERATOR, "POST", "/sources/sot/check").json()

    failed = {row["check"]: row for row in rows if row["outcome"] == "failed"}
    assert failed["view dcim.module"]["reason"] == "source-forbidden"
    assert failed["view dcim.module"]["next"]
    assert call(OperatorRole.VIEWER, "POST", "/sources/sot/check").status_code == 403


def test_what_was_not_written_back_names_the_device(call: Any, netbox: SourceWorld) -> None:
    netbox.sync()
    attempted(netbox, "edge-02", "success")
    netbox.product.forbidden = {f"dcim/devices/{netbox.product.device('edge-02')['id']}/"}
    room = netbox.room(push={"fields": True})
    asyncio.run(push_all(room, room.config.sources[0], set()))

    (fault,) = call(OperatorRole.VIEWER, "GET", "/sources/sot").json()["push_faults"]

    assert (fault["name"], fault["reason"]) == ("edge-02", "source-forbidden")
    assert fault["next"]
    assert fault["url"].endswith("/dcim/devices/2/")


def test_a_failed_sync_says_why_and_what_to_do(call: Any, netbox: SourceWorld) -> None:
    netbox.product.refuse = (503, "text/html", b"")

    failed = call(OperatorRole.OPERATOR, "POST", "/sources/sot/sync", json={})

    assert (failed.status_code, failed.json()["reason"]) == (503, "source-unreachable")
    assert failed.json()["next_action"]
    shown = call(OperatorRole.VIEWER, "GET", "/sources/sot").json()
    assert (shown["reason"], shown["failures"]) == ("source-unreachable", 1)


def test_the_board_shows_sources_and_syncs(netbox: SourceWorld) -> None:
    room = netbox.room()
    door = Door(
        netbox.database,
        room.config,
        lambda: netbox.now,
        lambda: 0.0,
        door_surroundings(netbox.root, room.config),
        netbox.root,
    )
    with netbox.database.write() as connection:
        account = add_account(connection, "ann", OperatorRole.OPERATOR, now=netbox.now)
        secret = begin_session(connection, account, "test", now=netbox.now)
    with TestClient(create_app(door, [install])) as client:
        client.cookies.set(SESSION_COOKIE, secret)
        shown = client.get("/board/sources").text
        assert "has never been read" in shown
        csrf = re.search(r'name="csrf" value="([0-9a-f]+)"', shown)
        assert csrf is not None
        fields = {"csrf": csrf[1], "to": "/sources", "name": "sot"}
        tried = client.post("/board/sources/sync", data={**fields, "dry_run": "1"}).text
        assert "what would change" in tried
        assert "FOC2801A002" in tried
        assert netbox.chassis() == {}
        checked = client.post("/board/sources/check", data=fields).text
        assert "view dcim.module" in checked
        client.post("/board/sources/sync", data=fields)
        assert len(netbox.chassis()) == 21
        shown = client.get("/board/sources").text
        assert "source-no-serial" in shown
        assert "/dcim/devices/5/" in shown
        key = netbox.chassis()["edge-02"].key
        assert "/dcim/devices/2/" in client.get(f"/board/devices/{key}").text
        client.post("/board/sources/release", data={**fields, "serial": "FOC2801A002"})
    assert len(netbox.markers()) == 20


@pytest.mark.parametrize(
    ("role", "path", "body", "status"),
    [
        (OperatorRole.VIEWER, "/sources/sot/sync", {}, 403),
        (OperatorRole.OPERATOR, "/sources/other/sync", {}, 404),
        (OperatorRole.OPERATOR, "/sources/sot/sync", {"upd": True}, 400),
        (OperatorRole.OPERATOR, "/sources/sot/sync", {"update": "perhaps"}, 400),
        (OperatorRole.OPERATOR, "/sources/release", {"serial_number": "NONE"}, 404),
    ],
)
def test_what_is_refused(
    call: Any, role: OperatorRole, path: str, body: dict[str, object], status: int
) -> None:
    assert call(role, "POST", path, json=body).status_code == status
