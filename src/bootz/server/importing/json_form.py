"""JSON, strictly: no repeated keys, no NaN, bounded depth; and the lines of the entries.

Source: RFC 8259 section 2; RFC 7493 section 2 (I-JSON) for what is refused.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Final

from bootz.errors import ConfigError
from bootz.server.importing.documents import PackedEntry
from bootz.server.importing.items import MAX_DEPTH, MAX_DIGITS
from bootz.strict_json import refuse_constant, unique

_BLANKS: Final = " \t\r\n"
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_AFTER: Final = {mark: re.compile(rf"[ \t\r\n]*{re.escape(mark)}[ \t\r\n]*") for mark in "{}[:,"}
_SURROGATES: Final = re.compile(
    # Escaped backslashes and whole pairs are passed over; what is left stands alone.
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2}|[\ud800-\udfff])"
)


def parse_json(text: str, *, packed: bool = False) -> tuple[object, dict[tuple[str, int], int]]:
    """Return a document, and the lines of its sections' entries.

    With ``packed`` entries are read one by one and stay texts, where the document is an object of
    lists as it is to be.

    Raises:
        ConfigError: ``import-file-invalid``; ``where`` is the line.
    """
    _check_depth(text)
    decoder = json.JSONDecoder(
        object_pairs_hook=unique,
        parse_constant=refuse_constant,
        parse_float=_finite,
        parse_int=_bounded,
    )
    try:
        found = _packed(text, decoder) if packed else None
        if found is not None:
            _check_characters(text)
            return found
        document = decoder.decode(text)
        _check_characters(text)
        return document, dict(_lines(text, decoder)) if isinstance(document, dict) else {}
    except json.JSONDecodeError as error:
        raise ConfigError(
            "import-file-invalid", f"is not JSON: {error.msg}", where=f"line {error.lineno}"
        ) from None
    except _TooLarge as error:
        at = re.search(rf'(?<![\w."+-]){re.escape(error.digits)}(?![\w.])', text)
        line = text.count("\n", 0, at.start()) + 1 if at else 0
        raise ConfigError(
            "import-file-invalid", "a number is too large", where=f"line {line}" if line else ""
        ) from None
    except ValueError as error:
        raise ConfigError("import-file-invalid", str(error)) from None


def _check_depth(text: str) -> None:
    """Bound the nesting before anything recurses; quotes and escapes are followed."""
    depth, quoted, escaped = 0, False, False
    for line, row in enumerate(_rows(text), 1):
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


def _rows(text: str) -> Iterator[str]:
    """Return the lines of a text, one at a time: all at once need several times its memory."""
    at = 0
    while (end := text.find("\n", at)) >= 0:
        yield text[at:end]
        at = end + 1
    yield text[at:]


def _check_characters(text: str) -> None:
    """Refuse half a character (RFC 7493 section 2): nothing that it gets into can be written."""
    for found in _SURROGATES.finditer(text):
        if found["lone"]:
            line = text.count("\n", 0, found.start()) + 1
            raise ConfigError(
                "import-file-invalid",
                f"{found['lone'][:6]} is half of a character",
                where=f"line {line}",
            )


class _OtherForm(ValueError):
    """The document is not an object of lists; what it is, is told by reading it whole."""


_Found = tuple[object, dict[tuple[str, int], int]]


def _packed(text: str, decoder: json.JSONDecoder) -> _Found | None:
    """Return the document with its entries as texts, and their lines; None: read it whole.

    Each entry is decoded as strictly as the whole would be.
    """
    try:
        return _walked(text, decoder)
    except (ValueError, IndexError):
        return None


def _walked(text: str, decoder: json.JSONDecoder) -> _Found:
    document: dict[str, object] = {}
    lines: dict[tuple[str, int], int] = {}
    line, counted = 1, 0
    at = _after(text, 0, "{")
    while True:
        if text[at] != '"':
            raise _OtherForm
        section, at = decoder.raw_decode(text, at)
        if section in document:
            raise _OtherForm
        at = _after(text, at, ":")
        if text[at] != "[":
            document[section], at = decoder.raw_decode(text, at)
        else:
            document[section] = entries = list[object]()
            at = _after(text, at, "[")
            while text[at] != "]" or entries:
                line += text.count("\n", counted, at)
                counted = at
                lines[section, len(entries)] = line
                entry, end = decoder.raw_decode(text, at)
                entries.append(PackedEntry.of(entry) if isinstance(entry, dict) else entry)
                at = _BLANK.match(text, end).end()  # type: ignore[union-attr]
                if text[at] == "]":
                    break
                at = _after(text, at, ",")
            at += 1
        at = _BLANK.match(text, at).end()  # type: ignore[union-attr]
        if text[at] == "}":
            if _after(text, at, "}") != len(text):
                raise _OtherForm
            return document, lines
        at = _after(text, at, ",")


def _after(text: str, at: int, mark: str) -> int:
    """Return the place after blanks, a mark that must be there, and blanks again."""
    found = _AFTER[mark].match(text, at)
    if found is None:
        raise _OtherForm
    return found.end()


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


class _TooLarge(ValueError):
    """A number that no export could write."""

    def __init__(self, digits: str) -> None:
        super().__init__("a number is too large")
        self.digits = digits


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _TooLarge(digits)
    return number


def _bounded(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _TooLarge(digits)
    return int(digits)
