"""The verbs on chassis: add, set, remove, find, list; checks name every conflict before a write."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, select
from sqlalchemy import delete as delete_from

from bootz.errors import ConflictError, UnknownChassis
from bootz.model.chassis import fold_serial
from bootz.server.operations.audit import Note, note, note_all
from bootz.server.operations.chassis_placement import place_chassis
from bootz.server.operations.chassis_record import (
    CardRecord,
    ChassisRecord,
    normal_chassis,
)
from bootz.server.operations.chassis_rows import (
    Placed,
    insert_chassis,
    new_url_tag,
    read_chassis,
    update_chassis,
    with_identity,
)
from bootz.server.operations.image_uses import (
    ImageKeys,
    add_chassis_uses,
    keep_chassis_uses,
    used_images,
)
from bootz.server.operations.nearest import meant_serial
from bootz.server.operations.vendors import find_vendor
from bootz.server.store.revision import raise_revision, take_keys
from bootz.server.store.schema import CHASSIS, SERIAL
from bootz.sql.batches import batches

__all__ = [
    "CardRecord",
    "ChassisRecord",
    "add_all_chassis",
    "add_chassis",
    "chassis_by_key",
    "chassis_by_keys",
    "find_chassis",
    "list_chassis",
    "normal_chassis",
    "remove_chassis",
    "set_chassis",
]

_FORGET: Final = delete_from(CHASSIS).where(CHASSIS.c.id == bindparam("key"))


def add_chassis(connection: Connection, record: ChassisRecord) -> ChassisRecord:
    """Put a chassis on record, and return it with its key and URL tag.

    Raises:
        ConfigError: something does not fit.
        ConflictError: a serial number is taken.
        UnknownChassis: no such vendor, profile or image.
    """
    return add_all_chassis(connection, [record])[0]


def add_all_chassis(
    connection: Connection, records: Sequence[ChassisRecord]
) -> tuple[ChassisRecord, ...]:
    """Put many chassis on record; the first fault is raised before anything is written.

    Raises:
        ConfigError: something does not fit.
        ConflictError: a serial number is taken.
        UnknownChassis: no such vendor, profile or image.
    """
    if not records:
        return ()
    placement = place_chassis(connection, records)
    if placement.faults:
        raise placement.faults[0][1]
    return insert_placed(connection, placement.placed, placement.images)


def insert_placed(
    connection: Connection, fresh: Sequence[Placed], images: ImageKeys
) -> tuple[ChassisRecord, ...]:
    """Put chassis on record that were checked in this transaction."""
    if not fresh:
        return ()
    first = take_keys(connection, "chassis", len(fresh))
    revision = raise_revision(connection, shared=False)
    placed = [
        Placed(
            with_identity(each.record, key=key, url_tag=new_url_tag(), revision=revision),
            each.vendor_key,
            each.profile_key,
        )
        for key, each in enumerate(fresh, first)
    ]
    insert_chassis(connection, placed)
    add_chassis_uses(
        connection,
        [
            (each.record.key, image)
            for each in placed
            for image in used_images(each.record.overrides, images, where="")
        ],
    )
    note_all(
        connection,
        [Note("chassis.add", each.record.name, after=each.record.to_document()) for each in placed],
    )
    return tuple(each.record for each in placed)


def set_chassis(
    connection: Connection, serial: str, record: ChassisRecord, vendor: str | None = None
) -> ChassisRecord:
    """Replace what is on record of a chassis; its key and URL tag stay.

    Raises:
        ConfigError: something does not fit.
        ConflictError: a serial number is another chassis's.
        UnknownChassis: no such chassis, vendor, profile or image.
    """
    return set_all_chassis(connection, [(find_chassis(connection, serial, vendor), record)])[0]


def set_all_chassis(
    connection: Connection, changes: Sequence[tuple[ChassisRecord, ChassisRecord]]
) -> tuple[ChassisRecord, ...]:
    """Replace what is on record of many chassis; the first fault is raised before any write.

    ``changes`` are what is on record, and what takes its place.

    Raises:
        ConfigError: something does not fit.
        ConflictError: a serial number is another chassis's.
        UnknownChassis: no such vendor, profile or image.
    """
    placement = place_chassis(
        connection,
        [after for _, after in changes],
        own_keys=[before.key for before, _ in changes],
    )
    if placement.faults:
        raise placement.faults[0][1]
    before = [old for old, _ in changes]
    return update_placed(
        connection, list(zip(before, placement.placed, strict=True)), placement.images
    )


def set_chassis_by_key(connection: Connection, key: int, record: ChassisRecord) -> ChassisRecord:
    """Replace what is on record of a chassis, as ``set_chassis`` does, found by the database's key.

    Raises:
        BootzError: as ``set_chassis``.
    """
    return set_all_chassis(connection, [(chassis_by_key(connection, key), record)])[0]


def update_placed(
    connection: Connection,
    changes: Sequence[tuple[ChassisRecord, Placed]],
    images: ImageKeys,
) -> tuple[ChassisRecord, ...]:
    """Replace what is on record of chassis by what was checked in this transaction.

    ``changes`` are what is on record, and what takes its place.
    """
    if not changes:
        return ()
    revision = raise_revision(connection, shared=False)
    placed = [
        Placed(
            with_identity(fresh.record, key=before.key, url_tag=before.url_tag, revision=revision),
            fresh.vendor_key,
            fresh.profile_key,
        )
        for before, fresh in changes
    ]
    update_chassis(connection, placed)
    keep_chassis_uses(
        connection,
        {
            each.record.key: used_images(
                each.record.overrides, images, where=each.record.serial_number
            )
            for each in placed
        },
    )
    notes: list[Note] = []
    for (before, _), each in zip(changes, placed, strict=True):
        if (old := before.to_document()) != (new := each.record.to_document()):
            notes.append(Note("chassis.set", before.name, before=old, after=new))
    note_all(connection, notes)
    return tuple(each.record for each in placed)


def remove_chassis(connection: Connection, serial: str, vendor: str | None = None) -> ChassisRecord:
    """Take a chassis off the record, and return it; its attempts stay in the journal.

    Raises:
        ConflictError: several vendors have a chassis of this serial number.
        UnknownChassis: no such chassis.
    """
    return _remove(connection, find_chassis(connection, serial, vendor))


def remove_chassis_by_key(connection: Connection, key: int) -> ChassisRecord:
    """Take a chassis off the record, found by the database's key, and return it.

    Raises:
        UnknownChassis: it is not there any more.
    """
    return _remove(connection, chassis_by_key(connection, key))


def remove_all_chassis(connection: Connection, keys: Collection[int]) -> tuple[ChassisRecord, ...]:
    """Take chassis off the record, found by the database's keys, and return what was there."""
    records = chassis_by_keys(connection, sorted(set(keys)))
    if not records:
        return ()
    connection.execute(_FORGET, [{"key": key} for key in records])
    raise_revision(connection, shared=False)
    note_all(
        connection,
        [Note("chassis.remove", each.name, before=each.to_document()) for each in records.values()],
    )
    return tuple(records.values())


def _remove(connection: Connection, record: ChassisRecord) -> ChassisRecord:
    connection.execute(delete_from(CHASSIS).where(CHASSIS.c.id == record.key))
    raise_revision(connection, shared=False)
    note(connection, "chassis.remove", record.name, before=record.to_document())
    return record


def find_chassis(connection: Connection, serial: str, vendor: str | None = None) -> ChassisRecord:
    """Return the chassis that has this serial number, as its own or of a card.

    Raises:
        ConflictError: several vendors have one, and ``vendor`` is None.
        UnknownChassis: no such chassis, or vendor.
    """
    keys = select(SERIAL.c.chassis_id).where(SERIAL.c.serial_folded == fold_serial(serial))
    if vendor is not None:
        keys = keys.where(SERIAL.c.vendor_id == find_vendor(connection, vendor).key)
    found = tuple(read_chassis(connection, CHASSIS.c.id.in_(keys)))
    if not found:
        meant = meant_serial(connection, serial)
        raise UnknownChassis(
            "chassis-not-found",
            f"no chassis has the serial number {serial!r}{meant}",
            where="chassis",
        )
    if len(found) > 1:
        raise ConflictError(
            "chassis-name-ambiguous",
            "chassis of " + ", ".join(sorted(record.vendor for record in found)) + " have it",
            where=serial,
        )
    return found[0]


def chassis_by_key(connection: Connection, key: int) -> ChassisRecord:
    """Return a chassis by the database's key.

    Raises:
        UnknownChassis: it is not there any more.
    """
    for record in read_chassis(connection, CHASSIS.c.id == key):
        return record
    raise UnknownChassis("chassis-not-found", "the chassis was removed", where="chassis")


def chassis_by_keys(connection: Connection, keys: Sequence[int]) -> dict[int, ChassisRecord]:
    """Return the chassis that have these keys in the database."""
    found: dict[int, ChassisRecord] = {}
    for batch in batches(keys):
        chunk = CHASSIS.c.id.in_(batch)
        found.update({record.key: record for record in read_chassis(connection, chunk)})
    return found


def list_chassis(connection: Connection) -> Iterator[ChassisRecord]:
    """Return all chassis, in the order of addition."""
    return read_chassis(connection)
