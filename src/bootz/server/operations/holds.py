"""Chassis on hold: refused until they are released, whatever they prove."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from bootz.server.operations.audit import Note, note_all
from bootz.server.operations.texts import MAX_TEXT, checked_text
from bootz.server.store.revision import raise_revision
from bootz.server.store.schema import CHASSIS
from bootz.sql.batches import batches
from bootz.sql.times import to_text


def hold_chassis(
    connection: Connection, keys: Sequence[int], why: str, *, now: datetime
) -> tuple[str, ...]:
    """Put chassis on hold, and return the serial numbers of those that were not yet.

    ``keys`` are the database's. A chassis that is on hold already keeps its time and note.

    Raises:
        ConfigError: ``chassis-invalid``: the note is too long.
    """
    words = checked_text(why, "note", reason="chassis-invalid", where="hold", most=MAX_TEXT)
    return _change(connection, keys, held=False, since=to_text(now), words=words)


def release_chassis(connection: Connection, keys: Sequence[int]) -> tuple[str, ...]:
    """Release chassis, and return the serial numbers of those that were on hold."""
    return _change(connection, keys, held=True, since=None, words="")


def _change(
    connection: Connection, keys: Sequence[int], *, held: bool, since: str | None, words: str
) -> tuple[str, ...]:
    changed: dict[int, str] = {}
    state = CHASSIS.c.hold_since.is_not(None) if held else CHASSIS.c.hold_since.is_(None)
    for batch in batches(keys):
        chunk = CHASSIS.c.id.in_(batch)
        rows = connection.execute(
            select(CHASSIS.c.id, CHASSIS.c.serial, CHASSIS.c.hostname).where(chunk, state)
        )
        changed.update({row.id: row.serial or row.hostname for row in rows})
    if not changed:
        return ()
    revision = raise_revision(connection, shared=False)
    wanted = sorted(changed)
    for batch in batches(wanted):
        connection.execute(
            update(CHASSIS)
            .where(CHASSIS.c.id.in_(batch))
            .values(hold_since=since, hold_note=words, revision=revision)
        )
    verb = "chassis.release" if held else "chassis.hold"
    note_all(connection, [Note(verb, changed[key], after={"note": words}) for key in wanted])
    return tuple(changed[key] for key in wanted)
