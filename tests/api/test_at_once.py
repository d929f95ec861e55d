"""Bounds on what is under way at once, of one token and one address; and on bodies.

docs/operator-ids.md: O17.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from api.conftest import World

from bootz.server.api import bounds
from bootz.server.api.auth.principals import SESSION_COOKIE
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.bounds import (
    MAX_LONG,
    MAX_OF_TOKEN,
    MAX_STREAMS,
    MAX_STREAMS_OF_CALLER,
    OPEN_BODY,
    AtOnce,
    BodyLimit,
)
from bootz.server.api.writes import MAX_BODY


class Call:
    """A POST whose body ends when it is told to."""

    def __init__(self, app: Any, token: str, address: str) -> None:
        self._app = app
        self._ended = asyncio.Event()
        self.reading = asyncio.Event()
        self.status = 0
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/api/v1/chassis",
            "raw_path": b"/api/v1/chassis",
            "root_path": "",
            "query_string": b"",
            "headers": [
                (b"host", b"testserver"),
                (b"authorization", f"Bearer {token}".encode()),
                (b"content-type", b"application/json"),
            ],
            "client": (address, 1),
            "server": ("testserver", 80),
            "state": {},
        }

    async def run(self) -> int:
        async def receive() -> MutableMapping[str, Any]:
            self.reading.set()
            await self._ended.wait()
            return {"type": "http.request", "body": b"{}", "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            self.status = message.get("status", self.status)

        await self._app(self._scope, receive, send)
        return self.status

    def end(self) -> None:
        self._ended.set()


def test_one_token_has_a_bound_of_its_own(world: World) -> None:
    token, other = world.tokens[OperatorRole.OPERATOR], world.tokens[OperatorRole.ADMIN]

    async def play() -> tuple[int, int, list[int], int]:
        app = world.client.app
        calls = [Call(app, token, f"192.0.2.{number}") for number in range(MAX_OF_TOKEN)]
        tasks = [asyncio.create_task(call.run()) for call in calls]
        for call in calls:
            await call.reading.wait()
        beyond = await Call(app, token, "192.0.2.200").run()
        theirs = Call(app, other, "192.0.2.201")
        theirs.end()
        another = await theirs.run()
        for call in calls:
            call.end()
        ended = await asyncio.gather(*tasks)
        after = Call(app, token, "192.0.2.200")
        after.end()
        return beyond, another, list(ended), await after.run()

    beyond, another, ended, after = asyncio.run(play())
    assert beyond == 429
    # What is sent does not fit: it was looked at.
    assert {another, after, *ended} == {400}


STREAM_PATHS = ("/api/v1/events/stream", "/board/live")


def streams(*callers: tuple[str, str, str]) -> list[int]:
    """Open streams of (address, header, its value), all at once; return each one's status."""

    async def open_one(scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.Event().wait()

    async def play() -> list[int]:
        statuses: list[int] = []
        tasks = []
        bound = AtOnce(open_one)
        for number, (address, header, value) in enumerate(callers):
            answered = asyncio.Event()

            async def send(message: Any, answered: asyncio.Event = answered) -> None:
                if message["type"] == "http.response.start":
                    statuses.append(message["status"])
                    answered.set()

            scope = {
                "type": "http",
                "path": STREAM_PATHS[number % 2],
                "headers": [(header.encode(), value.encode())] if header else [],
                "client": (address, 1),
            }
            tasks.append(asyncio.create_task(bound(scope, None, send)))  # type: ignore[arg-type]
            await answered.wait()
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return statuses

    return asyncio.run(play())


def test_streams_are_bounded_by_address() -> None:
    opened = [("192.0.2.1", "authorization", f"Bearer {n}") for n in range(MAX_STREAMS + 1)]

    *first, last, other = streams(*opened, ("192.0.2.2", "", ""))

    assert set(first) == {200}
    assert (last, other) == (429, 200)


@pytest.mark.parametrize(
    ("header", "value"),
    [("authorization", "Bearer t"), ("cookie", f"theme=dark; {SESSION_COOKIE}=s")],
)
def test_streams_are_bounded_by_token_and_by_session(header: str, value: str) -> None:
    opened = [(f"192.0.2.{n}", header, value) for n in range(MAX_STREAMS_OF_CALLER + 1)]

    *first, last, other = streams(*opened, ("192.0.2.1", header, f"{value}2"))

    assert set(first) == {200}
    assert (last, other) == (429, 200)


@pytest.mark.parametrize("role", [None, OperatorRole.VIEWER])
@pytest.mark.parametrize("more", [0, 1])
def test_a_long_body_is_read_of_those_alone_who_are_known(
    world: World, role: OperatorRole | None, more: int
) -> None:
    body = json.dumps({"name": "x", "password": "y"}).encode().ljust(OPEN_BODY + more)

    answer = world.call(
        role, "POST", "/login", content=body, headers={"Content-Type": "application/json"}
    )

    # What fits is looked at; more is not even parsed, unless its sender has a token that holds.
    refused = more and role is None
    assert answer.status_code == 401
    assert answer.json()["reason"] == ("login-needed" if refused else "login-refused")


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_beyond_all_bounds_is_refused_however_it_comes(world: World, declared: bool) -> None:
    body = b" " * (MAX_BODY + 1)

    def sent() -> Iterator[bytes]:
        yield body

    answer = world.call(
        OperatorRole.ADMIN, "POST", "/chassis", content=body if declared else sent()
    )

    assert (answer.status_code, answer.json()["reason"]) == (413, "request-too-large")


def test_long_bodies_are_read_a_few_at_a_time(world: World) -> None:
    token = world.tokens[OperatorRole.ADMIN]
    reading = 0

    async def read(_scope: Any, receive: Any, send: Any) -> None:
        nonlocal reading
        await receive()
        reading += 1
        await asyncio.Event().wait()

    async def whole() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b" " * (OPEN_BODY + 1), "more_body": True}

    async def play() -> int:
        status = 0

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)

        bound = BodyLimit(read, world.client.app.state.door)  # type: ignore[attr-defined]
        scope = {
            "type": "http",
            "path": "/api/v1/chassis",
            "headers": [(b"authorization", f"Bearer {token}".encode())],
        }
        tasks = [asyncio.create_task(bound(dict(scope), whole, send)) for _ in range(MAX_LONG)]
        while reading < MAX_LONG:
            await asyncio.sleep(0)
        beyond = asyncio.create_task(bound(dict(scope), whole, send))
        while not status:
            await asyncio.sleep(0)
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # What has ended leaves its place.
        after = asyncio.create_task(bound(dict(scope), whole, send))
        while reading < MAX_LONG + 2:
            await asyncio.sleep(0)
        for each in (beyond, after):
            each.cancel()
        await asyncio.gather(beyond, after, return_exceptions=True)
        return status

    assert asyncio.run(play()) == 429


def test_long_bodies_have_their_places_before_their_senders_are_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer, known = threading.Semaphore(0), threading.Event(), False

    def hold(*_: object) -> bool:
        asked.release()
        answer.wait(30)
        return known

    monkeypatch.setattr(bounds, "credentials_hold", hold)

    async def read(_scope: Any, receive: Any, _send: Any) -> None:
        await receive()

    async def whole() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b" " * (OPEN_BODY + 1), "more_body": True}

    async def play() -> tuple[int, int, set[int], set[int]]:
        nonlocal known
        bound = BodyLimit(read, world.client.app.state.door)  # type: ignore[attr-defined]

        async def status_of(token: str = "t") -> int:
            status = 0

            async def send(message: MutableMapping[str, Any]) -> None:
                nonlocal status
                status = message.get("status", status)

            given = [(b"authorization", f"Bearer {token}".encode())] if token else []
            await bound({"type": "http", "path": "/api/v1/chassis", "headers": given}, whole, send)
            return status

        waiting = [asyncio.create_task(status_of()) for _ in range(MAX_LONG)]
        for _ in range(MAX_LONG):
            await asyncio.to_thread(asked.acquire)
        # All places are taken though no one is known yet; who shows nothing has none to take.
        beyond, nameless = await status_of(), await status_of("")
        answer.set()
        refused = set(await asyncio.gather(*waiting))
        # Who was refused has left its place.
        known = True
        return beyond, nameless, refused, {await status_of() for _ in range(MAX_LONG + 1)}

    # 0: what was read was not answered here.
    assert asyncio.run(play()) == (429, 401, {401}, {0})
