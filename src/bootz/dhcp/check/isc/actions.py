"""From dhcpd's executable statements to actions: what sets an option, and under which condition."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from bootz.dhcp.check.answers import CheckNote, Sent
from bootz.dhcp.check.clients import Client, Unclear
from bootz.dhcp.check.conditions import ExpressionProblem, ExpressionRefused
from bootz.dhcp.check.doubts import World
from bootz.dhcp.check.isc.expressions import Facts, data_of, parse_condition, parse_data
from bootz.dhcp.check.isc.keywords import IGNORED, OPEN
from bootz.dhcp.check.isc.nouns import (
    Action,
    Branch,
    Choice,
    Mode,
    Opaque,
    SetBoot,
    SetOption,
    SetParameter,
)
from bootz.dhcp.check.isc.options import Definition, Options, ValueOpen, ValueProblem, value_octets
from bootz.dhcp.check.isc.statements import Statement, every

_MODES: Final = {
    "option": Mode.SET,
    "supersede": Mode.SET,
    "send": Mode.SET,
    "default": Mode.DEFAULT,
    "append": Mode.APPEND,
    "prepend": Mode.PREPEND,
}
_BOOT: Final = frozenset({"filename", "next-server", "server-name"})
_RULES: Final = frozenset({"unknown-clients", "booting"})
_OTHER_RULES: Final = frozenset(
    {"bootp", "client-updates", "declines", "duplicates", "leasequery", "known-clients"}
)


@dataclass(slots=True)
class Compiler:
    """Turns statements into actions; what dhcpd refuses or is not evaluated is told."""

    options: Options
    refused: list[CheckNote]
    doubts: list[CheckNote]

    def actions(self, statements: Sequence[Statement], where: str) -> list[Action]:
        """Return the actions of a block, in their order."""
        made: list[Action] = []
        at = 0
        while at < len(statements):
            each = statements[at]
            if each.words[:1] == ["if"]:
                branches, at = self._choice(statements, at, where)
                made.append(Choice(branches))
                continue
            at += 1
            found = self._action(each, where)
            if found is not None:
                made.append(found)
        return made

    def _choice(
        self, statements: Sequence[Statement], at: int, where: str
    ) -> tuple[tuple[Branch, ...], int]:
        branches: list[Branch] = []
        while at < len(statements):
            each = statements[at]
            words = each.words
            if branches and words[:1] not in (["elsif"], ["else"]):
                break
            if words[:2] == ["else", "if"]:
                words = words[1:]
            place = f"{where} ({each.place})"
            inner = tuple(self.actions(each.block or (), where))
            if words[0] == "else":
                branches.append(Branch(None, inner, place))
                return tuple(branches), at + 1
            try:
                condition = parse_condition(words[1:], self.options)
                branches.append(Branch(condition, inner, place))
            except ExpressionRefused as error:
                self.refused.append(CheckNote("refused", place, str(error)))
            except ExpressionProblem as error:
                told = " ".join(words[1:])[:60]
                branches.append(Branch(None, inner, place, open=f"{told} holds ({error})"))
            at += 1
        return tuple(branches), at

    def _action(self, each: Statement, where: str) -> Action | None:
        words, place = each.words, f"{where} ({each.place})"
        head, rest = (words[0], words[1:]) if words else ("", [])
        if head in _BOOT and rest:
            if len(rest) > 1 and head != "next-server":
                self._refuse(each, place)
            return SetBoot(rest[0].strip('"'), place)
        if head in {"allow", "deny", "ignore"}:
            rule = "-".join(rest)
            if rule not in _RULES and rest[:1] != ["members"] and rule not in _OTHER_RULES:
                self._refuse(each, place)
            return SetParameter(rule, head == "allow", place) if rule in _RULES else None
        if head == "boot-unknown-clients" and rest:
            return SetParameter("unknown-clients", rest[0] in {"on", "true"}, place)
        if head == "min-secs" and rest and rest[0] != "0":
            return SetParameter("min-secs", True, place)
        if head in _MODES:
            return self._option(each, place)
        if head in IGNORED:
            return None
        if head == "switch":
            codes = tuple(self._codes(each.block or ()))
            return Opaque(codes, place, "a switch sets it") if codes else None
        shown = " ".join(words)[:60]
        if head in OPEN:
            self.doubts.append(CheckNote("not-evaluated", place, f"{shown} is not evaluated"))
        else:
            self.refused.append(
                CheckNote("refused", place, f"{shown} is not a statement of dhcpd's")
            )
        return None

    def _refuse(self, each: Statement, place: str) -> None:
        words = f"{' '.join(each.words)[:80]}: too many words, or a semicolon is missing"
        self.refused.append(CheckNote("refused", place, words))

    def _codes(self, block: Sequence[Statement]) -> Iterator[int]:
        for each in every(block):
            for before, name in zip(each.words, each.words[1:], strict=False):
                if before == "option":
                    with suppress(ValueProblem):
                        found = self.options.find(name)
                        if found is not None:
                            yield found.code

    def _option(self, each: Statement, place: str) -> Action | None:
        words = each.words
        mode = _MODES[words[0]]
        rest = words[1:]
        if words[0] in {"supersede", "send", "default", "append", "prepend"}:
            rest = rest[1:] if rest[:1] == ["option"] else rest
        if len(rest) < 2:
            return None
        name, value = rest[0], rest[1:]
        if name == "space":
            return None
        try:
            definition = self.options.find(name)
        except ValueProblem as error:
            self.refused.append(CheckNote("refused", place, str(error)))
            return None
        if definition is None:
            other = self.options.of_other_family(name)
            if other is not None and value[0] != "=":
                self._octets(name, value, other, place)
            return None
        if value[0] == "=":
            try:
                data = parse_data(value[1:], self.options)
            except ExpressionRefused as error:
                self.refused.append(CheckNote("refused", place, str(error)))
                return None
            except ExpressionProblem as error:
                told = f"{' '.join(value[1:])[:60]} is not evaluated: {error}"
                return SetOption(definition.code, mode, Sent(None, place, told))
            told = f"{data.text[:80]} is not known here"
            return SetOption(definition.code, mode, Sent(None, place, told), data)
        sent = self._octets(name, value, definition, place)
        return None if sent is None else SetOption(definition.code, mode, sent)

    def _octets(
        self, name: str, value: Sequence[str], definition: Definition, place: str
    ) -> Sent | None:
        try:
            return Sent(value_octets(value, definition), place)
        except ValueProblem as error:
            self.refused.append(CheckNote("refused", place, f"option {name}: {error}"))
            return None
        except ValueOpen as error:
            return Sent(None, place, str(error))

    def constant(self, words: Sequence[str], place: str) -> bytes | None:
        """Return the octets of data that no router changes, None where they are not told."""
        plain = list(words[1:]) if words[:1] == ["="] else list(words)
        try:
            node = parse_data(plain, self.options)
        except ExpressionProblem:
            return None
        facts = Facts(Client("", self.options.family), World(), place)
        value = data_of(node, facts)
        return None if isinstance(value, Unclear) else value
