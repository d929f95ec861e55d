"""``bootz voucher fetches``, and asking the server to fetch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootz.cli.base import Cli, Verb
from bootz.cli.inventory.base import reading, writing
from bootz.cli.output import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootz.server.operations.vouchers.fetches import VoucherFetch

_COLUMNS = (
    Column("id", right=True),
    Column("state"),
    Column("asked_at", "ASKED"),
    Column("asked_by", "BY"),
    Column("cards_meant", "FOR"),
    Column("cards", right=True),
    Column("stored", right=True),
    Column("reason"),
    Column("detail"),
)


@click.command("fetches", cls=Verb)
@click.argument("request", required=False, type=click.IntRange(1))
@click.pass_obj
def fetches_command(cli: Cli, request: int | None) -> None:
    """List what the server was asked to fetch; of one REQUEST, the cards that got no voucher."""
    from bootz.server.operations.vouchers.fetches import find_fetch, list_fetches

    with reading(cli) as connection:
        if request is not None:
            cli.output.record(_row(find_fetch(connection, request), whole=True))
            return
        found = list_fetches(connection)
    cli.output.rows(_COLUMNS, [_row(each) for each in found])


def ask_server(cli: Cli, serials: Sequence[str], vendor: str | None, label: str | None) -> None:
    """Put a request on record that the running server takes up."""
    from bootz.server.operations.vouchers.fetches import FetchScope, ask_fetch
    from bootz.server.store.actor import actor_of

    scope = FetchScope(vendor or "", label or "", tuple(serials))
    with writing(cli) as connection:
        by = actor_of(connection).name
        asked = ask_fetch(connection, scope, by=by, now=cli.site().clock())
    cli.output.record(_row(asked))
    cli.output.message(f"bootz voucher fetches {asked.key} shows how far it is.")


def _row(asked: VoucherFetch, *, whole: bool = False) -> dict[str, object]:
    row: dict[str, object] = {
        "id": asked.key,
        "state": asked.state,
        "asked_at": asked.asked_at,
        "asked_by": asked.asked_by,
        "cards_meant": asked.scope.words(),
        "begun_at": asked.begun_at,
        "ended_at": asked.ended_at,
        "cards": asked.cards,
        "stored": asked.stored,
        "reason": asked.reason,
        "detail": asked.detail,
    }
    if whole:
        row["faults"] = [
            f"{each.serial_number or 'all'}: {each.detail} ({each.reason})" for each in asked.faults
        ]
    return row
