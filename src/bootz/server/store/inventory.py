"""The port ``Inventory`` on the database.

What all chassis share is kept in memory and checked against the revision, which is two rows; a
chassis is found by its card's serial number through an index. A server reads the revision once for
the calls of some milliseconds, after which a committed change counts at the latest.
With SQLite a read is a function call and is made where it is asked for; PostgreSQL is a peer
that may keep one waiting, and is asked in a thread.
"""

import asyncio
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import Connection, bindparam, select

from bootz.errors import TrustError, Unavailable
from bootz.model.artifacts import StoredVouchers
from bootz.model.chassis import (
    Chassis,
    ControlCard,
    IdevidSerial,
    fold_serial,
)
from bootz.server.operations.chassis import chassis_by_key
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.chassis_rows import card_from_row, chassis_from_row
from bootz.server.operations.images import ImageRecord, find_file
from bootz.server.operations.intent import (
    ChassisIntent,
    build_intent,
    merged_document,
    release_of,
)
from bootz.server.operations.profile_document import ProfileDocument
from bootz.server.operations.shared import SharedRecords, read_shared
from bootz.server.operations.vendors import VendorSettings
from bootz.server.store.database import Database
from bootz.server.store.revision import Revision, read_revision
from bootz.server.store.schema import CARD, CHASSIS, SERIAL, VENDOR, VOUCHER
from bootz.sql.engine import converted
from bootz.sql.prepared import Prepared
from bootz.sql.times import from_text, to_text
from bootz.trust.certificates import fingerprint
from bootz.trust.vendor import Vendor

_T = TypeVar("_T")

_THREADS: Final = 4
"""Reads of PostgreSQL at the same time; its connections are pooled."""

REVISION_SECONDS: Final = 0.02
"""Seconds for which a server takes the revision that it has read as the present one."""

_KEPT_SERIALS: Final = 4096
"""Serial numbers whose chassis is kept in memory: those that are onboarding now."""

_BY_SERIAL: Final = Prepared(
    select(CHASSIS)
    .join(SERIAL, SERIAL.c.chassis_id == CHASSIS.c.id)
    .where(SERIAL.c.serial_folded == bindparam("serial"))
    .order_by(CHASSIS.c.id)
)
_CARDS: Final = Prepared(
    select(CARD).where(CARD.c.chassis_id == bindparam("chassis")).order_by(CARD.c.id)
)
_VOUCHERS: Final = Prepared(
    select(VOUCHER.c.serial_folded, VOUCHER.c.pinned_sha256, VOUCHER.c.expires_on, VOUCHER.c.raw)
    .join(VENDOR, VENDOR.c.id == VOUCHER.c.vendor_id)
    .where(
        VOUCHER.c.serial_folded.in_(bindparam("serials", expanding=True)),
        VENDOR.c.name == bindparam("vendor", required=False),
    )
    # The newest comes last and so stays.
    .order_by(VOUCHER.c.created_on.is_not(None), VOUCHER.c.created_on, VOUCHER.c.id),
    expanding=("serials",),
)


class SqlInventory:
    """What the operator knows, read from the database; fills the port ``Inventory``.

    Belongs to one event loop. Every read raises Unavailable when the database does not answer,
    or takes longer than ``patience`` seconds.

    Args:
        database: where it is.
        patience: seconds after which a read is given up.
        revision_seconds: for how long a revision that was read is the present one.
        monotonic: seconds that only ever rise.
    """

    def __init__(
        self,
        database: Database,
        *,
        patience: float = 60.0,
        revision_seconds: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._patience = patience
        self._revision_seconds = revision_seconds
        self._monotonic = monotonic
        self._known = Revision(0, 0)
        self._known_until = -math.inf
        self._shared: SharedRecords | None = None
        # With PostgreSQL several threads read.
        self._keeping = threading.Lock()
        self._kept_at = 0
        self._kept: OrderedDict[str, tuple[Chassis, ...]] = OrderedDict()
        self._records: dict[int, ChassisRecord] = {}
        # Kept open with SQLite: a statement then costs no more than itself.
        self._embedded: Connection | None = None
        self._threads: ThreadPoolExecutor | None = None
        if not database.embedded:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="inventory")

    async def close(self) -> None:
        """Give the connections back; the database stays open."""
        self.reconnect()
        if self._threads is not None:
            self._threads.shutdown(wait=True)

    def reconnect(self) -> None:
        """Drop the connection that is kept; the next read opens another.

        A connection keeps what it met when it was opened, such as a file that could only be read.
        """
        self._known_until = -math.inf
        if self._embedded is not None:
            self._embedded.invalidate()
            self._embedded.close()
            self._embedded = None

    async def run(self, function: Callable[[Connection], _T]) -> _T:
        """Return what a reading verb returns; each of its statements sees the last commit.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        if self._threads is not None:
            reading = asyncio.get_running_loop().run_in_executor(
                self._threads, self._elsewhere, function
            )
            try:
                async with asyncio.timeout(self._patience):
                    return await reading
            except TimeoutError as error:
                raise Unavailable(
                    "database-unavailable",
                    f"nothing was read within {self._patience:g} s",
                    where="database",
                ) from error
        try:
            with converted("database-unavailable"):
                if self._embedded is None:
                    self._embedded = self._database.engine.connect()
                return function(self._embedded)
        except Unavailable:
            self.reconnect()
            raise

    async def revision(self) -> Revision:
        """Return the revision of the last committed change."""
        return await self.run(read_revision)

    async def vendors(self) -> tuple[Vendor, ...]:
        """Return all vendors, as of the last committed change."""
        kept = self.kept_vendors()
        if kept is not None:
            return kept
        return await self.run(lambda connection: self._fresh(connection).trusted)

    def kept_vendors(self) -> tuple[Vendor, ...] | None:
        """Return all vendors where they are known without asking the database, else None."""
        kept = self._shared
        if kept is None or self._monotonic() >= self._known_until:
            return None
        return kept.trusted if kept.revision == self._known.shared else None

    async def chassis_of_serial(self, serial_number: str) -> tuple[Chassis, ...]:
        """Return every chassis, of any manufacturer, with this serial: its own or of a card."""
        folded = fold_serial(serial_number)
        if not folded or not folded.isprintable():
            # Nothing on record has such a number; PostgreSQL would refuse some of them as text.
            return ()

        def read(connection: Connection) -> tuple[Chassis, ...]:
            # The revision is read first: what is kept may be newer than it says, never older.
            revision = self._present(connection)
            with self._keeping:
                if revision.latest != self._kept_at:
                    self._kept.clear()
                    self._records.clear()
                    self._kept_at = revision.latest
                kept = self._kept.get(folded)
                if kept is not None:
                    self._kept.move_to_end(folded)
                    return kept
            shared = self._shared_at(connection, revision)
            records = tuple(_records(connection, folded, shared))
            found = tuple(known_chassis(record, shared) for record in records)
            if found:
                self._keep(revision, folded, found, records)
            return found

        return await self.run(read)

    async def vouchers(
        self, chassis: Chassis, cards: Sequence[ControlCard], pinned: bytes, now: datetime
    ) -> StoredVouchers:
        """Return the newest stored vouchers that pin ``pinned`` (DER) and have not ended.

        Keys are serial numbers as ``fold_serial`` gives them.
        """
        return await self.run(
            lambda connection: stored_vouchers(connection, chassis, cards, pinned, now)
        )

    async def intent(self, chassis_key: int) -> ChassisIntent:
        """Return what the operator wants for a chassis.

        Raises:
            UnknownChassis: the chassis, or an image that is named, is not there any more.
        """

        def read(connection: Connection) -> ChassisIntent:
            revision = self._present(connection)
            shared = self._shared_at(connection, revision)
            with self._keeping:
                kept = self._records.get(chassis_key) if revision.latest == self._kept_at else None
            return build_intent(kept or chassis_by_key(connection, chassis_key), shared)

        return await self.run(read)

    async def served_file(self, sha256: str, file_name: str) -> ImageRecord | None:
        """Return the image that may be served under this digest and name, None if none may."""
        if not file_name.isprintable():
            return None
        return await self.run(lambda connection: find_file(connection, sha256, file_name))

    def _elsewhere(self, function: Callable[[Connection], _T]) -> _T:
        with self._database.statements() as connection:
            return function(connection)

    def _keep(
        self,
        revision: Revision,
        folded: str,
        found: tuple[Chassis, ...],
        records: Sequence[ChassisRecord],
    ) -> None:
        with self._keeping:
            if revision.latest != self._kept_at:
                # Another thread has seen a later change already.
                return
            self._kept[folded] = found
            self._records.update((record.key, record) for record in records)
            while len(self._kept) > _KEPT_SERIALS:
                _, dropped = self._kept.popitem(last=False)
                for chassis in dropped:
                    self._records.pop(chassis.key, None)

    def _fresh(self, connection: Connection) -> SharedRecords:
        return self._shared_at(connection, self._present(connection))

    def _present(self, connection: Connection) -> Revision:
        now = self._monotonic()
        if now >= self._known_until:
            self._known = read_revision(connection)
            self._known_until = now + self._revision_seconds
        return self._known

    def _shared_at(self, connection: Connection, revision: Revision) -> SharedRecords:
        kept = self._shared
        if kept is not None and kept.revision == revision.shared:
            return kept
        try:
            self._shared = kept = read_shared(connection)
        except TrustError as error:
            # They were checked when they were added: the database was changed.
            raise Unavailable(
                "database-unavailable", f"a vendor's CA: {error.detail}", where="database"
            ) from error
        return kept


def stored_vouchers(
    connection: Connection,
    chassis: Chassis,
    cards: Sequence[ControlCard],
    pinned: bytes,
    now: datetime,
) -> StoredVouchers:
    """Return the newest stored vouchers that pin ``pinned`` (DER) and have not ended."""
    if not cards:
        return StoredVouchers({}, {}, frozenset())
    wanted = {
        "serials": [fold_serial(card.serial_number) for card in cards],
        "vendor": chassis.manufacturer,
    }
    rows = _VOUCHERS.named_rows(connection, wanted)
    pinned_sha256 = fingerprint(pinned)
    own = [row for row in rows if row.pinned_sha256 == pinned_sha256]
    at = to_text(now)
    valid = {
        row.serial_folded: row.raw for row in own if row.expires_on is None or row.expires_on > at
    }
    ended: dict[str, datetime] = {}
    for row in own:
        if row.serial_folded not in valid:
            end = from_text(row.expires_on)
            ended[row.serial_folded] = max(end, ended.get(row.serial_folded, end))
    others = {row.serial_folded for row in rows} - set(valid) - set(ended)
    return StoredVouchers(valid, ended, frozenset(others))


def _records(connection: Connection, folded: str, shared: SharedRecords) -> Iterator[ChassisRecord]:
    for row in _BY_SERIAL.named_rows(connection, {"serial": folded}):
        cards = _CARDS.named_rows(connection, {"chassis": row.id})
        vendor = shared.vendor_names.get(row.vendor_id)
        profile = shared.profile_names.get(row.profile_id)
        if vendor is None or (profile is None and row.profile_id is not None):
            # Changed between the reads; this reads everything again.
            yield chassis_by_key(connection, row.id)
        else:
            yield chassis_from_row(row, [card_from_row(card) for card in cards], vendor, profile)


def known_chassis(record: ChassisRecord, shared: SharedRecords) -> Chassis:
    """Return a record as the proofs know it."""
    found = shared.profiles.get(record.profile or "")
    profile = ProfileDocument() if found is None else found.document
    vendor = shared.vendors.get(record.vendor)
    # Without a vendor, which another process may just have removed, no proof is accepted anyway.
    settings, document = VendorSettings(), profile
    if vendor is not None:
        settings = vendor.settings
        document = merged_document(record, vendor, profile, shared)
    return Chassis(
        key=record.key,
        manufacturer=record.vendor,
        serial_number=record.serial_number,
        cards=tuple(
            ControlCard(
                serial_number=card.serial_number,
                part_number=card.part_number,
                slot=card.slot,
                kind=card.kind,
                tpm=card.tpm,
            )
            for card in record.cards
        ),
        part_number=record.part_number,
        hostname=record.hostname,
        boot_mode=record.boot_mode,
        release=release_of(record.release, profile),
        streaming=record.streaming,
        skip_idevid_serial_check=record.skip_idevid_serial_check,
        verifies_p256=document.owner_key == "p256",
        on_hold=record.on_hold,
        idevid_serial=IdevidSerial(settings.idevid_serial),
        voucher_delivery=record.voucher_delivery,
        dynamic_config=record.dynamic_config,
        modular=record.modular,
        revision=max(record.revision, shared.revision),
    )
