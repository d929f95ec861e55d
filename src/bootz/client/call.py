"""One call of the API as data: made here, sent by a client with or without ``await``."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic import BaseModel, TypeAdapter

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ApiCall(Generic[Result]):
    """What is asked for, and the form of its answer.

    ``result`` is a model, ``str`` for text as it is, or None where the answer has no body.
    """

    result: type[Result] | None
    method: str
    path: str
    query: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str | None] = field(default_factory=dict)
    json: object = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)

    def params(self) -> list[tuple[str, str]]:
        """Return the query as names and values; lists repeat their name."""
        found: list[tuple[str, str]] = []
        for name, value in self.query.items():
            values = value if isinstance(value, list | tuple) else [value]
            found += [(name, _word(each)) for each in values if each is not None]
        return found

    def at(self, path: str) -> "ApiCall[Result]":
        """Return the call for a path that an answer has named, such as ``next`` of a page."""
        parts = urlsplit(path)
        query: dict[str, list[str]] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            query.setdefault(name, []).append(value)
        return replace(self, path=parts.path, query=query)

    def parse(self, text: bytes) -> Result:
        """Return the answer that a body holds.

        Raises:
            ValueError: it does not have the form.
        """
        if self.result is None:
            return None  # type: ignore[return-value]
        if self.result is str:
            return text.decode()  # type: ignore[return-value]
        return TypeAdapter(self.result).validate_json(text)


def quoted(value: object) -> str:
    """Return a part of a path."""
    return quote(str(value), safe="")


def written(body: BaseModel) -> Any:
    """Return a body as JSON has it, with what was set alone."""
    return body.model_dump(mode="json", exclude_unset=True)


def _word(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat()
        case Enum():
            return str(value.value)
        case _:
            return str(value)
