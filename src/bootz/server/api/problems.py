"""Errors as HTTP answers: one table of statuses, one form.

Source: RFC 9457 section 3.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from bootz.errors import BootzError, ConfigError, UnknownChassis, WireError
from bootz.reasons.reason import Fault

MEDIA_TYPE: Final = "application/problem+json"

STATUSES: Final[Mapping[Fault, int]] = MappingProxyType(
    {
        Fault.MALFORMED: 400,
        Fault.TOO_LARGE: 413,
        Fault.UNAUTHENTICATED: 401,
        Fault.FORBIDDEN: 403,
        Fault.NOT_FOUND: 404,
        Fault.CONFLICT: 409,
        Fault.PRECONDITION: 409,
        Fault.UNIMPLEMENTED: 405,
        Fault.DEADLINE: 504,
        Fault.UNAVAILABLE: 503,
        # What a caller gave; a broken setting of the site is told the same way.
        Fault.CONFIGURATION: 422,
        Fault.INTERNAL: 500,
    }
)
_OWN_STATUS: Final[Mapping[str, int]] = MappingProxyType(
    {"etag-stale": 412, "login-throttled": 429, "requests-too-many": 429}
)
"""Reasons whose status says more than that of their fault."""


class ErrorItem(BaseModel):
    """One thing that is wrong."""

    where: str = Field(description="The place: a field, a row of a file, a serial number.")
    reason: str = Field(description="A code of `bootz reasons`.")
    detail: str = Field(description="What is wrong.")
    expected: str = Field("", description="What would have passed.")
    seen: str = Field("", description="What was there; never a secret.")


class Problem(BaseModel):
    """Why a request was not done (RFC 9457 section 3)."""

    type: str = Field(description="`about:blank`: the reason says more than a page would.")
    title: str = Field(description="What the reason means.")
    status: int
    detail: str
    reason: str = Field(description="A code of `bootz reasons`.")
    next_action: str = Field(description="What a person does next.")
    errors: list[ErrorItem] = Field(description="Everything that is wrong, at least one.")


class ManyErrors(ConfigError):
    """Several errors of one request, all told at once."""

    def __init__(self, reason: str, detail: str, errors: Sequence[ErrorItem]) -> None:
        super().__init__(reason, detail)
        self.errors = tuple(errors)


def item_of(error: BootzError, where: str = "") -> ErrorItem:
    """Return one error as an item of a problem."""
    return ErrorItem(
        where=where or error.where,
        reason=error.reason,
        detail=error.detail,
        expected=error.expected,
        seen=error.seen,
    )


def status_of(error: BootzError) -> int:
    """Return the HTTP status of an error."""
    return _OWN_STATUS.get(error.reason, STATUSES[error.row.fault])


def problem_of(error: BootzError) -> Problem:
    """Return an error as the body of an answer."""
    items = error.errors if isinstance(error, ManyErrors) else (item_of(error),)
    return Problem(
        type="about:blank",
        title=error.row.meaning,
        status=status_of(error),
        detail=str(error),
        reason=error.reason,
        next_action=error.remedy,
        errors=list(items),
    )


def problem_response(error: BootzError, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error as an answer."""
    problem = problem_of(error)
    named = dict(headers or {})
    if problem.status == 401:
        named.setdefault("WWW-Authenticate", 'Bearer realm="bootz"')
    return Response(problem.model_dump_json(), problem.status, headers=named, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make an application answer every error in this form."""

    async def bootz_error(_request: Request, error: Exception) -> Response:
        if not isinstance(error, BootzError):
            raise TypeError(type(error).__name__)
        return problem_response(error, getattr(error, "headers", None))

    async def invalid(_request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise TypeError(type(error).__name__)
        return problem_response(_invalid(error.errors()))

    async def http_error(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise TypeError(type(error).__name__)
        match error.status_code:
            case 404:
                return problem_response(
                    UnknownChassis("route-not-found", "the API has no such path", where="path")
                )
            case 405:
                wrong = WireError("method-not-allowed", "the path does not take it", where="method")
                return problem_response(wrong, {"Allow": ", ".join(_methods(request))})
            case _:
                return problem_response(WireError("request-invalid", error.detail, where="body"))

    app.add_exception_handler(BootzError, bootz_error)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http_error)


def _methods(request: Request) -> list[str]:
    """Return the methods that a path takes, out of the API's own description."""
    document = request.app.openapi()
    return sorted(
        {
            method.upper()
            for path, methods in document["paths"].items()
            if compile_path(path)[0].match(request.url.path)
            for method in methods
        }
    )


def _invalid(faults: Sequence[Any]) -> ManyErrors:
    """Name every field that does not fit; never its value, which may be a secret."""
    items = [
        ErrorItem(
            where=".".join(str(step) for step in fault["loc"]),
            reason="request-invalid",
            detail=str(fault["msg"]),
        )
        for fault in faults[:100]
    ]
    words = "; ".join(f"{item.where}: {item.detail}" for item in items[:5])
    return ManyErrors("request-invalid", words, items)


PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a route documents of its errors, beside those that every route has."""
    told = {
        400: "The request does not have the form.",
        401: "No token and no session that holds.",
        403: "The role does not allow it.",
        404: "There is no such object.",
        409: "It conflicts with what is on record.",
        412: "The object has changed since it was read.",
        413: "The body is too long.",
        422: "Something given does not fit.",
        429: "Too many at once.",
        503: "The database or another part does not answer.",
    }
    always = (400, 401, 403, 404, 429, 503)
    return {
        status: {"model": Problem, "description": told[status]}
        for status in sorted({*always, *statuses})
    }


def as_text(problem: Problem) -> str:
    """Return a problem as JSON text."""
    return json.dumps(problem.model_dump())
