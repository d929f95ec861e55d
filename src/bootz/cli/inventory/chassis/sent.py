"""``bootz chassis sent``: what a router was last sent, beside what it would get now."""

from __future__ import annotations

from contextlib import closing

import click

from bootz.cli.base import Cli, Verb
from bootz.cli.names import serial_argument, which_vendor
from bootz.cli.output import OutputFormat, write_text
from bootz.errors import UnknownChassis


@click.command("sent", cls=Verb)
@serial_argument
@which_vendor
@click.option(
    "--difference",
    is_flag=True,
    help="Show what would be sent now beside it: - was sent, + would be.",
)
@click.pass_obj
def sent_command(cli: Cli, serial: str, vendor: str | None, *, difference: bool) -> None:
    """Print what a router was last sent, without its nonce; it may contain secrets."""
    from bootz.cli.inventory.chassis.preview import site_terms
    from bootz.server.operations.chassis import find_chassis
    from bootz.server.rendering.sent import sent_beside

    site = cli.site()
    with closing(site.database()) as database, database.read() as connection:
        record = find_chassis(connection, serial, vendor)
        found = sent_beside(connection, record.key, site_terms(site))
    if found is None:
        raise UnknownChassis("sent-nothing", "it was not sent anything yet", where=record.name)
    sent = found.sent
    if not difference:
        if found.before is None:
            raise UnknownChassis(
                "sent-not-kept",
                f"{sent.size} bytes were too large to be kept; SHA-256 {sent.sha256}",
                where=record.name,
            )
        cli.output.document(found.before)
        return
    if found.flaw is not None:
        raise found.flaw
    lines = [] if found.same else [line.marked for line in found.difference()]
    if cli.output.form is not OutputFormat.TABLE:
        cli.output.document(
            {
                "chassis": record.name,
                "since": sent.since.isoformat(),
                "dialect": sent.dialect,
                "sha256": sent.sha256,
                "same": found.same,
                "difference": lines,
            }
        )
        return
    cli.output.message(f"{record.name}: first sent {sent.since.isoformat(timespec='seconds')}")
    if found.same is None:
        cli.output.message(f"{sent.size} bytes were too large to be kept")
    elif found.same:
        cli.output.message("It would get the same now.")
    else:
        write_text("\n".join(lines))
