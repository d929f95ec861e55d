"""Lists: pages by limit and offset, or by a cursor where rows only ever come; chosen fields."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field
from sqlalchemy import ColumnElement, Connection, or_

from bootz.server.api.problems import ErrorItem, ManyErrors

MAX_PAGE: Final = 1000
MAX_OFFSET: Final = 10_000_000

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT")

Row = TypeVar("Row")


def _iso_alone(value: object) -> object:
    if isinstance(value, str) and _DATE.match(value) is None:
        raise ValueError("is not a time as RFC 3339 writes it, such as 2026-11-28T03:00:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_iso_alone)]
"""A time in a query (RFC 3339 section 5.6); a bare number is refused."""


class Page(BaseModel, Generic[Row]):
    """One page of a list."""

    count: int = Field(description="How many there are on all pages.")
    next: str | None = Field(description="The next page's path, null on the last.")
    previous: str | None = Field(description="The page before, null on the first.")
    results: list[Row]


class CursorPage(BaseModel, Generic[Row]):
    """One page of what only ever grows; no row is seen twice or missed."""

    next: str | None = Field(description="The next page's path, null at the end.")
    results: list[Row]


class Paging:
    """What a caller asked of a list; fills from the query."""

    def __init__(
        self,
        request: Request,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Rows of a page.")] = 100,
        offset: Annotated[int, Query(ge=0, le=MAX_OFFSET, description="Rows to pass over.")] = 0,
    ) -> None:
        self.request = request
        self.limit = limit
        self.offset = offset

    def page(self, count: int, results: Sequence[Row]) -> Page[Row]:
        """Return the page with its neighbours' paths."""
        after = self.offset + self.limit
        before = max(0, self.offset - self.limit)
        return Page(
            count=count,
            next=self._path(after) if after < count else None,
            previous=self._path(before) if self.offset else None,
            results=list(results),
        )

    def _path(self, offset: int) -> str:
        return with_query(self.request, {"limit": self.limit, "offset": offset})


PagingDep = Annotated[Paging, Depends(Paging)]

Fields = Annotated[
    str | None,
    Query(max_length=1024, description="Only these fields of each row, with commas between."),
]
Ordering = Annotated[
    str | None,
    Query(max_length=256, description="Fields to sort by, with commas between; - for descending."),
]
Search = Annotated[
    str | None,
    Query(max_length=128, description="A text that a row must hold; a is A, for ASCII letters."),
]


def with_query(request: Request, changes: Mapping[str, object]) -> str:
    """Return the path of a request with some of its query's values replaced."""
    kept = [(key, value) for key, value in request.query_params.multi_items() if key not in changes]
    query = urlencode([*kept, *((key, str(value)) for key, value in changes.items())])
    return f"{request.url.path}?{query}"


def chosen(
    model: type[BaseModel], rows: Iterable[BaseModel], fields: str | None
) -> list[dict[str, Any]]:
    """Return rows of a model as plain objects, with only the named fields.

    Raises:
        ManyErrors: ``request-invalid``: a field that the rows do not have.
    """
    wanted = None if fields is None else {name.strip() for name in fields.split(",")} - {""}
    if wanted is not None:
        _check_names("fields", wanted, model.model_fields)
    return [row.model_dump(mode="json", include=wanted) for row in rows]


def listed(
    paging: Paging,
    count: int,
    model: type[BaseModel],
    rows: Iterable[BaseModel],
    fields: str | None,
) -> Response:
    """Return a page as an answer, whose rows have all fields of a model or those that are named.

    A route says ``response_model=Page[MODEL | dict[str, Any]]``: it is not checked once more.

    Raises:
        ManyErrors: ``request-invalid``: a field that the rows do not have.
    """
    page = paging.page(count, chosen(model, rows, fields))
    return Response(page.model_dump_json(), media_type="application/json")


def order_by(
    ordering: str | None,
    columns: Mapping[str, ColumnElement[Any]],
    default: Sequence[ColumnElement[Any]],
) -> list[ColumnElement[Any]]:
    """Return how a statement sorts; ``columns`` are those that may be named.

    Raises:
        ManyErrors: ``request-invalid``: another name.
    """
    names = [name.strip() for name in (ordering or "").split(",") if name.strip()]
    _check_names("ordering", {name.removeprefix("-") for name in names}, columns)
    return [
        columns[name.removeprefix("-")].desc() if name.startswith("-") else columns[name].asc()
        for name in names
    ] + list(default)


def holding(
    connection: Connection, text: str | None, *columns: ColumnElement[Any]
) -> list[ColumnElement[bool]]:
    """Return the condition that one of the columns holds a text; % and _ are themselves.

    The case of A to Z is ignored, that of other letters is not: so it is with SQLite's LIKE, and
    with PostgreSQL's ILIKE under the collation C, whatever the database's own is.
    """
    if not text:
        return []
    if connection.dialect.name == "sqlite":
        # Every row is looked at: the pattern is made once, and has an escape only if it needs one.
        escaped = re.sub(r"[/%_]", r"/\g<0>", text)
        escape = None if escaped == text else "/"
        return [or_(*(column.like(f"%{escaped}%", escape=escape) for column in columns))]
    return [or_(*(column.collate("C").icontains(text, autoescape=True) for column in columns))]


def _check_names(where: str, given: Iterable[str], known: Iterable[str]) -> None:
    wrong = sorted(set(given) - set(known))
    if wrong:
        words = f"the names are {', '.join(sorted(known))}"
        raise ManyErrors(
            "request-invalid",
            f"{where}: {', '.join(wrong)[:200]}; {words}",
            [
                ErrorItem(where=f"query.{where}", reason="request-invalid", detail=words, seen=name)
                for name in wrong[:20]
            ],
        )
