"""YAML without its tricks: no aliases, tags, merges or repeated keys; depth is bounded.

Read from libyaml's events without recursion, so that no document can cost more than its size.
Plain scalars are null, true, false, decimal numbers, or else text: ``on``, ``0123``, ``1e5`` and
dates stay what an operator wrote. Source: YAML 1.2 section 10.2 (JSON schema).
"""

import math
import re
from dataclasses import dataclass, field
from typing import Final

import yaml

from bootz.errors import ConfigError
from bootz.server.importing.documents import PackedEntry
from bootz.server.importing.items import MAX_DEPTH, MAX_DIGITS

_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?")
_HALF: Final = re.compile(r"[\ud800-\udfff]")
_WORDS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}

# The parser in C where PyYAML was built with it: some ten times faster.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class _Open:
    """A collection that is being read; ``key`` waits for its value."""

    value: dict[str, object] | list[object]
    section: str | None
    key: str | None = None


@dataclass(slots=True)
class _Reader:
    most_depth: int
    packed: bool
    stack: list[_Open] = field(default_factory=list)
    document: object = None
    documents: int = 0
    lines: dict[tuple[str, int], int] = field(default_factory=dict)


def parse_yaml(
    text: str, most_depth: int = MAX_DEPTH, *, packed: bool = False
) -> tuple[object, dict[tuple[str, int], int]]:
    """Return a document, and the lines of its sections' entries.

    ``most_depth`` is how many levels it may nest; ``packed`` makes a text of each entry as soon as
    it is read.

    Raises:
        ConfigError: ``import-file-invalid``; ``where`` is the line.
    """
    reader = _Reader(most_depth, packed)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            _take(reader, event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "is not YAML"
        raise _invalid(str(problem), None if mark is None else mark.line + 1) from None
    return reader.document, reader.lines


def _take(reader: _Reader, event: yaml.Event) -> None:
    line = event.start_mark.line + 1 if event.start_mark is not None else 0
    match event:
        case yaml.DocumentStartEvent():
            reader.documents += 1
            if reader.documents > 1:
                raise _invalid("contains a second document", line)
        case yaml.AliasEvent():
            raise _invalid("an alias (*name) is not allowed", line)
        case yaml.MappingStartEvent():
            _check_plain(event, line)
            _open(reader, {}, line)
        case yaml.SequenceStartEvent():
            _check_plain(event, line)
            _open(reader, [], line)
        case yaml.ScalarEvent():
            _check_plain(event, line)
            _put_scalar(reader, event, line)
        case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
            ended = reader.stack.pop()
            if reader.packed:
                _pack(reader, ended.value)
        case _:
            pass


def _pack(reader: _Reader, ended: dict[str, object] | list[object]) -> None:
    """Make a text of what has ended, where it is an entry of a section."""
    if len(reader.stack) != 2 or not isinstance(ended, dict):
        return
    entries = reader.stack[1].value
    if reader.stack[1].section is not None and isinstance(entries, list):
        entries[-1] = PackedEntry.of(ended)


def _check_plain(event: yaml.NodeEvent, line: int) -> None:
    if event.anchor is not None:
        raise _invalid("an anchor (&name) is not allowed", line)
    if getattr(event, "tag", None) is not None:
        raise _invalid("a tag (!name) is not allowed", line)


def _open(reader: _Reader, value: dict[str, object] | list[object], line: int) -> None:
    if len(reader.stack) >= reader.most_depth:
        raise _invalid("is nested too deeply", line)
    section = reader.stack[0].key if len(reader.stack) == 1 else None
    _put(reader, value, line)
    reader.stack.append(_Open(value, section))


def _put_scalar(reader: _Reader, event: yaml.ScalarEvent, line: int) -> None:
    if _HALF.search(event.value):
        raise _invalid("a text contains half of a character", line)
    inside = reader.stack[-1] if reader.stack else None
    if inside is not None and isinstance(inside.value, dict) and inside.key is None:
        if event.value in inside.value:
            raise _invalid("a key appears twice", line, seen=f"{event.value!r:.60}")
        inside.key = event.value
        return
    _put(reader, _scalar(event, line), line)


def _put(reader: _Reader, value: object, line: int) -> None:
    if not reader.stack:
        reader.document = value
        return
    inside = reader.stack[-1]
    if isinstance(inside.value, list):
        if inside.section is not None:
            reader.lines[(inside.section, len(inside.value))] = line
        inside.value.append(value)
    elif inside.key is None:
        raise _invalid("a key is not a text", line)
    else:
        inside.value[inside.key] = value
        inside.key = None


def _scalar(event: yaml.ScalarEvent, line: int) -> object:
    if event.style:
        return event.value
    value = read_plain(event.value)
    if isinstance(value, float) and not math.isfinite(value):
        raise _invalid("a number is too large", line)
    return value


def read_plain(text: str) -> object:
    """Return what a scalar without quotes is."""
    folded = text if len(text) > 5 else text.lower()
    if folded in _WORDS:
        return _WORDS[folded]
    if len(text) <= MAX_DIGITS and _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _invalid(detail: str, line: int | None, *, seen: str = "") -> ConfigError:
    where = "" if line is None else f"line {line}"
    return ConfigError("import-file-invalid", detail, where=where, seen=seen)
