"""``status`` and ``upgrade`` of a database, whether a site's or a MASA's."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bootz.cli.base import Cli
from bootz.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from bootz.sql.upgrade import Schema, Step


@contextmanager
def _used(engine: "Engine") -> "Iterator[Engine]":
    try:
        yield engine
    finally:
        engine.dispose()


def show_status(cli: Cli, engine: "Engine", schema: "Schema") -> None:
    """Print the versions of database and program, and the steps between them."""
    from bootz.sql.upgrade import read_version

    with _used(engine):
        found = read_version(engine, schema)
    try:
        steps = schema.pending(found)
        state = "upgrade-needed" if steps else "current"
    except ConfigError:
        steps, state = (), "unknown-version"
    cli.output.record(
        {
            "engine": engine.dialect.name,
            "database_version": found,
            "program_version": schema.version,
            "state": state,
            "pending": [_shown(step) for step in steps],
        }
    )
    if steps:
        cli.output.message(f"Next: stop the servers, then `{schema.upgrade_command}`.")


def run_upgrade(cli: Cli, engine: "Engine", schema: "Schema", *, dry_run: bool) -> None:
    """Upgrade a database and print what was done; with ``dry_run`` print what would be."""
    from bootz.sql.upgrade import read_version, upgrade

    with _used(engine):
        if dry_run:
            found = read_version(engine, schema)
            done, copy, after = schema.pending(found), None, schema.version
        else:
            result = upgrade(engine, schema, datetime.now(UTC))
            found, done, copy, after = result.before, result.steps, result.copy, result.after
    cli.output.record(
        {
            "dry_run": dry_run,
            "before": found,
            "after": after,
            "steps": [_shown(step) for step in done],
            "copy": None if copy is None else str(copy),
        }
    )


def _shown(step: "Step") -> dict[str, object]:
    return {"version": step.version, "summary": step.summary}
