"""Reading the fields of an API's objects: strictly enough that a surprise is told, not taken."""

import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from pydantic import JsonValue

from bootz.errors import ConfigError
from bootz.server.sources.pulled import SourceName

Entry = Mapping[str, Any]

_WHOLE: Final = frozenset({"config_context", "custom_fields"})
_KEPT: Final = frozenset(
    {
        *("id", "name", "slug", "label", "value", "model", "part_number", "serial", "key"),
        *("manufacturer", "status", "tags", "role", "platform", "site", "location", "parent"),
        *("rack", "asset_tag", "primary_ip4", "primary_ip6", "address", "virtual_chassis"),
        *("vc_position", "software_version", "version", "device", "device_type", "module"),
        *("module_bay", "module_type", "parent_module_bay", "parent_device", "parent_module"),
        *("position", "mac_address", "mac_addresses"),
    }
)
_LEVELS: Final = 4


def slim(value: Any, level: int = _LEVELS) -> Any:
    """Return an object with what a sync reads of it, and no more: the products send much.

    Ten thousand devices as they come would take some 300 MiB.
    """
    match value:
        case dict() if not level:
            return {}
        case dict():
            return {
                key: inner if key in _WHOLE else slim(inner, level - 1)
                for key, inner in value.items()
                if key in _WHOLE or key in _KEPT
            }
        case list():
            return [slim(each, level - 1) for each in value] if level else []
        case str():
            return sys.intern(value)
        case _:
            return value


@lru_cache(maxsize=4096)
def _name(name: str, slug: str) -> SourceName:
    return SourceName(name, slug)


def text(entry: Entry, key: str) -> str:
    """Return a text without blanks around it; null and absent are empty."""
    value = entry.get(key)
    return value.strip() if isinstance(value, str) else ""


def id_of(value: object) -> str:
    """Return the id of an object that is referred to; empty for none."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""


def named(value: object, right: str) -> SourceName:
    """Return what is referred to; ``right`` is what a token needs to see its name.

    Raises:
        ConfigError: ``source-forbidden``: it is there, and its name is not shown.
    """
    if not isinstance(value, Mapping):
        return SourceName()
    # NetBox's status is {value, label}; a model has no name but a model.
    name = text(value, "name") or text(value, "label") or text(value, "model")
    slug = text(value, "slug") or text(value, "value")
    if not name and not slug:
        raise ConfigError(
            "source-forbidden",
            f"the name of a {right.rpartition('.')[2]} is not shown",
            expected=f"the right to view {right}",
        )
    return _name(name, slug)


def tags(entry: Entry, right: str) -> tuple[SourceName, ...]:
    """Return the tags of an object.

    Raises:
        ConfigError: ``source-forbidden``.
    """
    found = entry.get("tags")
    return tuple(named(tag, right) for tag in found) if isinstance(found, list) else ()


def address(value: object) -> str:
    """Return an address with its prefix length; empty for none.

    Raises:
        ConfigError: ``source-forbidden``: it is there, and not shown.
    """
    if not isinstance(value, Mapping):
        return ""
    found = text(value, "address")
    if not found:
        raise ConfigError(
            "source-forbidden",
            "an address is not shown",
            expected="the right to view ipam.ipaddress",
        )
    return found


def mapping(entry: Entry, key: str) -> dict[str, JsonValue]:
    """Return an object of JSON; anything else is empty."""
    value = entry.get(key)
    return dict(value) if isinstance(value, Mapping) else {}


def plain(value: JsonValue) -> JsonValue:
    """Return a custom field's value; NetBox 4.7 gives selections as ``{value, label}``."""
    if isinstance(value, Mapping) and set(value) == {"value", "label"}:
        return value["value"]
    return value


def custom_fields(entry: Entry) -> dict[str, JsonValue]:
    """Return the custom fields that have a value."""
    fields = {key: plain(value) for key, value in mapping(entry, "custom_fields").items()}
    return {key: value for key, value in fields.items() if value is not None}


def missing(what: str, right: str) -> ConfigError:
    """Return that a list lacks what another refers to: the token may not see it."""
    return ConfigError(
        "source-forbidden", f"{what} is not shown", expected=f"the right to view {right}"
    )
