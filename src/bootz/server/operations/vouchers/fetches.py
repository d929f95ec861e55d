"""Fetches of vouchers that someone asked the server for: asked, under way, done or failed.

Who asks may open no key and reach no manufacturer; the server that keeps vouchers takes the
request up out of the database. One that a crash has cut off is taken up again.
Source: docs/vouchers.md#asking-the-server.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from bootz.errors import BootzError, ConflictError, UnknownChassis
from bootz.model.chassis import fold_serial
from bootz.server.operations.audit import note
from bootz.server.operations.labels import fold_key
from bootz.server.operations.nearest import meant_serial
from bootz.server.operations.texts import dump_json, load_rows, load_texts
from bootz.server.operations.vendors import find_vendor
from bootz.server.operations.vouchers.needs import CardVoucher
from bootz.server.store.schema import CARD, CHASSIS, CHASSIS_LABEL, VOUCHER_FETCH
from bootz.server.store.words import MAX_WORDS, bounded
from bootz.sql.times import from_text, to_text

MAX_OPEN: Final = 20
"""Requests that wait or are under way at once."""
MAX_SERIALS: Final = 1_000
"""Cards that one request names."""
_KEPT: Final = 100
"""Requests that are kept after their end."""
_MAX_FAULTS: Final = 50


class FetchState(Enum):
    """How far a request is."""

    ASKED = "asked"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


OPEN: Final = frozenset({FetchState.ASKED, FetchState.WORKING})


@dataclass(frozen=True, slots=True)
class FetchScope:
    """The cards without a voucher that are meant; what is empty does not choose.

    ``label`` is ``key`` or ``key=value`` of the chassis.
    """

    vendor: str = ""
    label: str = ""
    serials: tuple[str, ...] = ()

    def words(self) -> str:
        """Return what is meant, for people."""
        told = [f"vendor {self.vendor}"] if self.vendor else []
        told += [self.label] if self.label else []
        told += [", ".join(self.serials[:5])] if self.serials else []
        if len(self.serials) > 5:
            told[-1] += f" and {len(self.serials) - 5} more"
        return "; ".join(told) or "all cards without a voucher"


@dataclass(frozen=True, slots=True)
class FetchFault:
    """A card that got no voucher, and why."""

    serial_number: str
    vendor: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class VoucherFetch:
    """One request. ``cards`` had no voucher when it was taken up; ``stored`` of them got one."""

    key: int
    asked_at: datetime
    asked_by: str
    scope: FetchScope
    state: FetchState
    begun_at: datetime | None
    ended_at: datetime | None
    cards: int
    stored: int
    reason: str
    detail: str
    faults: tuple[FetchFault, ...]

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.state in OPEN


def ask_fetch(connection: Connection, scope: FetchScope, *, by: str, now: datetime) -> VoucherFetch:
    """Put a request on record and return it; one for the same cards that is open is joined.

    Raises:
        ConflictError: ``voucher-fetches-too-many``.
        UnknownChassis: no such vendor, or no card has a serial number that is named.
    """
    if scope.vendor:
        scope = FetchScope(find_vendor(connection, scope.vendor).name, scope.label, scope.serials)
    _check_cards(connection, scope.serials)
    waiting = [each for each in list_fetches(connection) if each.open]
    for each in waiting:
        if each.scope == scope:
            return each
    if len(waiting) >= MAX_OPEN:
        raise ConflictError(
            "voucher-fetches-too-many",
            f"{len(waiting)} requests wait or are under way",
            where="vouchers",
            expected=f"at most {MAX_OPEN}",
            seen=str(len(waiting)),
        )
    connection.execute(
        insert(VOUCHER_FETCH).values(
            asked_at=to_text(now),
            asked_by=bounded(by),
            vendor=scope.vendor,
            label=scope.label,
            serials=dump_json(list(scope.serials)),
            state=FetchState.ASKED.value,
            cards=0,
            stored=0,
            reason="",
            detail="",
            faults="[]",
        )
    )
    key = connection.scalar(select(func.max(VOUCHER_FETCH.c.id))) or 0
    ended = VOUCHER_FETCH.c.state.not_in([state.value for state in OPEN])
    connection.execute(delete(VOUCHER_FETCH).where(ended, VOUCHER_FETCH.c.id <= key - _KEPT))
    note(connection, "voucher.fetch", scope.words(), after={"request": key})
    return find_fetch(connection, key)


def find_fetch(connection: Connection, key: int) -> VoucherFetch:
    """Return a request.

    Raises:
        UnknownChassis: ``object-not-found``.
    """
    row = connection.execute(select(VOUCHER_FETCH).where(VOUCHER_FETCH.c.id == key)).first()
    if row is None:
        raise UnknownChassis("object-not-found", f"there is no request {key}", where="id")
    return _fetch(row)


def list_fetches(connection: Connection, *, most: int = _KEPT) -> tuple[VoucherFetch, ...]:
    """Return the requests, the newest first."""
    rows = connection.execute(select(VOUCHER_FETCH).order_by(VOUCHER_FETCH.c.id.desc()).limit(most))
    return tuple(_fetch(row) for row in rows)


def next_fetch(connection: Connection) -> VoucherFetch | None:
    """Return the oldest request that has not ended, None without one."""
    row = connection.execute(
        select(VOUCHER_FETCH)
        .where(VOUCHER_FETCH.c.state.in_([state.value for state in OPEN]))
        .order_by(VOUCHER_FETCH.c.id)
        .limit(1)
    ).first()
    return None if row is None else _fetch(row)


def begin_fetch(connection: Connection, key: int, *, cards: int, now: datetime) -> None:
    """Note that a request is under way, for so many cards."""
    connection.execute(
        update(VOUCHER_FETCH)
        .where(VOUCHER_FETCH.c.id == key)
        .values(state=FetchState.WORKING.value, begun_at=to_text(now), cards=cards)
    )


def end_fetch(
    connection: Connection,
    key: int,
    *,
    stored: int,
    faults: Sequence[FetchFault],
    now: datetime,
) -> None:
    """Note how a request ended: it failed where a card got nothing."""
    reasons = {fault.reason for fault in faults}
    reason = "voucher-fetch-incomplete" if len(reasons) > 1 else next(iter(reasons), "")
    told = [
        [
            bounded(fault.serial_number),
            bounded(fault.vendor),
            fault.reason,
            bounded(fault.detail, MAX_WORDS),
        ]
        for fault in faults[:_MAX_FAULTS]
    ]
    connection.execute(
        update(VOUCHER_FETCH)
        .where(VOUCHER_FETCH.c.id == key)
        .values(
            state=(FetchState.FAILED if faults else FetchState.DONE).value,
            ended_at=to_text(now),
            stored=stored,
            reason=reason,
            detail=f"{len(faults)} cards got no voucher" if faults else "",
            faults=dump_json(told),
        )
    )


def fault_of(serial: str, vendor: str, error: BootzError) -> FetchFault:
    """Return why a card got no voucher."""
    return FetchFault(serial, vendor, error.reason, str(error))


def cards_meant(
    connection: Connection, scope: FetchScope, cards: Sequence[CardVoucher]
) -> list[CardVoucher]:
    """Return those of the cards that a request means: without a voucher, and in its scope."""
    meant = [card for card in cards if card.held is None]
    if scope.vendor:
        meant = [card for card in meant if card.vendor == scope.vendor]
    if scope.serials:
        named = {fold_serial(serial) for serial in scope.serials}
        meant = [card for card in meant if fold_serial(card.serial_number) in named]
    return of_batch(connection, scope.label, meant)


def of_batch(connection: Connection, label: str, cards: Sequence[CardVoucher]) -> list[CardVoucher]:
    """Return the cards of chassis that have a label, ``key`` or ``key=value``; all without one."""
    if not label:
        return list(cards)
    key, equals, value = label.partition("=")
    wanted = [CHASSIS_LABEL.c.key == fold_key(key)]
    if equals:
        wanted.append(CHASSIS_LABEL.c.value == value.strip())
    rows = connection.execute(
        select(CHASSIS.c.vendor_id, CARD.c.serial)
        .join_from(CARD, CHASSIS)
        .join(CHASSIS_LABEL, CHASSIS_LABEL.c.chassis_id == CHASSIS.c.id)
        .where(*wanted)
    )
    batch = {(row.vendor_id, row.serial) for row in rows}
    return [card for card in cards if (card.vendor_key, card.serial_number) in batch]


def _check_cards(connection: Connection, serials: Sequence[str]) -> None:
    if not serials:
        return
    known = {fold_serial(serial) for serial in connection.scalars(select(CARD.c.serial))}
    for serial in serials:
        if fold_serial(serial) not in known:
            raise UnknownChassis(
                "voucher-card-unknown",
                f"no card {serial!r} needs a voucher{meant_serial(connection, serial)}",
                where="voucher",
            )


def _fetch(row: Row[Any]) -> VoucherFetch:
    return VoucherFetch(
        key=row.id,
        asked_at=from_text(row.asked_at),
        asked_by=row.asked_by,
        scope=FetchScope(row.vendor, row.label, load_texts(row.serials)),
        state=FetchState(row.state),
        begun_at=None if row.begun_at is None else from_text(row.begun_at),
        ended_at=None if row.ended_at is None else from_text(row.ended_at),
        cards=row.cards,
        stored=row.stored,
        reason=row.reason,
        detail=row.detail,
        faults=tuple(FetchFault(*each) for each in load_rows(row.faults)),
    )
