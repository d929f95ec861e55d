"""Puts the suite's devices on the record of a site of this project, and takes them off again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from bootz.conformance.server.material import PART, Entry, Material
from bootz.model.identity import TpmRecord
from bootz.server.operations.chassis import (
    CardRecord,
    ChassisRecord,
    add_all_chassis,
    remove_chassis,
)
from bootz.server.operations.tpm_record import read_tpm_key
from bootz.server.operations.vendors import VendorRecord, add_vendor, remove_vendor
from bootz.server.operations.vouchers.storing import remove_vouchers, store_voucher
from bootz.server.site import Site


@contextmanager
def on_record(site: Site, material: Material) -> Iterator[None]:
    """Have the devices on record for as long as the suite runs; their attempts stay.

    Raises:
        BootzError: the site's database does not take them.
    """
    database = site.database()
    try:
        with database.write() as connection:
            _put(connection, site, material)
        try:
            yield
        finally:
            with database.write() as connection:
                _take(connection, material)
    finally:
        database.close()


def _put(connection: Connection, site: Site, material: Material) -> None:
    for vendor, anchors in material.anchors.items():
        add_vendor(connection, VendorRecord(vendor, idevid_ca=anchors))
    add_all_chassis(connection, [_chassis(serial, cards) for serial, cards in material.chassis()])
    pinned = site.pinned_domain_cert()
    for entry in material.entries.values():
        if entry.voucher is not None:
            store_voucher(
                connection,
                entry.voucher.read_bytes(),
                pinned_domain_cert=pinned,
                now=site.clock(),
                vendor=entry.vendor,
            )


def _chassis(serial: str, cards: list[Entry]) -> ChassisRecord:
    entry = cards[0]
    # Two vendors may have one serial number; a host name is unique.
    hostname = f"{serial}-{entry.row.party.value}".lower()
    return ChassisRecord(
        entry.vendor,
        serial,
        tuple(_card(each) for each in cards),
        PART,
        hostname=hostname,
        modular=bool(entry.row.chassis),
        streaming=entry.row.streaming,
    )


def _card(entry: Entry) -> CardRecord:
    tpm = TpmRecord(ek=_key(entry.ek), ppk=_key(entry.ppk))
    return CardRecord(entry.serial_number, PART, tpm=tpm)


def _key(path: Path | None) -> bytes | None:
    return None if path is None else read_tpm_key(path.read_bytes(), str(path))


def _take(connection: Connection, material: Material) -> None:
    for serial, cards in material.chassis():
        remove_chassis(connection, serial, cards[0].vendor)
    for vendor in material.anchors:
        remove_vouchers(connection, (), vendor=vendor)
        remove_vendor(connection, vendor)
