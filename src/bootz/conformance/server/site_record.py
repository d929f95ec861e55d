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
from bootz.server.operations.vouchers import remove_vouchers, store_voucher
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
    add_vendor(connection, VendorRecord(material.vendor, idevid_ca=(material.anchor,)))
    entries = [entry for entry in material.entries.values() if entry.voucher is not None]
    add_all_chassis(connection, [_chassis(material.vendor, entry) for entry in entries])
    pinned = site.pinned_domain_cert()
    for entry in entries:
        if entry.voucher is not None:
            store_voucher(
                connection,
                entry.voucher.read_bytes(),
                pinned_domain_cert=pinned,
                now=site.clock(),
                vendor=material.vendor,
            )


def _chassis(vendor: str, entry: Entry) -> ChassisRecord:
    tpm = TpmRecord(ek=_key(entry.ek), ppk=_key(entry.ppk))
    card = CardRecord(entry.serial_number, PART, tpm=tpm)
    return ChassisRecord(
        vendor,
        entry.serial_number,
        (card,),
        PART,
        hostname=entry.serial_number.lower(),
        streaming=entry.row.streaming,
    )


def _key(path: Path | None) -> bytes | None:
    return None if path is None else read_tpm_key(path.read_bytes(), str(path))


def _take(connection: Connection, material: Material) -> None:
    for entry in material.entries.values():
        if entry.voucher is not None:
            remove_chassis(connection, entry.serial_number, material.vendor)
    remove_vouchers(connection, (), vendor=material.vendor)
    remove_vendor(connection, material.vendor)
