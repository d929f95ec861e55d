"""``bootz audit``: who changed what, from where, and how it ended."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from bootz.cli.base import Cli, noun
from bootz.cli.inventory.base import reading
from bootz.cli.moments import since
from bootz.cli.output import Column, write_text
from bootz.errors import ConfigError

command = noun("audit", "Who changed what, from where, and how it ended.")

_COLUMNS = (
    Column("id", right=True),
    Column("at", "WHEN"),
    Column("actor"),
    Column("origin", "FROM"),
    Column("verb"),
    Column("object"),
    Column("outcome"),
)


@command.command("list")
@click.option(
    "-n", "--number", "most", type=click.IntRange(1, 10_000), default=50, help="How many."
)
@click.option("--actor", default="", help="Only by this actor, as the list names it.")
@click.option("--verb", default="", help="Only this verb, or all of a noun (chassis).")
@click.option("--object", "about", default="", help="Only changes of this thing.")
@click.option("--since", "since_text", metavar="TIME|30m|2h|3d", help="Only entries since.")
@click.option("--before", type=click.IntRange(1), metavar="ID", help="The page before this entry.")
@click.pass_obj
def list_(
    cli: Cli,
    most: int,
    actor: str,
    verb: str,
    about: str,
    since_text: str | None,
    before: int | None,
) -> None:
    """List the latest entries, the newest first. JSON has what each changed."""
    from bootz.server.operations.audit import AuditFilter, audit_record, latest_entries

    wanted = AuditFilter(actor, verb, about, since(since_text, datetime.now(UTC)), before)
    with reading(cli) as connection:
        entries = latest_entries(connection, wanted, most=most)
    cli.output.rows(_COLUMNS, [audit_record(entry) for entry in entries])


@command.command("verify")
@click.option("--head", metavar="DIGEST", help="A digest kept elsewhere that must be in the chain.")
@click.pass_obj
def verify(cli: Cli, head: str | None) -> None:
    """Check the chain of digests, and name the first entry that is not as it was written.

    Keep the printed head elsewhere: --head then shows that nothing before it was rewritten.
    """
    from bootz.server.operations.audit import has_digest
    from bootz.server.operations.audit import verify as verify_chain

    with reading(cli) as connection:
        verdict = verify_chain(connection)
        known = head is None or has_digest(connection, head)
    if verdict.broken is not None:
        raise ConfigError(
            "audit-broken",
            verdict.detail,
            where=f"audit entry {verdict.broken}",
            expected="the chain of digests is intact",
            seen=f"it holds for {verdict.entries} entries",
        )
    if not known:
        raise ConfigError(
            "audit-broken",
            "no entry has the digest that was kept elsewhere: the audit was rewritten, or cut",
            where="audit",
            expected=str(head),
            seen=verdict.head,
        )
    cli.output.record({"entries": verdict.entries, "broken": None, "head": verdict.head})


@command.command("export")
@click.option("--form", type=click.Choice(["json", "syslog"]), default="json", show_default=True)
@click.option("--since", "since_text", metavar="TIME|30m|2h|3d", help="Only entries since.")
@click.pass_obj
def export(cli: Cli, form: str, since_text: str | None) -> None:
    """Write all entries to stdout, oldest first: JSON lines, or syslog (RFC 5424)."""
    import json

    from bootz.server.operations.audit import AuditFilter, all_entries, audit_record
    from bootz.server.operations.audit_syslog import syslog_line

    wanted = AuditFilter(since=since(since_text, datetime.now(UTC)))
    with reading(cli) as connection:
        for entry in all_entries(connection, wanted):
            line = json.dumps(audit_record(entry)) if form == "json" else syslog_line(entry)
            write_text(line)
