"""Where chassis records belong: their vendor, profile and images, and whether they are on record.

Everything is checked before anything is written, so that every fault can be told at once.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from bootz.errors import ConflictError, OperatorError, UnknownChassis
from bootz.model.chassis import fold_serial
from bootz.server.operations.chassis_record import (
    ChassisRecord,
    changed,
    normal_chassis,
    serials_of,
)
from bootz.server.operations.chassis_rows import Placed
from bootz.server.operations.image_uses import ImageKeys, image_keys, used_images
from bootz.server.operations.vendors import list_vendors
from bootz.server.store.rehearsal_tables import bring
from bootz.server.store.schema import PROFILE, SERIAL
from bootz.sql.batches import batches


@dataclass(slots=True)
class Placement:
    """The records that hold, normal and with the names on record; and the faults of the others.

    ``indexes`` has where each of ``placed`` stood in what was given, as has the first half of each
    fault. ``doubles`` says of a fault that the other one with its serial number was given too,
    ``takers`` which chassis on record has it (its key in the database).
    """

    images: ImageKeys
    placed: list[Placed] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)
    faults: list[tuple[int, OperatorError]] = field(default_factory=list)
    doubles: dict[int, int] = field(default_factory=dict)
    takers: dict[int, int] = field(default_factory=dict)


def place_chassis(
    connection: Connection,
    records: Sequence[ChassisRecord],
    *,
    own_keys: Sequence[int] = (),
) -> Placement:
    """Check records against themselves, each other and the database; writes nothing.

    Args:
        connection: to the inventory.
        records: as an operator gave them.
        own_keys: of the chassis that may have each one's serial numbers already, 0 for a new one.
    """
    vendors = {
        name.casefold(): vendor
        for vendor in list_vendors(connection)
        for name in (vendor.name, *vendor.aliases)
    }
    rows = connection.execute(select(PROFILE.c.id, PROFILE.c.name, PROFILE.c.name_folded))
    profiles = {row.name_folded: (row.id, row.name) for row in rows}
    placement = Placement(image_keys(connection))
    normal: list[tuple[int, Placed]] = []
    for index, record in enumerate(records):
        where = f"chassis {record.serial_number.strip()[:64]!r}"
        faults: list[OperatorError] = []
        vendor = vendors.get(record.vendor.strip().casefold())
        if vendor is None:
            faults.append(_unknown("vendor-not-found", "vendor", record.vendor, where))
        profile_key, profile = None, record.profile or None
        if profile is not None:
            found = profiles.get(profile.strip().casefold())
            if found is None:
                faults.append(_unknown("profile-not-found", "profile", profile, where))
            else:
                profile_key, profile = found
        try:
            checked = normal_chassis(record)
            used_images(checked.overrides, placement.images, where=where)
        except OperatorError as fault:
            faults.append(fault)
        else:
            if vendor is not None and not faults:
                named = changed(checked, vendor=vendor.name, profile=profile)
                normal.append((index, Placed(named, vendor.key, profile_key)))
        placement.faults += [(index, fault) for fault in faults]
    taken = taken_serials(
        connection, {serial for _, placed in normal for serial in serials_of(placed.record)}
    )
    mine: dict[tuple[str, int], int] = {}
    for index, placed in normal:
        serials = [(serial, placed.vendor_key) for serial in serials_of(placed.record)]
        own = own_keys[index] if own_keys else 0
        there = [serial for serial in serials if taken.get(serial, own) != own]
        given = [serial for serial in serials if serial in mine]
        if there or given:
            placement.faults.append((index, _taken_error(placed.record, there + given)))
            if given:
                placement.doubles[index] = mine[given[0]]
            else:
                placement.takers[index] = taken[there[0]]
            continue
        mine.update(dict.fromkeys(serials, index))
        placement.placed.append(placed)
        placement.indexes.append(index)
    placement.faults.sort(key=lambda fault: fault[0])
    return placement


def _unknown(reason: str, noun: str, name: str, where: str) -> UnknownChassis:
    return UnknownChassis(reason, f"there is no {noun} {name!r}", where=where, keys=((noun,),))


def _taken_error(record: ChassisRecord, doubled: Sequence[tuple[str, int]]) -> ConflictError:
    serials = [serial for serial, _ in doubled]
    own = [("serial_number",)] if fold_serial(record.serial_number) in serials else []
    cards = [
        ("cards", at, "serial_number")
        for at, card in enumerate(record.cards)
        if record.modular and fold_serial(card.serial_number) in serials
    ]
    return ConflictError(
        "serial-taken",
        f"{', '.join(serials)}: taken already, at {record.vendor}",
        where=f"chassis {record.serial_number!r}",
        keys=[*own, *cards],
    )


def taken_serials(connection: Connection, serials: Collection[str]) -> dict[tuple[str, int], int]:
    """Return which folded serial numbers are on record of which vendor, and of which chassis."""
    wanted = sorted(serials)
    taken: dict[tuple[str, int], int] = {}
    for batch in batches(wanted):
        bring(connection, batch)
        rows = connection.execute(select(SERIAL).where(SERIAL.c.serial_folded.in_(batch)))
        taken.update({(row.serial_folded, row.vendor_id): row.chassis_id for row in rows})
    return taken
