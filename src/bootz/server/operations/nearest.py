"""Serial numbers on record that may have been meant by one that is not."""

from typing import Any

from sqlalchemy import Connection, Select, func, select

from bootz.model.chassis import fold_serial
from bootz.model.nearest import did_you_mean
from bootz.server.store.schema import ATTEMPT, CARD, CHASSIS, PENDING_REPLACEMENT, VOUCHER

ON_RECORD = (select(CHASSIS.c.serial), select(CARD.c.serial))
"""Serial numbers of chassis and of their cards."""
WITH_VOUCHER = (select(VOUCHER.c.serial), *ON_RECORD)
WITH_ATTEMPT = (select(ATTEMPT.c.claimed_serial), *ON_RECORD)
WAITING = (select(PENDING_REPLACEMENT.c.serial),)


def meant_serial(
    connection: Connection, serial: str, among: tuple[Select[Any], ...] = ON_RECORD
) -> str:
    """Return words that go behind an error about a serial number; empty if none is near."""
    length = len(fold_serial(serial))
    known: set[str] = set()
    for statement in among:
        (column,) = statement.selected_columns
        near = func.length(column).between(length - 1, length + 1)
        known.update(connection.scalars(statement.where(near).distinct()))
    return did_you_mean(serial, known)
