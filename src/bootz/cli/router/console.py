"""``bootz router console``: the console of a router, typed or from a script."""

from __future__ import annotations

import select
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import click

from bootz.cli.base import PATH, Cli, Verb
from bootz.cli.manufacturer import now
from bootz.errors import BootzError, ConfigError

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

    from bootz.device.console.session import Console


@click.command("console", cls=Verb)
@click.argument("folder", metavar="DIR", type=PATH)
@click.option(
    "-c",
    "--command",
    "commands",
    multiple=True,
    metavar="COMMAND",
    help="Run this command and exit; repeatable. Default: read commands from stdin.",
)
@click.pass_obj
def command(cli: Cli, folder: Path, commands: Sequence[str]) -> None:
    """Open the console of a router; `help` lists its commands.

    Words may be abbreviated; `?` lists what may follow, and Tab completes. Works whether the router
    runs or not. A script stops at its first error, with exit code 1.
    """
    from bootz.device.console.pasting import bare, unbroken
    from bootz.device.console.session import Console
    from bootz.device.hardware import Hardware

    def log(event: str, fields: Mapping[str, object]) -> None:
        words = (f"{name}={value}" for name, value in fields.items())
        cli.output.message(" ".join([event, *words]))

    typing = not commands and sys.stdin.isatty()
    console = Console(Hardware.open(folder), log, clock=now, asks=typing)
    terminal = _Terminal(console)
    script = _Script(commands)
    lines = terminal.lines() if typing else script.lines()
    is_cut = terminal.is_cut if typing else console.is_cut
    for line in unbroken(lines, is_cut, console.joins):
        if not typing:
            click.echo(f"{console.prompt} {bare(line)}".rstrip())
        try:
            told = console.execute(line)
        except BootzError as error:
            if not typing:
                raise
            click.echo(f"% {error} ({error.reason})\n% {error.remedy}", err=True)
        else:
            if told:
                click.echo(told)
        if console.closed:
            if not typing and script.goes_on:
                cli.output.warning("the console was left: the lines after that were not run")
            return
    if console.unanswered and not typing:
        raise ConfigError(
            "console-unanswered",
            "the commands end before the answer to a question",
            where="console",
            expected="an answer, or `noprompt` behind the command",
            seen=console.unanswered,
        )
    if console.uncommitted:
        cli.output.warning("the uncommitted changes are discarded")


_MAX_BYTES = 65536
"""Of a script, read at a time; far more than a line may have."""


class _ControlZ(Exception):
    """The keys that leave the configuration mode."""


class _Terminal:
    """What a person types or pastes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._left = 0
        self._reads = False

    def lines(self) -> Iterator[str]:
        """Return it line by line."""
        _edit_lines(self._console)
        signal.signal(signal.SIGTSTP, self._leave)
        while True:
            try:
                block = self._read()
            except EOFError:
                click.echo()
                return
            except KeyboardInterrupt:
                click.echo("^C")
                block = ""
            except _ControlZ:
                click.echo("^Z")
                block = "end" if self._console.configures else ""
            # A terminal that brackets what is pasted gives a block of lines at once.
            rows = block.splitlines() or [""]
            for at, row in enumerate(rows, start=1):
                self._left = len(rows) - at
                yield row

    def _read(self) -> str:
        self._reads = True
        try:
            return input(f"{self._console.prompt} ")
        finally:
            self._reads = False

    def _leave(self, _number: int, _frame: object) -> None:
        # Only while a line is typed: a command is carried out to its end.
        if self._reads:
            raise _ControlZ

    def is_cut(self, line: str) -> bool:
        """Tell whether a line is pasted, and waits for its rest.

        It has a prompt, or more is there already; one that a person typed gets its error at once.
        """
        from bootz.device.console.pasting import has_prompt

        if not self._console.is_cut(line):
            return False
        return has_prompt(line) or self._left > 0 or bool(select.select([sys.stdin], [], [], 0)[0])


def _edit_lines(console: Console) -> None:
    """Have lines edited with a history; Tab completes a word, and ``?`` shows what may follow."""
    try:
        import readline
    except ImportError:
        return

    def complete(_word: str, number: int) -> str | None:
        found = [
            f"{word} "
            for word in console.completions(readline.get_line_buffer()[: readline.get_endidx()])
        ]
        if readline.get_completion_type() == ord("?"):
            # Of less than two readline lists nothing, or one without its help. What is returned
            # here is never typed: `show` prints what the grammar says.
            found = ["1", "2"]
        return found[number] if number < len(found) else None

    def show(_begun: str, _found: Sequence[str], _longest: int) -> None:
        line = readline.get_line_buffer()
        try:
            told = console.help(line[: readline.get_endidx()])
        except BootzError as error:
            told = f"% {error} ({error.reason})"
        click.echo(f"\n{told}")
        click.echo(f"{console.prompt} {line}", nl=False)
        readline.redisplay()

    readline.set_completer(complete)
    readline.set_completer_delims(" ")
    readline.set_completion_display_matches_hook(show)
    readline.parse_and_bind("tab: complete")
    readline.parse_and_bind('"?": possible-completions')


class _Script:
    """Commands that no person types: given as options, else what comes on stdin."""

    def __init__(self, commands: Sequence[str]) -> None:
        self._commands = list(commands)
        self._given = bool(commands)
        self._read = b""

    @property
    def goes_on(self) -> bool:
        """Whether something follows that is here already; a pipe is not waited for."""
        return bool(self._commands) or bool(self._read.strip())

    def lines(self) -> Iterator[str]:
        """Return it line by line; one that is too long is cut, for the console to refuse."""
        if self._given:
            while self._commands:
                yield self._commands.pop(0)
            return
        while True:
            line, end, rest = self._read.partition(b"\n")
            if not end and len(line) < _MAX_BYTES:
                more = cast("BufferedReader", sys.stdin.buffer).read1(_MAX_BYTES)
                if more:
                    self._read += more
                    continue
                if not line:
                    return
            self._read = rest
            yield line.decode("utf-8", "replace").removesuffix("\r")
