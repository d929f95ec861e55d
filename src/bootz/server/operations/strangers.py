"""Callers that are not on record: claimed as a planned chassis, or ignored.

A stranger is claimed by what it has proven, never by what it says: the serial number in an IDevID
whose key it used, under a CA of the very vendor that the planned chassis is of.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from bootz.errors import ConfigError, ConflictError, PolicyError, UnknownChassis
from bootz.model.chassis import fold_serial
from bootz.model.checks import STRANGER, Outcome
from bootz.server.operations.audit import note
from bootz.server.operations.chassis import chassis_by_key, set_chassis_by_key
from bootz.server.operations.chassis_record import CardRecord, ChassisRecord
from bootz.server.store.attempts import AttemptFilter, AttemptRecord, attempt_by_id
from bootz.server.store.schema import IGNORED_STRANGER
from bootz.sql.times import to_text


@dataclass(frozen=True, slots=True)
class Claimed:
    """A planned chassis before and after a stranger was claimed as it."""

    before: ChassisRecord
    after: ChassisRecord
    serial_number: str
    """What the stranger has proven."""


def find_stranger(
    connection: Connection, attempt: int, labels: Mapping[str, str] | None = None
) -> AttemptRecord:
    """Return the attempt of a caller that is not on record; ``labels`` bound who may see it.

    Raises:
        UnknownChassis: ``attempt-not-found``.
    """
    found = attempt_by_id(connection, attempt, AttemptFilter(strangers=True, labels=labels or {}))
    if found is None:
        raise UnknownChassis(
            "attempt-not-found", f"no stranger made an attempt {attempt}", where="attempt"
        )
    return found


def proven_vendor(attempt: AttemptRecord) -> str:
    """Return whose CA vouched for a stranger, empty where none did."""
    for check in attempt.checks:
        if check.name == STRANGER and check.outcome is Outcome.PASSED and attempt.proven_serial:
            return check.seen
    return ""


def claim_stranger(
    connection: Connection, attempt: int, chassis_key: int, *, card: str = ""
) -> Claimed:
    """Put the serial number of a stranger in the place of a planned chassis's.

    Args:
        connection: to the inventory, in a writing transaction.
        attempt: the stranger's attempt.
        chassis_key: the planned chassis.
        card: of a modular chassis, the card on record that it replaces.

    Raises:
        ConfigError: ``stranger-card-needed``: a modular chassis, and no card is named.
        ConflictError: the number is on record already, or ``stranger-other-vendor``.
        PolicyError: ``stranger-unproven``: it has not proven who it is.
        UnknownChassis: no such attempt, chassis or card.
    """
    stranger = find_stranger(connection, attempt)
    vendor = proven_vendor(stranger)
    if not vendor:
        raise PolicyError(
            "stranger-unproven",
            "it has not proven its serial number",
            where="attempt",
            expected="an IDevID under a CA of a vendor on record",
            seen=stranger.reason,
        )
    before = chassis_by_key(connection, chassis_key)
    if before.vendor != vendor:
        raise ConflictError(
            "stranger-other-vendor",
            "the planned chassis is another vendor's",
            where="chassis",
            expected=before.vendor,
            seen=vendor,
        )
    wanted = _with_serial(before, stranger.proven_serial, card)
    after = set_chassis_by_key(connection, chassis_key, wanted)
    note(
        connection,
        "stranger.claim",
        after.name,
        before={"serial_number": card or before.serial_number},
        after={"serial_number": stranger.proven_serial, "attempt": attempt, "peer": stranger.peer},
    )
    return Claimed(before, after, stranger.proven_serial)


def ignore_stranger(
    connection: Connection, attempt: int, remark: str, *, now: datetime
) -> AttemptRecord:
    """Leave a stranger out of lists, by the serial number that it claims.

    Raises:
        UnknownChassis: no such attempt.
    """
    stranger = find_stranger(connection, attempt)
    folded = fold_serial(stranger.claimed_serial)
    connection.execute(delete(IGNORED_STRANGER).where(IGNORED_STRANGER.c.serial_folded == folded))
    connection.execute(
        insert(IGNORED_STRANGER).values(
            serial_folded=folded,
            serial=stranger.claimed_serial,
            note=remark,
            at=to_text(now),
        )
    )
    note(connection, "stranger.ignore", stranger.claimed_serial, after={"note": remark})
    return stranger


def heed_stranger(connection: Connection, attempt: int) -> AttemptRecord:
    """Show a stranger in lists again.

    Raises:
        UnknownChassis: no such attempt.
    """
    stranger = find_stranger(connection, attempt)
    folded = fold_serial(stranger.claimed_serial)
    connection.execute(delete(IGNORED_STRANGER).where(IGNORED_STRANGER.c.serial_folded == folded))
    note(connection, "stranger.heed", stranger.claimed_serial)
    return stranger


def ignored_strangers(connection: Connection) -> Mapping[str, str]:
    """Return the folded serial numbers that are left out of lists, each with why."""
    rows = connection.execute(select(IGNORED_STRANGER.c.serial_folded, IGNORED_STRANGER.c.note))
    return {row.serial_folded: row.note for row in rows}


def is_ignored(attempt: AttemptRecord, ignored: Collection[str]) -> bool:
    """Tell whether a stranger is left out of lists."""
    return fold_serial(attempt.claimed_serial) in ignored


def _with_serial(record: ChassisRecord, serial: str, card: str) -> ChassisRecord:
    """Return a chassis with another serial number; of a modular one, of one of its cards."""
    if not record.modular:
        (own,) = record.cards
        # TPM keys are those of the box that was planned.
        return replace(record, serial_number=serial, cards=(CardRecord(serial, slot=own.slot),))
    if not card:
        raise ConfigError(
            "stranger-card-needed",
            "a modular chassis keeps its own serial number: name the card that is replaced",
            where="card",
            expected=", ".join(each.serial_number for each in record.cards)[:500],
        )
    folded = fold_serial(card)
    if all(fold_serial(each.serial_number) != folded for each in record.cards):
        raise UnknownChassis("chassis-not-found", "is not a card of this chassis", where=card[:64])
    return replace(
        record,
        cards=tuple(
            CardRecord(serial, slot=each.slot, kind=each.kind)
            if fold_serial(each.serial_number) == folded
            else each
            for each in record.cards
        ),
    )
