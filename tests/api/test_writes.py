"""Changes by the API: all or nothing, tried, repeated, and held to what was read.

docs/operator-ids.md: O4, O11, O13.
"""

from __future__ import annotations

from typing import Any

import pytest
from api.conftest import World
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootz.server.api.auth.roles import OperatorRole

BODY = {"vendor": "Acme", "serial_number": "FX1", "hostname": "r1"}


def add(world: World, body: dict[str, Any] = BODY, **options: Any) -> Any:
    return world.call(OperatorRole.OPERATOR, "POST", "/chassis", json=body, **options)


def count(world: World) -> int:
    found: int = world.get("/chassis")["count"]
    return found


def test_a_dry_run_does_everything_and_undoes_it(world: World) -> None:
    tried = add(world, params={"dry_run": "true"})

    assert (tried.status_code, tried.json()["hostname"]) == (201, "r1")
    assert tried.headers["X-Bootz-Dry-Run"] == "true"
    assert count(world) == 0
    assert world.get("/audit", OperatorRole.SECURITY)["results"][0]["verb"] != "chassis.add"
    assert add(world, {**BODY, "vendor": "None"}, params={"dry_run": "true"}).status_code == 404


def test_a_key_repeats_the_first_answer(world: World) -> None:
    first = add(world, headers={"Idempotency-Key": "k1"})
    again = add(world, headers={"Idempotency-Key": "k1"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["ETag"] == first.headers["ETag"]
    assert count(world) == 1
    other = add(world, {**BODY, "serial_number": "FX2"}, headers={"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["reason"]) == (409, "idempotency-key-reused")
    # Another caller's keys are its own.
    theirs = world.call(
        OperatorRole.ADMIN,
        "POST",
        "/chassis",
        json={**BODY, "serial_number": "FX2"},
        headers={"Idempotency-Key": "k1"},
    )
    assert theirs.status_code == 201


def test_an_answer_with_a_secret_is_not_kept(world: World) -> None:
    body = {"name": "ci", "role": "viewer"}
    made = world.call(
        OperatorRole.ADMIN, "POST", "/tokens", json=body, headers={"Idempotency-Key": "k1"}
    ).json()

    with world.database.read() as connection:
        kept = connection.exec_driver_sql("SELECT body FROM idempotent_answer").all()
    assert made["secret"].startswith("bootz_")
    assert kept == []


def test_a_change_is_held_to_what_was_read(world: World) -> None:
    added = add(world)
    path = f"/chassis/{added.json()['id']}"
    tag = added.headers["ETag"]
    shown = world.call(OperatorRole.VIEWER, "GET", path)
    assert shown.headers["ETag"] == tag

    def put(hostname: str, tag: str) -> Any:
        body = {**BODY, "hostname": hostname}
        return world.call(OperatorRole.OPERATOR, "PUT", path, json=body, headers={"If-Match": tag})

    assert put("r2", tag).status_code == 200
    stale = put("r3", tag)
    assert (stale.status_code, stale.json()["reason"]) == (412, "etag-stale")
    assert world.get(path)["hostname"] == "r2"
    assert put("r3", "*").status_code == 200
    removed = world.call(OperatorRole.OPERATOR, "DELETE", path, headers={"If-Match": tag})
    assert removed.status_code == 412


def test_many_change_together_or_none_with_every_error(world: World) -> None:
    keys = [world.chassis(f"FX{number}", hostname=f"r{number}") for number in range(1, 4)]
    body = {"ids": keys, "changes": {"profile": None, "variables": {"site": "osl"}}}
    assert world.call(OperatorRole.OPERATOR, "PATCH", "/chassis", json=body).json()["changed"] == [
        "FX1",
        "FX2",
        "FX3",
    ]
    assert world.get(f"/chassis/{keys[2]}")["variables"] == {"site": "osl"}

    wrong = {"ids": [*keys, 900, 901], "changes": {"variables": {"site": "ber"}}}
    refused = world.call(OperatorRole.OPERATOR, "PATCH", "/chassis", json=wrong)

    assert refused.status_code == 404
    assert [each["where"] for each in refused.json()["errors"]] == ["ids.900", "ids.901"]
    assert world.get(f"/chassis/{keys[0]}")["variables"] == {"site": "osl"}


def test_many_are_added_together_or_none_with_every_error(world: World) -> None:
    def post(*chassis: dict[str, Any], **options: Any) -> Any:
        body = {"chassis": list(chassis)}
        return world.call(OperatorRole.OPERATOR, "POST", "/chassis/bulk", json=body, **options)

    fine = [{**BODY, "serial_number": f"FX{number}"} for number in range(3)]
    refused = post(
        fine[0],
        {**fine[1], "vendor": "Nobody"},
        {**fine[2], "hostname": "a\x07b"},
        fine[0],
    )
    assert (refused.status_code, count(world)) == (404, 0)
    assert [(each["where"].split()[0], each["reason"]) for each in refused.json()["errors"]] == [
        ("chassis.1", "vendor-not-found"),
        ("chassis.2", "chassis-invalid"),
        ("chassis.3", "serial-taken"),
    ]
    tried = post(*fine, params={"dry_run": "true"})
    assert (tried.status_code, count(world)) == (201, 0)
    insecure = post({**fine[0], "boot_mode": "insecure"})
    assert (insecure.status_code, count(world)) == (403, 0)
    added = post(*fine, headers={"Idempotency-Key": "many"})
    assert [each["name"] for each in added.json()["added"]] == ["FX0", "FX1", "FX2"]
    assert post(*fine, headers={"Idempotency-Key": "many"}).content == added.content
    assert count(world) == 3


def test_many_are_removed_together_or_none(world: World) -> None:
    keys = [world.chassis(f"FX{number}") for number in range(3)]

    def delete(*ids: int) -> Any:
        body = {"ids": list(ids)}
        return world.call(OperatorRole.OPERATOR, "DELETE", "/chassis", json=body)

    refused = delete(*keys, 900, 901)
    assert (refused.status_code, count(world)) == (404, 3)
    assert [each["where"] for each in refused.json()["errors"]] == ["ids.900", "ids.901"]
    assert delete(*keys[:2]).json() == {"removed": ["FX0", "FX1"]}
    assert count(world) == 1
    entries = world.get("/audit", OperatorRole.SECURITY)["results"]
    assert [each["verb"] for each in entries[:2]] == ["chassis.remove", "chassis.remove"]


def test_a_condition_is_never_passed_over(world: World) -> None:
    key = world.chassis("FX1")
    held = world.call(
        OperatorRole.OPERATOR,
        "POST",
        "/chassis/hold",
        json={"ids": [key]},
        headers={"If-Match": '"old"'},
    )
    assert (held.status_code, held.json()["reason"]) == (400, "request-invalid")
    assert world.get(f"/chassis/{key}")["standing"]["state"] == "expected"
    hook = {"name": "w", "url": "https://hooks.example.net/", "events": ["bootz.report.success"]}
    made = world.call(OperatorRole.ADMIN, "POST", "/webhooks", json=hook)
    assert made.status_code == 201, made.text
    stale = world.call(OperatorRole.ADMIN, "DELETE", "/webhooks/w", headers={"If-Match": '"old"'})
    assert stale.status_code == 412
    tag = {"If-Match": made.headers["ETag"]}
    assert world.call(OperatorRole.ADMIN, "DELETE", "/webhooks/w", headers=tag).status_code == 200


def test_hold_and_release(world: World) -> None:
    keys = [world.chassis(f"FX{number}") for number in range(1, 4)]
    held = world.call(
        OperatorRole.OPERATOR, "POST", "/chassis/hold", json={"ids": keys[:2], "note": "no power"}
    )
    assert held.json()["changed"] == ["FX1", "FX2"]
    again = world.call(OperatorRole.OPERATOR, "POST", "/chassis/hold", json={"ids": keys})
    assert again.json()["changed"] == ["FX3"]

    shown = world.get(f"/chassis/{keys[0]}")["standing"]
    assert (shown["state"], shown["detail"], shown["step"]) == ("on-hold", "no power", "expected")
    assert world.get("/chassis?state=on-hold&state=failed")["count"] == 3
    assert world.get("/chassis?state=expected")["count"] == 0
    fourth = world.chassis("FX4", labels={"site": "osl"})
    for query in ("state=expected", "state=expected&label=site=osl", "state=expected&q=x4"):
        page = world.get(f"/chassis?{query}&ordering=-vendor,hostname")
        assert (page["count"], [each["id"] for each in page["results"]]) == (1, [fourth])
    assert world.get("/chassis?state=expected&label=site=ber")["count"] == 0
    assert world.get("/chassis?state=on-hold&state=expected")["count"] == 4
    page = world.get("/chassis?q=FX&limit=2&offset=1")
    assert (page["count"], [each["id"] for each in page["results"]]) == (4, keys[1:])
    released = world.call(OperatorRole.OPERATOR, "POST", "/chassis/release", json={"ids": keys})
    assert len(released.json()["changed"]) == 3
    assert world.get("/chassis?state=on-hold")["count"] == 0


def test_secrets_are_hidden_and_survive_a_change_by_who_may_not_see_them(world: World) -> None:
    secret = "$6$planted"
    body = {"name": "base", "vendor_config": "hostname x", "boot_password_hash": secret}
    assert world.call(OperatorRole.OPERATOR, "POST", "/profiles", json=body).status_code == 201

    seen = world.get("/profiles/base")
    assert secret not in str(seen)
    assert seen["boot_password_hash"].startswith("hidden:")
    assert world.get("/profiles/base", OperatorRole.SECURITY)["boot_password_hash"] == secret

    changed = {**seen, "vendor_config": "hostname y"}
    answer = world.call(OperatorRole.OPERATOR, "PUT", "/profiles/base", json=changed)

    assert answer.status_code == 200, answer.text
    kept = world.get("/profiles/base", OperatorRole.SECURITY)
    assert (kept["boot_password_hash"], kept["vendor_config"]) == (secret, "hostname y")
    everything = world.call(OperatorRole.SECURITY, "GET", "/audit").text
    assert "planted" not in everything


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reason"),
    [
        ("POST", "/chassis", {"vendor": "Acme", "colour": "red"}, 400, "request-invalid"),
        ("POST", "/chassis", {"vendor": 5}, 400, "request-invalid"),
        ("POST", "/chassis", {"vendor": "Acme", "serial_number": "x" * 99}, 400, "request-invalid"),
        ("POST", "/chassis", {"vendor": "Nobody", "serial_number": "F"}, 404, "vendor-not-found"),
        ("GET", "/chassis?limit=0", None, 400, "request-invalid"),
        ("GET", "/chassis?limit=100000", None, 400, "request-invalid"),
        ("GET", "/chassis?ordering=password", None, 400, "request-invalid"),
        ("GET", "/chassis?fields=serial_number,secret", None, 400, "request-invalid"),
        ("GET", "/chassis?state=lost", None, 400, "request-invalid"),
        ("GET", "/chassis/0", None, 400, "request-invalid"),
        ("GET", "/chassis/99999999999999999999", None, 400, "request-invalid"),
        ("PUT", "/chassis/hold", {}, 405, "method-not-allowed"),
        ("GET", "/attempts?since=0.5", None, 400, "request-invalid"),
        ("GET", "/chassis/77", None, 404, "object-not-found"),
        ("GET", "/nothing", None, 404, "route-not-found"),
        ("DELETE", "/status", None, 405, "method-not-allowed"),
        ("PATCH", "/chassis", {"ids": [1], "changes": {"x": 1}}, 400, "request-invalid"),
        ("PATCH", "/chassis", {"ids": [], "changes": {}}, 400, "request-invalid"),
    ],
)
def test_every_refusal_is_a_problem_with_field_and_next_step(
    world: World, method: str, path: str, body: object, status: int, reason: str
) -> None:
    answer = world.call(OperatorRole.ADMIN, method, path, json=body)

    problem = answer.json()
    assert (answer.status_code, problem["reason"]) == (status, reason), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["next_action"]
    assert problem["errors"]
    assert all(each["where"] for each in problem["errors"])


@pytest.mark.parametrize(
    ("method", "path", "where"),
    [
        ("GET", "/chassis?stat=failed", "query.stat"),
        ("GET", "/chassis?q=%00", "query.q"),
        ("GET", "/vendors/%00", "path"),
        ("POST", "/chassis?dryrun=true", "query.dryrun"),
        ("DELETE", "/vouchers?serial_number=FX1&sha=aa", "query.sha"),
    ],
)
def test_what_a_route_does_not_take_is_refused(
    world: World, method: str, path: str, where: str
) -> None:
    answer = world.call(OperatorRole.ADMIN, method, path, json=BODY)

    told = answer.json()
    assert (answer.status_code, told["reason"]) == (400, "request-invalid")
    assert [item["where"] for item in told["errors"]] == [where]
    assert count(world) == 0


@pytest.mark.parametrize(
    "content",
    [
        b'{"vendor": "Acme", "serial_number": "FX1", "serial_number": "FX2"}',
        b'{"vendor": "Acme", "serial_number": "FX1", "variables": {"a": 1, "a": 2}}',
        b'{"vendor": "Acme", "serial_number": "FX1", "variables": {"a": NaN}}',
    ],
)
def test_json_is_read_strictly(world: World, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = world.call(OperatorRole.OPERATOR, "POST", "/chassis", content=content, headers=headers)

    told = answer.json()
    assert (answer.status_code, told["errors"][0]["where"]) == (400, "body")
    assert count(world) == 0


def test_a_path_with_a_slash_behind_is_another(world: World) -> None:
    answer = world.call(OperatorRole.VIEWER, "GET", "/chassis/", follow_redirects=False)

    assert (answer.status_code, answer.json()["reason"]) == (404, "route-not-found")


def test_a_label_without_a_value_is_one_of_any_value(world: World) -> None:
    world.chassis("FX1", labels={"site": "osl"})
    world.chassis("FX2", labels={"site": "ber"})
    world.chassis("FX3", labels={"rack": "4"})

    def listed(query: str) -> list[str]:
        found = world.get(f"/chassis?fields=serial_number&{query}")["results"]
        return [each["serial_number"] for each in found]

    assert listed("label=site") == ["FX1", "FX2"]
    assert listed("label=site%3D") == []
    assert listed("label=Site%3Dosl") == ["FX1"]


def test_a_body_that_is_no_json_is_a_problem_too(world: World) -> None:
    answer = world.call(OperatorRole.OPERATOR, "POST", "/chassis/hold", content=b"\xff\x00{")

    assert (answer.status_code, answer.json()["reason"]) == (400, "request-invalid")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_wrong_method_is_told_the_right_ones(world: World) -> None:
    answer = world.call(OperatorRole.ADMIN, "POST", "/profiles/base", json={})

    assert answer.headers["Allow"] == "DELETE, GET, PUT"


def test_wildcards_of_sql_are_letters(world: World) -> None:
    world.chassis("FX1", hostname="r%1")
    world.chassis("FX2", hostname="r_2")

    assert world.get("/chassis?q=%25")["count"] == 1
    assert world.get("/chassis?q=_")["count"] == 1
    world.chassis("FX3", hostname="a/b%c")
    assert [world.get(f"/chassis?q={text}")["count"] for text in ("/", "A/B%25C", "//", "a/_")] == [
        1,
        1,
        0,
        0,
    ]
    assert world.get("/chassis?q=' OR 1=1 --")["count"] == 0


def test_pages_lead_to_each_other(world: World) -> None:
    for number in range(5):
        world.chassis(f"FX{number}")

    seen: list[str] = []
    path: str | None = "/chassis?limit=2&ordering=-serial_number&fields=serial_number"
    while path is not None:
        page = world.get(path.removeprefix("/api/v1"))
        assert page["count"] == 5
        seen += [row["serial_number"] for row in page["results"]]
        assert all(list(row) == ["serial_number"] for row in page["results"])
        path = page["next"]
    assert seen == ["FX4", "FX3", "FX2", "FX1", "FX0"]


def test_a_body_that_is_too_long_is_not_read(world: World) -> None:
    answer = world.call(
        OperatorRole.OPERATOR,
        "POST",
        "/chassis",
        content=b"x",
        headers={"Content-Length": str(1 << 40)},
    )

    assert (answer.status_code, answer.json()["reason"]) == (413, "request-too-large")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
_PLACES = ["/chassis", "/vendors", "/profiles", "/users", "/tokens", "/login"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=_JSON, path=st.sampled_from(_PLACES))
def test_no_body_makes_an_answer_of_500(world: World, body: object, path: str) -> None:
    answer = world.call(OperatorRole.ADMIN, "POST", path, json=body)

    assert answer.status_code < 500, answer.text
