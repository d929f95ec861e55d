"""``bootz watch``: attempts as they happen, from the journal; also of a server elsewhere."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import islice

import click
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bootz.cli.base import Cli, verb
from bootz.cli.output import OutputFormat, printable, stdout, write_text
from bootz.server.store.attempt_states import AttemptState
from bootz.server.store.attempts import Event, follow, last_event
from bootz.server.store.database import Database

_PAUSE_S = 0.5
"""How long a look at the journal waits for news."""
_SHOWN = 40
"""Rows of the live table: routers, the latest last."""

_STYLES = {
    AttemptState.REFUSED: "red",
    AttemptState.ANSWERED: "cyan",
    AttemptState.INSTALLING: "yellow",
    AttemptState.SUCCESS: "green",
    AttemptState.FAILURE: "bold red",
}


@verb("watch")
@click.option(
    "--count", type=click.IntRange(1), metavar="N", help="End after N events. Default: never."
)
@click.option("--from-start", is_flag=True, help="Begin with what is in the journal already.")
@click.pass_obj
def command(cli: Cli, count: int | None, *, from_start: bool) -> None:
    """Show attempts as they happen: a live table, or lines where nobody looks.

    With --output json each event is one line of JSON.
    """
    database = cli.site().database()
    try:
        events = islice(_events(database, from_start=from_start), count)
        if cli.output.form is not OutputFormat.TABLE:
            for event in events:
                write_text(json.dumps(_record(event)))
        elif sys.stdout.isatty():
            _live(events)
        else:
            for event in events:
                write_text(_line(event))
    finally:
        database.close()


def _events(database: Database, *, from_start: bool) -> Iterator[Event]:
    after = 0
    if not from_start:
        with database.read() as connection:
            after = last_event(connection)
    return follow(database, after, lambda: time.sleep(_PAUSE_S))


def _live(events: Iterator[Event]) -> None:
    """Keep a table of the latest event of each router on the screen."""
    latest: dict[int, Event] = {}
    with Live(_table(latest), console=stdout(), auto_refresh=False) as live:
        for event in events:
            latest.pop(event.attempt, None)
            latest[event.attempt] = event
            while len(latest) > _SHOWN:
                latest.pop(next(iter(latest)))
            live.update(_table(latest), refresh=True)


def _table(latest: Mapping[int, Event]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("WHEN", "CHASSIS", "SERIAL", "#", "DIALECT", "STATE", "LAST"):
        table.add_column(title)
    for event in latest.values():
        table.add_row(
            f"{event.at:%H:%M:%S}",
            Text(printable(event.chassis or "-")),
            Text(printable(event.serial_number or "-")),
            str(event.number or "-"),
            Text(printable(event.dialect or "-")),
            Text(event.state.value, style=_STYLES[event.state]),
            Text(printable(_words(event))),
        )
    return table


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
        "state": event.state.value,
        **event.data,
    }
