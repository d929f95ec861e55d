"""``bootz status``: the site at a glance, and whether it serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from bootz.cli.base import Cli, verb
from bootz.cli.output import Column, OutputFormat, columns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bootz.server.site import Site
    from bootz.server.store.database import Database

_PARTS: Final = [
    Column("part"),
    Column("well"),
    Column("detail"),
    Column("reason"),
    Column("next_action", "next"),
]
_SERVERS: Final = columns(
    *("host", "folder", "pid", "version", "listens"),
    *("started_at", "seen_at", "connections", "leads", "alive"),
)


@verb("status")
@click.pass_context
def command(context: click.Context) -> None:
    """Show which parts are well, which servers live, and where the routers stand.

    Exit code 1: a part is not well, or no server lives.
    """
    from contextlib import closing

    cli: Cli = context.obj
    site = cli.site()
    with closing(site.database()) as database:
        told = _gather(site, database, site.clock())
    _show(cli, told)
    context.exit(0 if told["serves"] and all(each["well"] for each in told["parts"]) else 1)


def _gather(site: Site, database: Database, now: datetime) -> dict[str, Any]:
    import shutil
    from dataclasses import asdict
    from functools import partial

    from bootz import __version__
    from bootz.server.door_tls import door_chain
    from bootz.server.health import site_health
    from bootz.server.operations.audit import AuditFilter, latest_entries
    from bootz.server.operations.tally import ChassisTally
    from bootz.server.store.servers import list_servers

    parts = [
        {
            "part": each.part,
            "well": each.well,
            "detail": each.detail,
            "reason": each.reason,
            "next_action": each.next_action,
        }
        for each in site_health(database, now, partial(door_chain, site.root, site.config))
    ]
    with database.read() as connection:
        counts = ChassisTally().count(connection, site.config.progress, now).states
        backups = latest_entries(connection, AuditFilter(verb="site.backup"), most=1)
        servers = [{**asdict(row), "alive": row.alive(now)} for row in list_servers(connection)]
        engine = connection.dialect.name
    return {
        "site": str(site.root),
        "organization": site.config.organization,
        "version": __version__,
        "database": engine,
        "serves": any(each["alive"] for each in servers),
        "chassis": {state.value: count for state, count in counts.items() if count},
        "last_backup": backups[0].at if backups else None,
        "disk_free_bytes": shutil.disk_usage(site.root).free,
        "parts": parts,
        "servers": servers,
    }


def _show(cli: Cli, told: Mapping[str, Any]) -> None:
    if cli.output.form is not OutputFormat.TABLE:
        cli.output.document(told)
        return
    cli.output.record(
        {name: value for name, value in told.items() if name not in {"parts", "servers"}}
    )
    cli.output.rows(_PARTS, told["parts"])
    if told["servers"]:
        cli.output.rows(_SERVERS, told["servers"])
    else:
        cli.output.warning("no server of this site runs; start one with `bootz serve`")
