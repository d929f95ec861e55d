"""Conditions of DHCP servers: read, and answered as far as a router's request is known.

What servers share: words that are joined by and, or, not and brackets. How two values are compared,
and what a value is, is each server's own.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from bootz.dhcp.check.clients import UNCLEAR, Unclear, Value
from bootz.dhcp.check.doubts import World

MAX_DEPTH: Final = 50


class ExpressionProblem(Exception):
    """An expression that is not understood here; its text says where."""


class ExpressionRefused(ExpressionProblem):
    """An expression that the server does not take."""


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression: what it is, its parts, and its own words."""

    kind: str
    text: str
    parts: tuple["Node", ...] = ()
    value: bytes = b""
    code: int = -1
    number: int = 0


@dataclass
class ConditionParser(ABC):
    """Reads words one after the other. ``comparisons`` are those between two values."""

    words: Sequence[str]
    at: int = 0
    comparisons: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def source(self, begin: int) -> str:
        """Return the text of what was read since a word."""

    @abstractmethod
    def relation(self, depth: int) -> Node:
        """Read a condition that is not made of others."""

    def peek(self) -> str:
        """Return the next word, empty at the end."""
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self, *wanted: str) -> str:
        """Read a word, which is one of those that are wanted, if any are."""
        word = self.peek()
        if not word or (wanted and word not in wanted):
            raise ExpressionProblem(f"{word or 'the end'} where {' or '.join(wanted)} must stand")
        self.at += 1
        return word

    def whole(self, part: Callable[[int], Node]) -> Node:
        """Read everything as one part."""
        found = part(0)
        if self.at < len(self.words):
            raise ExpressionProblem(f"{self.peek()} after the end")
        return found

    def condition(self, depth: int) -> Node:
        """Read a condition."""
        return self.joined("or", lambda: self.joined("and", lambda: self._negation(depth + 1)))

    def joined(self, word: str, part: Callable[[], Node], kind: str = "") -> Node:
        """Read parts with a word between."""
        begin = self.at
        parts = [part()]
        while self.peek() == word:
            self.at += 1
            parts.append(part())
        return parts[0] if len(parts) == 1 else Node(kind or word, self.source(begin), tuple(parts))

    def _negation(self, depth: int) -> Node:
        check_depth(depth)
        begin = self.at
        if self.peek() == "not":
            self.at += 1
            part = self._negation(depth + 1)
            return Node("not", self.source(begin), (part,))
        if self.peek() == "(":
            # A bracket begins a condition, or a value that is compared.
            try:
                self.at += 1
                inner = self.condition(depth + 1)
                self.take(")")
                if self.peek() not in self.comparisons:
                    return inner
            except ExpressionRefused:
                raise
            except ExpressionProblem:
                pass
            self.at = begin
        return self.relation(depth)


def check_depth(depth: int) -> None:
    """Refuse what is nested too deeply."""
    if depth > MAX_DEPTH:
        raise ExpressionProblem("it is nested too deeply")


def holds(node: Node, known: Callable[[Node], bool | None], world: World, where: str) -> bool:
    """Return whether a condition holds; what is not known of the router is asked of the world.

    ``known`` answers a condition that is not made of others, None where the request does not tell.
    """
    found = _known(node, known)
    if found is not None:
        return found
    match node.kind:
        case "not":
            return not holds(node.parts[0], known, world, where)
        case "and":
            return all(holds(part, known, world, where) for part in node.parts)
        case "or":
            return any(holds(part, known, world, where) for part in node.parts)
        case _:
            return world.holds(f"{node.text} holds", where)


def _known(node: Node, known: Callable[[Node], bool | None]) -> bool | None:
    match node.kind:
        case "not":
            inner = _known(node.parts[0], known)
            return None if inner is None else not inner
        case "and" | "or":
            decisive = node.kind == "or"
            parts = [_known(part, known) for part in node.parts]
            if decisive in parts:
                return decisive
            return None if None in parts else not decisive
        case _:
            return known(node)


def equal(left: Value, right: Value) -> bool | None:
    """Return whether two values are the same, None where one is not known."""
    if isinstance(left, Unclear) or isinstance(right, Unclear):
        return None
    return left == right


def concatenated(parts: Iterable[Value]) -> bytes | Unclear:
    """Return values behind each other; one that there is not has no octets."""
    octets = b""
    for part in parts:
        if isinstance(part, Unclear):
            return UNCLEAR
        octets += part or b""
    return octets
