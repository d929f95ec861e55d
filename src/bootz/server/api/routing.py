"""Where the routes of the API are, and what each of their requests passes first."""

from typing import Final

from fastapi import APIRouter, Depends

from bootz.server.api.form import check_form

PREFIX: Final = "/api/v1"


def api_router(prefix: str = "", *, tag: str) -> APIRouter:
    """Return a router for routes below ``PREFIX`` and ``prefix``.

    Its routes are whole: an application takes them as they are. Were they included with a prefix,
    FastAPI would read the signature of each once more.
    """
    return APIRouter(prefix=PREFIX + prefix, tags=[tag], dependencies=[Depends(check_form)])
