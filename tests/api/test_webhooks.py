"""Webhooks over the API: made, changed, tried, removed; the secret is in no answer and no audit."""

from __future__ import annotations

from typing import Any

import pytest
from api.conftest import World

from bootz.server.api.auth.roles import OperatorRole
from bootz.server.operations.webhooks import set_webhook

SECRET = "whsec_" + "UExBTlRFRC1TRUNSRVQtcGxhbnRlZC1zZWNyZXQ="
PLANTED = ("UExBTlRFRC1TRUNSRVQ", "PLANTED-SECRET")


def test_over_the_api(world: World) -> None:
    admin = OperatorRole.ADMIN
    body = {"name": "ops", "url": "https://a.example/", "secret": SECRET}
    made = world.call(admin, "POST", "/webhooks", json=body)
    assert made.status_code == 201
    assert made.json()["secret"] is None
    own = world.call(admin, "POST", "/webhooks", json={"name": "own", "url": "https://a.example/"})
    assert own.json()["secret"].startswith("whsec_")

    tag = made.headers["etag"]
    change = {"enabled": False}
    stale = {"If-Match": '"0"'}
    path = "/webhooks/ops"
    assert world.call(admin, "PATCH", path, json=change, headers=stale).status_code == 412
    answer = world.call(admin, "PATCH", path, json=change, headers={"If-Match": tag})
    assert answer.status_code == 200
    assert answer.headers["etag"] != tag

    # As of settings that named its network when it was added.
    with world.database.write() as connection:
        set_webhook(connection, "ops", url="https://192.0.2.1/")
    trial = world.call(admin, "POST", "/webhooks/ops/test").json()
    assert (trial["delivered"], trial["reason"]) == (False, "webhook-target-refused")
    assert world.call(admin, "POST", "/webhooks/ops/resend", json={}).json() == {"resent": 0}
    assert world.call(admin, "GET", "/webhooks/ops/deliveries").json()["results"] == []
    listed = world.call(admin, "GET", "/webhooks").json()
    assert [each["name"] for each in listed["results"]] == ["ops", "own"]
    assert world.call(admin, "DELETE", "/webhooks/ops").json() == {"removed": "ops"}
    assert world.call(admin, "DELETE", "/webhooks/ops").status_code == 404

    audit = world.call(admin, "GET", "/audit?limit=100").text
    shown = [made.text, answer.text, str(listed), str(trial), audit]
    assert not any(planted in text for planted in PLANTED for text in shown)


@pytest.mark.parametrize(
    "body",
    [
        {"name": "ops"},
        {"name": "ops", "url": "https://a.example/", "extra": 1},
        {"name": "ops", "url": 7},
        {"name": "", "url": "https://a.example/"},
        {"name": "ops", "url": "https://a.example/\r\nX: y"},
        {"name": "ops", "url": "https://a.example/", "secret": SECRET[:20]},
        {"name": "ops", "url": "https://a.example/", "events": ["x"]},
        {"name": "ops", "url": "https://a.example/", "labels": {"a b": "c"}},
        {"name": "x" * 200, "url": "https://a.example/"},
    ],
)
def test_bodies_that_do_not_fit(world: World, body: dict[str, Any]) -> None:
    answer = world.call(OperatorRole.ADMIN, "POST", "/webhooks", json=body)
    assert answer.status_code in {400, 422}
    assert answer.json()["reason"] in {"webhook-invalid", "request-invalid"}
    assert SECRET[:20] not in answer.text
    assert world.call(OperatorRole.ADMIN, "GET", "/webhooks").json()["count"] == 0


@pytest.mark.parametrize(
    "address", ["https://127.0.0.1/", "https://localhost:8443/", "http://a.b/"]
)
def test_a_target_to_which_nothing_could_be_sent_is_refused_at_once(
    world: World, address: str
) -> None:
    admin = OperatorRole.ADMIN
    made = {"name": "ops", "url": "https://a.example/"}
    assert world.call(admin, "POST", "/webhooks", json=made).status_code == 201
    for method, path, body in (
        ("POST", "/webhooks", {"name": "own", "url": address}),
        ("PATCH", "/webhooks/ops", {"url": address}),
    ):
        answer = world.call(admin, method, path, json=body)
        assert (answer.status_code, answer.json()["reason"]) == (403, "webhook-target-refused")
        assert "webhooks.private_targets" in answer.json()["next_action"]
        assert answer.json()["errors"][0]["where"] == "url"
    assert [each["name"] for each in world.get("/webhooks", admin)["results"]] == ["ops"]
