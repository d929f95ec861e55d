"""What is on record of every chassis that its state depends on: one query for all of them."""

from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from bootz.server.operations.chassis_state import AttemptFacts, ChassisFacts, ClaimFacts
from bootz.server.store.attempt_states import AttemptState
from bootz.server.store.schema import ATTEMPT, CHASSIS, SERIAL, VENDOR
from bootz.sql.times import from_optional_text, from_text

_newest = ATTEMPT.alias("newest")
_CLAIM = ATTEMPT.alias("claim")
_claimed = ATTEMPT.alias("claimed")

_LATEST: Final = (
    select(func.max(_newest.c.id)).where(_newest.c.chassis_id == CHASSIS.c.id).scalar_subquery()
)
# Strangers are few (the journal bounds them), so their rows are gone through once, not once for
# each chassis. Every row of a stranger has a key of its refusal, and only such rows have.
_LATEST_CLAIM: Final = (
    select(SERIAL.c.chassis_id, func.max(_claimed.c.id).label("attempt_id"))
    .select_from(_claimed.join(SERIAL, SERIAL.c.serial_folded == _claimed.c.serial_folded))
    .where(_claimed.c.refusal_key.is_not(None))
    .group_by(SERIAL.c.chassis_id)
    .cte("latest_claim")
)
_FACTS: Final = (
    select(
        CHASSIS.c.id,
        CHASSIS.c.serial,
        CHASSIS.c.hostname,
        CHASSIS.c.hold_since,
        CHASSIS.c.hold_note,
        VENDOR.c.name.label("vendor"),
        ATTEMPT.c.state,
        _CLAIM.c.updated_at.label("claim_at"),
        ATTEMPT.c.number,
        ATTEMPT.c.reason,
        ATTEMPT.c.detail,
        ATTEMPT.c.started_at,
        ATTEMPT.c.updated_at,
        ATTEMPT.c.downloads,
        ATTEMPT.c.image_position,
        ATTEMPT.c.image_size,
        _CLAIM.c.reason.label("claim_reason"),
        _CLAIM.c.detail.label("claim_detail"),
    )
    .select_from(
        CHASSIS.join(VENDOR)
        .outerjoin(ATTEMPT, ATTEMPT.c.id == _LATEST)
        .outerjoin(_LATEST_CLAIM, _LATEST_CLAIM.c.chassis_id == CHASSIS.c.id)
        .outerjoin(_CLAIM, _CLAIM.c.id == _LATEST_CLAIM.c.attempt_id)
    )
    .order_by(CHASSIS.c.id)
)


class KnownFacts(NamedTuple):
    """The facts of one chassis; ``key`` is the database's."""

    key: int
    vendor: str
    serial_number: str
    hostname: str
    facts: ChassisFacts


def read_facts(connection: Connection, *conditions: ColumnElement[bool]) -> list[KnownFacts]:
    """Return the facts of all chassis that meet the conditions on ``CHASSIS``, in order of key."""
    rows = connection.execute(_FACTS.where(*conditions)).all()
    return [_known(*row) for row in rows]


def _known(
    key: int,
    serial: str,
    hostname: str,
    hold_since: str | None,
    hold_note: str,
    vendor: str,
    state: str | None,
    claim_at: str | None,
    *rest: Any,
) -> KnownFacts:
    number, reason, detail, started_at, updated_at, downloads, position, size = rest[:8]
    attempt = claim = None
    if state is not None:
        attempt = AttemptFacts(
            number,
            AttemptState(state),
            reason,
            detail,
            from_text(started_at),
            from_text(updated_at),
            downloads,
            position,
            size,
        )
    elif claim_at is not None:
        claim = ClaimFacts(from_text(claim_at), *rest[8:])
    facts = ChassisFacts(from_optional_text(hold_since), hold_note, attempt, claim)
    return KnownFacts(key, vendor, serial, hostname, facts)
