"""OpenConfig JSON on the router: strict reading, and the union of two documents.

The union follows gNMI's ``union_replace`` as far as documents can: members are joined, equal
values are one, lists are joined without repetition, and two values for one leaf contradict
each other.
"""

from collections.abc import Mapping

from bootz import strict_json
from bootz.errors import PeerError

MAX_DEPTH = 64


class InvalidConfiguration(PeerError):
    """The configuration cannot be applied: BOOTZ_CONFIGURATION_INVALID."""


def read_openconfig(data: bytes, where: str) -> dict[str, object]:
    """Read one document; no bytes at all are an empty one.

    Raises:
        InvalidConfiguration: not JSON, not an object, a name twice, an invalid number, or
            nested too deeply.
    """
    if not data.strip():
        return {}
    value = read_strict_json(data, "config-openconfig", where)
    if not isinstance(value, dict):
        raise InvalidConfiguration(
            "config-openconfig", "the document is not an object", where=where
        )
    return value


def read_strict_json(data: bytes | str, reason: str, where: str) -> object:
    """Read JSON as RFC 8259 means it, without what Python lets pass beyond.

    Raises:
        InvalidConfiguration: with that reason and place.
    """
    try:
        value = strict_json.loads(data)
    except ValueError as error:
        raise InvalidConfiguration(reason, str(error), where=where) from error
    if _deeper(value, MAX_DEPTH):
        raise InvalidConfiguration(reason, "nested too deeply", where=where)
    return value


def union(first: Mapping[str, object], second: Mapping[str, object]) -> dict[str, object]:
    """Return the union of two documents.

    Raises:
        InvalidConfiguration: they give one leaf two values; the place is its path.
    """
    return _join(first, second, "")


def _join(
    first: Mapping[str, object], second: Mapping[str, object], path: str
) -> dict[str, object]:
    joined = dict(first)
    for name, value in second.items():
        place = f"{path}/{name}"
        if name not in joined:
            joined[name] = value
            continue
        present = joined[name]
        if isinstance(present, dict) and isinstance(value, dict):
            joined[name] = _join(present, value, place)
        elif isinstance(present, list) and isinstance(value, list):
            joined[name] = [*present, *(item for item in value if item not in present)]
        elif present != value or type(present) is not type(value):
            raise InvalidConfiguration(
                "config-openconfig",
                "static and dynamic configuration contradict each other",
                where=place,
            )
    return joined


def _deeper(value: object, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if depth == 0:
        return True
    items = value.values() if isinstance(value, dict) else value
    return any(_deeper(item, depth - 1) for item in items)
