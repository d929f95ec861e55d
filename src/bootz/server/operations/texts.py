"""Bounds for the operator's words, and JSON as it is in the database."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from bootz.errors import ConfigError, KeyPath

MAX_NAME: Final = 128
MAX_SERIAL: Final = 64
"""Characters of a serial number (RFC 5280 appendix A.1, ub-serial-number)."""
MAX_TEXT: Final = 1024
MAX_JSON: Final = 4 * 1024 * 1024

STRICT: Final = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
"""For documents of the operator: no unknown key, and no value in an error."""

_Model = TypeVar("_Model", bound=BaseModel)
_Kind = TypeVar("_Kind")
_ADAPTERS: Final[dict[type[Any], TypeAdapter[Any]]] = {}

_FORMS: Final = {
    **dict.fromkeys(("tuple_type", "list_type"), "a list"),
    **dict.fromkeys(
        ("dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"),
        "a map of keys",
    ),
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "a whole number",
}
"""What a value must be, by the kind of the fault that the reader of models finds."""


def parse_model(
    model: type[_Model], document: Mapping[str, object], *, reason: str, where: str
) -> _Model:
    """Return the validated document.

    Raises:
        ConfigError: names every key that does not fit, never its value.
    """
    try:
        return model.model_validate(dict(document))
    except ValidationError as error:
        told = faults_of(error, model.model_fields)
        raise ConfigError(reason, told, where=where, keys=_keys_of(error)) from None


def parse_dataclass(
    kind: type[_Kind], document: Mapping[str, object], *, reason: str, where: str
) -> _Kind:
    """Return the validated document as a dataclass, whose annotations say what fits.

    Raises:
        ConfigError: names every key that does not fit, never its value.
    """
    try:
        # Made once, because that takes long.
        adapter = _ADAPTERS.get(kind) or _ADAPTERS.setdefault(kind, TypeAdapter(kind))
        parsed: _Kind = adapter.validate_python(dict(document))
    except ValidationError as error:
        known = [item.name for item in fields(cast("Any", kind))]
        told = faults_of(error, known)
        raise ConfigError(reason, told, where=where, keys=_keys_of(error)) from None
    return parsed


def faults_of(error: ValidationError, known: Iterable[str] = ()) -> str:
    """Return every fault as ``key: what is wrong``, without values.

    ``known`` are the keys that there are, for one that was meant.
    """
    return "; ".join(
        f"{'.'.join(str(step) for step in fault['loc']) or 'document'}: {_words(fault, known)}"
        for fault in error.errors(include_input=False, include_url=False)
    )


def _keys_of(error: ValidationError) -> list[KeyPath]:
    return [fault["loc"] for fault in error.errors(include_input=False, include_url=False)]


def fault_words(fault: ErrorDetails) -> str:
    """Return what is wrong with a value, in the words of YAML and JSON."""
    form = _FORMS.get(fault["type"])
    return fault["msg"].removeprefix("Value error, ") if form is None else f"it must be {form}"


def _words(fault: ErrorDetails, known: Iterable[str]) -> str:
    if fault["type"] not in {"extra_forbidden", "unexpected_keyword_argument"}:
        return fault_words(fault)
    close = get_close_matches(str(fault["loc"][-1])[:MAX_NAME], known, n=1)
    return f"unknown key; did you mean {close[0]}?" if close else "unknown key"


def checked_text(
    text: str,
    field: str,
    *,
    reason: str,
    where: str,
    most: int = MAX_TEXT,
    least: int = 0,
    key: KeyPath = (),
) -> str:
    """Return a text of one line, stripped; ``key`` is where it stands, if not at ``field``.

    Raises:
        ConfigError: too short, too long, or with characters that cannot be printed.
    """
    stripped = text.strip()
    if not least <= len(stripped) <= most or not stripped.isprintable():
        raise ConfigError(
            reason,
            f"{field} is not a printable text of {least} to {most} characters",
            where=where,
            keys=(key or (field,),),
        )
    return stripped


def check_writable(
    value: object, field: str, *, reason: str, where: str, most: int = MAX_JSON
) -> None:
    """Check that an export could write a value: numbers that end, whole characters.

    ``most`` is how many bytes it may have as JSON.

    Raises:
        ConfigError: it could not, or it is too long.
    """
    if not value:
        return
    try:
        size = len(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())
    except (ValueError, RecursionError):
        # A command line that is no UTF-8 brings such characters too.
        raise ConfigError(
            reason,
            f"{field}: a text or number that cannot be written to a file",
            where=where,
            keys=((field,),),
        ) from None
    if size > most:
        raise ConfigError(
            reason, f"{field}: over {most} bytes", where=where, keys=(_largest(value, field),)
        )


def _largest(value: object, field: str) -> KeyPath:
    """Return where the most of a value stands."""
    if not isinstance(value, Mapping) or not value:
        return (field,)
    return (field, str(max(value, key=lambda key: len(dump_json(value[key])))))


_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True)


def dump_json(value: object) -> str:
    """Return a value as compact JSON text."""
    return _ENCODER.encode(value)


def load_object(text: str) -> dict[str, JsonValue]:
    """Return an object that ``dump_json`` wrote."""
    return cast("dict[str, JsonValue]", json.loads(text))


def load_rows(text: str) -> tuple[tuple[str, ...], ...]:
    """Return lists of texts that ``dump_json`` wrote."""
    return tuple(tuple(row) for row in cast("Sequence[Sequence[str]]", json.loads(text)))


def load_texts(text: str) -> tuple[str, ...]:
    """Return a list of texts that ``dump_json`` wrote."""
    return tuple(cast("Sequence[str]", json.loads(text)))
