"""Reading dnsmasq's configuration into lines, with the files that it includes.

What stands in quotes is never a separator, a digit or a part of an address.
Source: dnsmasq(8), "CONFIG FILE".
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from bootz.dhcp.check.files import MAX_NESTED, FileProblem, Files
from bootz.errors import ConfigError

LONGEST: Final = 1024
"""Octets of a line; what is over is read as a line of its own."""

META: Final = frozenset('\x00123456 \b\t\n78\r90abcdefABCDE\x1bF:,."')
"""Characters that lose their meaning in quotes."""

_ESCAPES: Final = {"t": "\t", "n": "\n", "b": "\b", "r": "\r", "e": "\x1b"}
_HIDDEN: Final = 0xE000
"""Hidden characters are kept as themselves above this code point, which no octet reaches."""


@dataclass(frozen=True, slots=True)
class Line:
    """An option and its value; ``value`` None: it has none. Hidden characters stay hidden."""

    key: str
    value: str | None
    place: str

    def parts(self) -> list[str]:
        """Return the parts of the value between commas."""
        return [part.strip(" ") for part in (self.value or "").split(",")]


@dataclass(slots=True)
class Source:
    """The lines of a configuration.

    As (place, words): ``missing`` are files that were not read, ``refused`` what dnsmasq refuses.
    """

    lines: list[Line] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def plain(text: str) -> str:
    """Return a text with its hidden characters as they are written."""
    return "".join(chr(ord(c) - _HIDDEN) if ord(c) >= _HIDDEN else c for c in text)


def octets(text: str) -> bytes:
    """Return the octets of a text."""
    return plain(text).encode("latin-1", "replace")


def read_lines(content: bytes, files: Files) -> Source:
    """Return the lines of a configuration, those of included files in their place.

    Raises:
        ConfigError: ``dhcp-config-unreadable``: it is too large.
    """
    source = Source()
    try:
        files.take(content)
    except FileProblem as error:
        raise ConfigError("dhcp-config-unreadable", str(error), where="document") from error
    late: list[Line] = []
    _read(content, "", "", files, source, late, 0)
    for line in late:
        # These are read once the configuration is complete, and so are the last ones.
        key = "dhcp-host" if line.key == "dhcp-hostsfile" else "dhcp-option"
        _include(line, key, files, source, [], 0)
    return source


def _read(
    content: bytes,
    file: str,
    key: str,
    files: Files,
    source: Source,
    late: list[Line],
    depth: int,
) -> None:
    for number, raw in enumerate(content.decode("latin-1").split("\n"), start=1):
        place = f"{file} line {number}" if file else f"line {number}"
        if len(raw) >= LONGEST:
            source.refused.append((place, f"it has over {LONGEST - 1} characters and is cut"))
            continue
        text = _unquote(raw, place, source)
        if text is None or not text:
            continue
        line = Line(key, text, place) if key else _line(text, place)
        if line.key == "conf-file" and line.value:
            _include(line, "", files, source, late, depth)
        elif line.key in {"dhcp-hostsfile", "dhcp-optsfile"} and line.value:
            late.append(line)
        else:
            source.lines.append(line)


def _include(
    line: Line, key: str, files: Files, source: Source, late: list[Line], depth: int
) -> None:
    name = plain(line.value or "")
    try:
        if depth >= MAX_NESTED:
            raise FileProblem("files include one another")
        content = files.read(name)
    except FileProblem as error:
        source.missing.append((line.place, f"{name} is not read: {error}"))
        return
    _read(content, name, key, files, source, late, depth + 1)


def _line(text: str, place: str) -> Line:
    key, equals, value = text.partition("=")
    return Line(key.rstrip(" "), value.lstrip(" ") if equals else None, place)


def _unquote(raw: str, place: str, source: Source) -> str | None:
    """Return a line without comment and quotes, what was quoted hidden; None: it is broken."""
    made: list[str] = []
    white = True
    characters = _quoted(raw)
    for character, hidden in characters:
        if character is None:
            source.refused.append((place, "a quotation mark is missing"))
            return None
        if hidden:
            made.append(chr(ord(character) + _HIDDEN) if character in META else character)
            white = False
            continue
        if white and character == "#":
            break
        white = character.isspace()
        made.append(" " if white else character)
    return "".join(made).strip(" ")


def _quoted(raw: str) -> Iterator[tuple[str | None, bool]]:
    at = 0
    while at < len(raw):
        if raw[at] != '"':
            yield raw[at], False
            at += 1
            continue
        at += 1
        while at < len(raw) and raw[at] != '"':
            if raw[at] == "\\" and at + 1 < len(raw) and raw[at + 1] in '"tnebr\\':
                at += 1
                yield _ESCAPES.get(raw[at], raw[at]), True
            else:
                yield raw[at], True
            at += 1
        if at >= len(raw):
            yield None, True
            return
        at += 1
