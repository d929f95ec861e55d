"""A receiver of webhooks that fails as it is told, and checks what it is sent by foreign code."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from standardwebhooks.webhooks import Webhook as Verifier

Respond = Callable[["Received"], Any]
"""Returns a status, a ``web.Response``, or something that is awaited for one."""


@dataclass(frozen=True)
class Received:
    """One message that arrived, with its signature checked."""

    message_id: str
    event: dict[str, Any]
    headers: dict[str, str]
    body: bytes

    @property
    def chassis(self) -> str:
        return str(self.event["data"]["serial_number"])

    @property
    def event_id(self) -> int:
        return int(self.event["data"]["event_id"])


@dataclass
class Receiver:
    """``respond`` decides what each message is answered with."""

    secret: str = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
    respond: Respond = lambda _: 200
    received: list[Received] = field(default_factory=list)
    acknowledged: list[Received] = field(default_factory=list)
    url: str = ""
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {key.lower(): value for key, value in request.headers.items()}
        message = Received(headers["webhook-id"], json.loads(body), headers, body)
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        signed = Verifier(self.secret).sign(message.message_id, at, body.decode())
        assert headers["webhook-signature"] == signed
        self.received.append(message)
        self._arrived.set()
        answer = self.respond(message)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if isinstance(answer, int):
            answer = web.Response(status=answer)
        if 200 <= answer.status < 300:
            self.acknowledged.append(message)
            self._arrived.set()
        return answer

    async def until(self, met: Callable[[], bool]) -> None:
        """Wait until something is so after a message."""
        async with asyncio.timeout(60):
            while not met():
                await self._arrived.wait()
                self._arrived.clear()


@asynccontextmanager
async def receiving(
    receiver: Receiver, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """Let it listen on loopback."""
    app = web.Application()
    app.router.add_post("/{anything:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{port}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()
