"""Who may do what: every route with every role, out of the API's own description.

docs/operator-ids.md: O20, O21, O22.
"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from api.conftest import World

from bootz.server.api.auth.accounts import ABSOLUTE_END, IDLE_END, set_account
from bootz.server.api.auth.principals import CSRF_HEADER, SESSION_COOKIE, csrf_token
from bootz.server.api.auth.roles import NEEDED, OperatorRole
from bootz.server.api.auth.throttle import FREE_TRIES

OPEN = {"login", "logout", "me"}
"""Operations that ask for no role."""


def routes(world: World) -> list[tuple[str, str, str, str]]:
    """Return method, path with its parameters filled, operation and verb of every route."""
    document = world.client.get("/api/v1/openapi.json").json()
    return [
        (
            method.upper(),
            re.sub(r"\{[^}]*\}", "99999", path).removeprefix("/api/v1"),
            told["operationId"],
            told.get("x-bootz-verb", ""),
        )
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]


def test_every_route_is_in_the_table_of_roles(world: World) -> None:
    found = routes(world)

    assert len(found) > 20
    for _, path, name, verb in found:
        assert (name in OPEN) != (verb in NEEDED), path


def test_every_route_with_every_role_as_the_table_says(world: World) -> None:
    for method, path, name, verb in routes(world):
        if name in OPEN or path == "/events/stream":
            continue
        for role in OperatorRole:
            answer = world.call(role, method, path, json={})
            allowed = answer.status_code != 403
            assert allowed == role.may(NEEDED[verb]), (method, path, role)
            assert answer.status_code < 500, (method, path, answer.text)
        assert world.call(None, method, path, json={}).status_code == 401, path


def test_insecure_mode_needs_a_role_of_its_own(world: World) -> None:
    body = {"vendor": "Acme", "serial_number": "FX1", "boot_mode": "insecure"}

    refused = world.call(OperatorRole.OPERATOR, "POST", "/chassis", json=body)

    assert (refused.status_code, refused.json()["reason"]) == (403, "role-insufficient")
    assert refused.json()["errors"][0]["expected"] == "security"
    added = world.call(OperatorRole.SECURITY, "POST", "/chassis", json=body)
    assert added.status_code == 201
    # Who may not turn checks off may still change what is beside them.
    key = added.json()["id"]
    changed = world.call(
        OperatorRole.OPERATOR, "PUT", f"/chassis/{key}", json={**body, "hostname": "r1"}
    )
    assert changed.status_code == 200


@pytest.mark.parametrize(
    "secret", ["", "bootz_", "bootz_" + "a" * 43, "Basic abc", "bootz_\x00", "é" * 50]
)
def test_a_wrong_token_opens_nothing(world: World, secret: str) -> None:
    headers = {"Authorization": f"Bearer {secret}".encode()}

    answer = world.client.get("/api/v1/me", headers=headers)

    assert (answer.status_code, answer.json()["reason"]) == (401, "login-needed")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_ends_by_time_and_by_word(world: World) -> None:
    listed = world.get("/tokens", OperatorRole.ADMIN)["results"]
    viewer = next(each for each in listed if each["role"] == "viewer")
    assert world.call(OperatorRole.VIEWER, "GET", "/me").status_code == 200

    world.call(OperatorRole.ADMIN, "POST", f"/tokens/{viewer['id']}/revoke")
    assert world.call(OperatorRole.VIEWER, "GET", "/me").status_code == 401

    world.now += timedelta(days=2)
    assert world.call(OperatorRole.ADMIN, "GET", "/me").status_code == 401


def test_a_session_needs_the_proof_of_our_page_for_changes(world: World) -> None:
    secret = world.session("ann", OperatorRole.ADMIN)
    cookies = {"Cookie": f"{SESSION_COOKIE}={secret}"}
    body = {"name": "bob", "role": "viewer"}

    assert world.call(None, "GET", "/me", headers=cookies).json()["name"] == "user:ann"
    for proof in ({}, {CSRF_HEADER: "0" * 64}, {CSRF_HEADER: csrf_token("another")}):
        refused = world.call(None, "POST", "/users", headers={**cookies, **proof}, json=body)
        assert (refused.status_code, refused.json()["reason"]) == (403, "csrf-refused")
    proof = {CSRF_HEADER: csrf_token(secret)}
    made = world.call(None, "POST", "/users", headers={**cookies, **proof}, json=body)
    assert made.status_code == 201


@pytest.mark.parametrize("why", ["idle", "absolute", "disabled", "password"])
def test_a_session_ends(world: World, why: str) -> None:
    world.session("root", OperatorRole.ADMIN)
    headers = {"Cookie": f"{SESSION_COOKIE}={world.session('ann', OperatorRole.VIEWER)}"}
    assert world.call(None, "GET", "/me", headers=headers).status_code == 200

    match why:
        case "idle":
            world.now += IDLE_END + timedelta(seconds=1)
        case "absolute":
            for _ in range(int(ABSOLUTE_END / (IDLE_END / 2))):
                world.now += IDLE_END / 2
                last = world.call(None, "GET", "/me", headers=headers).status_code
            assert last == 401
        case "disabled":
            with world.database.write() as connection:
                set_account(connection, "ann", enabled=False)
        case _:
            with world.database.write() as connection:
                set_account(connection, "ann", password="a new long password")
    assert world.call(None, "GET", "/me", headers=headers).status_code == 401


def test_a_link_opens_once(world: World) -> None:
    made = world.call(OperatorRole.ADMIN, "POST", "/users", json={"name": "ann", "role": "admin"})
    link = made.json()["link"]

    first = world.call(None, "POST", "/login", json={"link": link})
    again = world.call(None, "POST", "/login", json={"link": link})

    assert (first.status_code, first.json()["name"]) == (200, "ann")
    assert "HttpOnly" in first.headers["set-cookie"]
    assert "SameSite=strict" in first.headers["set-cookie"]
    assert (again.status_code, again.json()["reason"]) == (401, "login-refused")


def test_refused_logins_cost_time_by_account_and_by_address(world: World) -> None:
    body = {"name": "ann", "role": "admin", "password": "correct horse battery"}
    world.call(OperatorRole.ADMIN, "POST", "/users", json=body)
    wrong = {"name": "ann", "password": "wrong"}
    for _ in range(FREE_TRIES):
        assert world.call(None, "POST", "/login", json=wrong).status_code == 401

    right = {"name": "ann", "password": "correct horse battery"}
    throttled = world.call(None, "POST", "/login", json=right)

    assert (throttled.status_code, throttled.json()["reason"]) == (429, "login-throttled")
    assert int(throttled.headers["Retry-After"]) >= 1
    world.ticks += 3600.0
    assert world.call(None, "POST", "/login", json=right).status_code == 200


def test_the_last_admin_stays(world: World) -> None:
    made = {"name": "ann", "role": "admin", "password": "correct horse battery"}
    world.call(OperatorRole.ADMIN, "POST", "/users", json=made)

    for call in (
        ("DELETE", "/users/ann", None),
        ("PATCH", "/users/ann", {"role": "viewer"}),
        ("PATCH", "/users/ann", {"enabled": False}),
    ):
        refused = world.call(OperatorRole.ADMIN, call[0], call[1], json=call[2])
        assert refused.json()["reason"] == "account-last-admin"


def test_a_token_with_labels_sees_no_other_chassis(world: World) -> None:
    ours = world.chassis("FX1")
    other = world.chassis("FX2")
    with world.database.write() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO chassis_label VALUES ({ours}, 'site', 'osl'), ({other}, 'site', 'ber')"
        )
    body = {"name": "osl", "role": "operator", "scope": {"site": "osl"}}
    secret = world.call(OperatorRole.ADMIN, "POST", "/tokens", json=body).json()["secret"]
    headers = {"Authorization": f"Bearer {secret}"}

    def call(method: str, path: str, **options: object) -> int:
        answer = world.client.request(method, f"/api/v1{path}", headers=headers, **options)  # type: ignore[arg-type]
        return answer.status_code

    listed = world.client.get("/api/v1/chassis", headers=headers).json()
    assert [each["serial_number"] for each in listed["results"]] == ["FX1"]
    assert listed["count"] == 1
    assert call("GET", f"/chassis/{ours}") == 200
    assert call("GET", f"/chassis/{other}") == 404
    assert call("DELETE", f"/chassis/{other}") == 404
    assert call("POST", "/chassis/hold", json={"ids": [ours, other]}) == 404
    assert call("PATCH", "/chassis", json={"ids": [other], "changes": {"hostname": "x"}}) == 404
    assert call("GET", "/events") == 403
    assert world.get(f"/chassis/{ours}")["standing"]["state"] == "expected"
