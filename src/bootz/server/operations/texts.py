"""Bounds for the operator's words, and JSON as it is in the database."""

import json
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar, cast

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from bootz.errors import ConfigError

MAX_NAME: Final = 128
MAX_SERIAL: Final = 64
"""Characters of a serial number (RFC 5280 appendix A.1, ub-serial-number)."""
MAX_TEXT: Final = 1024
MAX_JSON: Final = 4 * 1024 * 1024

STRICT: Final = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
"""For documents of the operator: no unknown key, and no value in an error."""

_Model = TypeVar("_Model", bound=BaseModel)


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
        raise ConfigError(reason, faults_of(error), where=where) from None


def faults_of(error: ValidationError) -> str:
    """Return every fault as ``key: what is wrong``, without values."""
    return "; ".join(
        f"{'.'.join(str(step) for step in fault['loc']) or 'document'}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)
    )


def checked_text(
    text: str, field: str, *, reason: str, where: str, most: int = MAX_TEXT, least: int = 0
) -> str:
    """Return a text of one line, stripped.

    Raises:
        ConfigError: too short, too long, or with characters that cannot be printed.
    """
    stripped = text.strip()
    if not least <= len(stripped) <= most or not stripped.isprintable():
        raise ConfigError(
            reason,
            f"{field} is not a printable text of {least} to {most} characters",
            where=where,
        )
    return stripped


def dump_json(value: object) -> str:
    """Return a value as compact JSON text."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)


def load_object(text: str) -> dict[str, JsonValue]:
    """Return an object that ``dump_json`` wrote."""
    return cast("dict[str, JsonValue]", json.loads(text))


def load_texts(text: str) -> tuple[str, ...]:
    """Return a list of texts that ``dump_json`` wrote."""
    return tuple(cast("Sequence[str]", json.loads(text)))
