"""What every request of the API is checked for before its route: nothing in it is passed over.

A query parameter that a route does not have is most often one that is misspelled, and a request
without what it meant would do something else: list everything, or change what was to be tried.
"""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from bootz import strict_json
from bootz.server.api.problems import ErrorItem, ManyErrors

_MOST_TOLD: Final = 20
_AT_ONCE: Final = 64 << 10
"""Bytes of a body that are looked at without a thread of their own."""


async def check_form(request: Request) -> None:
    """Refuse what the route would pass over.

    That are query parameters which it does not have, names that appear twice in a JSON object,
    and characters that no text on record has (NUL).

    Raises:
        ManyErrors: ``request-invalid``, with every parameter that is wrong.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    known = set(_of(route.dependant))
    words = f"the path takes {', '.join(sorted(known))}" if known else "the path takes none"
    items = [_item(f"query.{name}", words) for name in set(request.query_params) - known]
    items += [
        _item(f"query.{name}", "it has the character NUL, which no text on record has")
        for name, value in request.query_params.multi_items()
        if "\0" in value
    ]
    if "\0" in request.scope["path"]:
        items.append(_item("path", "it has the character NUL, which no name on record has"))
    if items:
        told = sorted(items, key=lambda item: item.where)[:_MOST_TOLD]
        detail = "; ".join(f"{item.where[:128]}: {item.detail}" for item in told[:5])
        raise ManyErrors("request-invalid", detail, told)
    if route.body_field is not None and "json" in request.headers.get("content-type", "json"):
        body = await request.body()
        if len(body) > _AT_ONCE:
            await run_in_threadpool(_check_names, body)
        else:
            _check_names(body)


def _check_names(body: bytes) -> None:
    """Check what FastAPI's own reading of JSON lets pass.

    Raises:
        ManyErrors: ``request-invalid``.
    """
    try:
        strict_json.loads(body or b"null")
    except ValueError as error:
        item = _item("body", str(error))
        raise ManyErrors("request-invalid", f"body: {item.detail}", [item]) from error


def _item(where: str, detail: str) -> ErrorItem:
    return ErrorItem(where=where[:128], reason="request-invalid", detail=detail)


def _of(dependant: Any) -> Iterator[str]:
    """Return the query parameters of a route, and of what it depends on."""
    for field in dependant.query_params:
        yield field.alias
    for each in dependant.dependencies:
        yield from _of(each)
