"""``bootz attempts``: what the journal has of a chassis, explained."""

import click

from bootz.cli.base import Cli, verb
from bootz.cli.inventory.base import reading
from bootz.cli.output import Column, OutputFormat
from bootz.errors import UnknownChassis
from bootz.model.checks import Check
from bootz.reasons import REASONS
from bootz.server.store.attempts import (
    Attempt,
    Event,
    attempts_of,
    events_of,
    latest_attempts,
)

_LATEST = (
    Column("updated_at", "WHEN"),
    Column("chassis"),
    Column("serial_number", "SERIAL"),
    Column("number", "#", right=True),
    Column("dialect"),
    Column("peer"),
    Column("state"),
    Column("reason"),
    Column("repeats", right=True),
)
_CHECKS = (Column("check"), Column("outcome"), Column("expected"), Column("seen"))
_EVENTS = (Column("at"), Column("kind"), Column("said"))


@verb("attempts")
@click.argument("serial", required=False)
@click.option(
    "-n",
    "--number",
    "most",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="Number of attempts, newest first.",
)
@click.pass_obj
def command(cli: Cli, serial: str | None, most: int) -> None:
    """List the latest attempts, or explain those of SERIAL (a chassis or a card).

    Each check is shown with what was expected and what was seen, each refusal with its reason
    and the next step.
    """
    if serial is None:
        with reading(cli) as connection:
            latest = latest_attempts(connection, most=most)
        cli.output.rows(_LATEST, [_summary(attempt) for attempt in latest])
        return
    with reading(cli) as connection:
        attempts = attempts_of(connection, serial, most=most)
        events = events_of(connection, [attempt.id for attempt in attempts])
    if not attempts:
        raise UnknownChassis("attempt-not-found", f"no attempt by {serial!r}", where="journal")
    explained = [
        (
            _explained(attempt),
            [_check(check) for check in attempt.checks],
            [_event(event) for event in events if event.attempt == attempt.id],
        )
        for attempt in attempts
    ]
    if cli.output.form is not OutputFormat.TABLE:
        cli.output.document(
            [{**record, "checks": checks, "events": told} for record, checks, told in explained]
        )
        return
    for position, (record, checks, told) in enumerate(explained):
        if position:
            click.echo()
        cli.output.record(record)
        click.echo()
        cli.output.rows(_CHECKS, checks)
        click.echo()
        cli.output.rows(_EVENTS, told)


def _summary(attempt: Attempt) -> dict[str, object]:
    return {
        "updated_at": attempt.updated_at,
        "chassis": attempt.chassis,
        "serial_number": attempt.claimed_serial or attempt.proven_serial,
        "number": attempt.number,
        "dialect": attempt.dialect,
        "peer": attempt.peer,
        "state": attempt.state,
        "reason": attempt.reason,
        "repeats": attempt.repeats,
    }


def _explained(attempt: Attempt) -> dict[str, object]:
    row = REASONS.get(attempt.reason)
    return {
        "attempt": attempt.number,
        "state": attempt.state,
        "reason": attempt.reason,
        "meaning": "" if row is None else row.meaning,
        "detail": attempt.detail,
        "next": "" if row is None else row.action,
        "vendor": attempt.vendor,
        "chassis": attempt.chassis,
        "claimed_manufacturer": attempt.claimed_manufacturer,
        "claimed_serial": attempt.claimed_serial,
        "proven_serial": attempt.proven_serial,
        "idevid_sha256": attempt.idevid_fingerprint,
        "dialect": attempt.dialect,
        "peer": attempt.peer,
        "started_at": attempt.started_at,
        "updated_at": attempt.updated_at,
        "repeats": attempt.repeats,
        "sent": attempt.sent,
        "image_bytes": attempt.image_bytes,
        "downloads": attempt.downloads,
        "reports": attempt.reports,
    }


def _check(check: Check) -> dict[str, object]:
    return {
        "check": check.name,
        "outcome": check.outcome,
        "expected": check.expected,
        "seen": check.seen,
    }


def _event(event: Event) -> dict[str, object]:
    return {"at": event.at, "kind": event.kind, "said": event.data}
