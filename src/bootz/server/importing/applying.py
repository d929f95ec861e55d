"""Applying a file to the inventory: everything is checked, and every fault told, in one pass.

The caller's transaction is committed only if there is no fault and it is not a dry run.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic import BaseModel
from sqlalchemy import Connection

from bootz.errors import BootzError, ConfigError, ConflictError, UnknownChassis
from bootz.server.importing.differences import Action, Change, Document, differences
from bootz.server.importing.items import Fault, Item
from bootz.server.operations.chassis import (
    ChassisRecord,
    chassis_by_keys,
    insert_placed,
    update_placed,
)
from bootz.server.operations.chassis_placement import place_chassis
from bootz.server.operations.chassis_rows import Placed
from bootz.server.operations.images import ImageRecord, add_image, list_images
from bootz.server.operations.profiles import (
    ProfileRecord,
    add_profile,
    list_profiles,
    set_profile,
)
from bootz.server.operations.texts import STRICT, parse_model
from bootz.server.operations.vendors import VendorRecord, add_vendor, list_vendors, set_vendor
from bootz.server.operations.vouchers import StoreOutcome, store_voucher, stored_digests

MAX_FAULTS: Final = 1000
"""Faults that are told; a file with more is wrong as a whole."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an import goes by.

    ``update`` takes over what differs from the record, ``always`` in these sections whatever
    ``update`` says. ``has_image`` tells whether the image
    store holds a file of this SHA-256. ``pinned_domain_cert`` is DER.
    """

    now: datetime
    pinned_domain_cert: bytes = field(repr=False)
    has_image: Callable[[str], bool]
    update: bool = False
    always: frozenset[str] = frozenset()


@dataclass(slots=True)
class Applied:
    """What an import did, or would do; with faults it must be undone."""

    changes: list[Change] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lacking: set[tuple[str, str]] = field(default_factory=set)
    """Section and name, without case, of entries with a fault: others may depend on them."""
    warnings: list[str] = field(default_factory=list)

    def count(self, action: Action) -> int:
        """Return how many entries have this fate."""
        return sum(change.action is action for change in self.changes)


class _VoucherDocument(BaseModel):
    model_config = STRICT

    vendor: str | None = None
    serial_number: str = ""
    voucher: str


def apply_items(connection: Connection, items: Iterable[Item], terms: Terms) -> Applied:
    """Apply the entries of files, section by section, as far as they hold."""
    applied = Applied()
    sections: dict[str, list[Item]] = {}
    for item in items:
        sections.setdefault(item.section, []).append(item)
    _vendors(connection, sections.get("vendors", ()), terms, applied)
    _images(connection, sections.get("images", ()), terms, applied)
    _profiles(connection, sections.get("profiles", ()), terms, applied)
    _chassis(connection, sections.get("chassis", ()), terms, applied)
    _vouchers(connection, sections.get("vouchers", ()), terms, applied)
    applied.faults.sort(key=lambda fault: _line_order(fault.place))
    return applied


def _vendors(connection: Connection, items: Sequence[Item], terms: Terms, applied: Applied) -> None:
    known = {
        name.casefold(): record
        for record in list_vendors(connection)
        for name in (record.name, *record.aliases)
    }
    seen: set[int] = set()

    def put(item: Item) -> Change:
        record = VendorRecord.from_document(item.document, where=_name(item))
        before = known.get(record.name.strip().casefold())
        if before is None:
            after = add_vendor(connection, record)
            known.update({name.casefold(): after for name in (after.name, *after.aliases)})
            seen.add(after.key)
            return Change("vendors", after.name, Action.ADD)
        _once(seen, before.key, before.name)
        if before.to_document() == record.to_document():
            return Change("vendors", before.name, Action.SAME)
        change = _updated("vendors", before.name, before.to_document(), record.to_document(), terms)
        set_vendor(connection, before.name, record)
        return change

    _each(items, applied, put)


def _images(connection: Connection, items: Sequence[Item], terms: Terms, applied: Applied) -> None:
    known = {(each.kind, each.name, each.version): each for each in list_images(connection)}
    seen: set[tuple[object, ...]] = set()

    def put(item: Item) -> Change:
        record = ImageRecord.from_document(item.document, where=_name(item))
        key = (record.kind, record.name.strip(), record.version.strip())
        name = f"{record.kind.value} {record.name} {record.version}"
        if key in seen:
            raise ConflictError("import-twice", f"{name} appears twice")
        seen.add(key)
        before = known.get(key)
        if before is None:
            if not terms.has_image(record.sha256):
                raise UnknownChassis("import-image-missing", f"{name} is not in the image store")
            add_image(connection, record)
            return Change("images", name, Action.ADD)
        if (before.sha256, before.size) != (record.sha256, record.size):
            # An image is what it is: a router that has verified one must not meet another.
            raise ConflictError(
                "image-exists",
                f"{name} is in the inventory with different content",
                expected=before.sha256,
                seen=record.sha256,
            )
        return Change("images", name, Action.SAME)

    _each(items, applied, put)


def _profiles(
    connection: Connection, items: Sequence[Item], terms: Terms, applied: Applied
) -> None:
    known = {record.name.casefold(): record for record in list_profiles(connection)}
    seen: set[int] = set()

    def put(item: Item) -> Change:
        record = ProfileRecord.from_document(item.document, where=_name(item))
        before = known.get(record.name.strip().casefold())
        if before is None:
            after = add_profile(connection, record)
            known[after.name.casefold()] = after
            seen.add(after.key)
            return Change("profiles", after.name, Action.ADD)
        _once(seen, before.key, before.name)
        if before.to_document() == record.to_document():
            return Change("profiles", before.name, Action.SAME)
        change = _updated(
            "profiles", before.name, before.to_document(), record.to_document(), terms
        )
        set_profile(connection, before.name, record)
        return change

    _each(items, applied, put)


def _chassis(connection: Connection, items: Sequence[Item], terms: Terms, applied: Applied) -> None:
    records: list[ChassisRecord] = []
    places: list[str] = []
    for item in items:
        try:
            record = ChassisRecord.from_document(item.document, where=_name(item))
        except BootzError as error:
            _fault(applied, item.place, error)
            continue
        records.append(record)
        places.append(item.place)
    placement = place_chassis(connection, records, find_own=True)
    for index, flaw in placement.faults:
        if not _follows(applied, records[index], flaw):
            _fault(applied, places[index], flaw)
    before = chassis_by_keys(connection, [key for key in placement.own_keys if key])
    fresh: list[Placed] = []
    changed: list[tuple[ChassisRecord, Placed]] = []
    seen: set[int] = set()
    for placed, key, index in zip(
        placement.placed, placement.own_keys, placement.indexes, strict=True
    ):
        record = placed.record
        name = f"{record.vendor} {record.serial_number or record.cards[0].serial_number}"
        if not key:
            fresh.append(placed)
            applied.changes.append(Change("chassis", name, Action.ADD))
            continue
        try:
            _once(seen, key, name)
            documents = (before[key].to_document(), record.to_document())
            if documents[0] == documents[1]:
                applied.changes.append(Change("chassis", name, Action.SAME))
                continue
            applied.changes.append(_updated("chassis", name, *documents, terms))
            changed.append((before[key], placed))
        except BootzError as error:
            _fault(applied, places[index], error)
    if applied.faults:
        return
    insert_placed(connection, fresh, placement.images)
    for old, placed in changed:
        update_placed(connection, old, placed, placement.images)


def _follows(applied: Applied, record: ChassisRecord, flaw: BootzError) -> bool:
    """Return whether a chassis's fault would only tell that of an entry it depends on again."""
    match flaw.reason:
        case "vendor-not-found":
            return ("vendors", record.vendor.strip().casefold()) in applied.lacking
        case "profile-not-found":
            return ("profiles", (record.profile or "").strip().casefold()) in applied.lacking
        case "image-not-found":
            return _lacks(applied, "images")
    return False


def _lacks(applied: Applied, section: str) -> bool:
    return any(section == each for each, _ in applied.lacking)


def _vouchers(
    connection: Connection, items: Sequence[Item], terms: Terms, applied: Applied
) -> None:
    stored = stored_digests(connection) if items else frozenset()

    def put(item: Item) -> Change | None:
        document = parse_model(
            _VoucherDocument, item.document, reason="voucher-file-invalid", where=_name(item)
        )
        try:
            raw = base64.b64decode("".join(document.voucher.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ConfigError(
                "voucher-file-invalid", "voucher is not base64", where=_name(item)
            ) from error
        name = document.serial_number[:64]
        if hashlib.sha256(raw).hexdigest() in stored:
            return Change("vouchers", name, Action.SAME)
        result = store_voucher(
            connection,
            raw,
            pinned_domain_cert=terms.pinned_domain_cert,
            now=terms.now,
            vendor=document.vendor,
        )
        applied.warnings.extend(
            f"{item.place}: voucher {result.serial_number}: {warning}"
            for warning in result.warnings
        )
        match result.outcome:
            case StoreOutcome.REFUSED if result.error is not None:
                vendor = (document.vendor or "").strip().casefold()
                match result.error.reason:
                    case "vendor-not-found" if ("vendors", vendor) in applied.lacking:
                        return None
                    case "voucher-vendor-unknown" if _lacks(applied, "vendors"):
                        return None
                if result.error.reason == "ov-expired":
                    # It was right when it was exported, and is of no use to anyone now.
                    applied.warnings.append(
                        f"{item.place}: the voucher for {result.serial_number} is past its end "
                        "and was passed over"
                    )
                    return None
                raise result.error
            case StoreOutcome.SAME:
                return Change("vouchers", result.serial_number, Action.SAME)
            case _:
                return Change("vouchers", result.serial_number, Action.ADD)

    _each(items, applied, put)


def _each(items: Sequence[Item], applied: Applied, put: Callable[[Item], Change | None]) -> None:
    for item in items:
        try:
            change = put(item)
        except BootzError as error:
            _fault(applied, item.place, error)
            applied.lacking.update((item.section, name) for name in _names(item))
        else:
            if change is not None:
                applied.changes.append(change)


def _fault(applied: Applied, place: str, error: BootzError) -> None:
    if len(applied.faults) < MAX_FAULTS:
        applied.faults.append(Fault(place, error))


def _updated(
    section: str,
    name: str,
    before: Document,
    after: Document,
    terms: Terms,
) -> Change:
    """Return the change of something on record.

    Raises:
        ConflictError: ``import-differs``: updating was not asked for.
    """
    changes = tuple(differences(before, after))
    if not terms.update and section not in terms.always:
        raise ConflictError("import-differs", "; ".join(changes)[:500], where=name)
    return Change(section, name, Action.UPDATE, changes)


def _once(seen: set[int], key: int, name: str) -> None:
    if key in seen:
        raise ConflictError("import-twice", "appears twice", where=name)
    seen.add(key)


def _name(item: Item) -> str:
    """Return what a person calls an entry, bounded."""
    for key in ("name", "serial_number"):
        text = item.document.get(key)
        if isinstance(text, str) and text.strip():
            # "chassis" is its own singular.
            one = item.section if item.section == "chassis" else item.section.removesuffix("s")
            return f"{one} {text.strip()[:64]!r}"
    return item.section


def _names(item: Item) -> list[str]:
    """Return by what names others refer to an entry, without case."""
    aliases = item.document.get("aliases")
    names = [item.document.get("name"), *(aliases if isinstance(aliases, list) else ())]
    return [name.strip().casefold() for name in names if isinstance(name, str)]


def _line_order(place: str) -> tuple[str, int]:
    head, _, line = place.rpartition(":")
    return (head, int(line)) if line.isdecimal() else (place, 0)
