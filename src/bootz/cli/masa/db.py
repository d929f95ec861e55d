"""``bootz masa db``: the version of a MASA's database, and its upgrade."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootz.cli.base import Cli, noun
from bootz.cli.database import run_upgrade, show_status
from bootz.cli.masa.base import masa_option

if TYPE_CHECKING:
    from pathlib import Path

db_noun = noun("db", "The MASA's database: its version, and its upgrade.")


@db_noun.command("status")
@masa_option
@click.pass_obj
def status(cli: Cli, masa: Path) -> None:
    """Show the versions of the database and of this program, and the steps between them."""
    from bootz.masa.folder import database_engine
    from bootz.masa.store.migrations import MASA_SCHEMA

    show_status(cli, database_engine(masa), MASA_SCHEMA)


@db_noun.command("upgrade")
@masa_option
@click.option("--dry-run", is_flag=True, help="Show the steps, change nothing.")
@click.pass_obj
def upgrade(cli: Cli, masa: Path, *, dry_run: bool) -> None:
    """Bring the tables to this program's version, in one transaction. Stop the MASA first.

    The database is copied to a file beside it before anything changes.
    """
    from bootz.masa.folder import database_engine
    from bootz.masa.store.migrations import MASA_SCHEMA

    run_upgrade(cli, database_engine(masa), MASA_SCHEMA, dry_run=dry_run)
