"""Structured keys: an object whose strings are templates, or a template that gives YAML or JSON."""

import json
from collections.abc import Mapping
from typing import TypeVar

from pydantic import JsonValue

from bootz import strict_json
from bootz.errors import ConfigError
from bootz.model.bootstrap import JsonObject
from bootz.server.importing.yaml_form import parse_yaml
from bootz.server.operations.profile_document import Structured
from bootz.server.rendering.templates import Templates

_Value = TypeVar("_Value")


def render_object(
    templates: Templates, wanted: Structured | None, values: Mapping[str, object], key: str
) -> JsonObject | None:
    """Return the object of a structured key, None where nothing is wanted.

    Raises:
        ConfigError: a template fails, or what comes out is not an object.
    """
    if wanted is None:
        return None
    if not isinstance(wanted, str):
        return _render_strings(templates, wanted, values, key)
    return _read_object(templates.render(wanted, values, key), key)


def render_json_text(
    templates: Templates, wanted: Structured | None, values: Mapping[str, object], key: str
) -> bytes:
    """Return a structured key as JSON text; empty where nothing is wanted.

    What a template gives as JSON stays byte for byte; YAML becomes compact JSON.

    Raises:
        ConfigError: a template fails, or what comes out is not an object.
    """
    if wanted is None:
        return b""
    if isinstance(wanted, str):
        text = templates.render(wanted, values, key)
        if not text.strip():
            return b""
        if _json_object(text) is not None:
            return _utf8(text, key)
        document: object = _read_object(text, key)
    else:
        document = _render_strings(templates, wanted, values, key)
    return _utf8(json.dumps(document, ensure_ascii=False, separators=(",", ":")), key)


def render_text(
    templates: Templates, wanted: str | None, values: Mapping[str, object], key: str
) -> bytes:
    """Return the output of a text key, empty where nothing is wanted.

    Raises:
        ConfigError: the template fails, or gives half of a surrogate pair.
    """
    return b"" if wanted is None else _utf8(templates.render(wanted, values, key), key)


def _render_strings(
    templates: Templates, value: Mapping[str, JsonValue], values: Mapping[str, object], key: str
) -> dict[str, object]:
    return {
        name: _render_value(templates, item, values, f"{key}.{name}")
        for name, item in value.items()
    }


def _render_value(
    templates: Templates, value: JsonValue, values: Mapping[str, object], key: str
) -> object:
    if isinstance(value, str):
        return templates.render(value, values, key)
    if isinstance(value, Mapping):
        return _render_strings(templates, value, values, key)
    if isinstance(value, list):
        return [
            _render_value(templates, item, values, f"{key}[{number}]")
            for number, item in enumerate(value)
        ]
    return value


def _read_object(text: str, key: str) -> dict[str, object]:
    found = _json_object(text)
    if found is not None:
        return found
    try:
        document, _ = parse_yaml(text)
    except ConfigError as error:
        line = f", output {error.where}" if error.where else ""
        raise ConfigError("rendered-invalid", error.detail, where=key + line) from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError("rendered-invalid", "the output is not an object", where=key)
    return document


def _json_object(text: str) -> dict[str, object] | None:
    """Return the object that a text is in JSON, None if it is not one; JSON is read far faster."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = strict_json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _utf8(text: str, key: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError("rendered-invalid", "has a lone surrogate", where=key) from error
