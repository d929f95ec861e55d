"""Webhooks as the operator keeps them: made, changed, removed, and what did not arrive.

Source: docs/webhooks.md.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

from pydantic import JsonValue
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from bootz.errors import ConfigError, ConflictError, UnknownChassis
from bootz.server.operations.audit import note
from bootz.server.operations.labels import checked_labels
from bootz.server.operations.secrets import make_fingerprinter
from bootz.server.operations.texts import (
    MAX_NAME,
    checked_text,
    dump_json,
    load_object,
    load_texts,
)
from bootz.server.store.actor import actor_of
from bootz.server.store.attempts import last_event
from bootz.server.store.schema import WEBHOOK, WEBHOOK_DELIVERY
from bootz.server.webhooks.envelope import TYPES
from bootz.server.webhooks.signing import new_secret, parse_secret, secret_text
from bootz.server.webhooks.targets import (
    Network,
    parse_target,
    refused_whatever_is_sent,
    target_refused,
)
from bootz.sql.times import from_optional_text, from_text, to_text

MOST: Final = 32
"""Webhooks of a site."""
WAITING: Final = "waiting"
DEAD: Final = "dead"
"""Given up after a day; it can be sent again by hand."""

_INVALID: Final = "webhook-invalid"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook on record.

    ``events`` are the types that it wants, none for all; ``labels`` a chassis must have.
    ``waiting`` and ``dead`` count what has not arrived.
    """

    key: int
    name: str
    url: str
    events: tuple[str, ...]
    labels: Mapping[str, str]
    secret: bytes = field(repr=False)
    enabled: bool
    created_at: datetime
    created_by: str
    delivered: int
    delivered_at: datetime | None
    waiting: int = 0
    dead: int = 0

    def to_document(self) -> dict[str, JsonValue]:
        """Return the webhook for programs; its secret is not in it."""
        at = self.delivered_at
        return {
            "name": self.name,
            "url": self.url,
            "events": list(self.events),
            "labels": dict(self.labels),
            "enabled": self.enabled,
            "created_at": self.created_at.isoformat(),
            "created_by": self.created_by,
            "delivered": self.delivered,
            "delivered_at": None if at is None else at.isoformat(),
            "waiting": self.waiting,
            "dead": self.dead,
        }

    def settings(self) -> dict[str, JsonValue]:
        """Return what a person has set, for the audit, with the secret, which that masks."""
        return {
            "url": self.url,
            "events": list(self.events),
            "labels": dict(self.labels),
            "enabled": self.enabled,
            "secret": secret_text(self.secret),
        }


@dataclass(frozen=True, slots=True)
class Delivery:
    """What has not arrived yet: ``state`` is ``waiting`` or ``dead``, ``error`` the last one."""

    key: int
    event_id: int
    type: str
    state: str
    tries: int
    since: datetime
    next_at: datetime
    error: str

    def to_document(self) -> dict[str, JsonValue]:
        """Return the delivery for programs."""
        return {
            "id": self.key,
            "event_id": self.event_id,
            "type": self.type,
            "state": self.state,
            "tries": self.tries,
            "since": self.since.isoformat(),
            "next_at": self.next_at.isoformat(),
            "error": self.error,
        }


def add_webhook(
    connection: Connection,
    name: str,
    url: str,
    *,
    now: datetime,
    events: Collection[str] = (),
    labels: Mapping[str, str] | None = None,
    secret: str | None = None,
    allowed: Collection[Network] | None = None,
) -> tuple[Webhook, str]:
    """Make a webhook for what happens from now on; return it with its secret's text.

    ``secret`` is the text that the receiver has already; None makes a new one. ``allowed`` are
    the networks of the settings' ``private_targets``: a target that no try could go to is
    refused; None leaves that to the tries.

    Raises:
        ConfigError: ``webhook-invalid``.
        PolicyError: ``webhook-target-refused``.
        ConflictError: ``webhook-exists``.
    """
    checked = checked_text(name, "name", reason=_INVALID, where="webhook", most=MAX_NAME, least=1)
    if find(connection, checked) is not None:
        raise ConflictError("webhook-exists", f"there is {checked} already", where="webhook")
    if (connection.scalar(select(func.count()).select_from(WEBHOOK)) or 0) >= MOST:
        raise ConfigError(_INVALID, f"over {MOST} webhooks", where="webhook")
    made = new_secret() if secret is None else _secret(secret)
    connection.execute(
        insert(WEBHOOK).values(
            name=checked,
            name_folded=checked.casefold(),
            url=_url(url, allowed),
            events=dump_json(_events(events)),
            labels=dump_json(checked_labels(labels or {}, reason=_INVALID, where="labels")),
            secret=made,
            enabled=True,
            taken=last_event(connection),
            delivered=0,
            created_at=to_text(now),
            created_by=actor_of(connection).name,
        )
    )
    webhook = webhook_named(connection, checked)
    note(connection, "webhook.add", webhook.name, after=webhook.settings())
    return webhook, secret_text(made)


def set_webhook(
    connection: Connection,
    name: str,
    *,
    url: str | None = None,
    events: Collection[str] | None = None,
    labels: Mapping[str, str] | None = None,
    secret: str | None = None,
    enabled: bool | None = None,
    allowed: Collection[Network] | None = None,
) -> Webhook:
    """Change what is given. One that is enabled again goes on where it stopped.

    Raises:
        UnknownChassis: ``webhook-not-found``.
        ConfigError: ``webhook-invalid``.
        PolicyError: ``webhook-target-refused``, as ``add_webhook`` does.
    """
    before = webhook_named(connection, name)
    values: dict[str, object] = {}
    if url is not None:
        values["url"] = _url(url, allowed)
    if events is not None:
        values["events"] = dump_json(_events(events))
    if labels is not None:
        values["labels"] = dump_json(checked_labels(labels, reason=_INVALID, where="labels"))
    if secret is not None:
        values["secret"] = _secret(secret)
    if enabled is not None:
        values["enabled"] = enabled
    if values:
        connection.execute(update(WEBHOOK).where(WEBHOOK.c.id == before.key).values(**values))
    after = webhook_named(connection, name)
    if before.settings() != after.settings():
        note(
            connection,
            "webhook.set",
            after.name,
            before=before.settings(),
            after=after.settings(),
        )
    return after


def remove_webhook(connection: Connection, name: str) -> Webhook:
    """Remove a webhook with all that waits for it.

    Raises:
        UnknownChassis: ``webhook-not-found``.
    """
    webhook = webhook_named(connection, name)
    connection.execute(delete(WEBHOOK_DELIVERY).where(WEBHOOK_DELIVERY.c.webhook_id == webhook.key))
    connection.execute(delete(WEBHOOK).where(WEBHOOK.c.id == webhook.key))
    note(connection, "webhook.remove", webhook.name, before=webhook.settings())
    return webhook


def list_webhooks(connection: Connection) -> tuple[Webhook, ...]:
    """Return all webhooks by name, with what has not arrived."""
    counted: dict[tuple[int, str], int] = {}
    columns = (WEBHOOK_DELIVERY.c.webhook_id, WEBHOOK_DELIVERY.c.state)
    for row in connection.execute(select(*columns, func.count().label("found")).group_by(*columns)):
        counted[row.webhook_id, row.state] = row.found
    rows = connection.execute(select(WEBHOOK).order_by(WEBHOOK.c.name_folded))
    return tuple(_webhook(row, counted) for row in rows)


def find(connection: Connection, name: str) -> Webhook | None:
    """Return a webhook by its name, without case; None where there is none."""
    folded = name.strip().casefold()
    return next(
        (each for each in list_webhooks(connection) if each.name.casefold() == folded), None
    )


def webhook_named(connection: Connection, name: str) -> Webhook:
    """Return a webhook by its name, without case.

    Raises:
        UnknownChassis: ``webhook-not-found``.
    """
    found = find(connection, name)
    if found is None:
        raise UnknownChassis("webhook-not-found", f"there is no webhook {name[:80]}", where="name")
    return found


def secret_fingerprint(connection: Connection, webhook: Webhook) -> str:
    """Return what shows that a secret has changed, and nothing else of it."""
    return make_fingerprinter(connection)(secret_text(webhook.secret))


def list_deliveries(
    connection: Connection, name: str, *, state: str | None = None, after: int = 0, most: int = 100
) -> tuple[Delivery, ...]:
    """Return what has not arrived, in the order in which it was to; after an id.

    Raises:
        UnknownChassis: ``webhook-not-found``.
    """
    table = WEBHOOK_DELIVERY
    webhook = webhook_named(connection, name)
    wanted = select(table).where(table.c.webhook_id == webhook.key, table.c.id > after)
    if state is not None:
        wanted = wanted.where(table.c.state == state)
    rows = connection.execute(wanted.order_by(table.c.id).limit(most))
    return tuple(
        Delivery(
            row.id,
            row.event_id,
            row.type,
            row.state,
            row.tries,
            from_text(row.since),
            from_text(row.next_at),
            row.error,
        )
        for row in rows
    )


def resend(
    connection: Connection, name: str, *, now: datetime, keys: Sequence[int] | None = None
) -> int:
    """Send again what was given up, some or all of it, and try at once what waits; return how many.

    What is given up comes after what has been sent since then.

    Raises:
        UnknownChassis: ``webhook-not-found``.
    """
    table = WEBHOOK_DELIVERY
    webhook = webhook_named(connection, name)
    wanted = [table.c.webhook_id == webhook.key]
    if keys is not None:
        wanted.append(table.c.id.in_(list(keys)))
    at = to_text(now)
    again = update(table).where(*wanted).values(state=WAITING, tries=0, since=at, next_at=at)
    found = connection.execute(again).rowcount
    note(connection, "webhook.resend", webhook.name, after={"deliveries": found})
    return found


def _url(url: str, allowed: Collection[Network] | None) -> str:
    try:
        target = parse_target(url)
    except ValueError as error:
        # Not shown: a URL may have a token in it.
        raise ConfigError(_INVALID, f"url {error}", where="url", keys=(("url",),)) from None
    if allowed is not None and refused_whatever_is_sent(target, allowed):
        raise target_refused(target, target.host)
    return target.url


def _events(events: Collection[str]) -> list[str]:
    for each in events:
        if each not in TYPES:
            raise ConfigError(
                _INVALID,
                "events: there is no such type",
                where="events",
                expected=", ".join(TYPES),
                seen=each[:80],
                keys=(("events",),),
            )
    return sorted(set(events))


def _secret(text: str) -> bytes:
    try:
        return parse_secret(text)
    except ValueError as error:
        raise ConfigError(
            _INVALID, f"secret {error}", where="secret", keys=(("secret",),)
        ) from None


def _webhook(row: Row[Any], counted: Mapping[tuple[int, str], int]) -> Webhook:
    return Webhook(
        key=row.id,
        name=row.name,
        url=row.url,
        events=load_texts(row.events),
        labels=cast("dict[str, str]", load_object(row.labels)),
        secret=bytes(row.secret),
        enabled=row.enabled,
        created_at=from_text(row.created_at),
        created_by=row.created_by,
        delivered=row.delivered,
        delivered_at=from_optional_text(row.delivered_at),
        waiting=counted.get((row.id, WAITING), 0),
        dead=counted.get((row.id, DEAD), 0),
    )
