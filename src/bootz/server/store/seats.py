"""Which card took which slot, and when: the history of a modular chassis's slots (S10)."""

from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from bootz.model.chassis import fold_serial
from bootz.server.ports import CallRecord
from bootz.server.store.schema import SEAT
from bootz.server.store.words import bounded
from bootz.sql.times import to_text

MAX_SEATS: Final = 1_000
"""Rows of one chassis; the oldest go, so that a device cannot fill the disk with slots."""

_LATEST: Final = select(SEAT).where(
    SEAT.c.id.in_(
        select(func.max(SEAT.c.id))
        .where(SEAT.c.chassis_id == bindparam("key"))
        .group_by(SEAT.c.slot)
    )
)


def note_seats(connection: Connection, chassis_key: int, call: CallRecord) -> None:
    """Keep in which slots the answered cards of a call sit."""
    seen = to_text(call.at)
    latest = {row.slot: row for row in connection.execute(_LATEST, {"key": chassis_key})}
    moved = False
    for card in call.seated:
        slot, serial = bounded(card.slot), bounded(card.serial_number)
        present = latest.get(slot)
        if present is not None and fold_serial(present.serial) == fold_serial(serial):
            connection.execute(update(SEAT).where(SEAT.c.id == present.id).values(last_seen=seen))
            continue
        moved = True
        connection.execute(
            insert(SEAT).values(
                chassis_id=chassis_key,
                slot=slot,
                serial=serial,
                part_number=bounded(card.part_number),
                since=seen,
                last_seen=seen,
            )
        )
    if moved:
        own = SEAT.c.chassis_id == chassis_key
        newest = select(SEAT.c.id).where(own).order_by(SEAT.c.id.desc())
        last = connection.scalar(newest.offset(MAX_SEATS).limit(1))
        if last is not None:
            connection.execute(delete(SEAT).where(own, SEAT.c.id <= last))
