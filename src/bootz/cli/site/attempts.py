"""``bootz attempts``: what the journal has of a chassis, explained."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bootz.cli.base import RELEASE, Cli, verb
from bootz.cli.inventory.base import key_and_value, reading
from bootz.cli.moments import since
from bootz.cli.names import REASON, SERIAL
from bootz.cli.output import Column, OutputFormat
from bootz.errors import UnknownChassis
from bootz.model.checks import STRICT_FORM
from bootz.server.store.attempt_states import AttemptState

if TYPE_CHECKING:
    from bootz.model.checks import Check
    from bootz.server.store.attempts import AttemptRecord, Event

_LATEST = (
    Column("id", right=True),
    Column("updated_at", "WHEN"),
    Column("chassis"),
    Column("serial_number", "SERIAL"),
    Column("number", "#", right=True),
    Column("dialect"),
    Column("written"),
    Column("peer"),
    Column("state"),
    Column("reason"),
    Column("repeats", right=True),
)
_CHECKS = (Column("check"), Column("outcome"), Column("expected"), Column("seen"))
_EVENTS = (Column("at"), Column("kind"), Column("said"))


@verb("attempts")
@click.argument("serial", required=False, type=SERIAL)
@click.option(
    "-n",
    "--number",
    "most",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="Number of attempts, newest first.",
)
@click.option(
    "--state",
    "states",
    metavar="STATE[,STATE]",
    help="Only those in these states: " + ", ".join(state.value for state in AttemptState) + ".",
)
@click.option(
    "--reason",
    "reasons",
    type=REASON,
    multiple=True,
    metavar="CODE",
    help="Only those; repeatable.",
)
@click.option(
    "--dialect",
    "dialects",
    multiple=True,
    type=RELEASE,
    help="Only those; repeatable.",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="KEY=VALUE",
    help="Only chassis that have it.",
)
@click.option(
    "--since", "since_text", metavar="TIME|30m|2h|3d", help="Only those that called since."
)
@click.option("--strangers", is_flag=True, help="Only callers that are not in the inventory.")
@click.option(
    "--before",
    type=click.IntRange(1),
    metavar="ID",
    help="The page before an attempt: the last id of a page leads to the next.",
)
@click.pass_obj
def command(
    cli: Cli,
    serial: str | None,
    most: int,
    states: str | None,
    reasons: tuple[str, ...],
    dialects: tuple[str, ...],
    labels: tuple[str, ...],
    since_text: str | None,
    *,
    strangers: bool,
    before: int | None,
) -> None:
    """List the latest attempts, or explain those of SERIAL (a chassis or a card).

    Each check is shown with what was expected and what was seen, each refusal with its reason
    and the next step.
    """
    from bootz.server.store.attempts import AttemptFilter, attempts_of, events_of, latest_attempts

    wanted = AttemptFilter(
        states=frozenset(_states(states)),
        reasons=frozenset(reasons),
        dialects=frozenset(dialects),
        labels=dict(key_and_value(text, "--label") for text in labels),
        since=since(since_text, datetime.now(UTC)),
        strangers=strangers,
        before=before,
    )
    if serial is None:
        with reading(cli) as connection:
            latest = latest_attempts(connection, most=most, wanted=wanted)
        cli.output.rows(_LATEST, [_summary(attempt) for attempt in latest])
        return
    if wanted != AttemptFilter():
        raise click.UsageError("the options that choose attempts go without SERIAL")
    with reading(cli) as connection:
        attempts = attempts_of(connection, serial, most=most)
        events = events_of(connection, [attempt.id for attempt in attempts])
        if not attempts:
            from bootz.server.operations.nearest import WITH_ATTEMPT, meant_serial

            meant = meant_serial(connection, serial, WITH_ATTEMPT)
            raise UnknownChassis(
                "attempt-not-found", f"no attempt by {serial!r}{meant}", where="journal"
            )
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
        for check in checks:
            if check["check"] == STRICT_FORM:
                cli.output.warning(str(check["seen"]))
        click.echo()
        cli.output.rows(_CHECKS, checks)
        click.echo()
        cli.output.rows(_EVENTS, told)


def _states(text: str | None) -> list[AttemptState]:
    words = [] if text is None else [word.strip().lower() for word in text.split(",")]
    try:
        return [AttemptState(word) for word in words if word]
    except ValueError as error:
        known = ", ".join(state.value for state in AttemptState)
        raise click.BadParameter(f"{error}; the states are {known}") from error


def _summary(attempt: AttemptRecord) -> dict[str, object]:
    return {
        "id": attempt.id,
        "updated_at": attempt.updated_at,
        "chassis": attempt.chassis,
        "serial_number": attempt.claimed_serial or attempt.proven_serial,
        "number": attempt.number,
        "dialect": attempt.dialect,
        "written": attempt.written,
        "peer": attempt.peer,
        "state": attempt.state,
        "reason": attempt.reason,
        "repeats": attempt.repeats,
        "reports": attempt.reports,
    }


def _explained(attempt: AttemptRecord) -> dict[str, object]:
    from bootz.reasons import REASONS

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
        "written": attempt.written,
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
