"""Chassis between records and rows of the database."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, TypeVar

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from bootz.model.chassis import (
    BootMode,
    CardKind,
    DynamicConfigPolicy,
    Release,
    VoucherDelivery,
)
from bootz.model.identity import TpmRecord, TpmVersion
from bootz.server.operations.chassis_record import CardRecord, ChassisRecord, serials_of
from bootz.server.operations.dhcp_settings import DhcpSettings
from bootz.server.operations.profile_document import Content
from bootz.server.operations.texts import dump_json, load_object
from bootz.server.store.schema import CARD, CHASSIS, CHASSIS_LABEL, PROFILE, SERIAL, VENDOR

_Document = TypeVar("_Document", bound=BaseModel)

_NOTHING: Final = "{}"
_BATCH: Final = 500
_TAG_BYTES: Final = 12

_UPDATE: Final = update(CHASSIS).where(CHASSIS.c.id == bindparam("key"))
_FORGET_CARDS: Final = delete(CARD).where(CARD.c.chassis_id == bindparam("key"))
_FORGET_SERIALS: Final = delete(SERIAL).where(SERIAL.c.chassis_id == bindparam("key"))
_FORGET_LABELS: Final = delete(CHASSIS_LABEL).where(CHASSIS_LABEL.c.chassis_id == bindparam("key"))


@dataclass(frozen=True, slots=True)
class Placed:
    """A record with the keys of its vendor and profile; ``record.key`` is its own."""

    record: ChassisRecord
    vendor_key: int
    profile_key: int | None


def insert_chassis(connection: Connection, placed: Sequence[Placed]) -> None:
    """Write new chassis; their keys, tags and revisions are set."""
    if not placed:
        return
    connection.execute(
        insert(CHASSIS), [{"id": each.record.key, **_chassis_values(each)} for each in placed]
    )
    _insert_parts(connection, placed)


def update_chassis(connection: Connection, placed: Sequence[Placed]) -> None:
    """Replace everything of chassis but their keys."""
    if not placed:
        return
    keys = [{"key": each.record.key} for each in placed]
    connection.execute(
        _UPDATE, [key | _chassis_values(each) for key, each in zip(keys, placed, strict=True)]
    )
    for forget in (_FORGET_CARDS, _FORGET_SERIALS, _FORGET_LABELS):
        connection.execute(forget, keys)
    _insert_parts(connection, placed)


def new_url_tag() -> str:
    """Return a tag for image URLs that cannot be guessed."""
    return secrets.token_urlsafe(_TAG_BYTES)


def read_chassis(
    connection: Connection, *conditions: ColumnElement[bool], after: int = 0
) -> Iterator[ChassisRecord]:
    """Return the chassis for which all conditions hold, by key, a batch at a time."""
    names = _Names.read(connection)
    statement = select(CHASSIS).where(*conditions).order_by(CHASSIS.c.id).limit(_BATCH)
    while True:
        rows = connection.execute(statement.where(CHASSIS.c.id > after)).all()
        if not rows:
            return
        after = rows[-1].id
        keys = [row.id for row in rows]
        cards, labels = _read_cards(connection, keys), _read_labels(connection, keys)
        for row in rows:
            profile = None if row.profile_id is None else names.profiles[row.profile_id]
            yield chassis_from_row(
                row,
                cards.get(row.id, []),
                names.vendors[row.vendor_id],
                profile,
                labels.get(row.id),
            )
        if len(rows) < _BATCH:
            return


@dataclass(frozen=True, slots=True)
class _Names:
    vendors: Mapping[int, str]
    profiles: Mapping[int, str]

    @classmethod
    def read(cls, connection: Connection) -> "_Names":
        vendors = connection.execute(select(VENDOR.c.id, VENDOR.c.name))
        profiles = connection.execute(select(PROFILE.c.id, PROFILE.c.name))
        return cls({row.id: row.name for row in vendors}, {row.id: row.name for row in profiles})


def _read_cards(connection: Connection, keys: Sequence[int]) -> dict[int, list[CardRecord]]:
    cards: dict[int, list[CardRecord]] = {}
    rows = connection.execute(select(CARD).where(CARD.c.chassis_id.in_(keys)).order_by(CARD.c.id))
    for row in rows:
        cards.setdefault(row.chassis_id, []).append(card_from_row(row))
    return cards


def _read_labels(connection: Connection, keys: Sequence[int]) -> dict[int, dict[str, str]]:
    labels: dict[int, dict[str, str]] = {}
    rows = connection.execute(
        select(CHASSIS_LABEL)
        .where(CHASSIS_LABEL.c.chassis_id.in_(keys))
        .order_by(CHASSIS_LABEL.c.key)
    )
    for row in rows:
        labels.setdefault(row.chassis_id, {})[row.key] = row.value
    return labels


def card_from_row(row: Any) -> CardRecord:
    """Return the card of a row of ``CARD``, as SQLAlchemy or the driver gives it."""
    return CardRecord(
        serial_number=row.serial,
        part_number=row.part_number,
        slot=row.slot,
        kind=CardKind(row.kind),
        mac=row.mac,
        client_id=row.client_id,
        duid=row.duid,
        tpm=TpmRecord(
            TpmVersion(row.tpm_version) if row.tpm_version else None,
            row.tpm_ek,
            row.tpm_ppk,
            row.tpm_key,
            row.tpm_ek_certificate,
        ),
    )


def chassis_from_row(
    row: Any,
    cards: Sequence[CardRecord],
    vendor: str,
    profile: str | None,
    labels: Mapping[str, str] | None = None,
) -> ChassisRecord:
    """Return the chassis of a row of ``CHASSIS``, with the names that it points to.

    The row is SQLAlchemy's or the driver's. What routers get does not depend on ``labels``: who
    reads for them leaves the labels out.
    """
    return ChassisRecord(
        vendor=vendor,
        serial_number=row.serial,
        cards=tuple(cards),
        part_number=row.part_number,
        hostname=row.hostname,
        modular=bool(row.modular),
        boot_mode=BootMode(row.boot_mode),
        release=None if row.release is None else Release(row.release),
        streaming=bool(row.streaming),
        skip_idevid_serial_check=bool(row.skip_idevid_serial_check),
        on_hold=row.hold_since is not None,
        voucher_delivery=VoucherDelivery(row.voucher_delivery),
        dynamic_config=DynamicConfigPolicy(row.dynamic_config),
        profile=profile,
        variables={} if row.variables == _NOTHING else load_object(row.variables),
        overrides=_read(Content, row.overrides),
        dhcp=_read(DhcpSettings, row.dhcp),
        labels=labels or {},
        key=row.id,
        url_tag=row.url_tag,
        revision=row.revision,
    )


def _read(kind: type[_Document], text: str) -> _Document:
    return kind.model_validate(load_object(text)) if text != _NOTHING else _empty(kind)


@cache
def _empty(kind: type[_Document]) -> _Document:
    """Return the document that says nothing, as nearly every chassis has it; it is frozen."""
    return kind.model_validate({})


def with_identity(record: ChassisRecord, *, key: int, url_tag: str, revision: int) -> ChassisRecord:
    """Return a record with what only the database gives."""
    return replace(record, key=key, url_tag=url_tag, revision=revision)


def _chassis_values(placed: Placed) -> dict[str, Any]:
    record = placed.record
    return {
        "vendor_id": placed.vendor_key,
        "serial": record.serial_number,
        "part_number": record.part_number,
        "hostname": record.hostname,
        "modular": record.modular,
        "boot_mode": record.boot_mode.value,
        "release": None if record.release is None else record.release.value,
        "streaming": record.streaming,
        "skip_idevid_serial_check": record.skip_idevid_serial_check,
        "voucher_delivery": record.voucher_delivery.value,
        "dynamic_config": record.dynamic_config.value,
        "profile_id": placed.profile_key,
        "variables": dump_json(dict(record.variables)),
        "overrides": dump_json(record.overrides.to_json()),
        "dhcp": dump_json(record.dhcp.to_json()),
        "url_tag": record.url_tag,
        "revision": record.revision,
    }


def _insert_parts(connection: Connection, placed: Sequence[Placed]) -> None:
    cards = [
        {
            "chassis_id": each.record.key,
            "serial": card.serial_number,
            "part_number": card.part_number,
            "slot": card.slot,
            "kind": card.kind.value,
            "mac": card.mac,
            "client_id": card.client_id,
            "duid": card.duid,
            "tpm_version": card.tpm.version.value if card.tpm.version else "",
            "tpm_ek": card.tpm.ek,
            "tpm_ppk": card.tpm.ppk,
            "tpm_key": card.tpm.key,
            "tpm_ek_certificate": card.tpm.ek_certificate,
        }
        for each in placed
        for card in each.record.cards
    ]
    connection.execute(insert(CARD), cards)
    serials = [
        {"serial_folded": serial, "vendor_id": each.vendor_key, "chassis_id": each.record.key}
        for each in placed
        for serial in serials_of(each.record)
    ]
    connection.execute(insert(SERIAL), serials)
    labels = [
        {"chassis_id": each.record.key, "key": key, "value": value}
        for each in placed
        for key, value in each.record.labels.items()
    ]
    if labels:
        connection.execute(insert(CHASSIS_LABEL), labels)
