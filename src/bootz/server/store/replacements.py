"""Cards that a proven chassis lists and that are not on record: an operator decides on them."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from bootz.model.chassis import ClaimedCard, fold_serial
from bootz.server.ports import CallRecord
from bootz.server.store.schema import PENDING_REPLACEMENT
from bootz.server.store.words import bounded
from bootz.sql.times import to_text

MAX_PENDING: Final = 64
"""Rows of one chassis; a proven device cannot fill the disk with numbers it makes up."""

_KNOWN: Final = select(PENDING_REPLACEMENT.c.serial_folded).where(
    PENDING_REPLACEMENT.c.chassis_id == bindparam("key")
)
_SEEN_AGAIN: Final = (
    update(PENDING_REPLACEMENT)
    .where(
        PENDING_REPLACEMENT.c.chassis_id == bindparam("key"),
        PENDING_REPLACEMENT.c.serial_folded == bindparam("folded"),
    )
    .values(last_seen=bindparam("seen"), slot=bindparam("place"))
)


def note_foreign_cards(connection: Connection, chassis_key: int, call: CallRecord) -> None:
    """Keep the foreign cards of a call, and what the device had proven when it listed them."""
    seen = to_text(call.at)
    known = set(connection.scalars(_KNOWN, {"key": chassis_key}).all())
    cards = {fold_serial(card.serial_number): card for card in call.foreign_cards}
    again = [
        {
            "key": chassis_key,
            "folded": folded,
            "seen": seen,
            "place": bounded(cards[folded].slot),
        }
        for folded in cards.keys() & known
    ]
    if again:
        connection.execute(_SEEN_AGAIN, again)
    fresh: Sequence[tuple[str, ClaimedCard]] = [
        (bounded(folded), card) for folded, card in cards.items() if folded not in known
    ]
    rows = [
        {
            "chassis_id": chassis_key,
            "serial": bounded(card.serial_number),
            "serial_folded": folded,
            "slot": bounded(card.slot),
            "part_number": bounded(card.part_number),
            "proven_serial": bounded(call.proven_serial),
            "evidence": bounded(call.idevid_fingerprint),
            "peer": bounded(call.peer),
            "first_seen": seen,
            "last_seen": seen,
            "state": "pending",
        }
        for folded, card in fresh[: max(0, MAX_PENDING - len(known))]
    ]
    if rows:
        connection.execute(insert(PENDING_REPLACEMENT), rows)
