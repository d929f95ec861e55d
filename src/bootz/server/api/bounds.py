"""What one caller may take of the door at once: bytes of a body, requests, streams of events."""

import hashlib
from collections.abc import Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from bootz.errors import BootzError, Unavailable, WireError
from bootz.server.api.auth.principals import SESSION_COOKIE, credentials_hold, login_needed
from bootz.server.api.context import Door
from bootz.server.api.problems import problem_response
from bootz.server.api.writes import MAX_BODY

MAX_AT_ONCE: Final = 256
"""Requests under way at once of one address: a hundred boards may be loaded again together.

Streams of events have bounds of their own.
"""
MAX_OF_TOKEN: Final = 32
"""Those of one token, from whatever addresses."""
MAX_STREAMS: Final = 256
"""Streams of events of one address: the boards of a whole floor behind one proxy."""
MAX_STREAMS_OF_CALLER: Final = 128
"""Those of one token or one session, from whatever addresses."""

OPEN_BODY: Final = 64 << 10
"""Bytes of a body that are read before it is known whether its sender may send anything."""

MAX_LONG: Final = 16
"""Bodies beyond that which are read at once, of all callers together."""

_STREAMS: Final = ("/events/stream", "/live")


class BodyLimit:
    """Ends a request whose body is too long, or long and of no caller, before it is in memory."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door
        self._long = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body counted."""
        if scope["type"] != "http" or scope["path"].endswith("/content"):
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared) > MAX_BODY:
            await problem_response(_too_large())(scope, receive, send)
            return
        length = 0
        is_long = answered = False

        async def bounded() -> MutableMapping[str, Any]:
            nonlocal length, is_long, answered
            message: MutableMapping[str, Any] = {"type": "http.disconnect"}
            if answered:
                return message
            message = await receive()
            length += len(message.get("body", b""))
            refused: BootzError | None = None
            if length > MAX_BODY:
                refused = _too_large()
            elif length > OPEN_BODY and not is_long:
                # Counted before anyone is asked: what waits for the answer is in memory, too.
                is_long = any(_credentials(scope)) and self._long < MAX_LONG
                self._long += is_long
                refused = await self._refusal(scope, has_place=is_long)
                if refused is not None and is_long:
                    is_long = False
                    self._long -= 1
            if refused is None:
                return message
            # What reads a body turns every error into one of its own: answered here.
            answered = True
            await problem_response(refused)(scope, receive, send)
            return {"type": "http.disconnect"}

        async def told(message: MutableMapping[str, Any]) -> None:
            if not answered:
                await send(message)

        try:
            await self._app(scope, bounded, told)
        except ClientDisconnect:
            if not answered:
                raise
        finally:
            self._long -= is_long

    async def _refusal(self, scope: Scope, *, has_place: bool) -> BootzError | None:
        """Return why the sender may send no more, None where it may."""
        credentials = _credentials(scope)
        if not any(credentials):
            return login_needed()
        if not has_place:
            return Unavailable("requests-too-many", f"{MAX_LONG} long bodies are read already")
        try:
            known = await run_in_threadpool(credentials_hold, self._door, *credentials)
        except BootzError as error:
            return error
        return None if known else login_needed()


class AtOnce:
    """Bounds what is under way of one address, and of one caller from wherever it calls."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._under_way: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer that there are too many."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        callers = _callers(scope)
        for caller, most in callers.items():
            if self._under_way.get(caller, 0) >= most:
                what = caller.partition(" ")[0]
                error = Unavailable("requests-too-many", f"{most} {what} are under way already")
                await problem_response(error, {"Retry-After": "1"})(scope, receive, send)
                return
        for caller in callers:
            self._under_way[caller] = self._under_way.get(caller, 0) + 1
        try:
            await self._app(scope, receive, send)
        finally:
            for caller in callers:
                left = self._under_way[caller] - 1
                if left:
                    self._under_way[caller] = left
                else:
                    del self._under_way[caller]


def _callers(scope: Scope) -> Mapping[str, int]:
    """Return with what this request is counted, and how many of each may be under way."""
    client = scope.get("client")
    address = f"of address {client[0] if client else ''}"
    given, session = _credentials(scope)
    # Not the secret itself: it is in no table of this process longer than its request.
    digest = hashlib.sha256((given or session).encode()).hexdigest()
    if scope["path"].endswith(_STREAMS):
        callers = {f"streams {address}": MAX_STREAMS}
        if given or session:
            callers[f"streams of token or session {digest}"] = MAX_STREAMS_OF_CALLER
        return callers
    callers = {f"requests {address}": MAX_AT_ONCE}
    if given:
        callers[f"requests of token {digest}"] = MAX_OF_TOKEN
    return callers


def _credentials(scope: Scope) -> tuple[str, str]:
    """Return the header with the token, and the session of the cookie; empty where missing."""
    headers = dict(scope["headers"])
    try:
        cookies = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        cookies = SimpleCookie()
    session = cookies.get(SESSION_COOKIE)
    given = headers.get(b"authorization", b"").decode("latin-1")
    return given, "" if session is None else session.value


def _too_large() -> WireError:
    return WireError("request-too-large", "the body is too long", expected=f"{MAX_BODY} bytes")
