"""The file ``bootz.yaml`` as a document: read within bounds, strictly, and without its meaning."""

from pathlib import Path
from typing import Final

import yaml

from bootz.errors import ConfigError

CONFIG_NAME: Final = "bootz.yaml"
MAX_CONFIG_BYTES: Final = 1 << 20
DEFAULT_DATABASE: Final = "sqlite:///bootz.db"


def read_settings(path: Path) -> bytes:
    """Return the content of a site's file, at most one byte over the bound.

    Raises:
        ConfigError: ``site-config-invalid``: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            "site-config-invalid", f"cannot be read: {error.strerror}", where=str(path)
        ) from error


def parse_settings(content: bytes, *, where: str = CONFIG_NAME) -> dict[object, object]:
    """Return the keys and values of a file; an empty one has none.

    Raises:
        ConfigError: ``site-config-invalid``: too long, or not YAML with keys and values.
    """
    if len(content) > MAX_CONFIG_BYTES:
        raise ConfigError("site-config-invalid", "is longer than 1 MiB", where=where)
    try:
        document = yaml.load(content, _StrictLoader)  # noqa: S506 -- a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ConfigError("site-config-invalid", _yaml_fault(error), where=where) from error
    if document is not None and not isinstance(document, dict):
        raise ConfigError("site-config-invalid", "is not a list of keys with values", where=where)
    return document or {}


class _StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Refuses a key that appears twice, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        """Return a mapping.

        Raises:
            yaml.YAMLError: a key appears twice.
        """
        seen: set[str] = set()
        for key, _ in node.value:
            # A key may be a list or a mapping, which the loader itself refuses below.
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"{name} appears twice", problem_mark=key.start_mark
                )
            seen.add(name)
        mapping: dict[object, object] = super().construct_mapping(node, deep)
        return mapping


def _yaml_fault(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return "is not YAML"
    return f"line {mark.line + 1}: {getattr(error, 'problem', None) or 'is not YAML'}"
