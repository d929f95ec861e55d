"""The clients: the same with and without ``await``, over HTTP.

They need the package's extra ``client``.
"""

import json
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, Self, TypeVar

import httpx2
from pydantic import ValidationError

from bootz.client.call import ApiCall
from bootz.client.errors import ApiProblem, ApiUnavailable
from bootz.client.generated.models import JournalEvent, Problem

PATIENCE_S: Final = 30.0
"""Seconds for an answer, unless a client is told otherwise."""

_STREAM: Final = "/api/v1/events/stream"

Result = TypeVar("Result")


class BootzClient:
    """Calls a site's API.

    Args:
        url: of the site, such as ``https://bootz.example.net:15080``.
        token: of ``bootz token add``.
        trust: a file with the CAs (PEM) that vouch for the site; None: those of the system.
        patience: seconds for an answer.
        transport: in place of the network.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        trust: str | None = None,
        patience: float = PATIENCE_S,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._http = httpx2.Client(
            base_url=url,
            headers=_headers(token),
            verify=_trusting(trust),
            timeout=patience,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def send(self, call: ApiCall[Result]) -> Result:
        """Send a call and return its answer.

        Raises:
            ApiProblem: it was refused.
            ApiUnavailable: the site does not answer.
        """
        with _asking():
            return _answer(call, self._http.request(call.method, call.path, **_options(call)))

    def rows(self, call: ApiCall[Any]) -> Iterator[Any]:
        """Return the rows of a list, of all pages; the next page is asked for when it is needed.

        Raises: as ``send``.
        """
        while True:
            page = self.send(call)
            yield from page.results
            # A list of events always has a next page: what comes later.
            if page.next is None or not page.results:
                return
            call = call.at(page.next)

    def events(self, *, after: int | None = None) -> Iterator[JournalEvent]:
        """Follow what happens, from after an event's id or from now on, until it is left.

        Raises: as ``send``; also when the connection is lost: go on after the last event's id.
        """
        options = _following(after)
        with _asking(), self._http.stream("GET", _STREAM, **options) as answer:
            if answer.status_code != httpx2.codes.OK:
                answer.read()
                raise _problem(answer)
            for line in answer.iter_lines():
                if event := _event(line):
                    yield event


class AsyncBootzClient:
    """Calls a site's API with ``await``; arguments as of ``BootzClient``."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        trust: str | None = None,
        patience: float = PATIENCE_S,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx2.AsyncClient(
            base_url=url,
            headers=_headers(token),
            verify=_trusting(trust),
            timeout=patience,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def send(self, call: ApiCall[Result]) -> Result:
        """Send a call and return its answer; raises as ``BootzClient.send``."""
        async with _awaiting():
            answer = await self._http.request(call.method, call.path, **_options(call))
            return _answer(call, answer)

    async def rows(self, call: ApiCall[Any]) -> AsyncIterator[Any]:
        """Return the rows of a list as ``BootzClient.rows`` does."""
        while True:
            page = await self.send(call)
            for row in page.results:
                yield row
            if page.next is None or not page.results:
                return
            call = call.at(page.next)

    async def events(self, *, after: int | None = None) -> AsyncIterator[JournalEvent]:
        """Follow what happens as ``BootzClient.events`` does."""
        options = _following(after)
        async with _awaiting(), self._http.stream("GET", _STREAM, **options) as answer:
            if answer.status_code != httpx2.codes.OK:
                await answer.aread()
                raise _problem(answer)
            async for line in answer.aiter_lines():
                if event := _event(line):
                    yield event


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": "application/json, */*"}


def _trusting(trust: str | None) -> ssl.SSLContext | bool:
    return True if trust is None else ssl.create_default_context(cafile=trust)


def _options(call: ApiCall[Any]) -> dict[str, Any]:
    options: dict[str, Any] = {
        "params": call.params(),
        "headers": {name: value for name, value in call.headers.items() if value is not None},
    }
    if call.content is not None:
        options["content"] = call.content
    elif call.json is not None:
        options["json"] = call.json
    return options


def _following(after: int | None) -> dict[str, Any]:
    # The door says every 15 s that it is alive.
    timeout = httpx2.Timeout(PATIENCE_S, read=2 * PATIENCE_S)
    return {"params": {} if after is None else {"after": str(after)}, "timeout": timeout}


def _answer(call: ApiCall[Result], answer: httpx2.Response) -> Result:
    if not answer.is_success:
        raise _problem(answer)
    return call.parse(answer.content)


def _problem(answer: httpx2.Response) -> ApiProblem | ApiUnavailable:
    try:
        return ApiProblem(answer.status_code, Problem.model_validate_json(answer.content))
    except ValidationError:
        return ApiUnavailable(f"the answer is {answer.status_code}, and not Bootz's")


def _event(line: str) -> JournalEvent | None:
    if not line.startswith("data:"):
        return None
    return JournalEvent.model_validate(json.loads(line.removeprefix("data:")))


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except httpx2.HTTPError as error:
        raise ApiUnavailable(str(error) or type(error).__name__) from error
    except ValidationError as error:
        raise ApiUnavailable(f"an answer has another form: {error}") from error


@asynccontextmanager
async def _awaiting() -> AsyncIterator[None]:
    with _asking():
        yield
