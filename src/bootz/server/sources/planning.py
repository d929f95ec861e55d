"""A sync's work on the inventory: compared, applied and noted in the caller's transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from pydantic import JsonValue
from sqlalchemy import Connection

from bootz.config.sources import SourceSettings
from bootz.errors import BootzError, ConfigError, ConflictError
from bootz.model.chassis import fold_serial
from bootz.server.importing.applied import Applied
from bootz.server.importing.applied import Terms as ImportTerms
from bootz.server.importing.apply_chassis import apply_chassis, on_record
from bootz.server.importing.differences import EntryChange
from bootz.server.importing.items import Item
from bootz.server.operations.chassis import chassis_by_keys
from bootz.server.operations.chassis_placement import taken_serials
from bootz.server.operations.chassis_state import STARTED, standing
from bootz.server.operations.holds import hold_chassis, release_chassis
from bootz.server.operations.profiles import list_profiles
from bootz.server.operations.step_limits import SiteLimits
from bootz.server.operations.texts import dump_json
from bootz.server.operations.vendors import list_vendors
from bootz.server.sources.comparing import (
    CLEAR,
    Compared,
    CompareTerms,
    Fate,
    compare,
    too_many,
)
from bootz.server.sources.mapping import DeviceFault, KnownNames, MappedDevice, map_devices
from bootz.server.sources.markers import (
    Marker,
    add_markers,
    fault_row,
    note_success,
    read_markers,
    remove_markers,
    set_markers,
)
from bootz.server.sources.pulled import Pulled, PulledDevice
from bootz.server.store.database import plain
from bootz.server.store.listing import listed_chassis

GONE_BEFORE_HOLD: Final = 2
"""Syncs in a row in which a device is not there before its chassis goes on hold."""


@dataclass(frozen=True, slots=True)
class SyncOrder:
    """What an operator asked of a sync."""

    update: bool = False
    adopt: bool = False
    accept_missing: bool = False
    dry_run: bool = False


@dataclass(slots=True)
class Synced:
    """What a sync did, or would do."""

    changes: list[EntryChange] = field(default_factory=list)
    faults: list[DeviceFault] = field(default_factory=list)
    warnings: list[DeviceFault] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """Warnings about values that several routers have."""
    held: list[str] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    wrote: bool = False
    """Whether anything in the database changed."""

    def count(self, word: str, number: int = 1) -> None:
        """Count something."""
        self.counts[word] = self.counts.get(word, 0) + number

    @property
    def real_faults(self) -> list[DeviceFault]:
        """The faults of devices that are not just waiting."""
        return [fault for fault in self.faults if not fault.waits]


def apply_pulled(
    connection: Connection,
    pulled: Pulled,
    absent: Mapping[str, PulledDevice | None],
    settings: SourceSettings,
    order: SyncOrder,
    *,
    limits: SiteLimits,
    now: datetime,
    reached: bool,
) -> Synced:
    """Bring the inventory to what was pulled.

    ``absent`` are the marked devices that are not selected, by id: what was found, None for
    nothing. ``reached`` is false for a copy that is applied again. The caller undoes everything if
    this raises, or for a dry run.

    Raises:
        ConfigError: ``source-refused``: a device has a fault, and ``on_fault`` is stop.
        ConflictError: ``source-shrunk``.
    """
    synced = Synced()
    markers = read_markers(connection)
    own = [marker for marker in markers if marker.source == settings.name]
    _check_shrunk(pulled, absent, own, settings, order)
    mapped = map_devices(pulled.devices, settings, _known(connection))
    synced.faults += mapped.faults
    synced.warnings += mapped.warnings
    compared = _compare(
        connection,
        mapped.chassis,
        markers,
        own,
        CompareTerms(order.update, order.adopt, _busy(connection, limits, now)),
    )
    synced.faults += [each.fault for each in compared if each.fault is not None]
    done = _apply(connection, compared, settings, synced, now)
    if synced.real_faults and settings.on_fault == "stop":
        synced.faults.sort(key=lambda fault: fault.name)
        raise RefusedSync(synced, settings.name)
    _mark(connection, done, settings.name, synced)
    _note_absent(connection, own, absent, settings, synced, now)
    _note_back(connection, done, pulled, own, synced)
    for each in compared:
        synced.count(each.fate.value)
    synced.count("waiting", sum(fault.waits for fault in synced.faults))
    synced.count("faulty", len(synced.real_faults))
    synced.faults.sort(key=lambda fault: fault.name)
    if note_success(connection, settings.name, fault_rows(synced), reached=reached):
        synced.wrote = True
    return synced


def fault_rows(synced: Synced) -> list[dict[str, JsonValue]]:
    """Return the faults and warnings of a sync as machines read them."""
    return [fault_row(fault) for fault in (*synced.faults, *synced.warnings)]


class RefusedSync(ConfigError):
    """Devices have faults: nothing was changed. ``synced`` has all of them."""

    def __init__(self, synced: Synced, name: str) -> None:
        faults = synced.real_faults
        told = "; ".join(f"{each.name}: {each.error.reason}" for each in faults[:5])
        more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
        super().__init__("source-refused", f"{told}{more}; nothing was changed", where=name)
        self.synced = synced

    @property
    def rows(self) -> list[dict[str, JsonValue]]:
        """The faults as machines read them."""
        return fault_rows(self.synced)


def _check_shrunk(
    pulled: Pulled,
    absent: Mapping[str, PulledDevice | None],
    own: Sequence[Marker],
    settings: SourceSettings,
    order: SyncOrder,
) -> None:
    if order.accept_missing:
        return
    gone = [each for each in own if not each.held and absent.get(each.device, _PRESENT) is None]
    most = settings.max_missing
    if not pulled.devices or too_many(len(gone), len(own), most.percent, most.at_least):
        raise ConflictError(
            "source-shrunk",
            "the answer is empty" if not pulled.devices else "too many devices disappeared",
            where=settings.name,
            expected=f"at most {most.percent:g} %, or {most.at_least}",
            seen=f"{len(gone)} of {len(own)}; {len(pulled.devices)} selected",
        )


_PRESENT: Final = object()


def _known(connection: Connection) -> KnownNames:
    vendors = {
        name.strip().casefold(): vendor.name
        for vendor in list_vendors(connection)
        for name in (vendor.name, *vendor.aliases)
    }
    profiles = {each.name.casefold(): each for each in list_profiles(connection)}
    images = {
        folded: getattr(each.document.image, "version", "") for folded, each in profiles.items()
    }
    return KnownNames(vendors, {folded: each.name for folded, each in profiles.items()}, images)


def _busy(connection: Connection, limits: SiteLimits, now: datetime) -> frozenset[int]:
    return frozenset(
        each.key
        for each in listed_chassis(plain(connection))
        if standing(each.facts, limits.of(each.vendor), now).state in STARTED
    )


def _compare(
    connection: Connection,
    devices: Sequence[MappedDevice],
    markers: Sequence[Marker],
    own: Sequence[Marker],
    terms: CompareTerms,
) -> list[Compared]:
    by_device = {marker.device: marker for marker in own}
    by_chassis = {marker.chassis: marker for marker in markers}
    compared: list[Compared] = []
    # In pieces, so that not all records are in memory at once.
    for at in range(0, len(devices), _PIECE):
        piece = devices[at : at + _PIECE]
        found = on_record(connection, [Item("chassis", "", each.document) for each in piece])
        records = {record.key: record for record in found if record is not None}
        marked = [by_device.get(each.device.id) for each in piece]
        wanted = {marker.chassis for marker in marked if marker is not None} - set(records)
        records |= chassis_by_keys(connection, sorted(wanted))
        for each, marker, record in zip(piece, marked, found, strict=True):
            own_record = None if marker is None else records.get(marker.chassis)
            owner = None if record is None else by_chassis.get(record.key)
            compared.append(compare(each, marker, own_record, record, owner, terms))
    return compared


_PIECE: Final = 500
_WRITTEN: Final = frozenset({Fate.ADD, Fate.CHANGE, Fate.REPLACE})


def _apply(
    connection: Connection,
    compared: Sequence[Compared],
    settings: SourceSettings,
    synced: Synced,
    now: datetime,
) -> list[Compared]:
    """Write what is to be written, and return what holds; faults are added to ``synced``."""
    held = settings.on_fault == "hold"
    left = list(compared)
    while True:
        writing = [each for each in left if each.fate in _WRITTEN]
        if not writing or (synced.real_faults and not held):
            return left
        replaced = [each.before.key for each in left if each.fate is Fate.REPLACE and each.before]
        applied = _try(connection, writing, settings.name, now)
        if not applied.faults:
            synced.changes += applied.changes
            synced.notes += applied.warnings
            synced.wrote = True
            if replaced:
                remove_markers(connection, replaced)
                why = f"replaced in {settings.name}"
                synced.held += hold_chassis(connection, replaced, why, now=now)
            return left
        faulty = _faults_of(applied, writing)
        synced.faults += faulty
        names = {fault.id for fault in faulty}
        left = [each for each in left if each.mapped.device.id not in names]


def _try(connection: Connection, writing: Sequence[Compared], name: str, now: datetime) -> Applied:
    """Write what holds; with any fault, nothing stays written."""
    applied = Applied()
    items = [Item("chassis", _place(name, each), each.document) for each in writing]
    terms = ImportTerms(now, b"", lambda _: True, update=True, clear=CLEAR)
    savepoint = connection.begin_nested()
    apply_chassis(connection, items, terms, applied)
    if applied.faults:
        savepoint.rollback()
    else:
        savepoint.commit()
    return applied


def _place(name: str, each: Compared) -> str:
    return f"{name}:{each.mapped.device.label} ({each.mapped.device.id})"


def _faults_of(applied: Applied, writing: Sequence[Compared]) -> list[DeviceFault]:
    """Return the faults of devices; several of one are told as one."""
    errors: dict[str, BootzError] = {}
    for fault in applied.faults:
        errors.setdefault(fault.place.partition(":")[2], fault.error)
    return [
        DeviceFault(each.mapped.device.id, each.mapped.device.label, each.mapped.device.url, error)
        for each in writing
        if (error := errors.get(_place("", each)[1:])) is not None
    ]


def _mark(connection: Connection, done: Iterable[Compared], name: str, synced: Synced) -> None:
    fresh: list[Marker] = []
    changed: list[Marker] = []
    added = [each for each in done if each.fate in {Fate.ADD, Fate.REPLACE}]
    keys = _keys_of(connection, added)
    for each in done:
        device, document = each.mapped.device, each.mapped.document
        status = device.status.slug or device.status.name
        if each.fate in {Fate.ADD, Fate.REPLACE}:
            key = keys[device.id]
            text = dump_json(document)
            fresh.append(Marker(key, name, device.id, device.url, status, text))
        elif each.fate is Fate.ADOPT and each.before is not None:
            text = dump_json(document)
            fresh.append(Marker(each.before.key, name, device.id, device.url, status, text))
        elif each.fate in {Fate.CHANGE, Fate.SAME} and each.marker is not None:
            text = each.marker.text if each.marker.said == document else dump_json(document)
            marker = replace(
                each.marker, url=device.url, status=status, text=text, gone=0, left=False
            )
            if marker != each.marker:
                changed.append(marker)
    add_markers(connection, fresh)
    set_markers(connection, changed)
    synced.wrote = synced.wrote or bool(fresh or changed)


def _keys_of(connection: Connection, added: Sequence[Compared]) -> dict[str, int]:
    vendors = {vendor.name.casefold(): vendor.key for vendor in list_vendors(connection)}
    serials = {each.mapped.device.id: _own(each) for each in added}
    taken = taken_serials(connection, set(serials.values()))
    return {
        each.mapped.device.id: taken[
            serials[each.mapped.device.id],
            vendors[str(each.mapped.document["vendor"]).casefold()],
        ]
        for each in added
    }


def _own(each: Compared) -> str:
    return fold_serial(str(each.mapped.document["serial_number"]))


def _note_absent(
    connection: Connection,
    own: Sequence[Marker],
    absent: Mapping[str, PulledDevice | None],
    settings: SourceSettings,
    synced: Synced,
    now: datetime,
) -> None:
    """Note what became of chassis that are not selected; those that are gone go on hold."""
    changed: list[Marker] = []
    hold: list[int] = []
    for marker in own:
        if marker.device not in absent:
            continue
        device = absent[marker.device]
        if device is not None:
            synced.count("left")
            changed.append(
                replace(
                    marker,
                    status=device.status.slug or device.status.name,
                    gone=0,
                    left=True,
                )
            )
            continue
        synced.count("gone")
        if marker.gone >= GONE_BEFORE_HOLD:
            continue
        now_gone = marker.gone + 1
        held = now_gone >= GONE_BEFORE_HOLD
        if held:
            hold.append(marker.chassis)
        changed.append(replace(marker, gone=now_gone, held=held or marker.held))
    if hold:
        why = f"no longer in {settings.name}"
        synced.held += hold_chassis(connection, hold, why, now=now)
    set_markers(connection, changed)
    synced.wrote = synced.wrote or bool(changed)


def _note_back(
    connection: Connection,
    done: Collection[Compared],
    pulled: Pulled,
    own: Sequence[Marker],
    synced: Synced,
) -> None:
    """Release the chassis that a sync put on hold and whose device is selected again."""
    selected = {device.id for device in pulled.devices}
    back = [marker for marker in own if marker.held and marker.device in selected]
    if not back:
        return
    replaced = {
        each.before.key for each in done if each.fate is Fate.REPLACE and each.before is not None
    }
    back = [marker for marker in back if marker.chassis not in replaced]
    synced.released += release_chassis(connection, [marker.chassis for marker in back])
    current = {marker.chassis: marker for marker in read_markers(connection)}
    set_markers(
        connection, [replace(current[marker.chassis], held=False, gone=0) for marker in back]
    )
    synced.wrote = True
