"""``bootz router console``: the console of a router, typed or from a script."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from bootz.cli.base import PATH, Cli, Verb
from bootz.cli.manufacturer import now
from bootz.errors import BootzError

if TYPE_CHECKING:
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

    console = Console(Hardware.open(folder), log, clock=now)
    typing = not commands and sys.stdin.isatty()
    for line in _typed(console) if typing else unbroken(commands or _script(), console.is_cut):
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
            return
    if console.uncommitted:
        cli.output.warning("the uncommitted changes are discarded")


def _typed(console: Console) -> Iterator[str]:
    from bootz.device.console.pasting import unbroken

    _edit_lines(console)
    while True:
        try:
            block = input(f"{console.prompt} ")
        except EOFError:
            click.echo()
            return
        except KeyboardInterrupt:
            click.echo("^C")
            continue
        # A terminal that brackets what is pasted gives a block of lines at once.
        yield from unbroken(block.splitlines() or [""], console.is_cut)


def _edit_lines(console: Console) -> None:
    """Have lines edited with a history; Tab completes a word, and ``?`` shows what may follow."""
    try:
        import readline
    except ImportError:
        return

    def complete(_word: str, number: int) -> str | None:
        found = console.completions(readline.get_line_buffer()[: readline.get_endidx()])
        return f"{found[number]} " if number < len(found) else None

    def show(_begun: str, _found: Sequence[str], _longest: int) -> None:
        line = readline.get_line_buffer()
        click.echo(f"\n{console.help(line[: readline.get_endidx()])}")
        click.echo(f"{console.prompt} {line}", nl=False)
        readline.redisplay()

    readline.set_completer(complete)
    readline.set_completer_delims(" ")
    readline.set_completion_display_matches_hook(show)
    readline.parse_and_bind("tab: complete")
    readline.parse_and_bind('"?": possible-completions')


def _script() -> Iterable[str]:
    return (line.rstrip("\r\n") for line in sys.stdin)
