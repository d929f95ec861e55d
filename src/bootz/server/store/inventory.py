"""The port ``Inventory`` on the database.

What all chassis share is kept in memory and checked against the revision on every call, which
costs one read of two rows; a chassis is found by its card's serial number through an index.
With SQLite a read is a function call and is made where it is asked for; PostgreSQL is a peer
that may keep one waiting, and is asked in a thread.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Row, bindparam, or_, select
from sqlalchemy.exc import DBAPIError

from bootz.errors import TrustError, Unavailable
from bootz.model.chassis import (
    BootMode,
    CardKind,
    Chassis,
    ControlCard,
    DynamicConfigPolicy,
    Release,
    VoucherDelivery,
    fold_serial,
)
from bootz.model.identity import TpmRecord, TpmVersion
from bootz.server.operations.chassis import chassis_by_key
from bootz.server.operations.images import ImageRecord, find_file
from bootz.server.operations.intent import ChassisIntent, build_intent, release_of
from bootz.server.operations.profile_document import ProfileDocument
from bootz.server.operations.shared import SharedRecords, read_shared
from bootz.server.store.database import Database
from bootz.server.store.revision import Revision, read_revision
from bootz.server.store.schema import CARD, CHASSIS, PROFILE, SERIAL, VENDOR, VOUCHER
from bootz.sql.times import to_text
from bootz.trust.vendor import Vendor

_T = TypeVar("_T")

_THREADS: Final = 4
"""Reads of PostgreSQL at the same time; its connections are pooled."""

_BY_SERIAL: Final = (
    select(
        CHASSIS,
        VENDOR.c.name.label("vendor_name"),
        PROFILE.c.name.label("profile_name"),
        CARD.c.serial.label("card_serial"),
        CARD.c.part_number.label("card_part_number"),
        CARD.c.slot.label("card_slot"),
        CARD.c.kind.label("card_kind"),
        CARD.c.tpm_version,
        CARD.c.tpm_ek,
        CARD.c.tpm_ppk,
        CARD.c.tpm_key,
    )
    .select_from(SERIAL)
    .join(CHASSIS, CHASSIS.c.id == SERIAL.c.chassis_id)
    .join(VENDOR, VENDOR.c.id == CHASSIS.c.vendor_id)
    .join(CARD, CARD.c.chassis_id == CHASSIS.c.id)
    .outerjoin(PROFILE, PROFILE.c.id == CHASSIS.c.profile_id)
    .where(SERIAL.c.serial_folded == bindparam("serial"))
    .order_by(CHASSIS.c.id, CARD.c.id)
)

_VOUCHERS: Final = (
    select(VOUCHER.c.serial_folded, VOUCHER.c.raw)
    .join(VENDOR, VENDOR.c.id == VOUCHER.c.vendor_id)
    .where(
        VOUCHER.c.serial_folded.in_(bindparam("serials", expanding=True)),
        VENDOR.c.name == bindparam("vendor"),
        VOUCHER.c.pinned_sha256 == bindparam("pinned"),
        or_(VOUCHER.c.expires_on.is_(None), VOUCHER.c.expires_on > bindparam("now")),
    )
    # The newest comes last and so stays.
    .order_by(VOUCHER.c.created_on.is_not(None), VOUCHER.c.created_on, VOUCHER.c.id)
)


class SqlInventory:
    """What the operator knows, read from the database; fills the port ``Inventory``.

    Belongs to one event loop. Every read raises Unavailable when the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shared: SharedRecords | None = None
        self._embedded: Connection | None = None
        self._threads: ThreadPoolExecutor | None = None
        if database.embedded:
            # Kept open: a statement then costs no more than itself.
            self._embedded = database.engine.connect()
        else:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="inventory")

    async def close(self) -> None:
        """Give the connections back; the database stays open."""
        if self._embedded is not None:
            self._embedded.close()
        if self._threads is not None:
            self._threads.shutdown(wait=True)

    async def run(self, function: Callable[[Connection], _T]) -> _T:
        """Return what a reading verb returns; each of its statements sees the last commit.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        if self._embedded is not None:
            try:
                return function(self._embedded)
            except DBAPIError as error:
                raise Unavailable(
                    "database-unavailable", str(error.orig).splitlines()[0], where="database"
                ) from error
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._elsewhere, function)

    async def revision(self) -> Revision:
        """Return the revision of the last committed change."""
        return await self.run(read_revision)

    async def vendors(self) -> tuple[Vendor, ...]:
        """Return all vendors, as of the last committed change."""
        return await self.run(lambda connection: self._fresh(connection).trusted)

    async def chassis_of_card(self, serial_number: str) -> tuple[Chassis, ...]:
        """Return every chassis, of whatever manufacturer, that has a card with this serial."""
        folded = fold_serial(serial_number)
        if not folded or not folded.isprintable():
            # Nothing on record has such a number; PostgreSQL would refuse some of them as text.
            return ()

        def read(connection: Connection) -> tuple[Chassis, ...]:
            rows = connection.execute(_BY_SERIAL, {"serial": folded}).all()
            if not rows:
                return ()
            found = _chassis(rows, self._fresh(connection))
            return tuple(each for each in found if each.card(folded) is not None)

        return await self.run(read)

    async def vouchers(
        self, chassis: Chassis, cards: Sequence[ControlCard], pinned: bytes, now: datetime
    ) -> Mapping[str, bytes]:
        """Return the newest stored vouchers that pin ``pinned`` (DER) and are not expired.

        Keys are serial numbers as ``fold_serial`` gives them.
        """
        wanted = {
            "serials": [fold_serial(card.serial_number) for card in cards],
            "vendor": chassis.manufacturer,
            "pinned": hashlib.sha256(pinned).hexdigest(),
            "now": to_text(now),
        }
        rows = await self.run(lambda connection: connection.execute(_VOUCHERS, wanted).all())
        return {row.serial_folded: row.raw for row in rows}

    async def intent(self, chassis_key: int) -> ChassisIntent:
        """Return what the operator wants for a chassis.

        Raises:
            UnknownChassis: the chassis, or an image that is named, is not there any more.
        """

        def read(connection: Connection) -> ChassisIntent:
            return build_intent(chassis_by_key(connection, chassis_key), self._fresh(connection))

        return await self.run(read)

    async def served_file(self, sha256: str, file_name: str) -> ImageRecord | None:
        """Return the image that may be served under this digest and name, None if none may."""
        if not file_name.isprintable():
            return None
        return await self.run(lambda connection: find_file(connection, sha256, file_name))

    def _elsewhere(self, function: Callable[[Connection], _T]) -> _T:
        with self._database.statements() as connection:
            return function(connection)

    def _fresh(self, connection: Connection) -> SharedRecords:
        kept = self._shared
        if kept is not None and kept.revision == read_revision(connection).shared:
            return kept
        try:
            self._shared = kept = read_shared(connection)
        except TrustError as error:
            # They were checked when they were added: somebody has changed the database.
            raise Unavailable(
                "database-unavailable", f"a vendor's CA: {error.detail}", where="database"
            ) from error
        return kept


def _chassis(rows: Sequence[Row[Any]], shared: SharedRecords) -> list[Chassis]:
    """Build chassis from rows of a chassis and one card each, in the order of chassis."""
    found: list[Chassis] = []
    cards: list[ControlCard] = []
    for position, row in enumerate(rows):
        cards.append(
            ControlCard(
                serial_number=row.card_serial,
                part_number=row.card_part_number,
                slot=row.card_slot,
                kind=CardKind(row.card_kind),
                tpm=TpmRecord(
                    TpmVersion(row.tpm_version) if row.tpm_version else None,
                    row.tpm_ek,
                    row.tpm_ppk,
                    row.tpm_key,
                ),
            )
        )
        if position + 1 < len(rows) and rows[position + 1].id == row.id:
            continue
        profile = shared.profiles.get(row.profile_name or "")
        found.append(
            Chassis(
                key=row.id,
                manufacturer=row.vendor_name,
                serial_number=row.serial,
                cards=tuple(cards),
                part_number=row.part_number,
                hostname=row.hostname,
                boot_mode=BootMode(row.boot_mode),
                release=release_of(
                    None if row.release is None else Release(row.release),
                    ProfileDocument() if profile is None else profile.document,
                ),
                streaming=row.streaming,
                skip_idevid_serial_check=row.skip_idevid_serial_check,
                voucher_delivery=VoucherDelivery(row.voucher_delivery),
                dynamic_config=DynamicConfigPolicy(row.dynamic_config),
                modular=row.modular,
                revision=max(row.revision, shared.revision),
            )
        )
        cards = []
    return found
