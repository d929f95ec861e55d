"""dhcpd's expressions: conditions and data, answered as far as a router's request is known.

Source: dhcp-eval(5).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from bootz.dhcp.check import conditions
from bootz.dhcp.check.clients import UNCLEAR, Client, Unclear, Value
from bootz.dhcp.check.conditions import (
    ConditionParser,
    ExpressionProblem,
    ExpressionRefused,
    Node,
    check_depth,
    concatenated,
    equal,
)
from bootz.dhcp.check.doubts import World
from bootz.dhcp.check.isc.options import Options, ValueProblem, colon_hex
from bootz.dhcp.check.isc.statements import unescape


@dataclass(slots=True)
class Facts:
    """What is asked about. ``known``: a host declaration is for the client."""

    client: Client
    world: World
    where: str
    known: bool = False
    classes: Sequence[str] = ()


@dataclass
class _Parser(ConditionParser):
    options: Options = field(kw_only=True)
    comparisons: ClassVar[frozenset[str]] = frozenset({"=", "!=", "~=", "~~"})

    def source(self, begin: int) -> str:
        return " ".join(self.words[begin : self.at])

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
        operator = self.take(*sorted(self.comparisons))
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
        check_depth(depth)
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
    parser = _Parser(words, options=options)
    return parser.whole(parser.condition)


def parse_data(words: Sequence[str], options: Options) -> Node:
    """Return an expression of data.

    Raises:
        ExpressionProblem: it is not understood here.
    """
    parser = _Parser(words, options=options)
    return parser.whole(parser.data)


def holds(node: Node, facts: Facts) -> bool:
    """Return whether a condition holds; what is not known of the router is asked of the world."""
    return conditions.holds(node, lambda part: _known(part, facts), facts.world, facts.where)


def _known(node: Node, facts: Facts) -> bool | None:
    match node.kind:
        case "known":
            return facts.known
        case "member":
            return node.text in facts.classes
        case "exists":
            return facts.client.sends(node.code) if node.code >= 0 else None
        case "=" | "!=":
            same = equal(*(data_of(part, facts) for part in node.parts))
            return None if same is None else same is (node.kind == "=")
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
            return concatenated(data_of(part, facts) for part in node.parts)
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


def _cut(value: Value, bounds: Sequence[Node]) -> Value:
    if isinstance(value, Unclear) or {part.kind for part in bounds} != {"number"}:
        return UNCLEAR
    if value is None:
        return None
    start, length = bounds[0].number, bounds[1].number
    return value[start : start + length] if start >= 0 and length >= 0 else UNCLEAR
