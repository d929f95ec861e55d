"""``bootz router console``: the console of a router, typed or from a script."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from bootz.cli.base import PATH, Cli, Verb
from bootz.cli.manufacturer import now
from bootz.errors import BootzError

if TYPE_CHECKING:
    from pathlib import Path

    from bootz.device.console import Console


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

    Works whether the router runs or not. A script stops at its first error, with exit code 1.
    """
    from bootz.device.console import Console
    from bootz.device.hardware import Hardware

    def log(event: str, fields: Mapping[str, object]) -> None:
        words = (f"{name}={value}" for name, value in fields.items())
        cli.output.message(" ".join([event, *words]))

    console = Console(Hardware.open(folder), log, clock=now)
    typing = not commands and sys.stdin.isatty()
    for line in commands or (_typed(console) if typing else _script()):
        if not typing:
            click.echo(f"{console.prompt} {line}")
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
            break


def _typed(console: Console) -> Iterable[str]:
    while True:
        try:
            yield input(f"{console.prompt} ")
        except EOFError:
            click.echo()
            return


def _script() -> Iterable[str]:
    return (line.rstrip("\r\n") for line in sys.stdin)
