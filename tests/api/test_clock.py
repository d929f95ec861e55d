"""The clock jumps: no one is locked out for long, and nothing opens for longer than it may.

docs/operator-ids.md: O20.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from api.conftest import World
from sqlalchemy import select

from bootz.server.api.auth.accounts import (
    ABSOLUTE_END,
    CLOCK_STEP,
    MAX_SESSIONS,
    begin_session,
    find_account,
)
from bootz.server.api.auth.principals import SESSION_COOKIE
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.auth.throttle import FREE_TRIES
from bootz.server.operations.uploads import drop_ended
from bootz.server.store.schema import API_TOKEN, IDEMPOTENT_ANSWER, IMAGE_UPLOAD

YEAR = timedelta(days=365)
HOUR = timedelta(hours=1)
PASSWORD = "correct horse battery"


def is_in(world: World, secret: str) -> bool:
    cookie = {"Cookie": f"{SESSION_COOKIE}={secret}"}
    return world.call(None, "GET", "/me", headers=cookie).status_code == 200


def log_in(world: World, **body: str) -> int:
    return world.call(None, "POST", "/login", json=body).status_code


def test_a_session_of_a_clock_that_ran_ahead_does_not_live_until_then(world: World) -> None:
    world.now += YEAR
    secret = world.session("ann", OperatorRole.VIEWER)
    assert is_in(world, secret)

    world.now -= YEAR
    assert not is_in(world, secret)
    # A new one works at once.
    with world.database.write() as connection:
        account = find_account(connection, "ann")
        secret = begin_session(connection, account, "", now=world.now)
    assert is_in(world, secret)


def test_a_small_step_back_ends_no_session_and_lengthens_it_by_no_more(world: World) -> None:
    begun = world.now
    secret = world.session("ann", OperatorRole.VIEWER)
    world.now -= CLOCK_STEP - timedelta(minutes=1)
    assert is_in(world, secret)

    # Used all the time, it ends all the same: by its real age after the step at most.
    while world.now < begun + ABSOLUTE_END - HOUR:
        world.now += HOUR
        assert is_in(world, secret)
    world.now = begun + ABSOLUTE_END
    assert not is_in(world, secret)


def test_an_idle_session_ends_after_a_step_back(world: World) -> None:
    secret = world.session("ann", OperatorRole.VIEWER)
    world.now -= HOUR
    # Its use is written down by the clock as it is now.
    assert is_in(world, secret)
    world.now += timedelta(hours=2, seconds=1)
    assert not is_in(world, secret)


def test_sessions_that_seem_newer_do_not_push_out_a_login(world: World) -> None:
    body = {"name": "ann", "role": "viewer", "password": PASSWORD}
    world.call(OperatorRole.ADMIN, "POST", "/users", json=body)
    with world.database.write() as connection:
        account = find_account(connection, "ann")
        for _ in range(MAX_SESSIONS):
            begin_session(connection, account, "", now=world.now)

    world.now -= HOUR
    answer = world.call(None, "POST", "/login", json={"name": "ann", "password": PASSWORD})

    assert answer.status_code == 200
    assert is_in(world, answer.cookies[SESSION_COOKIE])


def test_a_link_of_a_clock_that_ran_ahead_opens_nothing(world: World) -> None:
    body = {"name": "ann", "role": "admin"}
    link = world.call(OperatorRole.ADMIN, "POST", "/users", json=body).json()["link"]

    world.now -= CLOCK_STEP + HOUR
    assert log_in(world, link=link) == 401


def test_a_link_opens_after_a_small_step_back(world: World) -> None:
    body = {"name": "ann", "role": "admin"}
    link = world.call(OperatorRole.ADMIN, "POST", "/users", json=body).json()["link"]

    world.now -= HOUR
    assert log_in(world, link=link) == 200


@pytest.mark.parametrize("jump", [YEAR, -YEAR])
def test_refused_logins_wait_by_a_clock_that_does_not_jump(world: World, jump: timedelta) -> None:
    for _ in range(FREE_TRIES):
        assert log_in(world, name="ann", password="wrong") == 401

    world.now += jump
    assert log_in(world, name="ann", password="wrong") == 429
    world.ticks += 2
    assert log_in(world, name="ann", password="wrong") == 401


def test_a_token_ends_when_it_says_and_tells_its_last_use(world: World) -> None:
    assert world.call(OperatorRole.VIEWER, "GET", "/me").status_code == 200
    world.now -= HOUR
    assert world.call(OperatorRole.VIEWER, "GET", "/me").status_code == 200

    with world.database.read() as connection:
        used = connection.scalar(select(API_TOKEN.c.used_at).where(API_TOKEN.c.name == "viewer"))
    assert used is not None
    assert used.startswith(world.now.isoformat()[:16])
    world.now += timedelta(days=1, hours=1)
    assert world.call(OperatorRole.VIEWER, "GET", "/me").status_code == 401


def post(world: World, serial: str) -> Any:
    return world.call(
        OperatorRole.OPERATOR,
        "POST",
        "/chassis",
        json={"vendor": "Acme", "serial_number": serial},
        headers={"Idempotency-Key": "k"},
    )


def test_a_repeated_post_is_known_after_a_step_back(world: World) -> None:
    first = post(world, "FX1")
    world.now -= timedelta(hours=23)
    again = post(world, "FX1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()


def test_a_key_of_a_clock_that_ran_ahead_is_free_again(world: World) -> None:
    assert post(world, "FX1").status_code == 201
    world.now -= timedelta(hours=25)

    assert post(world, "FX2").status_code == 201
    with world.database.read() as connection:
        assert len(connection.execute(select(IDEMPOTENT_ANSWER)).all()) == 1


@pytest.mark.parametrize(("jump", "left"), [(-23, 1), (-25, 0), (23, 1), (25, 0)])
def test_an_upload_ends_a_day_after_its_last_byte(world: World, jump: int, left: int) -> None:
    body = {"name": "os", "version": "1", "file_name": "os.img", "size": 4}
    assert world.call(OperatorRole.OPERATOR, "POST", "/images/uploads", json=body).is_success

    with world.database.write() as connection:
        drop_ended(connection, now=world.now + timedelta(hours=jump))
        assert len(connection.execute(select(IMAGE_UPLOAD)).all()) == left
