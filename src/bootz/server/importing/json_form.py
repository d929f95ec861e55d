"""JSON, strictly: no repeated keys, no NaN, bounded depth; and the lines of the entries.

Source: RFC 8259 section 2; RFC 7493 section 2 (I-JSON) for what is refused.
"""

import json
from collections.abc import Iterator
from typing import Final, NoReturn

from bootz.errors import ConfigError
from bootz.server.importing.items import MAX_DEPTH

_BLANKS: Final = " \t\r\n"


def parse_json(text: str) -> tuple[object, dict[tuple[str, int], int]]:
    """Return a document, and the lines of its sections' entries.

    Raises:
        ConfigError: ``import-file-invalid``; ``where`` is the line.
    """
    _check_depth(text)
    decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)
    try:
        document = decoder.decode(text)
        return document, dict(_lines(text, decoder)) if isinstance(document, dict) else {}
    except json.JSONDecodeError as error:
        raise ConfigError(
            "import-file-invalid", f"is not JSON: {error.msg}", where=f"line {error.lineno}"
        ) from None
    except ValueError as error:
        raise ConfigError("import-file-invalid", str(error)) from None


def _check_depth(text: str) -> None:
    """Bound the nesting before anything recurses; quotes and escapes are followed."""
    depth, quoted, escaped = 0, False, False
    for line, row in enumerate(text.split("\n"), 1):
        if not quoted and not any(mark in row for mark in '[]{}"'):
            continue
        for character in row:
            if escaped:
                escaped = False
            elif quoted:
                escaped = character == "\\"
                quoted = character != '"'
            elif character == '"':
                quoted = True
            elif character in "[{":
                depth += 1
                if depth > MAX_DEPTH:
                    raise ConfigError(
                        "import-file-invalid", "is nested too deeply", where=f"line {line}"
                    )
            elif character in "]}":
                depth -= 1


def _lines(text: str, decoder: json.JSONDecoder) -> Iterator[tuple[tuple[str, int], int]]:
    """Walk through a document that is known to be right: an object of lists."""
    at = _skip(text, 0, "{")
    line, counted = 1, 0
    while text[at] == '"':
        section, at = decoder.raw_decode(text, at)
        at = _skip(text, at, ":")
        if text[at] != "[":
            _, at = decoder.raw_decode(text, at)
        else:
            at = _skip(text, at, "[")
            index = 0
            while text[at] != "]":
                line += text.count("\n", counted, at)
                counted = at
                yield (section, index), line
                _, at = decoder.raw_decode(text, at)
                at = _skip(text, at, ",")
                index += 1
            at += 1
        at = _skip(text, at, ",")


def _skip(text: str, at: int, mark: str) -> int:
    """Return the place after blanks, the mark if it is there, and blanks again."""
    for wanted in (mark, ""):
        while at < len(text) and text[at] in _BLANKS:
            at += 1
        if wanted and at < len(text) and text[at] == wanted:
            at += 1
    return at


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key!r:.60} appears twice in an object")
        found[key] = value
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")
