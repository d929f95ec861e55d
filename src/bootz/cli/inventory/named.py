"""The verbs of every noun whose things are found by name: add, list, show, set, remove."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import click

from bootz.cli.base import Cli, Noun
from bootz.cli.inventory.base import reading, writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from bootz.cli.names import NameType
    from bootz.cli.output import Column

    Change: TypeAlias = Callable[[Connection], Any]
    """What is done in the transaction; it returns the thing as it is now."""

Options: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Gives a function its options."""


class Named(NamedTuple):
    """How the things of a noun are read, changed and shown: in a list, alone, and when new.

    ``add`` and ``change`` get a name and the values of the options, read what these name, and
    return what is to be done. ``warning`` says what a person must see of a thing wherever it is
    shown; empty for nothing. ``shown_new`` is for what is shown once; None: as ``shown``.
    ``removed`` is what a removal tells: words, or a document.
    """

    every: Callable[[Connection], Iterable[Any]]
    find: Callable[[Connection, str], Any]
    add: Callable[[str, dict[str, Any]], Change]
    change: Callable[[str, dict[str, Any]], Change]
    remove: Callable[[Connection, str], Any]
    row: Callable[[Any], Mapping[str, object]]
    shown: Callable[[Any], Mapping[str, object]]
    warning: Callable[[Any], str] = lambda _: ""
    shown_new: Callable[[Cli, Any], Mapping[str, object]] | None = None
    removed: Callable[[Any], Mapping[str, object] | str] | None = None


class VerbHelp(NamedTuple):
    """What the help of each verb says."""

    add: str
    list: str
    show: str
    set: str
    remove: str


def warn(cli: Cli, *warnings: str) -> None:
    """Print what is to be seen; empty ones are nothing."""
    for warning in filter(None, warnings):
        cli.output.warning(warning)


def add_named_verbs(
    noun: Noun,
    columns: Sequence[Column],
    load: Callable[[], Named],
    told: VerbHelp,
    *,
    name: NameType | None = None,
    add_options: Options,
    set_options: Options,
) -> None:
    """Give a noun its five verbs.

    ``load`` imports what the verbs work with; it is called when one of them runs. The shell
    completes ``name``, None for nothing to complete.
    """
    by_name = click.argument("name", type=name)

    @noun.command("add", help=told.add)
    @click.argument("name")
    @add_options
    @click.pass_obj
    def add(cli: Cli, /, name: str, **options: Any) -> None:
        named = load()
        change = named.add(name, options)
        with writing(cli) as connection:
            made = change(connection)
        cli.output.record(named.shown_new(cli, made) if named.shown_new else named.shown(made))
        warn(cli, named.warning(made))

    @noun.command("list", help=told.list)
    @click.pass_obj
    def list_(cli: Cli) -> None:
        named = load()
        with reading(cli) as connection:
            records = list(named.every(connection))
        cli.output.rows(columns, [named.row(record) for record in records])
        warn(cli, *map(named.warning, records))

    @noun.command("show", help=told.show)
    @by_name
    @click.pass_obj
    def show(cli: Cli, name: str) -> None:
        named = load()
        with reading(cli) as connection:
            record = named.find(connection, name)
        cli.output.record(named.shown(record))
        warn(cli, named.warning(record))

    @noun.command("set", help=told.set)
    @by_name
    @set_options
    @click.pass_obj
    def set_(cli: Cli, /, name: str, **options: Any) -> None:
        named = load()
        change = named.change(name, options)
        with writing(cli) as connection:
            changed = change(connection)
        cli.output.record(named.shown(changed))
        warn(cli, named.warning(changed))

    @noun.command("remove", help=told.remove)
    @by_name
    @click.pass_obj
    def remove(cli: Cli, name: str) -> None:
        named = load()
        with writing(cli) as connection:
            record = named.remove(connection, name)
        words = named.removed(record) if named.removed else f"removed {noun.name} {record.name}"
        if isinstance(words, str):
            cli.output.message(words)
        else:
            cli.output.record(words)
