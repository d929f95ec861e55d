"""The tests of Kea's client classes: read, and answered as far as a router's request is known.

Source: Kea Administrator Reference Manual, "Using Expressions in Classification".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bootz.dhcp.check.clients import UNCLEAR, Client, Unclear
from bootz.dhcp.check.doubts import World
from bootz.dhcp.check.kea.standard import STANDARD
from bootz.protocol.dhcp_offer import Family

MAX_DEPTH: Final = 50

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>'[^']*')|(?P<hex>0[xX][0-9A-Fa-f]+)|(?P<int>-?[0-9]+)
    |(?P<word>[A-Za-z][A-Za-z0-9_-]*)|(?P<mark>==|[().\[\],+*]))""",
    re.VERBOSE,
)


class ExpressionProblem(Exception):
    """An expression that is not understood here; its text says where."""


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression: what it is, its parts, and its own words."""

    kind: str
    text: str
    parts: tuple["Node", ...] = ()
    value: bytes = b""
    code: int = 0


@dataclass(slots=True)
class Facts:
    """What is asked about: the router's request, and the classes that it is in so far."""

    client: Client
    classes: list[str]
    world: World
    where: str


@dataclass(slots=True)
class _Parser:
    source: str
    family: Family
    tokens: list[tuple[str, str, int, int]] = field(default_factory=list)
    at: int = 0

    def lex(self) -> None:
        at = 0
        text = self.source.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise ExpressionProblem(f"{text[at : at + 20]!r}")
            kind = found.lastgroup or ""
            self.tokens.append((kind, found[kind], found.start(kind), found.end()))
            at = found.end()

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        word = self.peek()
        if not word or (wanted and word not in wanted):
            raise ExpressionProblem(f"{word or 'the end'} where {' or '.join(wanted)} must stand")
        self.at += 1
        return word

    def words(self, begin: int) -> str:
        """Return the source of what was read since a token."""
        return self.source[self.tokens[begin][2] : self.tokens[self.at - 1][3]]

    def whole(self) -> Node:
        self.lex()
        found = self.disjunction(0)
        if self.at < len(self.tokens):
            raise ExpressionProblem(f"{self.peek()} after the end")
        return found

    def disjunction(self, depth: int) -> Node:
        return self.joined("or", lambda: self.joined("and", lambda: self.negation(depth + 1)))

    def joined(self, word: str, part: Callable[[], Node]) -> Node:
        begin = self.at
        parts = [part()]
        while self.peek() == word:
            self.at += 1
            parts.append(part())
        return parts[0] if len(parts) == 1 else Node(word, self.words(begin), tuple(parts))

    def negation(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ExpressionProblem("it is nested too deeply")
        begin = self.at
        if self.peek() == "not":
            self.at += 1
            part = self.negation(depth + 1)
            return Node("not", self.words(begin), (part,))
        if self.peek() == "(":
            # A bracket begins a condition, or a value that is compared.
            try:
                self.at += 1
                inner = self.disjunction(depth + 1)
                self.take(")")
                if self.peek() not in {"==", "+"}:
                    return inner
            except ExpressionProblem:
                pass
            self.at = begin
        return self.condition(depth)

    def condition(self, depth: int) -> Node:
        begin = self.at
        if self.peek() == "member":
            self.at += 1
            self.take("(")
            name = self.text()
            self.take(")")
            return Node("member", name)
        left = self.string(depth)
        if left.kind == "exists":
            return left
        self.take("==")
        right = self.string(depth)
        return Node("==", self.words(begin), (left, right))

    def text(self) -> str:
        kind, word, *_ = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        if kind != "text":
            raise ExpressionProblem(f"{word or 'the end'} where a text must stand")
        self.at += 1
        return word[1:-1]

    def string(self, depth: int) -> Node:
        begin = self.at
        parts = [self.operand(depth + 1)]
        while self.peek() == "+":
            self.at += 1
            parts.append(self.operand(depth + 1))
        return parts[0] if len(parts) == 1 else Node("concat", self.words(begin), tuple(parts))

    def operand(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ExpressionProblem("it is nested too deeply")
        begin = self.at
        if begin >= len(self.tokens):
            raise ExpressionProblem("the end where a value must stand")
        kind, word, *_ = self.tokens[begin]
        if kind == "text":
            self.at += 1
            return Node("value", word, value=word[1:-1].encode("latin-1", "replace"))
        if kind == "hex":
            self.at += 1
            digits = word[2:]
            return Node(
                "value", word, value=bytes.fromhex(digits.zfill((len(digits) + 1) // 2 * 2))
            )
        if word == "(":
            self.at += 1
            inner = self.string(depth + 1)
            self.take(")")
            return inner
        if word == "option":
            return self.option(begin)
        if word in {"substring", "concat", "hexstring", "lcase", "ucase"}:
            return self.call(begin, word, depth)
        if word == "pkt4":
            self.at += 1
            self.take(".")
            name = self.take()
            return Node("mac" if name == "mac" else "open", self.words(begin))
        return self.opaque(begin)

    def option(self, begin: int) -> Node:
        self.at += 1
        self.take("[")
        kind, word, *_ = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        self.at += 1
        if kind == "int":
            code = int(word)
        else:
            known = STANDARD[self.family].get(word)
            if known is None:
                raise ExpressionProblem(f"option {word}")
            code = known.code
        self.take("]")
        self.take(".")
        form = self.take("hex", "text", "exists", "option")
        if form == "option":
            return self.opaque(begin)
        return Node("exists" if form == "exists" else form, self.words(begin), code=code)

    def call(self, begin: int, word: str, depth: int) -> Node:
        self.at += 1
        self.take("(")
        parts = [self.string(depth + 1)]
        while self.peek() == ",":
            self.at += 1
            number = self.peek()
            if re.fullmatch(r"-?[0-9]{1,6}|all", number):
                self.at += 1
                parts.append(Node("number", number))
            else:
                parts.append(self.string(depth + 1))
        self.take(")")
        return Node(word, self.words(begin), tuple(parts))

    def opaque(self, begin: int) -> Node:
        """Take something of which nothing is known here as a whole, up to where it must end."""
        depth = 0
        while self.at < len(self.tokens):
            word = self.peek()
            if word in {"(", "["}:
                depth += 1
            elif word in {")", "]"}:
                if not depth:
                    break
                depth -= 1
            elif not depth and word in {"==", "and", "or", ",", "+"}:
                break
            self.at += 1
        if self.at == begin:
            raise ExpressionProblem(f"{self.peek() or 'the end'} where a value must stand")
        text = self.words(begin)
        return Node("exists" if text.endswith(".exists") else "open", text, code=-1)


def parse_test(source: str, family: Family) -> Node:
    """Return the test of a class.

    Raises:
        ExpressionProblem: it is not understood here.
    """
    return _Parser(source, family).whole()


def members_of(node: Node) -> set[str]:
    """Return the classes that a test asks for."""
    found = {node.text} if node.kind == "member" else set()
    return found.union(*map(members_of, node.parts))


def holds(node: Node, facts: Facts) -> bool:
    """Return whether a test holds; what is not known of the router is asked of the world."""
    known = _known(node, facts)
    if known is not None:
        return known
    match node.kind:
        case "not":
            return not holds(node.parts[0], facts)
        case "and":
            return all(holds(part, facts) for part in node.parts)
        case "or":
            return any(holds(part, facts) for part in node.parts)
        case _:
            return facts.world.holds(f"{node.text} holds", facts.where)


def _known(node: Node, facts: Facts) -> bool | None:
    match node.kind:
        case "member":
            return node.text in facts.classes
        case "not":
            inner = _known(node.parts[0], facts)
            return None if inner is None else not inner
        case "and" | "or":
            decisive = node.kind == "or"
            parts = [_known(part, facts) for part in node.parts]
            if decisive in parts:
                return decisive
            return None if None in parts else not decisive
        case "exists":
            return None if node.code < 0 else facts.client.sends(node.code)
        case "==":
            left, right = (_value(part, facts.client) for part in node.parts)
            if isinstance(left, Unclear) or isinstance(right, Unclear):
                return None
            return left == right
        case _:
            return None


def _value(node: Node, client: Client) -> bytes | Unclear:
    """Return the octets of a value; an option that is not sent has none."""
    match node.kind:
        case "value":
            return node.value
        case "mac":
            return client.mac
        case "hex" | "text":
            sent = client.option(node.code)
            if node.kind == "text" and sent is not None:
                return UNCLEAR
            return b"" if sent is None else sent
        case "concat":
            return _joined([_value(part, client) for part in node.parts])
        case "substring" if len(node.parts) == 3:
            return _substring(_value(node.parts[0], client), node.parts[1].text, node.parts[2].text)
        case _:
            return UNCLEAR


def _joined(parts: list[bytes | Unclear]) -> bytes | Unclear:
    octets = b""
    for part in parts:
        if isinstance(part, Unclear):
            return UNCLEAR
        octets += part
    return octets


def _substring(value: bytes | Unclear, start: str, length: str) -> bytes | Unclear:
    """Cut as Kea does: a start outside gives nothing, a negative length goes backwards."""
    if isinstance(value, Unclear) or not re.fullmatch(r"-?[0-9]+", start):
        return UNCLEAR
    begin = int(start)
    if not value or not -len(value) <= begin < len(value):
        return b""
    begin += len(value) if begin < 0 else 0
    if length == "all":
        return value[begin:]
    if not re.fullmatch(r"-?[0-9]+", length):
        return UNCLEAR
    count = int(length)
    if count >= 0:
        return value[begin : begin + count]
    return value[max(0, begin + count) : begin]
