"""``bootz watch``: where every router stands, live; also of a server elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

import click

from bootz.cli.base import Cli, verb
from bootz.cli.output import OutputFormat, printable, write_text

if TYPE_CHECKING:
    from bootz.server.store.attempts import Event
    from bootz.server.store.database import Database

_PAUSE_S = 0.5
"""How long a look at the journal waits for news."""


@verb("watch")
@click.option(
    "--count", type=click.IntRange(1), metavar="N", help="End after N events. Default: never."
)
@click.option("--from-start", is_flag=True, help="Begin with what is in the journal already.")
@click.option("--lines", is_flag=True, help="A line for each event, also on a terminal.")
@click.pass_obj
def command(cli: Cli, count: int | None, *, from_start: bool, lines: bool) -> None:
    """Show where every router stands: a screen on a terminal, else a line for each event.

    On the screen, counts stand on top, routers that need a person first; the foot lists the keys.
    The next step of the selected router is shown below. With --output json each event is one line
    of JSON.
    """
    import json

    site = cli.site()
    with closing(site.database()) as database:
        plain = cli.output.form is not OutputFormat.TABLE
        dumb = os.environ.get("TERM", "dumb") in {"dumb", "unknown"}
        if not plain and not lines and sys.stdout.isatty() and not dumb:
            from bootz.cli.site.watch.terminal import show
            from bootz.server.operations.following import Follower

            show(Follower(database, site.config.progress), count)
            return
        for event in islice(_events(database, from_start=from_start), count):
            write_text(json.dumps(_record(event)) if plain else _line(event))


def _events(database: Database, *, from_start: bool) -> Iterator[Event]:
    from bootz.server.store.attempts import follow, last_event

    after = 0
    if not from_start:
        with database.read() as connection:
            after = last_event(connection)
    return follow(database, after, lambda: time.sleep(_PAUSE_S))


def _line(event: Event) -> str:
    name = event.chassis or "-"
    serial = event.serial_number or "-"
    return printable(
        f"{event.at.isoformat()} {name} {serial} {event.kind.value} {_words(event)}"
    ).replace("\n", " ")


def _words(event: Event) -> str:
    """Return what happened in a few words."""
    data = event.data
    told = (
        data.get("status"),
        data.get("reason"),
        data.get("file_name"),
        f"{data['bytes_sent']} bytes" if "bytes_sent" in data else None,
        data.get("detail"),
    )
    return " ".join(str(word) for word in told if word) or event.kind.value


def _record(event: Event) -> dict[str, object]:
    return {
        "id": event.id,
        "at": event.at.isoformat(),
        "kind": event.kind.value,
        "attempt": event.number,
        "chassis": event.chassis,
        "serial_number": event.serial_number,
        "dialect": event.dialect,
        "written": event.written,
        "state": event.state.value,
        **event.data,
    }
