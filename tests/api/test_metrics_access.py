"""Who may read ``/metrics``: tokens, or all on this machine where the setting says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from api.conftest import World
from fastapi.testclient import TestClient

from bootz.config.operator import OperatorSettings
from bootz.config.site import SiteConfig
from bootz.server.api.app import create_app
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.auth.tokens import add_token
from bootz.server.api.context import Door


def get(world: World, setting: str, address: str, token: str = "") -> tuple[int, str]:
    """Ask for the metrics from an address; return the status, and the reason of a refusal."""
    config = SiteConfig(operator=OperatorSettings(metrics=setting))  # type: ignore[arg-type]
    door = Door(world.database, config, lambda: world.now, lambda: world.ticks, world.surroundings)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with TestClient(create_app(door), client=(address, 50000)) as client:
        answer = client.get("/metrics", headers=headers)
    if answer.status_code == 200:
        assert answer.headers["content-type"].startswith("text/plain")
        assert "bootz_chassis{" in answer.text
        return 200, ""
    return answer.status_code, answer.json()["reason"]


@pytest.mark.parametrize("role", list(OperatorRole))
@pytest.mark.parametrize("setting", ["token", "loopback"])
def test_every_role_may(world: World, role: OperatorRole, setting: str) -> None:
    assert get(world, setting, "192.0.2.1", world.tokens[role]) == (200, "")


@pytest.mark.parametrize(
    ("setting", "address", "token", "expected"),
    [
        ("token", "127.0.0.1", "", (401, "login-needed")),
        ("token", "127.0.0.1", "bootz_wrong", (401, "login-needed")),
        ("loopback", "127.0.0.1", "", (200, "")),
        ("loopback", "::1", "", (200, "")),
        ("loopback", "127.0.0.1", "bootz_wrong", (401, "login-needed")),
        ("loopback", "192.0.2.1", "", (401, "login-needed")),
        ("loopback", "::ffff:192.0.2.1", "", (401, "login-needed")),
        ("loopback", "unknown", "", (401, "login-needed")),
    ],
)
def test_without_a_token_that_holds(
    world: World, setting: str, address: str, token: str, expected: tuple[int, str]
) -> None:
    assert get(world, setting, address, token) == expected


def test_a_token_for_a_part_of_the_site_reads_none(world: World) -> None:
    with world.database.write() as connection:
        _, secret = add_token(
            connection,
            "part",
            OperatorRole.ADMIN,
            now=world.now,
            scope={"site": "osl"},
            expires_at=world.now + timedelta(days=1),
        )

    assert get(world, "loopback", "127.0.0.1", secret) == (403, "scope-exceeded")


def test_a_session_of_a_person_is_no_token(world: World) -> None:
    secret = world.session("ann", OperatorRole.ADMIN)
    world.client.cookies.set("bootz_session", secret)

    assert world.client.get("/metrics").status_code == 401
