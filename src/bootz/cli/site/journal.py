"""``bootz journal``: upkeep of the record of attempts."""

from __future__ import annotations

import click

from bootz.cli.base import Cli, noun

command = noun("journal", "The record of attempts and events: how long it is kept.")


@command.command("prune")
@click.option("--attempts-days", type=click.IntRange(1), help="Instead of retention's.")
@click.option("--events-days", type=click.IntRange(1), help="Instead of retention's.")
@click.option("--dry-run", is_flag=True, help="Count, change nothing.")
@click.pass_obj
def prune(cli: Cli, attempts_days: int | None, events_days: int | None, *, dry_run: bool) -> None:
    """Remove attempts and events that are older than the site keeps (`retention`).

    The last attempt of each chassis stays. The server does this by itself once an hour; both may
    run beside each other.
    """
    from contextlib import closing
    from datetime import UTC, datetime

    from bootz.server.operations.audit import note
    from bootz.server.operations.retention import Pruned, prune
    from bootz.server.retention import kept_since

    site = cli.site()
    settings = site.config.retention.model_copy(
        update={
            name: days
            for name, days in (("attempts_days", attempts_days), ("events_days", events_days))
            if days is not None
        }
    )
    total = Pruned()
    with closing(site.database()) as database:
        for step in prune(database, kept_since(settings, datetime.now(UTC)), dry_run=dry_run):
            total += step
        told = {"attempts": total.attempts, "events": total.events}
        if not dry_run and total != Pruned():
            with database.write() as connection:
                note(connection, "journal.prune", "journal", after=dict(told))
    cli.output.record(
        {
            "dry_run": dry_run,
            "attempts_days": settings.attempts_days or None,
            "events_days": settings.events_days or None,
            **told,
        }
    )
