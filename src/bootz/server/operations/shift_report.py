"""What a shift did: counts, seconds of each step, reasons ranked, overrides, and what is left.

Pure but for one read of the journal. Source: docs/board.md#shift-report.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from bootz.server.operations.texts import load_object
from bootz.server.store.attempt_states import AttemptState, EventKind
from bootz.server.store.schema import ATTEMPT, AUDIT, EVENT
from bootz.sql.batches import batches
from bootz.sql.times import from_text, to_text

MOST_ATTEMPTS: Final = 50_000
"""Attempts of one report; the newest count."""
STEPS: Final = ("data sent", "started", "image", "applying", "whole")
"""Steps that are measured, in their order."""
_OVERRIDES: Final = (
    "chassis.hold",
    "chassis.release",
    "chassis.set",
    "stranger.claim",
    "replacement.accept",
    "replacement.reject",
    "voucher.import",
    "profile.set",
)


@dataclass(frozen=True, slots=True)
class StepSeconds:
    """How long a step took: seconds of the middle attempt, and of 95 in 100."""

    step: str
    count: int
    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class ShiftReport:
    """A shift; ``outcomes`` and ``reasons`` count attempts, ``overrides`` what people did."""

    since: datetime
    until: datetime
    attempts: int
    devices: int
    outcomes: Mapping[str, int]
    steps: Sequence[StepSeconds]
    reasons: Sequence[tuple[str, int]]
    overrides: Sequence[tuple[str, str, int]]
    left: Mapping[str, int] = field(default_factory=dict)

    def to_document(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "attempts": self.attempts,
            "devices": self.devices,
            "outcomes": dict(self.outcomes),
            "steps": [
                {"step": s.step, "count": s.count, "median_s": s.median, "p95_s": s.p95}
                for s in self.steps
            ],
            "reasons": [{"reason": reason, "attempts": count} for reason, count in self.reasons],
            "overrides": [
                {"actor": actor, "verb": verb, "times": count}
                for actor, verb, count in self.overrides
            ],
            "left": dict(self.left),
        }

    def rows(self) -> list[tuple[str, str, object]]:
        """Return it as rows of a table: part, name, value."""
        found: list[tuple[str, str, object]] = [
            ("shift", "since", self.since.isoformat()),
            ("shift", "until", self.until.isoformat()),
            ("shift", "attempts", self.attempts),
            ("shift", "devices", self.devices),
        ]
        found += [("outcome", name, count) for name, count in self.outcomes.items()]
        for each in self.steps:
            found += [
                ("step median seconds", each.step, round(each.median, 3)),
                ("step p95 seconds", each.step, round(each.p95, 3)),
            ]
        found += [("reason", reason, count) for reason, count in self.reasons]
        found += [("override", f"{actor} {verb}", n) for actor, verb, n in self.overrides]
        found += [("left", state, count) for state, count in self.left.items()]
        return found


def shift_report(
    connection: Connection, since: datetime, until: datetime, left: Mapping[str, int]
) -> ShiftReport:
    """Return the report of the attempts that began between two times (aware UTC).

    ``left`` counts devices by the state they are in now, those that are ready left out.
    """
    attempts = connection.execute(
        select(
            ATTEMPT.c.id,
            ATTEMPT.c.chassis_id,
            ATTEMPT.c.state,
            ATTEMPT.c.reason,
            ATTEMPT.c.started_at,
        )
        .where(ATTEMPT.c.started_at >= to_text(since), ATTEMPT.c.started_at < to_text(until))
        .order_by(ATTEMPT.c.id.desc())
        .limit(MOST_ATTEMPTS)
    ).all()
    seconds: dict[str, list[float]] = {step: [] for step in STEPS}
    ended = {row.id: from_text(row.started_at) for row in attempts if _ended_well(row.state)}
    for number, events in _events(connection, ended).items():
        for step, value in _measured(ended[number], events).items():
            seconds[step].append(value)
    audit = connection.execute(
        select(AUDIT.c.actor, AUDIT.c.verb).where(
            AUDIT.c.at >= to_text(since),
            AUDIT.c.at < to_text(until),
            AUDIT.c.verb.in_(_OVERRIDES),
            AUDIT.c.outcome == "done",
        )
    ).all()
    done = Counter((row.actor, row.verb) for row in audit)
    reasons = Counter(row.reason for row in attempts if row.reason)
    return ShiftReport(
        since=since,
        until=until,
        attempts=len(attempts),
        devices=len({row.chassis_id for row in attempts} - {None}),
        outcomes=dict(sorted(Counter(row.state for row in attempts).items())),
        steps=[
            StepSeconds(step, len(values), percentile(values, 50), percentile(values, 95))
            for step, values in seconds.items()
            if values
        ],
        reasons=sorted(reasons.items(), key=lambda each: (-each[1], each[0])),
        overrides=sorted(
            ((actor, verb, count) for (actor, verb), count in done.items()),
            key=lambda each: (-each[2], each[0], each[1]),
        ),
        left=left,
    )


def percentile(values: Iterable[float], percent: int) -> float:
    """Return the smallest value that so many of 100 do not exceed (nearest rank).

    Raises:
        ValueError: there are no values.
    """
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values")
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def _ended_well(state: str) -> bool:
    return AttemptState(state) is AttemptState.SUCCESS


_Happened = Sequence[tuple[EventKind, str, datetime]]


def _events(
    connection: Connection, attempts: Mapping[int, datetime]
) -> Mapping[int, list[tuple[EventKind, str, datetime]]]:
    """Return what happened in attempts: kind, status of a report, time."""
    found: dict[int, list[tuple[EventKind, str, datetime]]] = {}
    keys = sorted(attempts)
    for batch in batches(keys):
        rows = connection.execute(
            select(EVENT.c.attempt_id, EVENT.c.kind, EVENT.c.at, EVENT.c.data)
            .where(EVENT.c.attempt_id.in_(batch))
            .order_by(EVENT.c.id)
        )
        for row in rows:
            kind = EventKind(row.kind)
            status = ""
            if kind is EventKind.REPORT:
                status = str(load_object(row.data).get("status", ""))
            found.setdefault(row.attempt_id, []).append((kind, status, from_text(row.at)))
    return found


def _measured(began: datetime, events: _Happened) -> dict[str, float]:
    """Return the seconds of each step that an attempt took and that can be told."""
    answered = next((at for kind, _, at in events if kind is EventKind.ANSWERED), None)
    started = next((at for _, status, at in events if status == "INITIATED"), None)
    loaded = next((at for kind, _, at in reversed(events) if kind is EventKind.DOWNLOAD), None)
    ready = next((at for _, status, at in reversed(events) if status == "SUCCESS"), None)
    spans = {
        "data sent": (began, answered),
        "started": (answered, started),
        "image": (started or answered, loaded),
        "applying": (loaded or started, ready),
        "whole": (began, ready),
    }
    return {
        step: max(0.0, (end - begin).total_seconds())
        for step, (begin, end) in spans.items()
        if begin is not None and end is not None
    }
