"""Attempts while calls are applied to them, and the statements that read and write them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from sqlalchemy import BindParameter, Connection, bindparam, func, insert, select, update

from bootz.server.store.attempt_states import AttemptState
from bootz.server.store.revision import take_keys
from bootz.server.store.schema import ATTEMPT, CHASSIS
from bootz.sql.prepared import Prepared, Row

_READ: Final = (
    "id",
    "state",
    "chassis_id",
    "number",
    "refusal_key",
    "started_at",
    "nonce_digest",
    "reason",
    "image_bytes",
    "downloads",
    "image_position",
    "image_size",
    "reports",
    "repeats",
    "events",
)
_KEPT: Final = (
    "updated_at",
    "proven_serial",
    "idevid_fingerprint",
    "peer",
    "dialect",
    "written",
    "detail",
    "checks",
    "sent",
)
"""On these nothing depends: they are written, never read here."""
_MOVING: Final = ("state", *_READ[_READ.index("reason") :])
"""What is read and may change, but for the nonce."""


@dataclass(slots=True)
class Draft:
    """One attempt; ``key`` is 0 until it is written. Times and JSON are text, as in the table.

    A text that was not read is None, and stays in the table as it is unless a call brings another.
    The order of the fields is that of ``_READ``, then of ``_KEPT``.
    """

    key: int
    state: AttemptState
    chassis_id: int | None
    number: int
    refusal_key: str | None
    started_at: str
    nonce_digest: str = ""
    reason: str = ""
    image_bytes: int = 0
    downloads: int = 0
    image_position: int = 0
    image_size: int = 0
    reports: int = 0
    repeats: int = 0
    events: int = 0
    updated_at: str | None = ""
    proven_serial: str | None = ""
    idevid_fingerprint: str | None = ""
    peer: str | None = ""
    dialect: str | None = ""
    written: str | None = ""
    detail: str | None = ""
    checks: str | None = "[]"
    sent: str | None = "{}"
    claimed_manufacturer: str = ""
    claimed_serial: str = ""
    serial_folded: str = ""
    nonce_moved: bool = False
    """Whether the nonce is another one than was read."""


_STATES: Final = {state.value: state for state in AttemptState}
_UNREAD: Final = (None,) * len(_KEPT)
_COLUMNS: Final = [ATTEMPT.c[name] for name in _READ]
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
_INSERTED: Final = tuple(ATTEMPT.c.keys())
_INSERT: Final = Prepared(insert(ATTEMPT).inline(), columns=_INSERTED)
_UPDATE: Final = Prepared(
    update(ATTEMPT)
    .where(ATTEMPT.c.id == bindparam("key"))
    .values(
        {name: bindparam(name) for name in _MOVING}
        | {name: func.coalesce(bindparam(name), ATTEMPT.c[name]) for name in _KEPT}
    ),
    columns=(*_MOVING, *_KEPT, "key"),
)
# Apart: a column with an index costs as much as all the others.
_MOVE_NONCE: Final = Prepared(
    update(ATTEMPT).where(ATTEMPT.c.id == bindparam("key")).values(nonce_digest=bindparam("nonce")),
    columns=("nonce", "key"),
)


def _values_of(*columns: str) -> Callable[[Draft], Row]:
    """Return what gives the values of these columns of an attempt."""
    fields = {"id": "key", "state": "state.value"}
    return attrgetter(*(fields.get(name, name) for name in columns))


_inserted_values: Final = _values_of(*_INSERTED)
_updated_values: Final = _values_of(*_MOVING, *_KEPT, "key")
_nonce_values: Final = _values_of("nonce_digest", "key")


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
        _INSERT.run(connection, list(map(_inserted_values, fresh)))
    if changed:
        _UPDATE.run(connection, list(map(_updated_values, changed)))
        if moved := [draft for draft in changed if draft.nonce_moved]:
            _MOVE_NONCE.run(connection, list(map(_nonce_values, moved)))


def _draft(row: Row) -> Draft:
    """Return an attempt as read."""
    key, state, *values = row
    return Draft(key, _STATES[state], *values, *_UNREAD)
