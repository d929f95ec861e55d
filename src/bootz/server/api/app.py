"""The application: routes, limits and headers, put together."""

import hashlib
import json
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from importlib.resources import files
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bootz import __version__
from bootz.errors import Unavailable, WireError
from bootz.server.api import docs_page, metrics, problems
from bootz.server.api.context import Door, door_of
from bootz.server.api.problems import Problem, problem_response
from bootz.server.api.routes import ROUTERS
from bootz.server.api.writes import MAX_BODY
from bootz.server.health import site_health

log = structlog.get_logger()

PREFIX: Final = "/api/v1"
MAX_AT_ONCE: Final = 64
"""Requests under way at once of one address; streams of events do not count."""
MAX_OF_TOKEN: Final = 32
"""Those of one token, from whatever addresses."""

_STREAMS: Final = ("/events/stream", "/live")

_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


_CONFLICT: Final = {
    "description": "It conflicts with what is on record.",
    **problems.PROBLEM_SCHEMA,
}

Part = Callable[[FastAPI, Door], None]
"""Adds something to a door's application beside the API."""


def create_app(door: Door, parts: Sequence[Part] = ()) -> FastAPI:
    """Return the application of a site's door, with the parts beside the API."""
    app = FastAPI(
        title="Bootz",
        version=__version__,
        summary="Routers from factory state to managed state, over a network that is not trusted.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.door = door
    app.state.warm = [lambda: match_routes(app)]
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
    _install_health(app)
    app.include_router(metrics.router)
    app.include_router(docs_page.router)
    for part in parts:
        part(app, door)
    app.middleware("http")(_with_headers(door))
    app.add_middleware(_BodyLimit)
    app.add_middleware(_AtOnce)
    _describe(app)
    return app


def match_routes(app: FastAPI) -> None:
    """Let FastAPI read the signature of every route, which the first request would do."""
    scope = {"type": "http", "method": "GET", "path": "/~", "root_path": "", "headers": []}
    for route in app.routes:
        route.matches(dict(scope))


def openapi_document() -> dict[str, Any]:
    """Return the API's description as it is shipped in the package (``openapi.json``)."""
    text = files("bootz.server.api").joinpath("openapi.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def _describe(app: FastAPI) -> None:
    """Leave out of the description what FastAPI assumes and this API does not answer."""
    build = app.openapi

    def described() -> dict[str, Any]:
        document = build()
        document["components"]["schemas"].pop("HTTPValidationError", None)
        document["components"]["schemas"].pop("ValidationError", None)
        document["components"]["schemas"].setdefault("Problem", Problem.model_json_schema())
        for path in document["paths"].values():
            for told in path.values():
                if any(each["name"] == "idempotency-key" for each in told.get("parameters", ())):
                    # The key may have come with another request.
                    told["responses"].setdefault("409", _CONFLICT)
                # A request without the form is answered with 400, as a problem.
                if "HTTPValidationError" in json.dumps(told["responses"].get("422", {})):
                    del told["responses"]["422"]
                for status, answer in told["responses"].items():
                    content = answer.get("content", {})
                    if int(status) >= 400 and "application/json" in content:
                        content[problems.MEDIA_TYPE] = content.pop("application/json")
        return document

    app.openapi = described  # type: ignore[method-assign]


def _install_health(app: FastAPI) -> None:
    @app.get("/healthz", include_in_schema=False)
    def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/readyz", include_in_schema=False)
    def readyz(request: Request) -> Response:
        """Every part is well; which one is not, only a login is told (``/status``)."""
        door = door_of(request)
        if all(each.well for each in site_health(door.database, door.clock())):
            return Response('{"status":"ready"}', media_type="application/json")
        return Response('{"status":"not ready"}', 503, media_type="application/json")


Next = Callable[[Request], Awaitable[Response]]


def _with_headers(door: Door) -> Callable[[Request, Next], Awaitable[Response]]:
    secure = bool(door.config.operator.tls)

    async def handle(request: Request, call_next: Next) -> Response:
        try:
            response = await call_next(request)
        except Exception as error:
            # A defect of ours: the caller learns nothing of it, the log the place.
            log.exception("request-failed", path=request.url.path, error=type(error).__name__)
            response = Response('{"detail":"internal error"}', 500, media_type="application/json")
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response

    return handle


class _BodyLimit:
    """Ends a request whose body is too long, before it is in memory."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].endswith("/content"):
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared) > MAX_BODY:
            await _too_large()(scope, receive, send)
            return
        length = 0

        async def bounded() -> MutableMapping[str, Any]:
            nonlocal length
            message = await receive()
            length += len(message.get("body", b""))
            if length > MAX_BODY:
                raise WireError(
                    "request-too-large", "the body is too long", expected=f"{MAX_BODY} bytes"
                )
            return message

        await self._app(scope, bounded, send)


class _AtOnce:
    """Bounds the requests under way of one address, and of one token from wherever it is used."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._under_way: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"].endswith(_STREAMS):
            # As many as there are people who watch: boards share what they cost.
            await self._app(scope, receive, send)
            return
        callers = _callers(scope)
        for caller, most in callers.items():
            if self._under_way.get(caller, 0) >= most:
                error = Unavailable("requests-too-many", f"{most} are under way already")
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


def _callers(scope: Scope) -> dict[str, int]:
    """Return whose requests this one is counted with, and how many of each may be under way."""
    client = scope.get("client")
    callers = {f"address {client[0] if client else ''}": MAX_AT_ONCE}
    given = dict(scope["headers"]).get(b"authorization", b"")
    if given:
        # Not the token itself: it is in no table of this process longer than its request.
        callers[f"token {hashlib.sha256(given).hexdigest()}"] = MAX_OF_TOKEN
    return callers


def _too_large() -> Response:
    return problem_response(
        WireError("request-too-large", "the body is too long", expected=f"{MAX_BODY} bytes")
    )
