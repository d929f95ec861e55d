"""Reading the journal: the attempts of a chassis, the latest of all, and what happens next."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Connection, Row, exists, func, or_, select

from bootz.model.chassis import fold_serial
from bootz.model.checks import Check, Outcome
from bootz.server.store.attempt_states import AttemptState, EventKind
from bootz.server.store.database import Database
from bootz.server.store.schema import ATTEMPT, CHASSIS, CHASSIS_LABEL, EVENT, SERIAL, VENDOR
from bootz.sql.times import from_text, to_text

PAGE: Final = 1_000
"""Events that are read at once."""

_ATTEMPTS: Final = select(
    ATTEMPT,
    CHASSIS.c.hostname,
    CHASSIS.c.serial.label("chassis_serial"),
    VENDOR.c.name.label("vendor"),
).select_from(ATTEMPT.outerjoin(CHASSIS).outerjoin(VENDOR))

_EVENTS: Final = select(
    EVENT,
    ATTEMPT.c.number,
    ATTEMPT.c.state,
    ATTEMPT.c.claimed_serial,
    ATTEMPT.c.dialect,
    ATTEMPT.c.written,
    CHASSIS.c.hostname,
    CHASSIS.c.serial.label("chassis_serial"),
).select_from(EVENT.join(ATTEMPT).outerjoin(CHASSIS))


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. ``state`` is the attempt's when this was read.

    ``dialect`` and ``written`` are the attempt's.

    ``chassis`` is the name of the chassis on record, empty for a stranger.
    """

    id: int
    attempt: int
    number: int
    at: datetime
    kind: EventKind
    chassis: str
    serial_number: str
    dialect: str
    written: str
    state: AttemptState
    data: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One attempt, from the first request to the last report.

    ``number`` counts the attempts of the chassis; 0 for a stranger. ``image_bytes`` is what the
    site's own image store has sent. ``dialect`` is that of the path that was called; ``written``
    that of the answer, empty where there was none. ``repeats`` counts further calls of the same
    kind.
    """

    id: int
    number: int
    vendor: str
    chassis: str
    claimed_manufacturer: str
    claimed_serial: str
    proven_serial: str
    idevid_fingerprint: str
    peer: str
    dialect: str
    written: str
    started_at: datetime
    updated_at: datetime
    state: AttemptState
    reason: str
    detail: str
    checks: tuple[Check, ...]
    sent: Mapping[str, JsonValue]
    image_bytes: int
    downloads: int
    reports: int
    repeats: int


def attempts_of(
    connection: Connection, serial: str, *, most: int = 20
) -> tuple[AttemptRecord, ...]:
    """Return the latest attempts of a chassis, or of whoever claimed the number; newest first."""
    folded = fold_serial(serial)
    chassis = select(SERIAL.c.chassis_id).where(SERIAL.c.serial_folded == folded)
    return _read(
        connection,
        most,
        or_(ATTEMPT.c.chassis_id.in_(chassis), ATTEMPT.c.serial_folded == folded),
    )


@dataclass(frozen=True, slots=True)
class AttemptFilter:
    """Which attempts are wanted; a field that is empty or None does not choose.

    ``since`` is the time of the last call, aware UTC; ``labels`` are those of the chassis, all of
    them. ``strangers`` chooses callers that are not on record, or did not prove it. ``before`` is
    an id: the page ends before it.
    """

    states: frozenset[AttemptState] = frozenset()
    reasons: frozenset[str] = frozenset()
    dialects: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    strangers: bool = False
    before: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what a row of ``ATTEMPT`` must meet."""
        wanted: list[ColumnElement[bool]] = []
        if self.states:
            wanted.append(ATTEMPT.c.state.in_(sorted(state.value for state in self.states)))
        if self.reasons:
            wanted.append(ATTEMPT.c.reason.in_(sorted(self.reasons)))
        if self.dialects:
            # Two dialects share a path: what was written tells them apart, where it is known.
            spoken = func.coalesce(func.nullif(ATTEMPT.c.written, ""), ATTEMPT.c.dialect)
            wanted.append(spoken.in_(sorted(self.dialects)))
        for key, value in self.labels.items():
            label = CHASSIS_LABEL.alias()
            of_chassis = label.c.chassis_id == ATTEMPT.c.chassis_id
            wanted.append(exists().where(of_chassis, label.c.key == key, label.c.value == value))
        if self.since is not None:
            wanted.append(ATTEMPT.c.updated_at >= to_text(self.since))
        if self.strangers:
            wanted.append(ATTEMPT.c.chassis_id.is_(None))
        if self.before is not None:
            wanted.append(ATTEMPT.c.id < self.before)
        return wanted


def latest_attempts(
    connection: Connection, *, most: int = 50, wanted: AttemptFilter | None = None
) -> tuple[AttemptRecord, ...]:
    """Return the latest attempts of all, or of those wanted, newest first."""
    return _read(connection, most, *(() if wanted is None else wanted.conditions()))


def attempt_by_id(
    connection: Connection, key: int, wanted: AttemptFilter | None = None
) -> AttemptRecord | None:
    """Return an attempt by its id, None where there is none among those wanted."""
    conditions = [] if wanted is None else wanted.conditions()
    found = _read(connection, 1, ATTEMPT.c.id == key, *conditions)
    return found[0] if found else None


def events_of(connection: Connection, attempts: Sequence[int]) -> tuple[Event, ...]:
    """Return what happened in these attempts, in order."""
    return _events(connection, EVENT.c.attempt_id.in_(attempts), most=None)


def events_after(connection: Connection, event_id: int, *, most: int = PAGE) -> tuple[Event, ...]:
    """Return the next events after one, in order."""
    return _events(connection, EVENT.c.id > event_id, most=most)


def event_ids_after(connection: Connection, event_id: int, *, most: int) -> tuple[int, ...]:
    """Return the ids of the next events after one, in order, whatever the events hold."""
    statement = select(EVENT.c.id).where(EVENT.c.id > event_id).order_by(EVENT.c.id).limit(most)
    return tuple(connection.scalars(statement))


def last_event(connection: Connection) -> int:
    """Return the id of the latest event, 0 before the first."""
    return connection.scalar(select(func.max(EVENT.c.id))) or 0


def follow(database: Database, after: int, wait: Callable[[], None]) -> Iterator[Event]:
    """Return events as they come, without end; ``wait`` is called when there is no news.

    Raises:
        Unavailable: the database does not answer or refuses.
    """
    while True:
        with database.read() as connection:
            events = events_after(connection, after)
        if not events:
            wait()
        for event in events:
            after = event.id
            yield event


def _read(
    connection: Connection, most: int, *conditions: ColumnElement[bool]
) -> tuple[AttemptRecord, ...]:
    statement = _ATTEMPTS.where(*conditions).order_by(ATTEMPT.c.id.desc()).limit(most)
    return tuple(_attempt(row) for row in connection.execute(statement))


def _events(
    connection: Connection, condition: ColumnElement[bool], *, most: int | None
) -> tuple[Event, ...]:
    statement = _EVENTS.where(condition).order_by(EVENT.c.id).limit(most)
    return tuple(
        Event(
            id=row.id,
            attempt=row.attempt_id,
            number=row.number,
            at=from_text(row.at),
            kind=EventKind(row.kind),
            chassis=row.hostname or row.chassis_serial or "",
            serial_number=row.chassis_serial or row.claimed_serial,
            dialect=row.dialect,
            written=row.written,
            state=AttemptState(row.state),
            data=json.loads(row.data),
        )
        for row in connection.execute(statement)
    )


def _attempt(row: Row[Any]) -> AttemptRecord:
    return AttemptRecord(
        id=row.id,
        number=row.number,
        vendor=row.vendor or "",
        chassis=row.hostname or row.chassis_serial or "",
        claimed_manufacturer=row.claimed_manufacturer,
        claimed_serial=row.claimed_serial,
        proven_serial=row.proven_serial,
        idevid_fingerprint=row.idevid_fingerprint,
        peer=row.peer,
        dialect=row.dialect,
        written=row.written,
        started_at=from_text(row.started_at),
        updated_at=from_text(row.updated_at),
        state=AttemptState(row.state),
        reason=row.reason,
        detail=row.detail,
        checks=tuple(
            Check(name, Outcome(outcome), expected, seen)
            for name, outcome, expected, seen in json.loads(row.checks)
        ),
        sent=json.loads(row.sent),
        image_bytes=row.image_bytes,
        downloads=row.downloads,
        reports=row.reports,
        repeats=row.repeats,
    )
