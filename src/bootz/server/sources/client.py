"""Asking a source's API: bounded, without redirects, each failure with its own reason.

Bounds: 10 s to connect, 60 s for an answer, 256 MiB for a sync. Source: docs/source-of-truth.md.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import quote

import aiohttp
from yarl import URL

from bootz.config.sources import SourceSettings
from bootz.errors import BootzError, ConfigError, Unavailable
from bootz.server.sources.pulled import MAX_PULLED_BYTES

_TIMEOUT: Final = aiohttp.ClientTimeout(total=60, sock_connect=10)
_MAX_TOLD: Final = 160
_T = TypeVar("_T")
Params = Sequence[tuple[str, str]]


class BearerToken:
    """A token of a source; its text appears nowhere but in the header of a request."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def header(self, kind: str) -> str:
        """Return the value of ``Authorization``; NetBox knows version 2 by its beginning."""
        word = "Bearer" if kind == "netbox" and self._text.startswith("nbt_") else "Token"
        return f"{word} {self._text}"

    def __repr__(self) -> str:
        return "Token(…)"


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """An answer with a JSON body; any status but those that ``SourceClient`` raises for."""

    status: int
    headers: Mapping[str, str]
    body: Any = field(repr=False)

    def header(self, name: str) -> str:
        """Return a header, whatever its case; empty if it is not there."""
        folded = name.lower()
        return next((v for k, v in self.headers.items() if k.lower() == folded), "")


class SourceClient:
    """The API of one source, for the length of one sync; counts what it read."""

    def __init__(self, session: aiohttp.ClientSession, settings: SourceSettings) -> None:
        self._session = session
        self._settings = settings
        self.read_bytes = 0

    @property
    def settings(self) -> SourceSettings:
        """The source's settings."""
        return self._settings

    def page_of(self, device: str) -> str:
        """Return the address of a device's page, by its id, for people.

        It is below the address in the settings: what an answer says of itself may have the name
        that a proxy in between uses, or lead anywhere.
        """
        return f"{self._settings.url}/dcim/devices/{quote(device, safe='')}/"

    async def get(self, path: str, params: Params = ()) -> SourceAnswer:
        """Ask for something; 404 is an answer, every other refusal an error.

        Raises:
            ConfigError: the token, a right, the version, the URL, or a filter is at fault.
            Unavailable: the source does not answer, or the answers are too long.
        """
        answer = await self.send("GET", path, params)
        if answer.status == 400:
            raise ConfigError(
                "source-filter-unknown", _told(answer.body), where=f"{self._settings.name} {path}"
            )
        if answer.status not in {200, 404}:
            raise self._unexpected(answer.status, path)
        return answer

    async def send(
        self,
        method: str,
        path: str,
        params: Params = (),
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> SourceAnswer:
        """Send a request, and return its answer.

        Raises:
            ConfigError: the token or a right is at fault, or the answer is not the API's.
            Unavailable: the source does not answer, or the answers are too long.
        """
        url = URL(f"{self._settings.url}/api/{path}").extend_query(list(params))
        where = f"{self._settings.name} {path}"
        try:
            async with self._session.request(
                method, url, json=body, headers=headers, allow_redirects=False
            ) as response:
                content = await self._content(response, where)
                status, told = response.status, dict(response.headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(
                "source-unreachable", _words(error), where=where, seen=type(error).__name__
            ) from error
        if 300 <= status < 400:
            raise ConfigError(
                "source-not-json", "it answers with a redirect", where=where, seen=str(status)
            )
        if status >= 500 or status == 429:
            raise Unavailable("source-unreachable", f"HTTP {status}", where=where, seen=str(status))
        document = self._parsed(content, told, status, where)
        if status in {401, 403}:
            raise _refused(document, status, where)
        return SourceAnswer(status, told, document)

    async def _content(self, response: aiohttp.ClientResponse, where: str) -> bytes:
        pieces: list[bytes] = []
        async for piece in response.content.iter_chunked(1 << 16):
            self.read_bytes += len(piece)
            if self.read_bytes > MAX_PULLED_BYTES:
                raise ConfigError(
                    "source-too-big",
                    "the answers of one sync are too long",
                    where=where,
                    expected=f"{MAX_PULLED_BYTES >> 20} MiB",
                )
            pieces.append(piece)
        return b"".join(pieces)

    def _parsed(
        self, content: bytes, headers: Mapping[str, str], status: int, where: str
    ) -> object:
        kind = SourceAnswer(status, headers, None).header("content-type")
        if status == 204 and not content:
            return None
        try:
            if "json" not in kind:
                raise ValueError
            return json.loads(content)
        except (ValueError, RecursionError):
            raise ConfigError(
                "source-not-json",
                "the answer is not JSON",
                where=where,
                expected="application/json",
                seen=kind[:80],
            ) from None

    def _unexpected(self, status: int, path: str) -> BootzError:
        return ConfigError(
            "source-not-json", f"HTTP {status}", where=f"{self._settings.name} {path}"
        )


@asynccontextmanager
async def open_source(
    settings: SourceSettings, token: BearerToken, tls: ssl.SSLContext | None
) -> AsyncIterator[SourceClient]:
    """Open the API of a source; ``tls`` None is the system's roots."""
    headers = {"Authorization": token.header(settings.kind), "Accept": "application/json"}
    connector = aiohttp.TCPConnector(limit=8, ssl=tls if tls is not None else True)
    async with aiohttp.ClientSession(
        timeout=_TIMEOUT, connector=connector, headers=headers, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield SourceClient(session, settings)


async def all_of(*requests: Awaitable[_T]) -> list[_T]:
    """Await requests side by side; the first failure ends the others, and is raised."""
    started = [asyncio.ensure_future(each) for each in requests]
    try:
        return await asyncio.gather(*started)
    finally:
        for each in started:
            each.cancel()
        await asyncio.gather(*started, return_exceptions=True)


def _refused(document: object, status: int, where: str) -> ConfigError:
    """Tell a token that is not accepted from a right that is missing: both are 403."""
    told = _told(document)
    lowered = told.lower()
    if status == 401 or "token" in lowered or "credentials" in lowered:
        return ConfigError("source-unauthorized", told, where=where, seen=str(status))
    return ConfigError("source-forbidden", told, where=where, seen=str(status))


def _told(document: object) -> str:
    """Return what the source says of a refusal, bounded and printable."""
    detail = document.get("detail", document) if isinstance(document, dict) else document
    text = detail if isinstance(detail, str) else json.dumps(detail)
    return "".join(c if c.isprintable() else "?" for c in text)[:_MAX_TOLD]


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = str(error) or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in text)[:_MAX_TOLD]
