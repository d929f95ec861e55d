"""Commands as an engineer types them: unique abbreviations, ``?``, and completion.

A command is written as a path, such as ``show running-config [SECTION...]``: words in lower case
are keywords, words in capitals are values, ``[…]`` may be left out with all that follows, ``...``
takes the rest of the line. Keywords win over values, and the exact keyword over a longer one; upper
and lower case are the same in keywords.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bootz.errors import ConfigError

Values = Mapping[str, str]
"""What stands for the values of a command, by their names in capitals."""

_REST: Final = "..."
_MAX_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class ConsoleCommand:
    """A command: its path, a line of help, and what it does with its values."""

    path: str
    help: str
    run: Callable[[Values], str]


class UnknownCommand(ConfigError):
    """A line that is not a command. ``cut``: nothing but a value is missing at its end."""

    def __init__(self, detail: str, *, seen: str, expected: str, cut: bool = False) -> None:
        super().__init__(
            "console-command", detail, where="console", expected=expected, seen=seen[:_MAX_SHOWN]
        )
        self.cut = cut


@dataclass(slots=True)
class _Node:
    words: dict[str, "_Node"] = field(default_factory=dict)
    value: str = ""
    after: "_Node | None" = None
    command: ConsoleCommand | None = None

    @property
    def cut(self) -> bool:
        return bool(self.value) and not self.words and self.command is None

    def matching(self, word: str) -> list[str]:
        begun = word.casefold()
        if begun in self.words:
            return [begun]
        return [each for each in self.words if begun and each.startswith(begun)]

    def choices(self, begun: str = "") -> Iterator[tuple[str, str]]:
        """What may come next, with help; of keywords those that begin so."""
        for word, node in self.words.items():
            if word.startswith(begun.casefold()):
                yield word, _leads_to(node)
        if self.value and self.after is not None:
            yield self.value.removesuffix(_REST), _leads_to(self.after)
        if self.command is not None and not begun:
            yield "<cr>", self.command.help


class Grammar:
    """The commands of one mode."""

    def __init__(self, commands: Sequence[ConsoleCommand]) -> None:
        self._root = _Node()
        self._commands = tuple(commands)
        for command in commands:
            self._add(command)

    @property
    def summary(self) -> str:
        """Every command on a line, with its help."""
        width = max(len(command.path) for command in self._commands) + 2
        return "\n".join(f"{each.path:<{width}}{each.help}" for each in self._commands)

    def run(self, line: str) -> str:
        """Run the command of a line, and return what it prints.

        Raises:
            UnknownCommand: it is not a command, not complete, or a word in it is ambiguous.
        """
        words = line.split()
        node, values = self._walk(words, line)
        if node.command is None:
            expected = ", ".join(word for word, _ in node.choices())
            raise UnknownCommand(
                f"incomplete command: {line[:_MAX_SHOWN]!r} needs {expected}",
                seen=line,
                expected=expected,
                cut=node.cut,
            )
        return node.command.run(values)

    def is_cut(self, line: str) -> bool:
        """Tell whether nothing but a value is missing at the end of a line."""
        try:
            node, _ = self._walk(line.split(), line)
        except UnknownCommand:
            return False
        return node.cut

    def must_go_on(self, line: str) -> bool:
        """Tell whether a line begins a command, and ends where more is mandatory."""
        try:
            node, _ = self._walk(line.split(), line)
        except UnknownCommand:
            return False
        return node.command is None

    def takes(self, line: str) -> bool:
        """Tell whether a line is a command, or begins one."""
        try:
            self._walk(line.split(), line)
        except UnknownCommand:
            return False
        return True

    def begins(self, line: str) -> bool:
        """Tell whether a command begins with the first word of a line."""
        return any(self._root.matching(word) for word in line.split()[:1])

    def goes_on(self, line: str, rest: str) -> bool:
        """Tell whether a command goes on with a keyword that begins its rest."""
        try:
            node, _ = self._walk(line.split(), line)
        except UnknownCommand:
            return False
        return any(len(node.matching(word)) == 1 for word in rest.split()[:1])

    def help(self, line: str) -> str:
        """Return what may follow a line; of a word that is begun, how it may end.

        Raises:
            UnknownCommand: the line before that word is not a command.
        """
        rows = list(self.choices(line))
        if not rows:
            raise UnknownCommand(
                f"nothing may follow {line.strip()[:_MAX_SHOWN]!r}", seen=line, expected="less"
            )
        width = max(len(word) for word, _ in rows) + 2
        return "\n".join(f"  {word:<{width}}{told}".rstrip() for word, told in rows)

    def choices(self, line: str) -> Iterator[tuple[str, str]]:
        """Return the words that may stand at the end of a line, with help.

        Raises:
            UnknownCommand: the line before its last word is not a command.
        """
        words = line.split()
        begun = words.pop() if words and not line[-1].isspace() else ""
        node, _ = self._walk(words, line)
        yield from node.choices(begun)

    def completions(self, line: str) -> list[str]:
        """Return how the last word of a line may be completed; empty where it is not a command."""
        try:
            found = [word for word, _ in self.choices(line)]
        except UnknownCommand:
            return []
        return [word for word in found if word.islower() and not word.startswith("<")]

    def _walk(self, words: Sequence[str], line: str) -> tuple[_Node, dict[str, str]]:
        node, values = self._root, dict[str, str]()
        for at, word in enumerate(words):
            found = node.matching(word)
            if len(found) == 1:
                node = node.words[found[0]]
            elif found:
                raise UnknownCommand(
                    f"ambiguous command: {word!r} may be {', '.join(found)}",
                    seen=line,
                    expected=", ".join(found),
                )
            elif node.value and node.after is not None:
                if node.value.endswith(_REST):
                    values[node.value.removesuffix(_REST)] = " ".join(words[at:])
                    return node.after, values
                values[node.value] = word
                node = node.after
            else:
                expected = ", ".join(each for each, _ in node.choices())
                raise UnknownCommand(
                    f"invalid input: the console does not know {word[:_MAX_SHOWN]!r} here",
                    seen=line,
                    expected=expected,
                )
        return node, values

    def _add(self, command: ConsoleCommand) -> None:
        node = self._root
        for word in command.path.split():
            if word.startswith("["):
                node.command = command
            name = word.strip("[]")
            if name.islower():
                node = node.words.setdefault(name, _Node())
            else:
                node.value = name
                node.after = node.after or _Node()
                node = node.after
        node.command = command


def _leads_to(node: _Node) -> str:
    """Return the help of the one command that a keyword begins, nothing for several."""
    if node.command is not None:
        return node.command.help
    following = [*node.words.values(), *([node.after] if node.after else [])]
    return _leads_to(following[0]) if len(following) == 1 else ""
