"""What NetBox and Nautobot answer: the lists of a sync as JSON of any form."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from functools import cache
from types import TracebackType
from typing import Any

from fuzz.laws import event_loop

from bootz.config.site import SiteConfig
from bootz.errors import BootzError
from bootz.server.sources.client import SourceClient
from bootz.server.sources.nautobot import Nautobot
from bootz.server.sources.netbox import NetBox

_NOW = datetime(2026, 11, 28, tzinfo=UTC)
_PATHS = ("devices", "device-types", "modules", "module-bays", "interfaces", "module-types")


class _Answer:
    """An HTTP answer with a body."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.headers = {"Content-Type": "application/json", "API-Version": "4.6"}
        self.content = self
        self._body = body

    async def iter_chunked(self, _size: int) -> AsyncIterator[bytes]:
        yield self._body

    async def __aenter__(self) -> "_Answer":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None


class _Session:
    """Answers each path with its own part of the input; a list's second page is empty."""

    def __init__(self, status: int, bodies: Mapping[str, bytes]) -> None:
        self._status = status
        self._bodies = bodies
        self._asked: set[str] = set()

    def request(self, _method: str, url: Any, **_arguments: Any) -> _Answer:
        name = url.path.rstrip("/").rpartition("/")[2]
        again = name in self._asked
        self._asked.add(name)
        empty = b'{"count": 0, "results": []}'
        return _Answer(self._status, empty if again else self._bodies.get(name, empty))


@cache
def _client_settings(kind: str) -> Any:
    source = {
        "name": "sot",
        "kind": kind,
        "url": "https://sot.example",
        "token_file": "sot.token",
        "select": {"tag": ["bootz"]},
    }
    return SiteConfig.model_validate({"sources": [source]}).sources[0]


def enter(data: bytes) -> None:
    status = (200, 200, 200, 400, 403, 404)[data[0] % 6] if data else 200
    bodies = dict(zip(("status", *_PATHS), data[1:].split(b"\n"), strict=False))
    for kind, product in (("netbox", NetBox), ("nautobot", Nautobot)):
        session: Any = _Session(status, bodies)
        asked = product(SourceClient(session, _client_settings(kind)))
        for call in (asked.open, lambda: asked.pull(_NOW), lambda: asked.device("1")):  # noqa: B023
            try:
                event_loop().run_until_complete(call())
            except BootzError as error:
                json.dumps([error.reason, str(error), error.seen, error.expected])
