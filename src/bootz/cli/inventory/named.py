"""The verbs that every noun of the inventory has whose things are found by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from bootz.cli.base import Cli, Noun
from bootz.cli.inventory.base import reading, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Connection

    from bootz.cli.names import NameType
    from bootz.cli.output import Column


class Named(NamedTuple):
    """How the things of a noun are read, removed and shown: in a list, and alone.

    ``warning`` says what a person must see of a thing wherever it is shown; empty for nothing.
    """

    every: Callable[[Connection], Iterable[Any]]
    find: Callable[[Connection, str], Any]
    remove: Callable[[Connection, str], Any]
    row: Callable[[Any], dict[str, object]]
    shown: Callable[[Any], dict[str, object]]
    warning: Callable[[Any], str] = lambda _: ""


def warn(cli: Cli, *warnings: str) -> None:
    """Print what is to be seen; empty ones are nothing."""
    for warning in filter(None, warnings):
        cli.output.warning(warning)


def add_named_verbs(
    noun: Noun,
    name: NameType,
    columns: Sequence[Column],
    load: Callable[[], Named],
    *,
    listing: str,
    showing: str,
    removing: str,
) -> None:
    """Give a noun ``list``, ``show`` and ``remove``, each with its help.

    ``load`` imports what the verbs work with; it is called when one of them runs.
    """

    @noun.command("list", help=listing)
    @click.pass_obj
    def list_(cli: Cli) -> None:
        named = load()
        with reading(cli) as connection:
            records = list(named.every(connection))
        cli.output.rows(columns, [named.row(record) for record in records])
        warn(cli, *map(named.warning, records))

    @noun.command("show", help=showing)
    @click.argument("name", type=name)
    @click.pass_obj
    def show(cli: Cli, name: str) -> None:
        named = load()
        with reading(cli) as connection:
            record = named.find(connection, name)
        cli.output.record(named.shown(record))
        warn(cli, named.warning(record))

    @noun.command("remove", help=removing)
    @click.argument("name", type=name)
    @click.pass_obj
    def remove(cli: Cli, name: str) -> None:
        with writing(cli) as connection:
            record = load().remove(connection, name)
        cli.output.message(f"removed {noun.name} {record.name}")
