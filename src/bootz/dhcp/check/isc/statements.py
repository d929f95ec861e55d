"""Reading dhcpd's configuration into statements and blocks, with the files that it includes.

Source: dhcpd.conf(5), dhcp-eval(5).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from bootz.dhcp.check.files import MAX_NESTED, FileProblem, Files
from bootz.errors import ConfigError

MAX_DEPTH: Final = 50

_TOKEN: Final = re.compile(
    r'(?P<skip>\s+|#[^\n]*)|(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<mark>!=|~=|~~|[{};,()=])'
    r'|(?P<word>[^\s{};,()="#!~]+|[!~])',
    re.DOTALL,
)
_BEGINNERS: Final = frozenset(
    {
        *("allow", "deny", "ignore", "option", "filename", "next-server", "fixed-address"),
        *("fixed-address6", "hardware", "host", "host-identifier", "range", "range6", "subnet"),
        *("subnet6", "pool", "class", "group", "default-lease-time", "max-lease-time"),
    }
)
"""Words that begin a statement; inside one they follow only what joins."""
_JOINING: Final = frozenset(
    {
        *("=", "!=", "~=", "~~", "(", ",", "if", "elsif", "and", "or", "not", "exists", "match"),
        *("supersede", "default", "append", "prepend", "send", "else", "switch", "return"),
    }
)
_ESCAPE: Final = re.compile(r"\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)", re.DOTALL)
_PLAIN: Final = {"n": b"\n", "t": b"\t", "r": b"\r", "b": b"\b"}


@dataclass(slots=True)
class Statement:
    """A statement: its words, the block behind it, and the place where it begins."""

    words: list[str]
    place: str
    block: "list[Statement] | None" = None


@dataclass(slots=True)
class _Parser:
    """Reads statements; ``missing`` are included files that were not read, with why."""

    files: Files
    missing: list[tuple[str, str]] = field(default_factory=list)
    unended: list[tuple[str, str]] = field(default_factory=list)
    tokens: list[tuple[str, str]] = field(default_factory=list)
    at: int = 0

    def block(self, depth: int) -> list[Statement]:
        """Return statements up to the closing bracket or the end."""
        if depth > MAX_DEPTH:
            raise unreadable("it is nested too deeply", self.tokens[self.at - 1][1])
        found: list[Statement] = []
        words: list[str] = []
        begun = ""
        while self.at < len(self.tokens):
            word, place = self.tokens[self.at]
            self.at += 1
            begun = begun if words else place
            if word == "{" and is_record(words):
                words += self.record()
            elif word == "}":
                if not depth or words:
                    raise unreadable(
                        "there is a closing bracket too many, or a semicolon missing", place
                    )
                return found
            elif word == ";":
                found += [Statement(words, begun)] if words else []
                words = []
            elif word == "{":
                found.append(Statement(words, begun, self.block(depth + 1)))
                words = []
            else:
                if words and word in _BEGINNERS and place != self.tokens[self.at - 2][1]:
                    self.run_on(words, word, place)
                words.append(word)
        if depth or words:
            raise unreadable("it ends in the middle of a statement", "end")
        return found

    def run_on(self, words: list[str], word: str, place: str) -> None:
        """Tell of a word that begins a statement, at the head of a line, inside another one."""
        if words[-1] not in _JOINING:
            told = f"a semicolon is missing before {word!r}, behind {' '.join(words)[:60]}"
            self.unended.append((place, told))

    def record(self) -> list[str]:
        """Return the fields of an option's definition, with their brackets."""
        words = ["{"]
        while self.at < len(self.tokens):
            word, place = self.tokens[self.at]
            self.at += 1
            if word in {"{", ";"}:
                raise unreadable("a record of an option does not end", place)
            words.append(word)
            if word == "}":
                return words
        raise unreadable("it ends in the middle of a statement", "end")

    def lex(self, content: bytes, file: str, depth: int) -> None:
        text = content.decode("latin-1")
        line, at = 1, 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            place = f"{file} line {line}" if file else f"line {line}"
            if found is None:
                raise unreadable("a quoted text is not closed", place)
            if found.lastgroup != "skip":
                self.tokens.append((found.group(), place))
            line += found.group().count("\n")
            at = found.end()
            if found.group() == ";" and len(self.tokens) > 2 and self.tokens[-3][0] == "include":
                self.include(place, depth)

    def include(self, place: str, depth: int) -> None:
        """Put the content of a file where it is included."""
        name = unescape(self.tokens[-2][0][1:-1]).decode("latin-1")
        if not self.tokens[-2][0].startswith('"'):
            return
        if len(self.tokens) > 3 and self.tokens[-4][0] not in {";", "{", "}"}:
            return
        del self.tokens[-3:]
        try:
            if depth >= MAX_NESTED:
                raise FileProblem("files include one another")
            content = self.files.read(name)
        except FileProblem as error:
            self.missing.append((place, f"{name} is not read: {error}"))
            return
        self.lex(content, name, depth + 1)


@dataclass(frozen=True, slots=True)
class Source:
    """The statements of a configuration. ``missing``: included files that were not read.

    ``unended``: statements that run on into the next line's, because a semicolon is missing.
    """

    statements: tuple[Statement, ...]
    missing: tuple[tuple[str, str], ...] = ()
    unended: tuple[tuple[str, str], ...] = ()


def read_statements(content: bytes, files: Files) -> Source:
    """Return the statements of a configuration.

    Raises:
        ConfigError: ``dhcp-config-unreadable``.
    """
    parser = _Parser(files)
    try:
        files.take(content)
    except FileProblem as error:
        raise unreadable(str(error), "document") from error
    parser.lex(content, "", 0)
    return Source(tuple(parser.block(0)), tuple(parser.missing), tuple(parser.unended))


def every(statements: Sequence[Statement]) -> Iterator[Statement]:
    """Return all statements, with those in blocks."""
    for each in statements:
        yield each
        if each.block is not None:
            yield from every(each.block)


def is_definition(words: Sequence[str]) -> bool:
    """Return whether a statement defines an option."""
    return len(words) > 2 and words[0] == "option" and words[2] == "code"


def is_record(words: Sequence[str]) -> bool:
    """Return whether a bracket behind these words opens the fields of an option's definition."""
    return len(words) > 4 and words[0] == "option" and words[2] == "code" and words[4] == "="


def unescape(text: str) -> bytes:
    """Return the octets of a text between quotes."""
    octets, at = b"", 0
    for found in _ESCAPE.finditer(text):
        octets += text[at : found.start()].encode("latin-1", "replace")
        code = found.group(1)
        if code[0] in "01234567":
            octets += bytes([int(code, 8) & 255])
        elif code[0] == "x" and len(code) > 1:
            octets += bytes([int(code[1:], 16)])
        else:
            octets += _PLAIN.get(code, code.encode("latin-1", "replace"))
        at = found.end()
    return octets + text[at:].encode("latin-1", "replace")


def unreadable(detail: str, where: str) -> ConfigError:
    """Return the error of a configuration that cannot be read."""
    return ConfigError("dhcp-config-unreadable", detail, where=where)
