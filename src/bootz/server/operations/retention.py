"""Attempts and events that are older than the site keeps go, in transactions of few rows.

The last attempt of each chassis stays, with all that happened in it: it says where the chassis
stands. What a webhook has not looked at yet stays, too. Source: docs/operator.md#retention.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select

from bootz.server.store.database import Database
from bootz.server.store.schema import ATTEMPT, EVENT, WEBHOOK
from bootz.sql.times import to_text

AT_ONCE: Final = 200
"""Rows that one transaction looks at: routers wait for no longer one."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """How much went, or would."""

    attempts: int = 0
    events: int = 0

    def __add__(self, other: "Pruned") -> "Pruned":
        return Pruned(self.attempts + other.attempts, self.events + other.events)


@dataclass(frozen=True, slots=True)
class Kept:
    """Since when attempts and events are kept, aware UTC; None: all of them."""

    attempts_since: datetime | None = None
    events_since: datetime | None = None


def prune(database: Database, kept: Kept, *, dry_run: bool = False) -> Iterator[Pruned]:
    """Remove what is older, a few rows at each step; return what went in each.

    Whoever iterates may wait between two steps, or stop. ``dry_run`` counts and changes nothing.

    Raises:
        Unavailable: the database does not answer.
    """
    if kept.events_since is not None:
        yield from _steps(database, EVENT, kept.events_since, dry_run=dry_run)
    if kept.attempts_since is not None:
        yield from _steps(database, ATTEMPT, kept.attempts_since, dry_run=dry_run)


def _steps(database: Database, table: Any, since: datetime, *, dry_run: bool) -> Iterator[Pruned]:
    after = 0
    while True:
        with database.read() as connection:
            # In the order of their ids, which is that of time: at the first younger one it ends.
            at = table.c.started_at if table is ATTEMPT else table.c.at
            looked = connection.execute(
                select(table.c.id, at.label("at"))
                .where(table.c.id > after)
                .order_by(table.c.id)
                .limit(AT_ONCE)
            ).all()
            old = [row.id for row in looked if row.at < to_text(since)]
            going = _going(connection, table, old, since) if old else []
            events = _events_of(connection, going) if table is ATTEMPT and going else len(going)
        if going and not dry_run:
            with database.write_journal() as connection:
                # Asked again: a report may have come in between.
                going = _going(connection, table, going, since)
                events = _events_of(connection, going) if table is ATTEMPT else len(going)
                connection.execute(delete(table).where(table.c.id.in_(going)))
        if going:
            yield Pruned(len(going) if table is ATTEMPT else 0, events)
        if len(old) < AT_ONCE:
            return
        after = old[-1]


def _going(connection: Connection, table: Any, keys: list[int], since: datetime) -> list[int]:
    """Return those of some old rows that may go."""
    newer = ATTEMPT.alias()
    last = ~(
        select(newer.c.id)
        .where(newer.c.chassis_id == ATTEMPT.c.chassis_id, newer.c.id > ATTEMPT.c.id)
        .exists()
    )
    stays: ColumnElement[bool] = and_(ATTEMPT.c.chassis_id.is_not(None), last)
    taken = connection.scalar(select(func.min(WEBHOOK.c.taken)).where(WEBHOOK.c.enabled))
    if table is EVENT:
        wanted = select(EVENT.c.id).select_from(EVENT.join(ATTEMPT)).where(~stays)
        if taken is not None:
            wanted = wanted.where(EVENT.c.id <= taken)
    else:
        # Of an attempt that goes every event goes; one that is younger keeps it.
        young = [EVENT.c.at >= to_text(since)]
        if taken is not None:
            young.append(EVENT.c.id > taken)
        holds = select(EVENT.c.id).where(EVENT.c.attempt_id == ATTEMPT.c.id, or_(*young)).exists()
        wanted = select(ATTEMPT.c.id).where(~stays, ~holds, ATTEMPT.c.updated_at < to_text(since))
    found = connection.scalars(wanted.where(table.c.id.in_(keys)).order_by(table.c.id))
    return list(found)


def _events_of(connection: Connection, attempts: list[int]) -> int:
    counted = select(func.count()).select_from(EVENT).where(EVENT.c.attempt_id.in_(attempts))
    return connection.scalar(counted) or 0
