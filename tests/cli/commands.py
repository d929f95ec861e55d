"""Every command of the program, as the words that name it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from bootz.cli.main import bootz


def every_command(
    command: click.Command = bootz, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Return the root, every noun and every verb."""
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None, name
            yield from every_command(found, (*words, name))
