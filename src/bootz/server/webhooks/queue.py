"""The queue in the database: filled from the journal, emptied by what has arrived.

An event becomes a delivery in the transaction that says that it was looked at, so that none is
left out and none is there twice, whenever the process is killed. A delivery leaves the queue only
once its receiver has acknowledged it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from bootz.errors import BootzError
from bootz.server.operations.webhooks import DEAD, WAITING, Webhook, list_webhooks
from bootz.server.store.attempts import events_after, last_event
from bootz.server.store.schema import (
    ATTEMPT,
    CHASSIS,
    CHASSIS_LABEL,
    EVENT,
    VENDOR,
    WEBHOOK,
    WEBHOOK_DELIVERY,
)
from bootz.server.store.words import bounded
from bootz.server.webhooks.backoff import LONGEST_WAIT, next_try
from bootz.server.webhooks.envelope import Told, envelope
from bootz.sql.times import from_text, to_text

TAKEN_AT_ONCE: Final = 200
"""Events of one transaction."""
MOST_WAITING: Final = 20_000
"""Deliveries of a webhook; further events stay in the journal until some have arrived."""

_OF_CHASSIS: Final = select(
    EVENT.c.id, ATTEMPT.c.chassis_id, ATTEMPT.c.serial_folded, VENDOR.c.name
).select_from(EVENT.join(ATTEMPT).outerjoin(CHASSIS).outerjoin(VENDOR))


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that is to be sent now."""

    key: int
    webhook: Webhook
    message_id: str
    body: bytes
    tries: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a try: ``error`` is None where the receiver has acknowledged it.

    ``asked`` are seconds after which it wants to be tried again; ``gone``: never.
    """

    due: Due
    error: BootzError | None
    asked: float | None = None
    gone: bool = False
    chance: float = field(default=1.0)


def any_enabled(connection: Connection) -> bool:
    """Return whether there is a webhook to send to."""
    return connection.scalar(select(WEBHOOK.c.id).where(WEBHOOK.c.enabled).limit(1)) is not None


def news(connection: Connection) -> bool:
    """Return whether there is an event that a webhook has not looked at."""
    last = last_event(connection)
    behind = select(func.count()).select_from(WEBHOOK).where(WEBHOOK.c.enabled)
    return bool(connection.scalar(behind.where(WEBHOOK.c.taken < last)))


def take_events(connection: Connection, source: str, now: datetime) -> bool:
    """Let each webhook look at the next events; return whether there may be more.

    ``source`` is the site's, as CloudEvents name it.
    """
    more = False
    for webhook in list_webhooks(connection):
        if webhook.enabled and webhook.waiting < MOST_WAITING:
            more |= _take(connection, webhook, source, now)
    return more


def _take(connection: Connection, webhook: Webhook, source: str, now: datetime) -> bool:
    taken = connection.scalar(select(WEBHOOK.c.taken).where(WEBHOOK.c.id == webhook.key)) or 0
    events = events_after(connection, taken, most=TAKEN_AT_ONCE)
    if not events:
        return False
    chassis = {
        row.id: (row.chassis_id, row.serial_folded, row.name or "")
        for row in connection.execute(
            _OF_CHASSIS.where(EVENT.c.id.in_([event.id for event in events]))
        )
    }
    labels = _labels(connection, {key for key, _, _ in chassis.values() if key is not None})
    rows: list[dict[str, Any]] = []
    for event in events:
        key, serial, vendor = chassis[event.id]
        told = Told(event, vendor, labels.get(key, {}))
        if not told.wanted(webhook.events, webhook.labels):
            continue
        rows.append(
            {
                "webhook_id": webhook.key,
                "event_id": event.id,
                "type": told.type,
                "lane": f"serial {serial}" if key is None else f"chassis {key}",
                "body": envelope(told, source),
                "state": WAITING,
                "tries": 0,
                "since": to_text(now),
                "next_at": to_text(now),
                "error": "",
            }
        )
    if rows:
        connection.execute(insert(WEBHOOK_DELIVERY), rows)
    looked_at = update(WEBHOOK).where(WEBHOOK.c.id == webhook.key).values(taken=events[-1].id)
    connection.execute(looked_at)
    return len(events) == TAKEN_AT_ONCE


def _labels(connection: Connection, keys: Collection[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    if keys:
        wanted = select(CHASSIS_LABEL).where(CHASSIS_LABEL.c.chassis_id.in_(list(keys)))
        for row in connection.execute(wanted):
            found.setdefault(row.chassis_id, {})[row.key] = row.value
    return found


def due_deliveries(
    connection: Connection, now: datetime, under_way: Mapping[int, Collection[int]], most: int
) -> Sequence[Due]:
    """Return what is to be sent now: of each chassis the first that has not arrived.

    Args:
        connection: to the database.
        now: aware UTC.
        under_way: keys of deliveries that are being sent, by the key of their webhook.
        most: how many of one webhook may be under way at once.
    """
    found: list[Due] = []
    table, before = WEBHOOK_DELIVERY, WEBHOOK_DELIVERY.alias()
    for webhook in list_webhooks(connection):
        busy = under_way.get(webhook.key, ())
        if not webhook.enabled or not webhook.waiting or len(busy) >= most:
            continue
        earlier = (
            select(before.c.id)
            .where(
                before.c.webhook_id == webhook.key,
                before.c.state == WAITING,
                before.c.lane == table.c.lane,
                before.c.id < table.c.id,
            )
            .exists()
        )
        wanted = (
            select(table)
            .where(
                table.c.webhook_id == webhook.key,
                table.c.state == WAITING,
                or_(table.c.next_at <= to_text(now), table.c.next_at > to_text(now + LONGEST_WAIT)),
                table.c.id.not_in(list(busy)),
                ~earlier,
            )
            .order_by(table.c.id)
            .limit(most - len(busy))
        )
        for row in connection.execute(wanted):
            message_id = f"msg_{webhook.key}_{row.event_id}"
            since = from_text(row.since)
            found.append(Due(row.id, webhook, message_id, bytes(row.body), row.tries, since))
    return found


def settle(connection: Connection, settled: Sequence[Settled], now: datetime) -> int:
    """Write down what became of tries; return how many were given up."""
    table, dead = WEBHOOK_DELIVERY, 0
    for each in settled:
        due = each.due
        this = table.c.id == due.key
        if each.error is None:
            connection.execute(delete(table).where(this))
            connection.execute(
                update(WEBHOOK)
                .where(WEBHOOK.c.id == due.webhook.key)
                .values(delivered=WEBHOOK.c.delivered + 1, delivered_at=to_text(now))
            )
            continue
        tries = due.tries + 1
        # Not a time that is yet to come, as it may be after the clock was set back.
        since = min(due.since, now)
        at = next_try(tries, since, now, chance=each.chance, asked=each.asked)
        values: dict[str, object] = {
            "since": to_text(since),
            "tries": tries,
            "error": bounded(f"{each.error.reason}: {each.error.detail}", 1024),
        }
        if at is None:
            dead += 1
            values["state"] = DEAD
        else:
            values["next_at"] = to_text(at)
        connection.execute(update(table).where(this).values(**values))
        if each.gone:
            off = update(WEBHOOK).where(WEBHOOK.c.id == due.webhook.key).values(enabled=False)
            connection.execute(off)
    return dead
