"""``bootz db``: the version of a site's database, and its upgrade."""

from __future__ import annotations

import click

from bootz.cli.base import Cli, noun
from bootz.cli.database import run_upgrade, show_status

command = noun("db", "The site's database: its version, and its upgrade.")


@command.command("status")
@click.pass_obj
def status(cli: Cli) -> None:
    """Show the versions of the database and of this program, and the steps between them."""
    from bootz.server.store.migrations import SITE_SCHEMA

    show_status(cli, cli.site().database_engine(), SITE_SCHEMA)


@command.command("upgrade")
@click.option("--dry-run", is_flag=True, help="Show the steps, change nothing.")
@click.pass_obj
def upgrade(cli: Cli, *, dry_run: bool) -> None:
    """Bring the tables to this program's version, in one transaction. Stop the servers first.

    An SQLite database is copied to a file beside it before anything changes. Of a PostgreSQL
    database make a backup first (pg_dump).
    """
    from bootz.server.store.migrations import SITE_SCHEMA

    run_upgrade(cli, cli.site().database_engine(), SITE_SCHEMA, dry_run=dry_run)
