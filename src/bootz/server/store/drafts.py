"""Attempts while calls are applied to them, and the statements that read and write them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, func, insert, select, update

from bootz.server.store.attempt_states import AttemptState
from bootz.server.store.revision import take_keys
from bootz.server.store.schema import ATTEMPT, CHASSIS
from bootz.sql.prepared import Prepared, Row

_FIXED: Final = (
    "chassis_id",
    "number",
    "claimed_manufacturer",
    "claimed_serial",
    "serial_folded",
    "refusal_key",
    "started_at",
)
_MOVING: Final = (
    "proven_serial",
    "idevid_fingerprint",
    "peer",
    "dialect",
    "written",
    "nonce_digest",
    "updated_at",
    "reason",
    "detail",
    "checks",
    "sent",
    "image_bytes",
    "downloads",
    "image_position",
    "image_size",
    "reports",
    "repeats",
    "events",
)


@dataclass(slots=True, kw_only=True)
class Draft:
    """One attempt; ``key`` is 0 until it is written. Times and JSON are text, as in the table."""

    chassis_id: int | None
    number: int
    claimed_manufacturer: str
    claimed_serial: str
    serial_folded: str
    refusal_key: str | None
    started_at: str
    updated_at: str
    state: AttemptState
    proven_serial: str = ""
    idevid_fingerprint: str = ""
    peer: str = ""
    dialect: str = ""
    written: str = ""
    nonce_digest: str = ""
    reason: str = ""
    detail: str = ""
    checks: str = "[]"
    sent: str = "{}"
    image_bytes: int = 0
    downloads: int = 0
    image_position: int = 0
    image_size: int = 0
    reports: int = 0
    repeats: int = 0
    events: int = 0
    key: int = 0


_STORED: Final = ("state", *_FIXED, *_MOVING)
"""What is read and written of an attempt, but for its key."""

_COLUMNS: Final = [ATTEMPT.c[name] for name in ("id", *_STORED)]
_CHASSIS_KEYS: Final[BindParameter[int]] = bindparam("keys", expanding=True)
_newest = ATTEMPT.alias("newest")
_LATEST: Final = Prepared(
    select(CHASSIS.c.id.label("of_chassis"), *_COLUMNS)
    .select_from(
        CHASSIS.outerjoin(
            ATTEMPT,
            ATTEMPT.c.id
            == select(func.max(_newest.c.id))
            .where(_newest.c.chassis_id == CHASSIS.c.id)
            .scalar_subquery(),
        )
    )
    .where(CHASSIS.c.id.in_(_CHASSIS_KEYS))
    # PostgreSQL alone: the chassis cannot be removed while its attempt is written.
    .with_for_update(read=True, key_share=True, of=CHASSIS),
    expanding=("keys",),
)
_BY_NONCE: Final = Prepared(
    select(*_COLUMNS).where(
        ATTEMPT.c.nonce_digest.in_(bindparam("nonces", expanding=True)),
        ATTEMPT.c.chassis_id.in_(_CHASSIS_KEYS),
    ),
    expanding=("keys", "nonces"),
)
_STRAYS: Final = Prepared(
    select(*_COLUMNS)
    .where(ATTEMPT.c.refusal_key.in_(bindparam("refusals", expanding=True)))
    .order_by(ATTEMPT.c.id),
    expanding=("refusals",),
)
_INSERT: Final = Prepared(insert(ATTEMPT).inline(), columns=("id", *_STORED))
_UPDATE: Final = Prepared(
    update(ATTEMPT)
    .where(ATTEMPT.c.id == bindparam("key"))
    .values({name: bindparam(name) for name in ("state", *_MOVING)})
)


def latest_of(connection: Connection, chassis: Iterable[int]) -> dict[int, Draft | None]:
    """Return the latest attempt of each chassis, None without one; no chassis, no entry."""
    rows = _LATEST.rows(connection, {"keys": sorted(chassis)})
    return {row[0]: None if row[1] is None else _draft(row[1:]) for row in rows}


def of_nonces(
    connection: Connection, wanted: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], Draft]:
    """Return the attempts that were made with certain nonces, by chassis and digest."""
    pairs = list(wanted)
    values = {"keys": [key for key, _ in pairs], "nonces": [nonce for _, nonce in pairs]}
    drafts = [_draft(row) for row in _BY_NONCE.rows(connection, values)]
    return {
        (draft.chassis_id, draft.nonce_digest): draft
        for draft in drafts
        if draft.chassis_id is not None
    }


def strays_of(connection: Connection, refusals: Iterable[str]) -> dict[str, Draft]:
    """Return the newest row of each kind of refusal of strangers."""
    drafts = [_draft(row) for row in _STRAYS.rows(connection, {"refusals": list(refusals)})]
    return {draft.refusal_key: draft for draft in drafts if draft.refusal_key is not None}


def write_drafts(connection: Connection, drafts: Sequence[Draft]) -> None:
    """Write new attempts, which get their keys, and those that have changed."""
    fresh = [draft for draft in drafts if not draft.key]
    changed = [draft for draft in drafts if draft.key]
    if fresh:
        first = take_keys(connection, "journal", len(fresh))
        for key, draft in enumerate(fresh, first):
            draft.key = key
        _INSERT.run(connection, [{"id": draft.key, **_values(draft, _FIXED)} for draft in fresh])
    if changed:
        _UPDATE.run(connection, [{"key": draft.key, **_values(draft)} for draft in changed])


def _values(draft: Draft, further: Sequence[str] = ()) -> dict[str, Any]:
    values = {name: getattr(draft, name) for name in (*further, *_MOVING)}
    values["state"] = draft.state.value
    return values


def _draft(row: Row) -> Draft:
    """Return an attempt as read: its key, then what is stored."""
    key, state, *values = row
    return Draft(key=key, state=AttemptState(state), **dict(zip(_STORED[1:], values, strict=True)))
