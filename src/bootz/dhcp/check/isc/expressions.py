"""dhcpd's expressions: conditions and data, answered as far as a router's request is known.

Source: dhcp-eval(5).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bootz.dhcp.check.clients import UNCLEAR, Client, Unclear, Value
from bootz.dhcp.check.doubts import World
from bootz.dhcp.check.isc.options import Options, ValueProblem, colon_hex
from bootz.dhcp.check.isc.statements import unescape

MAX_DEPTH: Final = 50


class ExpressionProblem(Exception):
    """An expression that is not understood here; its text says where."""


class ExpressionRefused(ExpressionProblem):
    """An expression that dhcpd does not take."""


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression: what it is, its parts, and its own words."""

    kind: str
    text: str
    parts: tuple["Node", ...] = ()
    value: bytes = b""
    code: int = -1
    number: int = 0


@dataclass(slots=True)
class Facts:
    """What is asked about. ``known``: a host declaration is for the client."""

    client: Client
    world: World
    where: str
    known: bool = False
    classes: Sequence[str] = ()


@dataclass(slots=True)
class _Parser:
    words: Sequence[str]
    options: Options
    at: int = 0

    def peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self, *wanted: str) -> str:
        word = self.peek()
        if not word or (wanted and word not in wanted):
            raise ExpressionProblem(f"{word or 'the end'} where {' or '.join(wanted)} must stand")
        self.at += 1
        return word

    def source(self, begin: int) -> str:
        return " ".join(self.words[begin : self.at])

    def condition(self, depth: int) -> Node:
        begin = self.at
        parts = [self.conjunction(depth + 1)]
        while self.peek() == "or":
            self.at += 1
            parts.append(self.conjunction(depth + 1))
        return parts[0] if len(parts) == 1 else Node("or", self.source(begin), tuple(parts))

    def conjunction(self, depth: int) -> Node:
        begin = self.at
        parts = [self.negation(depth + 1)]
        while self.peek() == "and":
            self.at += 1
            parts.append(self.negation(depth + 1))
        return parts[0] if len(parts) == 1 else Node("and", self.source(begin), tuple(parts))

    def negation(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ExpressionProblem("it is nested too deeply")
        begin = self.at
        if self.peek() == "not":
            self.at += 1
            part = self.negation(depth + 1)
            return Node("not", self.source(begin), (part,))
        if self.peek() == "(":
            try:
                self.at += 1
                inner = self.condition(depth + 1)
                self.take(")")
                if self.peek() not in {"=", "!=", "~=", "~~"}:
                    return inner
            except ExpressionRefused:
                raise
            except ExpressionProblem:
                pass
            self.at = begin
        return self.relation(depth)

    def relation(self, depth: int) -> Node:
        begin = self.at
        match self.peek():
            case "exists":
                self.at += 1
                code = self.code(self.take())
                return Node("exists", self.source(begin), code=code)
            case "known" | "static":
                word = self.take()
                return Node(word, word)
            case "check":
                self.at += 1
                name = unescape(self.take()[1:-1]).decode("latin-1")
                return Node("member", name)
        left = self.data(depth)
        operator = self.take("=", "!=", "~=", "~~")
        right = self.data(depth)
        kind = operator if operator in {"=", "!="} else "open"
        return Node(kind, self.source(begin), (left, right))

    def code(self, name: str) -> int:
        try:
            found = self.options.find(name)
        except ValueProblem as error:
            raise ExpressionRefused(str(error)) from error
        return found.code if found is not None else -1

    def data(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ExpressionProblem("it is nested too deeply")
        begin = self.at
        word = self.take()
        if word.startswith('"'):
            return Node("value", word, value=unescape(word[1:-1]))
        if word == "(":
            inner = self.data(depth + 1)
            self.take(")")
            return inner
        match word:
            case "option":
                code = self.code(self.take())
                return Node("option", self.source(begin), code=code)
            case "hardware":
                return Node("hardware", word)
            case "substring" | "suffix" | "concat" | "encode-int" | "pick-first-value":
                return self.call(begin, word, depth)
            case "lcase" | "ucase" | "binary-to-ascii" | "reverse":
                return self.call(begin, word, depth)
        if re.fullmatch(r"[0-9A-Fa-f]{1,2}(:[0-9A-Fa-f]{1,2})+", word):
            return Node("value", word, value=colon_hex(word))
        if re.fullmatch(r"-?[0-9]{1,10}", word):
            return Node("number", word, number=int(word))
        # A function or a word of which nothing is known here.
        if self.peek() == "(":
            self.skip()
        return Node("open", self.source(begin))

    def skip(self) -> None:
        depth = 0
        while self.at < len(self.words):
            word = self.take()
            depth += {"(": 1, ")": -1}.get(word, 0)
            if not depth:
                return
        raise ExpressionProblem("a bracket does not end")

    def call(self, begin: int, word: str, depth: int) -> Node:
        self.take("(")
        parts = [self.data(depth + 1)]
        while self.peek() == ",":
            self.at += 1
            parts.append(self.data(depth + 1))
        self.take(")")
        return Node(word, self.source(begin), tuple(parts))


def parse_condition(words: Sequence[str], options: Options) -> Node:
    """Return a condition.

    Raises:
        ExpressionProblem: it is not understood here.
    """
    parser = _Parser(words, options)
    found = parser.condition(0)
    if parser.at < len(words):
        raise ExpressionProblem(f"{parser.peek()} after the end")
    return found


def parse_data(words: Sequence[str], options: Options) -> Node:
    """Return an expression of data.

    Raises:
        ExpressionProblem: it is not understood here.
    """
    parser = _Parser(words, options)
    found = parser.data(0)
    if parser.at < len(words):
        raise ExpressionProblem(f"{parser.peek()} after the end")
    return found


def holds(node: Node, facts: Facts) -> bool:
    """Return whether a condition holds; what is not known of the router is asked of the world."""
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
        case "known":
            return facts.known
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
            return facts.client.sends(node.code) if node.code >= 0 else None
        case "=" | "!=":
            left, right = (data_of(part, facts) for part in node.parts)
            if isinstance(left, Unclear) or isinstance(right, Unclear):
                return None
            return (left == right) is (node.kind == "=")
        case _:
            return None


def data_of(node: Node, facts: Facts) -> Value:
    """Return the octets of data; None where dhcpd has none."""
    match node.kind:
        case "value":
            return node.value
        case "option":
            return facts.client.option(node.code) if node.code >= 0 else UNCLEAR
        case "hardware":
            mac = facts.client.mac
            return mac if isinstance(mac, Unclear) else b"\x01" + mac
        case "concat":
            return _joined([data_of(part, facts) for part in node.parts])
        case "encode-int" if len(node.parts) == 2:
            number, bits = node.parts[0].number, node.parts[1].number
            if {part.kind for part in node.parts} != {"number"} or bits not in {8, 16, 32}:
                return UNCLEAR
            return (number % (1 << bits)).to_bytes(bits // 8, "big")
        case "substring" if len(node.parts) == 3:
            return _cut(data_of(node.parts[0], facts), node.parts[1:])
        case "suffix" if len(node.parts) == 2:
            value, count = data_of(node.parts[0], facts), node.parts[1]
            if isinstance(value, Unclear) or count.kind != "number":
                return UNCLEAR
            return value if value is None else value[max(0, len(value) - count.number) :]
        case _:
            return UNCLEAR


def _joined(parts: list[Value]) -> Value:
    octets = b""
    for part in parts:
        if isinstance(part, Unclear):
            return UNCLEAR
        octets += part or b""
    return octets


def _cut(value: Value, bounds: Sequence[Node]) -> Value:
    if isinstance(value, Unclear) or {part.kind for part in bounds} != {"number"}:
        return UNCLEAR
    if value is None:
        return None
    start, length = bounds[0].number, bounds[1].number
    return value[start : start + length] if start >= 0 and length >= 0 else UNCLEAR
