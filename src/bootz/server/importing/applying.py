"""Applying a file to the inventory: everything is checked, and every fault told, in one pass.

The caller's transaction is committed only if there is no fault and it is not a dry run.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import Connection

from bootz.errors import BootzError, ConfigError, ConflictError, UnknownChassis
from bootz.server.importing import merging
from bootz.server.importing.applied import Applied, Terms, item_name, once, updated
from bootz.server.importing.apply_chassis import apply_chassis
from bootz.server.importing.differences import Action, Document, EntryChange
from bootz.server.importing.items import SECTIONS, Item, ReadFile, SectionItems
from bootz.server.operations.images import ImageRecord, add_image, list_images
from bootz.server.operations.profiles import (
    ProfileRecord,
    add_profile,
    list_profiles,
    set_profile,
)
from bootz.server.operations.texts import STRICT, parse_model
from bootz.server.operations.vendors import VendorRecord, add_vendor, list_vendors, set_vendor
from bootz.server.operations.vouchers.records import stored_digests
from bootz.server.operations.vouchers.storing import StoreOutcome, store_voucher
from bootz.server.rendering.server_data import beyond_public

__all__ = ["Applied", "Terms", "apply_items"]


class _VoucherDocument(BaseModel):
    model_config = STRICT

    vendor: str | None = None
    serial_number: str = ""
    voucher: str


def apply_items(
    connection: Connection,
    files: Sequence[ReadFile],
    terms: Terms,
    only: Collection[str] = SECTIONS,
) -> Applied:
    """Apply the entries of files, section by section, as far as they hold.

    Faults of the files themselves are among those that are returned. With any fault, what was
    written is not the whole: the caller undoes it.
    """
    applied = Applied()
    for section in SECTIONS:
        items = SectionItems(section, files)
        if section in only and next(iter(items), None) is not None:
            _APPLY[section](connection, items, terms, applied)
    applied.faults[:0] = [fault for file in files for fault in file.faults]
    applied.faults.sort(key=lambda fault: _line_order(fault.place))
    return applied


_Record = TypeVar("_Record", VendorRecord, ImageRecord, ProfileRecord)


def _own_names(document: merging.Document) -> list[str]:
    """Return by what names others refer to an entry, without case."""
    aliases = document.get("aliases")
    names = [document.get("name"), *(aliases if isinstance(aliases, list) else ())]
    return [name.strip().casefold() for name in names if isinstance(name, str)]


def _image_names(document: merging.Document) -> list[str]:
    kind, name, version = (document.get(key, "") for key in ("kind", "name", "version"))
    return [f"{kind or 'image'} {str(name).strip()} {str(version).strip()}"]


def _all_of(document: Document) -> Document:
    return document


def _content(document: Document) -> Document:
    return {"sha256": document["sha256"], "size": document["size"]}


def _check_stored(record: ImageRecord, terms: Terms) -> None:
    if not terms.has_image(record.sha256):
        raise UnknownChassis(
            "import-image-missing", f"{record.name} {record.version} is not in the image store"
        )


@dataclass(frozen=True, slots=True)
class _Section(Generic[_Record]):
    """A section whose entries have names, of which the first is the one that is shown.

    ``inner`` are the keys that are merged; ``facts`` is what of two documents is compared. What
    has no ``change`` stays as it is. ``warn`` says what a person should know of a record.
    """

    kind: type[_Record]
    records: Callable[[Connection], Iterable[_Record]]
    add: Callable[[Connection, _Record], _Record]
    change: Callable[[Connection, str, _Record], object] | None
    names: Callable[[merging.Document], list[str]] = _own_names
    inner: frozenset[str] = frozenset()
    facts: Callable[[Document], Document] = _all_of
    check: Callable[[_Record, Terms], None] = lambda _record, _terms: None
    warn: Callable[[_Record], Iterable[str]] = lambda _record: ()

    def apply(
        self, connection: Connection, items: Iterable[Item], terms: Terms, applied: Applied
    ) -> None:
        """Apply the entries of this section."""
        known = {
            name: record
            for record in self.records(connection)
            for name in self.names(record.to_document())
        }
        seen: dict[int, str] = {}

        def put(item: Item) -> EntryChange:
            name = next((name for name in self.names(item.document) if name in known), None)
            if name is None:
                record = self.kind.from_document(
                    merging.merged({}, item.document, self.inner), where=item_name(item)
                )
                self.check(record, terms)
                added = self.add(connection, record)
                self._warn(item, record, applied)
                known.update(dict.fromkeys(self.names(added.to_document()), added))
                seen[added.key] = item.place
                return EntryChange(item.section, _shown(added), Action.ADD)
            before = known[name]
            once(seen, before.key, item.place, _shown(before))
            documents = (before.to_document(), self._after(before, item).to_document())
            if self.facts(documents[0]) == self.facts(documents[1]):
                return EntryChange(item.section, _shown(before), Action.SAME)
            if self.change is None:
                # A router that has verified an image must not meet another of its name.
                raise ConflictError(
                    "image-exists", f"{_shown(before)} is in the inventory with different content"
                )
            change = updated(item.section, _shown(before), *documents, terms)
            after = self._after(before, item)
            self.change(connection, before.name, after)
            self._warn(item, after, applied)
            return change

        _each(items, applied, put)

    def _warn(self, item: Item, record: _Record, applied: Applied) -> None:
        applied.warn(f"{item.place}: {told}" for told in self.warn(record))

    def _after(self, before: _Record, item: Item) -> _Record:
        said = merging.merged(before.to_document(), item.document, self.inner)
        # Found by an alias, or spelt in another way: it keeps its name.
        return self.kind.from_document(said | {"name": before.name}, where=item_name(item))


def _shown(record: VendorRecord | ImageRecord | ProfileRecord) -> str:
    if isinstance(record, ImageRecord):
        return f"{record.kind.value} {record.name} {record.version}"
    return record.name


def _vouchers(
    connection: Connection, items: Iterable[Item], terms: Terms, applied: Applied
) -> None:
    stored = stored_digests(connection)

    def put(item: Item) -> EntryChange | None:
        document = parse_model(
            _VoucherDocument, item.document, reason="voucher-file-invalid", where=item_name(item)
        )
        try:
            raw = base64.b64decode("".join(document.voucher.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ConfigError(
                "voucher-file-invalid", "voucher is not base64", where=item_name(item)
            ) from error
        name = document.serial_number[:64]
        if hashlib.sha256(raw).hexdigest() in stored:
            return EntryChange("vouchers", name, Action.SAME)
        result = store_voucher(
            connection,
            raw,
            pinned_domain_cert=terms.pinned_domain_cert,
            now=terms.now,
            vendor=document.vendor,
        )
        applied.warn(
            f"{item.place}: voucher {result.serial_number}: {warning}"
            for warning in result.warnings
        )
        match result.outcome:
            case StoreOutcome.REFUSED if result.error is not None:
                vendor = (document.vendor or "").strip().casefold()
                match result.error.reason:
                    case "vendor-not-found" if ("vendors", vendor) in applied.lacking:
                        return None
                    case "voucher-vendor-unknown" if applied.lacks("vendors"):
                        return None
                if result.error.reason == "ov-expired":
                    # It was right when it was exported, and is of no use to anyone now.
                    late = f"the voucher for {result.serial_number} is past its end"
                    applied.warn([f"{item.place}: {late} and was passed over"])
                    return None
                raise result.error
            case StoreOutcome.SAME:
                return EntryChange("vouchers", result.serial_number, Action.SAME)
            case _:
                return EntryChange("vouchers", result.serial_number, Action.ADD)

    _each(items, applied, put)


def _each(
    items: Iterable[Item], applied: Applied, put: Callable[[Item], EntryChange | None]
) -> None:
    for item in items:
        try:
            change = put(item)
        except BootzError as error:
            applied.fault(item, error)
            applied.lacking.update((item.section, name) for name in _own_names(item.document))
        else:
            if change is not None:
                applied.change(change)


_Apply = Callable[[Connection, Iterable[Item], Terms, Applied], None]

_APPLY: Final[Mapping[str, _Apply]] = {
    "vendors": _Section(
        VendorRecord, list_vendors, add_vendor, set_vendor, inner=frozenset({"settings"})
    ).apply,
    "images": _Section(
        ImageRecord, list_images, add_image, None, _image_names, facts=_content, check=_check_stored
    ).apply,
    "profiles": _Section(
        ProfileRecord,
        list_profiles,
        add_profile,
        set_profile,
        inner=frozenset({"variables"}),
        warn=lambda profile: beyond_public(profile.document),
    ).apply,
    "chassis": apply_chassis,
    "vouchers": _vouchers,
}


def _line_order(place: str) -> tuple[str, int]:
    head, _, line = place.rpartition(":")
    return (head, int(line)) if line.isdecimal() else (place, 0)
