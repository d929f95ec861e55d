"""The verbs on chassis: add, set, remove, find, list; checks name every conflict before a write."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy import delete as delete_from

from bootz.errors import ConflictError, OperatorError, UnknownChassis
from bootz.model.chassis import fold_serial
from bootz.server.operations.chassis_record import (
    CardRecord,
    ChassisRecord,
    normal_chassis,
    serials_of,
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
    image_keys,
    keep_chassis_uses,
    used_images,
)
from bootz.server.operations.profiles import find_profile
from bootz.server.operations.vendors import find_vendor, list_vendors
from bootz.server.store.revision import raise_revision, take_keys
from bootz.server.store.schema import CHASSIS, PROFILE, SERIAL

__all__ = [
    "CardRecord",
    "ChassisRecord",
    "add_all_chassis",
    "add_chassis",
    "chassis_by_key",
    "check_chassis",
    "find_chassis",
    "list_chassis",
    "normal_chassis",
    "remove_chassis",
    "set_chassis",
]

_BATCH: Final = 500


def check_chassis(
    connection: Connection, records: Sequence[ChassisRecord]
) -> list[tuple[int, OperatorError]]:
    """Return everything that keeps records from being added, with each one's index."""
    return _place(connection, records).faults


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
    placement = _place(connection, records)
    if placement.faults:
        raise placement.faults[0][1]
    first = take_keys(connection, "chassis", len(records))
    revision = raise_revision(connection, shared=False)
    placed = [
        Placed(
            with_identity(each.record, key=key, url_tag=new_url_tag(), revision=revision),
            each.vendor_key,
            each.profile_key,
        )
        for key, each in enumerate(placement.placed, first)
    ]
    insert_chassis(connection, placed)
    add_chassis_uses(
        connection,
        [
            (each.record.key, image)
            for each in placed
            for image in used_images(each.record.overrides, placement.images, where="")
        ],
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
    before = find_chassis(connection, serial, vendor)
    placement = _place(connection, [record], own_key=before.key)
    if placement.faults:
        raise placement.faults[0][1]
    (fresh,) = placement.placed
    after = with_identity(
        fresh.record,
        key=before.key,
        url_tag=before.url_tag,
        revision=raise_revision(connection, shared=False),
    )
    update_chassis(connection, Placed(after, fresh.vendor_key, fresh.profile_key))
    images = used_images(after.overrides, placement.images, where=serial)
    keep_chassis_uses(connection, after.key, images)
    return after


def remove_chassis(connection: Connection, serial: str, vendor: str | None = None) -> ChassisRecord:
    """Take a chassis off the record, and return it; its attempts stay in the journal.

    Raises:
        ConflictError: several vendors have a chassis of this serial number.
        UnknownChassis: no such chassis.
    """
    record = find_chassis(connection, serial, vendor)
    connection.execute(delete_from(CHASSIS).where(CHASSIS.c.id == record.key))
    raise_revision(connection, shared=False)
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
        raise UnknownChassis(
            "chassis-not-found", f"no chassis has the serial number {serial!r}", where="chassis"
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


def list_chassis(
    connection: Connection, vendor: str | None = None, profile: str | None = None
) -> Iterator[ChassisRecord]:
    """Return all chassis, or those of a vendor or with a profile, in the order of addition.

    Raises:
        UnknownChassis: no such vendor or profile.
    """
    conditions = []
    if vendor is not None:
        conditions.append(CHASSIS.c.vendor_id == find_vendor(connection, vendor).key)
    if profile is not None:
        conditions.append(CHASSIS.c.profile_id == find_profile(connection, profile).key)
    return read_chassis(connection, *conditions)


@dataclass(slots=True)
class _Placement:
    images: ImageKeys
    placed: list[Placed] = field(default_factory=list)
    faults: list[tuple[int, OperatorError]] = field(default_factory=list)


def _place(
    connection: Connection, records: Sequence[ChassisRecord], *, own_key: int = 0
) -> _Placement:
    """Check records against themselves, each other and the database; writes nothing."""
    vendors = {
        name.casefold(): vendor
        for vendor in list_vendors(connection)
        for name in (vendor.name, *vendor.aliases)
    }
    rows = connection.execute(select(PROFILE.c.id, PROFILE.c.name, PROFILE.c.name_folded))
    profiles = {row.name_folded: (row.id, row.name) for row in rows}
    placement = _Placement(image_keys(connection))
    normal: list[tuple[int, Placed]] = []
    for index, record in enumerate(records):
        where = f"chassis {record.serial_number.strip()[:64]!r}"
        try:
            checked = normal_chassis(record)
            vendor = vendors.get(checked.vendor.strip().casefold())
            if vendor is None:
                raise UnknownChassis(
                    "vendor-not-found", f"no vendor {checked.vendor!r} is on record", where=where
                )
            profile_key, profile = None, None
            if checked.profile is not None:
                found = profiles.get(checked.profile.strip().casefold())
                if found is None:
                    raise UnknownChassis(
                        "profile-not-found",
                        f"no profile {checked.profile!r} is on record",
                        where=where,
                    )
                profile_key, profile = found
            used_images(checked.overrides, placement.images, where=where)
        except OperatorError as fault:
            placement.faults.append((index, fault))
            continue
        named = replace(checked, vendor=vendor.name, profile=profile)
        normal.append((index, Placed(named, vendor.key, profile_key)))
    taken = _taken(connection, [placed for _, placed in normal])
    mine: dict[tuple[str, int], int] = {}
    for index, placed in normal:
        serials = [(serial, placed.vendor_key) for serial in serials_of(placed.record)]
        doubled = [
            serial
            for serial in serials
            if taken.get(serial, own_key) != own_key or mine.get(serial, index) != index
        ]
        if doubled:
            placement.faults.append((index, _taken_error(placed.record, doubled)))
            continue
        mine.update(dict.fromkeys(serials, index))
        placement.placed.append(placed)
    placement.faults.sort(key=lambda fault: fault[0])
    return placement


def _taken_error(record: ChassisRecord, doubled: Sequence[tuple[str, int]]) -> ConflictError:
    return ConflictError(
        "serial-taken",
        f"{', '.join(serial for serial, _ in doubled)}: taken already, at {record.vendor}",
        where=f"chassis {record.serial_number!r}",
    )


def _taken(connection: Connection, placed: Sequence[Placed]) -> dict[tuple[str, int], int]:
    """Return which of the serial numbers are on record, and of which chassis."""
    wanted = sorted({serial for each in placed for serial in serials_of(each.record)})
    taken: dict[tuple[str, int], int] = {}
    for at in range(0, len(wanted), _BATCH):
        rows = connection.execute(
            select(SERIAL).where(SERIAL.c.serial_folded.in_(wanted[at : at + _BATCH]))
        )
        taken.update({(row.serial_folded, row.vendor_id): row.chassis_id for row in rows})
    return taken
