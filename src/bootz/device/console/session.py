"""The router's console: the commands of the vendor's guide, one line at a time.

A console is a second pair of hands: it changes the chassis, or places orders, and rings the
bell. So it works the same whether the router runs in another process or not at all.
"""

import re
from collections.abc import Callable
from datetime import datetime

from bootz.device.console import shows
from bootz.device.console.config_mode import ConfigMode
from bootz.device.console.exec_mode import ExecMode
from bootz.device.console.grammar import Grammar, UnknownCommand
from bootz.device.console.hands import Hands
from bootz.device.console.pasting import bare, has_prompt
from bootz.device.console.questions import Question
from bootz.device.events import Notify
from bootz.device.hardware import Hardware
from bootz.errors import ConfigError

MAX_LINE = 4096
MAX_HISTORY = 256
_MAX_SHOWN = 200


class Console:
    """One session at a router's console.

    Args:
        notify: told what is done on the disk of a router that no process runs.
        clock: aware UTC now.
        asks: whether a person is there: then ``reload`` and ``ztp …`` are confirmed as well,
            unless ``noprompt`` is added, and an unclear answer is asked for again.
    """

    def __init__(
        self,
        hardware: Hardware,
        notify: Notify,
        *,
        clock: Callable[[], datetime],
        asks: bool = False,
    ) -> None:
        self._hardware = hardware
        self._hands = Hands(hardware, notify, clock)
        self._question: Question | None = None
        self._asks = asks
        self._cut = ""
        self._begun = ""
        self._history: list[str] = []
        self._mode = ConfigMode(self._hands, self._ask)
        commands = ExecMode(
            self._hands,
            self._ask,
            asks=asks,
            begin=self._mode.begin,
            close=self._close,
            history=lambda: "\n".join(self._history),
        )
        self._exec = Grammar(commands.commands())
        self._done = Grammar(commands.commands_within())
        self._config = Grammar(self._mode.commands())
        self.closed = False

    @property
    def prompt(self) -> str:
        """What stands before the next command, or the question that waits for its answer."""
        if self._question is not None:
            return self._question.last_line
        hostname = shows.hostname_in(self._hands.running())
        mode = "" if self._mode.candidate is None else "(config)"
        return f"RP/0/{self._hardware.record.active.name}/CPU0:{hostname}{mode}#"

    @property
    def uncommitted(self) -> bool:
        """Whether there are changes that nothing has committed."""
        return self._mode.uncommitted

    @property
    def configures(self) -> bool:
        """Whether this is the configuration mode, and no question waits."""
        return self._mode.candidate is not None and self._question is None

    @property
    def unanswered(self) -> str:
        """The question that waits for its answer; empty for none."""
        return "" if self._question is None else self._question.text

    def is_cut(self, line: str) -> bool:
        """Tell whether a line ends in the middle of a command, as one that was broken does.

        Behind a pasted prompt that is any command that must go on. Without a prompt only one that
        lacks nothing but a value, since a person may have typed it.
        """
        words = bare(line)
        if self._question is not None or not words or words.endswith("?"):
            return False
        grammar, rest = self._reading(words)
        return grammar.must_go_on(rest) if has_prompt(line) else grammar.is_cut(rest)

    def joins(self, cut: str, line: str) -> bool:
        """Tell whether a line is the rest of one that was broken: the two are one command."""
        rest = line.strip()
        grammar, words = self._reading(f"{bare(cut)} {rest}")
        if not bare(rest) or has_prompt(line) or rest.startswith("!") or not grammar.takes(words):
            return False
        return has_prompt(cut) or not self._reading(rest)[0].begins(rest)

    def completions(self, line: str) -> list[str]:
        """Return how the last word of a line may be completed."""
        if self._question is not None:
            return []
        grammar, rest = self._reading(bare(line) + line[len(line.rstrip()) :])
        return grammar.completions(rest)

    def help(self, line: str) -> str:
        """Return what may follow a line (``?``).

        Raises:
            BootzError: it is not a command so far.
        """
        grammar, rest = self._reading(line)
        return grammar.help(rest)

    def execute(self, line: str) -> str:
        """Run one command, and return what it prints, without a line end.

        Raises:
            BootzError: no such command, or it cannot be done.
        """
        if len(line) > MAX_LINE or not line.replace("\t", " ").isprintable():
            raise ConfigError(
                "console-command", "a command must be one printable line", where="line"
            )
        line = line.replace("\t", " ")
        self._hardware.reload()
        if self._question is not None:
            return self._answered(line, self._question)
        line = self._unbroken(line)
        plain = bare(line)
        if not plain or plain.startswith("!"):
            return ""
        if plain.endswith("?"):
            return self.help(plain[:-1])
        self._history = [*self._history, plain][-MAX_HISTORY:]
        command, *filters = re.split(r"\s\|\s", plain)
        grammar, rest = self._reading(command)
        try:
            told = grammar.run(rest)
        except UnknownCommand as error:
            self._cut = line if error.cut else ""
            raise
        self._begun = line if grammar is self._config else ""
        for each in filters:
            told = _filtered(told, each)
        return told

    def _unbroken(self, line: str) -> str:
        """Return the whole of a command whose rest this line is, else the line.

        The beginning was refused because it lacked a value, which is now there as a path; or it
        is a change that was taken already, and goes on with a keyword.
        """
        cut, begun = self._cut, self._begun
        self._cut = self._begun = ""
        rest = line.strip()
        if cut and (has_prompt(cut) or rest.startswith("/")) and self.joins(cut, line):
            return f"{cut} {rest}"
        grammar, words = self._reading(bare(begun))
        if begun and self.joins(begun, line) and grammar.goes_on(words, rest):
            return f"{begun} {rest}"
        return line

    def _reading(self, line: str) -> tuple[Grammar, str]:
        """Return what reads a line; ``do`` in front of it is for the other mode."""
        if self._mode.candidate is None:
            return self._exec, line
        word, blank, rest = line.lstrip().partition(" ")
        within = word.casefold() == "do" and blank
        return (self._done, rest) if within else (self._config, line)

    def _close(self) -> str:
        self.closed = True
        return ""

    def _ask(self, question: Question) -> str:
        """Ask; the last line of the question is the prompt."""
        self._question = question
        return "\n".join(question.text.splitlines()[:-1])

    def _answered(self, line: str, question: Question) -> str:
        """Take the answer to a question; a person whose answer is unclear is asked again.

        Raises:
            BootzError: what was confirmed cannot be done; the session stays where it is. In a
                script: the line does not answer it, so that what follows cannot be meant either.
        """
        if line.strip() and not bare(line):
            return ""
        act = question.chosen(line)
        if act is None and not self._asks:
            raise ConfigError(
                "console-unanswered",
                "the line does not answer the question before it",
                where="console",
                expected=question.choices,
                seen=line.strip()[:_MAX_SHOWN],
            )
        if act is None:
            return f"answer {question.choices}"
        self._question = None
        return act()


def _filtered(text: str, how: str) -> str:
    """Return the lines that a filter behind ``|`` leaves.

    Raises:
        UnknownCommand: there is no such filter.
    """
    verb, _, words = how.strip().partition(" ")
    verb = verb.casefold()
    lines, words = text.splitlines(), words.strip()
    kinds = [kind for kind in ("include", "exclude", "begin") if verb and kind.startswith(verb)]
    if len(kinds) != 1 or not words:
        raise UnknownCommand(
            "the filter is not known", seen=how, expected="include, exclude or begin WORDS"
        )
    if kinds == ["begin"]:
        first = next((at for at, line in enumerate(lines) if words in line), len(lines))
        return "\n".join(lines[first:])
    return "\n".join(line for line in lines if (words in line) is (kinds == ["include"]))
