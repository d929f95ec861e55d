"""What the nouns of the inventory share: transactions, documents in files, and hidden secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

import click

from bootz.cli.base import Cli
from bootz.errors import ConfigError, unreadable

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import JsonValue
    from sqlalchemy import Connection

    from bootz.server.operations.profile_document import Content

MAX_FILE: Final = 8 * 1024 * 1024
"""Bytes of a file that an option names."""

_HIDDEN: Final = frozenset({"boot_password_hash", "credentials", "certz_profiles"})
_LONG: Final = frozenset(
    {
        "script",
        "vendor_config",
        "dynamic_vendor_config",
        "oc_config",
        "dynamic_oc_config",
        "bootloader_config",
        "metadata",
        "pathz",
        "authz",
    }
)


@contextmanager
def reading(cli: Cli) -> Iterator[Connection]:
    """Open the site's database for one consistent look."""
    with closing(cli.site().database()) as database, database.read() as connection:
        yield connection


@contextmanager
def writing(cli: Cli) -> Iterator[Connection]:
    """Open the site's database for one change, all of it or nothing."""
    with closing(cli.site().database()) as database, database.write() as connection:
        yield connection


def key_and_value(text: str, option: str) -> tuple[str, str]:
    """Return the two sides of ``KEY=VALUE``.

    Raises:
        click.BadParameter: it is malformed.
    """
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint=option)
    return key, value


def read_file(path: Path) -> bytes:
    """Return the content of a file that an option names.

    Raises:
        ConfigError: it is too large.
        Unavailable: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    if len(data) > MAX_FILE:
        raise ConfigError("usage", f"the file has over {MAX_FILE} bytes", where=str(path))
    return data


def read_document(path: Path) -> dict[str, object]:
    """Return the mapping in a YAML or JSON file, read as strictly as an import is.

    Raises:
        ConfigError: ``document-invalid``; names the line, never the content.
        Unavailable: it cannot be read.
    """
    from bootz.server.importing.items import MAX_INNER_DEPTH
    from bootz.server.importing.yaml_form import parse_yaml

    try:
        document, _ = parse_yaml(read_file(path).decode("utf-8-sig"), MAX_INNER_DEPTH)
    except ConfigError as error:
        where = f"{path} {error.where}".strip()
        raise ConfigError("document-invalid", error.detail, where=where) from None
    except UnicodeDecodeError:
        raise ConfigError("document-invalid", "it is not UTF-8", where=str(path)) from None
    if not isinstance(document, dict):
        raise ConfigError("document-invalid", "the file must contain a mapping", where=str(path))
    return document


def shown_content(content: Content) -> dict[str, JsonValue]:
    """Return a document as a table may show it: of configuration and secrets only that they are."""
    return {name: _shown(name, value) for name, value in content.to_json().items()}


def _shown(name: str, value: JsonValue) -> JsonValue:
    from pydantic import JsonValue

    if name == "variables" and isinstance(value, Mapping):
        return list[JsonValue](sorted(value))
    if name in _HIDDEN and value is not None:
        return "set"
    if name in _LONG and value is not None:
        return f"set ({len(value)} characters)" if isinstance(value, str) else "set"
    return value


def name_and_version(text: str, option: str) -> dict[str, str]:
    """Read ``NAME/VERSION``.

    Raises:
        BadParameter: it has another form.
    """
    name, slash, version = text.rpartition("/")
    if not slash or not name or not version:
        raise click.BadParameter(f"{text!r} is not NAME/VERSION", param_hint=option)
    return {"name": name, "version": version}
