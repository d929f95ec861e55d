"""The tests of Kea's client classes: read, and answered as far as a router's request is known.

Source: Kea Administrator Reference Manual, "Using Expressions in Classification".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bootz.dhcp.check import conditions
from bootz.dhcp.check.clients import UNCLEAR, Client, Unclear
from bootz.dhcp.check.conditions import (
    ConditionParser,
    ExpressionProblem,
    Node,
    check_depth,
    concatenated,
    equal,
)
from bootz.dhcp.check.doubts import World
from bootz.dhcp.check.kea.standard import STANDARD
from bootz.protocol.dhcp_offer import Family

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>'[^']*')|(?P<hex>0[xX][0-9A-Fa-f]+)|(?P<int>-?[0-9]+)
    |(?P<word>[A-Za-z][A-Za-z0-9_-]*)|(?P<mark>==|[().\[\],+*]))""",
    re.VERBOSE,
)


@dataclass(slots=True)
class Facts:
    """What is asked about: the router's request, and the classes that it is in so far."""

    client: Client
    classes: list[str]
    world: World
    where: str


def _tokens(source: str) -> Iterator[tuple[str, str, int, int]]:
    """Yield the kind of each word, the word, and where it begins and ends."""
    at = 0
    text = source.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ExpressionProblem(f"{text[at : at + 20]!r}")
        kind = found.lastgroup or ""
        yield kind, found[kind], found.start(kind), found.end()
        at = found.end()


class _Parser(ConditionParser):
    comparisons = frozenset({"==", "+"})

    def __init__(self, text: str, family: Family) -> None:
        self._text = text
        self._family = family
        self.tokens = list(_tokens(text))
        super().__init__([word for _, word, *_ in self.tokens])

    def source(self, begin: int) -> str:
        return self._text[self.tokens[begin][2] : self.tokens[self.at - 1][3]]

    def relation(self, depth: int) -> Node:
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
        return Node("==", self.source(begin), (left, right))

    def text(self) -> str:
        kind, word, *_ = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        if kind != "text":
            raise ExpressionProblem(f"{word or 'the end'} where a text must stand")
        self.at += 1
        return word[1:-1]

    def string(self, depth: int) -> Node:
        return self.joined("+", lambda: self.operand(depth + 1), "concat")

    def operand(self, depth: int) -> Node:
        check_depth(depth)
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
            return Node("mac" if name == "mac" else "open", self.source(begin))
        return self.opaque(begin)

    def option(self, begin: int) -> Node:
        self.at += 1
        self.take("[")
        kind, word, *_ = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        self.at += 1
        if kind == "int":
            code = int(word)
        else:
            known = STANDARD[self._family].get(word)
            if known is None:
                raise ExpressionProblem(f"option {word}")
            code = known.code
        self.take("]")
        self.take(".")
        form = self.take("hex", "text", "exists", "option")
        if form == "option":
            return self.opaque(begin)
        return Node("exists" if form == "exists" else form, self.source(begin), code=code)

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
        return Node(word, self.source(begin), tuple(parts))

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
        text = self.source(begin)
        return Node("exists" if text.endswith(".exists") else "open", text, code=-1)


def parse_test(source: str, family: Family) -> Node:
    """Return the test of a class.

    Raises:
        ExpressionProblem: it is not understood here.
    """
    parser = _Parser(source, family)
    return parser.whole(parser.condition)


def members_of(node: Node) -> set[str]:
    """Return the classes that a test asks for."""
    found = {node.text} if node.kind == "member" else set()
    return found.union(*map(members_of, node.parts))


def holds(node: Node, facts: Facts) -> bool:
    """Return whether a test holds; what is not known of the router is asked of the world."""
    return conditions.holds(node, lambda part: _known(part, facts), facts.world, facts.where)


def _known(node: Node, facts: Facts) -> bool | None:
    match node.kind:
        case "member":
            return node.text in facts.classes
        case "exists":
            return None if node.code < 0 else facts.client.sends(node.code)
        case "==":
            return equal(*(_value(part, facts.client) for part in node.parts))
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
            return concatenated(_value(part, client) for part in node.parts)
        case "substring" if len(node.parts) == 3:
            return _substring(_value(node.parts[0], client), node.parts[1].text, node.parts[2].text)
        case _:
            return UNCLEAR


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
