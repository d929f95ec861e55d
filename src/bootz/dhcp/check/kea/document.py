"""Reading Kea's JSON, with comments, trailing commas and included files, as strictly as Kea.

Octets are read as Latin-1, so that a character is an octet of the file, as it is for Kea.
Source: Kea Administrator Reference Manual, "JSON Syntax".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bootz.dhcp.check.files import MAX_NESTED, FileProblem, Files
from bootz.errors import ConfigError

MAX_DEPTH: Final = 100

_TOKEN: Final = re.compile(
    r"""(?P<skip>[ \t\r\n]+|//[^\n]*|\#[^\n]*|/\*.*?\*/)
    |(?P<include><\?include[ \t]+"(?P<file>[^"\n]+)"[ \t]*\?>)
    |"(?P<text>(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u00[0-9A-Fa-f]{2})*)"
    |(?P<mark>[{}\[\]:,])
    |(?P<word>-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|[A-Za-z]+)""",
    re.DOTALL | re.VERBOSE,
)
_ESCAPE: Final = re.compile(r"\\(?:u00(?P<hex>..)|(?P<one>.))", re.DOTALL)
_PLAIN: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS: Final = {"true": True, "false": False, "null": None}


class OptionRow(dict[str, Any]):
    """An object of the document; ``place`` is where it begins."""

    place: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """What was read. ``missing``: included files that were not, each with its place and why.

    ``refused``: what Kea does not take, with the place, though it could be read.
    """

    root: Any
    missing: tuple[tuple[str, str], ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Token:
    kind: str
    text: str
    file: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.file} line {self.line}" if self.file else f"line {self.line}"


@dataclass(slots=True)
class _Reader:
    files: Files
    tokens: list[_Token] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    at: int = 0

    def lex(self, content: bytes, file: str, depth: int) -> None:
        text = content.decode("latin-1")
        line, at = 1, 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                place = _Token("", "", file, line).place
                raise _unreadable(f"{_shown(text[at : at + 12])} is not JSON of Kea", place)
            kind = found.lastgroup or ""
            if found["include"] is not None:
                self.include(found["file"], _Token("", "", file, line), depth)
            elif found["text"] is not None:
                self.tokens.append(_Token("text", _unescape(found["text"]), file, line))
            elif kind != "skip":
                self.tokens.append(_Token(kind, found.group(), file, line))
            line += found.group().count("\n")
            at = found.end()

    def include(self, name: str, place: _Token, depth: int) -> None:
        try:
            if depth >= MAX_NESTED:
                raise FileProblem("files include one another")
            content = self.files.read(name)
        except FileProblem as error:
            self.missing.append((place.place, f"{name} is not read: {error}"))
            self.tokens.append(_Token("gap", name, place.file, place.line))
            return
        self.lex(content, name, depth + 1)

    def value(self, depth: int) -> Any:
        token = self.take("a value")
        if depth > MAX_DEPTH:
            raise _unreadable("it is nested too deeply", token.place)
        match token.kind, token.text:
            case "text", text:
                return text
            case "gap", _:
                return OptionRow()
            case "mark", "{":
                return self.row(token, depth)
            case "mark", "[":
                return self.rows(depth)
            case "word", word:
                return self.word(word, token.place)
        raise _unreadable(f"{_shown(token.text)} where a value must stand", token.place)

    def word(self, word: str, place: str) -> Any:
        if word in _WORDS:
            return _WORDS[word]
        if word.lstrip("-").isdigit() and len(word) < 20:
            return int(word)
        if word[:1] in "-0123456789":
            # Longer than 64 bits, or a fraction; Kea refuses the first.
            if "." not in word and "e" not in word.lower():
                self.refused.append((place, f"the number {word[:20]}… is too large"))
                return 0
            return float(word)
        raise _unreadable(f"{_shown(word)} is not a value", place)

    def row(self, opened: _Token, depth: int) -> OptionRow:
        made = OptionRow()
        made.place = opened.place
        while True:
            token = self.take("a key or }")
            if (token.kind, token.text) == ("mark", "}"):
                return made
            if token.kind == "gap":
                self.comma("}")
                continue
            if token.kind != "text":
                raise _unreadable(f"{_shown(token.text)} where a key must stand", token.place)
            colon = self.take("a colon")
            if (colon.kind, colon.text) != ("mark", ":"):
                raise _unreadable(f"a colon is missing after {_shown(token.text)}", colon.place)
            value = self.value(depth + 1)
            if token.text in made:
                self.refused.append((token.place, f"{_shown(token.text)} appears twice"))
            made[token.text] = value
            self.comma("}")

    def rows(self, depth: int) -> list[Any]:
        made: list[Any] = []
        while True:
            token = self.peek("a value or ]")
            if (token.kind, token.text) == ("mark", "]"):
                self.at += 1
                return made
            if token.kind == "gap":
                self.at += 1
            else:
                made.append(self.value(depth + 1))
            self.comma("]")

    def comma(self, closing: str) -> None:
        token = self.peek(f"a comma or {closing}")
        if (token.kind, token.text) == ("mark", ","):
            self.at += 1
        elif (token.kind, token.text) != ("mark", closing) and token.kind != "gap":
            raise _unreadable(f"a comma is missing before {_shown(token.text)}", token.place)

    def peek(self, wanted: str) -> _Token:
        if self.at >= len(self.tokens):
            place = self.tokens[-1].place if self.tokens else "document"
            raise _unreadable(f"it ends where {wanted} must stand", place)
        return self.tokens[self.at]

    def take(self, wanted: str) -> _Token:
        token = self.peek(wanted)
        self.at += 1
        return token


def read_document(content: bytes, files: Files) -> Document:
    """Return a configuration as Kea reads it.

    Raises:
        ConfigError: ``dhcp-config-unreadable``: Kea does not read it either.
    """
    reader = _Reader(files)
    try:
        files.take(content)
    except FileProblem as error:
        raise _unreadable(str(error), "document") from error
    reader.lex(content, "", 0)
    root = reader.value(0)
    if reader.at < len(reader.tokens):
        token = reader.tokens[reader.at]
        raise _unreadable(f"{_shown(token.text)} after the end", token.place)
    return Document(root, tuple(reader.missing), tuple(reader.refused))


def place_of(row: Mapping[str, Any]) -> str:
    """Return where an object of a document begins."""
    return row.place if isinstance(row, OptionRow) else ""


def _unescape(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        if found["hex"]:
            return chr(int(found["hex"], 16))
        return _PLAIN.get(found["one"], found["one"])

    return _ESCAPE.sub(plain, text) if "\\" in text else text


def _shown(text: str) -> str:
    cut = text.split("\n")[0][:40]
    return repr(cut.encode("latin-1", "replace").decode("utf-8", "replace"))


def _unreadable(detail: str, where: str) -> ConfigError:
    return ConfigError("dhcp-config-unreadable", detail, where=where)
