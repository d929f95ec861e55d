"""The verbs on cards that a proven chassis lists and that are not on record, and on its slots."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Row, select, update
from sqlalchemy import delete as delete_from

from bootz.errors import ConflictError, UnknownChassis
from bootz.model.chassis import CardKind, fold_serial
from bootz.server.operations.audit import note
from bootz.server.operations.chassis import find_chassis, set_chassis
from bootz.server.operations.chassis_record import CardRecord, ChassisRecord, kind_by_slot
from bootz.server.operations.nearest import WAITING, meant_serial
from bootz.server.store.schema import CHASSIS, PENDING_REPLACEMENT, SEAT, VENDOR
from bootz.sql.times import from_text

PENDING: Final = "pending"
REJECTED: Final = "rejected"


@dataclass(frozen=True, slots=True)
class Replacement:
    """A card that is waiting for a decision, with what the device had proven when it listed it.

    ``proven_serial`` and ``evidence`` (the SHA-256 of its IDevID) are of the card that asked.
    ``replaces`` is the card on record in the same slot, empty if there is none.
    """

    vendor: str
    chassis: str
    serial_number: str
    slot: str
    part_number: str
    replaces: str
    proven_serial: str
    evidence: str
    peer: str
    first_seen: datetime
    last_seen: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Seat:
    """A card in a slot: ``since`` when it was first answered there, ``last_seen`` when last."""

    slot: str
    serial_number: str
    part_number: str
    since: datetime
    last_seen: datetime


_ROWS: Final = select(
    PENDING_REPLACEMENT,
    CHASSIS.c.serial.label("chassis_serial"),
    CHASSIS.c.hostname,
    VENDOR.c.name.label("vendor"),
).select_from(
    PENDING_REPLACEMENT.join(CHASSIS, CHASSIS.c.id == PENDING_REPLACEMENT.c.chassis_id).join(VENDOR)
)


def list_replacements(
    connection: Connection, *, with_rejected: bool = False
) -> tuple[Replacement, ...]:
    """Return the cards that wait, the oldest first; with those that were rejected if asked."""
    states = (PENDING, REJECTED) if with_rejected else (PENDING,)
    rows = connection.execute(
        _ROWS.where(PENDING_REPLACEMENT.c.state.in_(states)).order_by(PENDING_REPLACEMENT.c.id)
    ).all()
    return tuple(_replacement(connection, row) for row in rows)


def find_replacement(connection: Connection, serial: str, vendor: str | None = None) -> Replacement:
    """Return a card that waits, or was rejected.

    Raises:
        UnknownChassis: there is no such card.
        ConflictError: cards of several chassis are called so.
    """
    return _replacement(connection, _waiting(connection, serial, vendor))


def accept_replacement(
    connection: Connection,
    serial: str,
    vendor: str | None = None,
    *,
    kind: CardKind | None = None,
    beside: bool = False,
) -> ChassisRecord:
    """Put a waiting card on record, and return its chassis.

    The card on record in the same slot goes, unless ``beside``. ``kind`` None takes that of the
    card it replaces, else what the name of the slot says.

    Raises:
        UnknownChassis: no such card waits.
        ConflictError: cards of several chassis do, or the serial number is another chassis's.
        ConfigError: the card cannot stand on record.
    """
    row = _waiting(connection, serial, vendor)
    record = _chassis_of(connection, row)
    before = _in_slot(connection, record, row.slot)
    card = CardRecord(
        row.serial,
        row.part_number,
        row.slot,
        kind or (before.kind if before is not None else kind_by_slot(row.slot)),
    )
    kept = [each for each in record.cards if beside or each is not before]
    changed = set_chassis(
        connection,
        kept[0].serial_number if kept else record.serial_number,
        replace(record, cards=(*kept, card)),
        record.vendor,
    )
    _forget(connection, row)
    note(
        connection,
        "replacement.accept",
        changed.name,
        before={} if before is None else before.to_document(),
        after=card.to_document(),
    )
    return changed


def reject_replacement(
    connection: Connection, serial: str, vendor: str | None = None
) -> Replacement:
    """Refuse a waiting card for good; it can still be accepted later.

    Raises:
        UnknownChassis: no such card waits.
        ConflictError: cards of several chassis do.
    """
    row = _waiting(connection, serial, vendor)
    connection.execute(
        update(PENDING_REPLACEMENT).where(PENDING_REPLACEMENT.c.id == row.id).values(state=REJECTED)
    )
    rejected = replace(_replacement(connection, row), state=REJECTED)
    note(connection, "replacement.reject", row.serial, after={"slot": row.slot})
    return rejected


def list_seats(connection: Connection, chassis_key: int) -> tuple[Seat, ...]:
    """Return which cards sat in the slots of a chassis; by slot, the latest first."""
    rows = connection.execute(
        select(SEAT).where(SEAT.c.chassis_id == chassis_key).order_by(SEAT.c.slot, SEAT.c.id.desc())
    )
    return tuple(
        Seat(row.slot, row.serial, row.part_number, from_text(row.since), from_text(row.last_seen))
        for row in rows
    )


def _waiting(connection: Connection, serial: str, vendor: str | None) -> Row[tuple[object, ...]]:
    rows: Sequence[Row[tuple[object, ...]]] = connection.execute(
        _ROWS.where(PENDING_REPLACEMENT.c.serial_folded == fold_serial(serial))
    ).all()
    if vendor is not None:
        rows = [row for row in rows if row.vendor.casefold() == vendor.casefold()]
    if not rows:
        meant = meant_serial(connection, serial, WAITING)
        raise UnknownChassis(
            "replacement-not-found",
            f"no card {serial!r} is waiting for a decision{meant}",
            where="replacements",
        )
    if len(rows) > 1:
        raise ConflictError(
            "replacement-ambiguous",
            "several chassis list it: " + ", ".join(row.chassis_serial for row in rows),
            where=serial,
        )
    return rows[0]


def _chassis_of(connection: Connection, row: Row[tuple[object, ...]]) -> ChassisRecord:
    named: str = row.chassis_serial or row.proven_serial
    return find_chassis(connection, named, row.vendor)


def _in_slot(connection: Connection, record: ChassisRecord, slot: str) -> CardRecord | None:
    """Return the card on record in a slot: as written down, else as it was last seen there."""
    if not slot:
        return None
    for card in record.cards:
        if card.slot == slot:
            return card
    latest = next((seat for seat in list_seats(connection, record.key) if seat.slot == slot), None)
    folded = "" if latest is None else fold_serial(latest.serial_number)
    return next(
        (c for c in record.cards if not c.slot and fold_serial(c.serial_number) == folded), None
    )


def _forget(connection: Connection, row: Row[tuple[object, ...]]) -> None:
    connection.execute(delete_from(PENDING_REPLACEMENT).where(PENDING_REPLACEMENT.c.id == row.id))


def _replacement(connection: Connection, row: Row[tuple[object, ...]]) -> Replacement:
    before = _in_slot(connection, _chassis_of(connection, row), row.slot)
    return Replacement(
        vendor=row.vendor,
        chassis=row.chassis_serial or row.hostname,
        serial_number=row.serial,
        slot=row.slot,
        part_number=row.part_number,
        replaces="" if before is None else before.serial_number,
        proven_serial=row.proven_serial,
        evidence=row.evidence,
        peer=row.peer,
        first_seen=from_text(row.first_seen),
        last_seen=from_text(row.last_seen),
        state=row.state,
    )
