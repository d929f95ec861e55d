"""The application: routes, limits and headers, put together."""

import json
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request, Response

from bootz import __version__
from bootz.server.api import docs_page, metrics, problems
from bootz.server.api.bounds import AtOnce, BodyLimit
from bootz.server.api.context import Door, door_of
from bootz.server.api.following import EventFeed
from bootz.server.api.problems import Problem
from bootz.server.api.routes import ROUTERS
from bootz.server.api.routing import PREFIX
from bootz.server.health import site_health
from bootz.server.store.bell import NewsBell

log = structlog.get_logger()

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

_STALE: Final = {
    "description": "The object has changed since it was read.",
    **problems.PROBLEM_SCHEMA,
}
_ETAG: Final = {
    "ETag": {
        "description": "Goes into If-Match, so that a change by another is not lost.",
        "schema": {"type": "string"},
    }
}


_ROUTERS: Final = (*ROUTERS, metrics.router, docs_page.router)

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
        redirect_slashes=False,
        routes=[route for router in _ROUTERS for route in router.routes],
    )
    app.state.door = door
    app.state.bell = NewsBell(door.database)
    app.state.feed = EventFeed(door.database, app.state.bell)
    app.state.warm = []
    problems.install(app)
    _install_health(app)
    for part in parts:
        part(app, door)
    app.middleware("http")(_with_headers(door))
    app.add_middleware(BodyLimit, door=door)
    app.add_middleware(AtOnce)
    _describe(app)
    return app


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
        for name, path in document["paths"].items():
            for method, told in path.items():
                parameters = {each["name"] for each in told.get("parameters", ())}
                if "idempotency-key" in parameters:
                    # The key may have come with another request.
                    told["responses"].setdefault("409", _CONFLICT)
                if "if-match" in parameters:
                    told["responses"].setdefault("412", _STALE)
                if method == "get" and name.endswith("}"):
                    told["responses"]["200"]["headers"] = _ETAG
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
        if all(each.well for each in site_health(door.database, door.clock(), door.tls_chain)):
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
