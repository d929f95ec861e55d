"""JSON as its standard means it: without what Python lets pass beyond.

Source: RFC 8259 sections 6 and 8.1; RFC 7493 section 2.3.
"""

import json
from typing import NoReturn


def decoder() -> json.JSONDecoder:
    """Return a decoder that refuses a name that appears twice in an object, NaN and Infinity.

    What it refuses is a ``ValueError``.
    """
    return json.JSONDecoder(object_pairs_hook=unique, parse_constant=refuse_constant)


def loads(data: bytes | str) -> object:
    """Return the value of a JSON text; bytes are UTF-8, without a byte order mark.

    Raises:
        ValueError: anything else, a name that appears twice, NaN or Infinity, nested too deeply.
    """
    text = data.decode("utf-8") if isinstance(data, bytes) else data
    try:
        value: object = json.loads(text, object_pairs_hook=unique, parse_constant=refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value


def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the members of an object.

    Raises:
        ValueError: a name appears twice.
    """
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"the name {name!r:.60} appears twice")
        members[name] = value
    return members


def refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which JSON has not.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{name} is not a number of JSON")
