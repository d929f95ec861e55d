"""Bounds on requests under way at once: of one token, from however many addresses."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from api.conftest import World

from bootz.server.api.app import MAX_OF_TOKEN
from bootz.server.api.auth.roles import OperatorRole


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
