"""Reading ISC dhcpd's configuration: statements and blocks, and what each tells clients."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from bootz.dhcp.render_kea import CODES
from bootz.dhcp.scopes import Scope, unreadable
from bootz.protocol.dhcp_offer import Family

MAX_DEPTH: Final = 50

_TOKEN: Final = re.compile(
    r'(?P<skip>\s+|#[^\n]*)|(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<mark>[{};,()=])|(?P<word>[^\s{};,()="#]+)'
)
_ESCAPE: Final = re.compile(r"\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)", re.DOTALL)
_SERVERS: Final = {"domain-name-servers": Family.IPV4, "dhcp6.name-servers": Family.IPV6}
_BOOT: Final = {
    "bootfile-name": Family.IPV4,
    "tftp-server-name": Family.IPV4,
    "dhcp6.bootfile-url": Family.IPV6,
}


@dataclass(slots=True)
class _Statement:
    words: list[str]
    line: int
    block: "list[_Statement] | None" = None


@dataclass(slots=True)
class _Parser:
    """Reads statements; ``options`` are those defined there: name to code and type."""

    tokens: list[tuple[str, int]]
    at: int = 0
    options: dict[str, tuple[int, str]] = field(default_factory=dict)

    def block(self, depth: int) -> list[_Statement]:
        """Return statements up to the closing bracket or the end."""
        if depth > MAX_DEPTH:
            raise unreadable("it is nested too deeply", f"line {self.tokens[self.at - 1][1]}")
        found: list[_Statement] = []
        words: list[str] = []
        while self.at < len(self.tokens):
            word, line = self.tokens[self.at]
            self.at += 1
            if word == "}":
                if not depth or words:
                    raise unreadable(
                        "there is a closing bracket too many, or a semicolon missing",
                        f"line {line}",
                    )
                return found
            if word == ";":
                if words:
                    found.append(_Statement(words, line))
                words = []
            elif word == "{":
                found.append(_Statement(words, line, self.block(depth + 1)))
                words = []
            else:
                words.append(word)
        if depth or words:
            raise unreadable("it ends in the middle of a statement", "end")
        return found


def read_isc(text: str) -> list[Scope]:
    """Return the scopes of a configuration of dhcpd, of the family that it is for.

    Raises:
        ConfigError: ``dhcp-config-unreadable``.
    """
    parser = _Parser(_tokens(text))
    statements = parser.block(0)
    for each in _all(statements):
        words = each.words
        if len(words) > 5 and (words[0], words[2], words[4]) == ("option", "code", "="):
            if not re.fullmatch(r"[0-9]{1,5}", words[3]):
                raise unreadable(f"option code {words[3][:20]}", f"line {each.line}")
            parser.options[words[1]] = (int(words[3]), " ".join(words[5:]))
    every = [word for each in _all(statements) for word in each.words]
    six = any(word.startswith("dhcp6.") or word == "subnet6" for word in every)
    family = Family.IPV6 if six else Family.IPV4
    scopes: list[Scope] = []
    _read(statements, Scope("global", family), parser.options, scopes)
    denied = any(each.words == ["deny", "unknown-clients"] for each in _all(statements))
    if not denied:
        scopes[0].notes.append(("strangers-served", "`deny unknown-clients;` is missing"))
    return scopes


def _read(
    statements: Sequence[_Statement],
    scope: Scope,
    options: dict[str, tuple[int, str]],
    scopes: list[Scope],
) -> None:
    scopes.append(scope)
    for each in statements:
        if each.block is not None:
            name = " ".join(each.words[:4])
            inner = Scope(f"line {each.line} {name}", scope.family, around=scope)
            _read(each.block, inner, options, scopes)
            continue
        _apply(each, scope, options)


def _apply(statement: _Statement, scope: Scope, options: dict[str, tuple[int, str]]) -> None:
    words = statement.words
    head, rest = words[0], words[1:]
    if head in {"filename", "next-server", "server-name"} and rest:
        scope.boot_file = " ".join(filter(None, [scope.boot_file, rest[0].strip('"')]))
    elif head == "hardware" and len(rest) == 2:
        scope.clients.append(("hw-address", rest[1].lower().replace(":", "")))
    elif head == "host-identifier" and len(rest) >= 3 and rest[1] == "dhcp6.client-id":
        scope.clients.append(("duid", rest[2].lower().replace(":", "")))
    elif head == "option" and len(rest) >= 2:
        name, value = rest[0], rest[1:]
        if value[:1] == ["="]:
            value = value[1:]
        if value[:1] == ["code"]:
            return
        if _SERVERS.get(name) is scope.family:
            scope.name_servers = [word for word in value if word != ","]
        elif _BOOT.get(name) is scope.family:
            scope.boot_file = " ".join(filter(None, [scope.boot_file, value[0].strip('"')]))
        elif name == "dhcp-client-identifier":
            octets = _evaluate(value)
            if octets is not None:
                scope.clients.append(("client-id", octets.hex()))
        elif options.get(name, (0, ""))[0] == CODES[scope.family]:
            scope.redirect = _evaluate(value)
            if scope.redirect is None:
                words_ = f"line {statement.line}: {' '.join(value)[:80]} cannot be evaluated"
                scope.notes.append(("not-evaluated", words_))


def _evaluate(words: Sequence[str]) -> bytes | None:
    """Return the octets of a text, of colon hex, or of concat and encode-int of constants."""
    pieces = [word for word in words if word not in {"concat", "(", ")", ","}]
    octets = b""
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        if piece.startswith('"'):
            octets += _unescape(piece[1:-1])
        elif piece == "encode-int" and at + 2 < len(pieces):
            number, bits = pieces[at + 1], pieces[at + 2]
            if not re.fullmatch(r"[0-9]{1,10}", number) or bits not in {"8", "16", "32"}:
                return None
            octets += (int(number) % (1 << int(bits))).to_bytes(int(bits) // 8, "big")
            at += 2
        elif re.fullmatch(r"[0-9A-Fa-f]{1,2}(:[0-9A-Fa-f]{1,2})+", piece):
            octets += bytes(int(part, 16) for part in piece.split(":"))
        else:
            return None
        at += 1
    return octets


def _unescape(text: str) -> bytes:
    plain = {"n": b"\n", "t": b"\t", "r": b"\r", "b": b"\b"}
    octets, at = b"", 0
    for found in _ESCAPE.finditer(text):
        octets += text[at : found.start()].encode()
        code = found.group(1)
        if code[0].isdigit():
            octets += bytes([int(code, 8) & 255])
        elif code[0] == "x" and len(code) > 1:
            octets += bytes([int(code[1:], 16)])
        else:
            octets += plain.get(code, code.encode())
        at = found.end()
    return octets + text[at:].encode()


def _tokens(text: str) -> list[tuple[str, int]]:
    tokens: list[tuple[str, int]] = []
    line, at = 1, 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise unreadable("a quoted text is not closed", f"line {line}")
        if found.lastgroup != "skip":
            tokens.append((found.group(), line))
        line += found.group().count("\n")
        at = found.end()
    return tokens


def _all(statements: Sequence[_Statement]) -> Iterator[_Statement]:
    for each in statements:
        yield each
        if each.block is not None:
            yield from _all(each.block)
