"""Keeps a voucher for every card while the server runs: fetched when a chassis is added, renewed
before it ends, with back-off when a source is down.

The inventory is watched by its revision, so that it does not matter which process changed it.

Source: docs/protocol/ovgs.md#the-client (7 to 10).
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from bootz.errors import BootzError, ConfigError
from bootz.log import get_logger
from bootz.model.chassis import fold_serial
from bootz.server.operations.vendors import VendorRecord, list_vendors
from bootz.server.operations.vouchers.fetches import VoucherFetch, next_fetch
from bootz.server.operations.vouchers.needs import CardVoucher, card_vouchers
from bootz.server.store.revision import Revision, read_revision
from bootz.server.store.waiting_cards import forget_waiting, read_waiting, waiting_name
from bootz.server.voucher_source.asked import AskedFetches, Lacking
from bootz.server.voucher_source.fetching import Fetched
from bootz.server.voucher_source.kept import (
    CARD_PAUSE_MOST_S,
    CARD_PAUSE_S,
    SOURCE_PAUSE_S,
    KeptVendor,
    no_pause,
)
from bootz.server.voucher_source.opening import Surroundings, open_fetcher
from bootz.server.voucher_source.telling import tell_calls, tell_fetched, tell_warnings

log = get_logger()

WATCH_S: Final = 1.0
"""How often the inventory's revision is read."""

_AT_LEAST_S: Final = 3600.0
"""How often the cards are looked at though nothing seems due."""
_JUMP_S: Final = 60.0
"""A clock that moves so much more, or less, than the seconds that passed has been set."""

_TPM_EVERY_S: Final = 86400.0


class VoucherKeeper:
    """Fetches and renews vouchers for as long as ``run`` runs; one fetch in flight per vendor.

    Args:
        around: database, folder, clock and environment of the site.
        pinned: returns this owner's pinned domain certificate (DER), as it is now; blocking.
        monotonic: seconds that only ever rise; waits are measured by it.
        chance: random in [0, 1).
    """

    def __init__(
        self,
        around: Surroundings,
        pinned: Callable[[], bytes],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._around = around
        self._monotonic = monotonic
        self._pinned = pinned
        self._chance = chance
        self._woken = asyncio.Event()
        self._vendors: dict[int, KeptVendor] = {}
        self._seen: Revision | None = None
        self._look_at = monotonic()
        self._offset = self._clocks_apart()
        self._told: tuple[int, int] | None = None
        self._asked = AskedFetches(around, pinned, self._fetch_now)
        self._asking: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Look at once, also for cards and sources that are left alone after a failure."""
        for kept in self._vendors.values():
            kept.cards.clear()
            kept.source = no_pause(self._monotonic())
        self._seen = None
        self._woken.set()

    def lacking(self, serials: Sequence[str]) -> None:
        """Hear that a router waits for these cards' vouchers: do not be patient with them.

        The router tries again by itself; what was refused counts for a minute all the same.
        """
        self._hurry(frozenset(map(waiting_name, serials)))

    def _hurry(self, names: frozenset[str]) -> None:
        for kept in self._vendors.values():
            ends = [kept.source.shorten(SOURCE_PAUSE_S)]
            for serial, pause in kept.cards.items():
                if waiting_name(serial) in names:
                    ends.append(pause.shorten(CARD_PAUSE_S))
            self._look_at = min(self._look_at, max(ends))

    async def run(self) -> None:
        """Keep vouchers until it is cancelled; may be run again after that."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    self._woken.clear()
                    try:
                        await self._watch(tasks)
                    except BootzError as error:
                        log.error("vouchers-not-kept", reason=error.reason, detail=str(error))
                    try:
                        async with asyncio.timeout(WATCH_S):
                            await self._woken.wait()
                    except TimeoutError:
                        pass
        finally:
            for kept in self._vendors.values():
                kept.fetcher.source.close()
            self._vendors.clear()
            self._seen = None

    def _clocks_apart(self) -> float:
        """Return how far both clocks are apart; it changes where the one of the day is set."""
        return self._around.clock().timestamp() - self._monotonic()

    async def _watch(self, tasks: asyncio.TaskGroup) -> None:
        revision, asked, waiting = await asyncio.to_thread(self._news)
        if waiting:
            self._hurry(waiting)
            await asyncio.to_thread(self._forget_waiting, waiting)
        if asked is not None and self._asking is None:
            self._asking = tasks.create_task(self._carry_out(asked))
        offset = self._clocks_apart()
        was_set = abs(offset - self._offset) > _JUMP_S
        now, at = self._around.clock(), self._monotonic()
        if revision == self._seen and at < self._look_at and not was_set:
            return
        self._seen, self._offset = revision, offset
        # Set before anything can fail, so that a fault is not repeated every second.
        self._look_at = at + CARD_PAUSE_S
        pinned, vendors, cards = await asyncio.to_thread(self._read, now)
        self._take_over(vendors, pinned, at)
        by_vendor: dict[int, list[CardVoucher]] = {key: [] for key in self._vendors}
        for card in cards:
            # A vendor whose source cannot be opened is not there.
            if card.vendor_key in by_vendor:
                by_vendor[card.vendor_key].append(card)
        self._look_at = at + _AT_LEAST_S
        for key, own in by_vendor.items():
            self._begin(self._vendors[key], own, now, at, tasks)
        self._tell(cards, now)

    def _news(self) -> tuple[Revision, VoucherFetch | None, frozenset[str]]:
        with self._around.database.read() as connection:
            waiting = read_waiting(connection)
            return read_revision(connection), next_fetch(connection), waiting

    def _forget_waiting(self, names: frozenset[str]) -> None:
        with self._around.database.write() as connection:
            forget_waiting(connection, names)

    def _read(
        self, now: datetime
    ) -> tuple[bytes, tuple[VendorRecord, ...], tuple[CardVoucher, ...]]:
        pinned = self._pinned()
        with self._around.database.read() as connection:
            vendors = tuple(
                vendor
                for vendor in list_vendors(connection)
                if vendor.settings.voucher_source is not None
            )
            cards = card_vouchers(connection, pinned_domain_cert=pinned, now=now, vendors=vendors)
        return pinned, vendors, cards

    def _take_over(self, vendors: Sequence[VendorRecord], pinned: bytes, at: float) -> None:
        """Open sources that are new or set differently, and close those that are gone."""
        before, self._vendors = self._vendors, {}
        for vendor in vendors:
            kept = before.pop(vendor.key, None)
            # One at work stays as it is; its end brings the next look.
            if kept is not None and (
                kept.working is not None or (kept.record, kept.pinned) == (vendor, pinned)
            ):
                self._vendors[vendor.key] = kept
                continue
            if kept is not None:
                kept.fetcher.source.close()
            self._open(vendor, pinned, at)
        for kept in before.values():
            if kept.working is not None:
                kept.working.cancel()
            kept.fetcher.source.close()

    def _open(self, vendor: VendorRecord, pinned: bytes, at: float) -> None:
        try:
            fetcher = open_fetcher(vendor, pinned, self._around)
        except BootzError as error:
            log.error(
                "voucher-source-failed",
                vendor=vendor.name,
                reason=error.reason,
                detail=str(error),
            )
            return
        if fetcher is not None:
            # Servers that start together do not ask together.
            tpms_at = at + 3600 * self._chance()
            self._vendors[vendor.key] = KeptVendor(vendor, pinned, fetcher, tpms_at, no_pause(at))

    def _begin(
        self,
        kept: KeptVendor,
        cards: Sequence[CardVoucher],
        now: datetime,
        at: float,
        tasks: asyncio.TaskGroup,
    ) -> None:
        """Start fetching what is due, and note when the next is."""
        if kept.working is not None:
            return
        kept.cards = {
            serial: pause
            for serial, pause in kept.cards.items()
            if pause.until + CARD_PAUSE_MOST_S > at
        }
        due: list[CardVoucher] = []
        for card in cards:
            renewal = card.renew_at()
            if renewal is None:
                continue
            pause = kept.cards.get(fold_serial(card.serial_number))
            # A date that is far away, in either direction, is no number of seconds to wait.
            wait = max(0.0, min((renewal - now).total_seconds(), _AT_LEAST_S))
            when = at + wait if pause is None else max(at + wait, pause.until)
            if when <= at:
                due.append(card)
            else:
                self._look_at = min(self._look_at, when)
        if not cards and kept.tpms_at <= at:
            kept.tpms_at = at + _AT_LEAST_S
        self._look_at = min(self._look_at, max(kept.tpms_at, kept.source.until))
        tpms = [card.serial_number for card in cards] if kept.tpms_at <= at else []
        if not due and not tpms:
            return
        if kept.source.until > at:
            self._look_at = min(self._look_at, kept.source.until)
            return
        kept.working = tasks.create_task(self._work(kept, due, tpms))

    async def _work(
        self, kept: KeptVendor, due: Sequence[CardVoucher], tpms: Sequence[str]
    ) -> None:
        try:
            if due:
                async for batch in kept.fetcher.fetch(due):
                    tell_fetched(kept.record.name, batch)
                    for fetched in batch:
                        kept.pause_card(fetched, self._monotonic(), self._chance)
            if tpms:
                warnings = await kept.fetcher.refresh_tpms(tpms)
                for serial, own in warnings.items():
                    tell_warnings(kept.record.name, serial, own)
            at = self._monotonic()
            # Not where they have become due while vouchers were fetched: they were not asked for.
            if tpms:
                part = 1 - self._chance() / 10
                kept.tpms_at = at + _TPM_EVERY_S * part
            kept.source = no_pause(at)
        except BootzError as error:
            seconds = kept.pause_source(self._monotonic(), self._chance)
            again_at = self._around.clock() + timedelta(seconds=seconds)
            log.warning(
                "voucher-source-failed",
                vendor=kept.record.name,
                reason=error.reason,
                detail=str(error),
                again_at=again_at.isoformat(timespec="seconds"),
            )
        except Exception:
            # A defect of ours must not end the keeping of the other vendors' vouchers.
            kept.pause_source(self._monotonic(), self._chance)
            log.exception("voucher-source-failed", vendor=kept.record.name)
        finally:
            kept.working = None
            self._seen = None
            self._woken.set()
            tell_calls(kept)

    async def _carry_out(self, asked: VoucherFetch) -> None:
        """Do what someone asked for; where that cannot be noted, it is taken up again."""
        try:
            await self._asked.carry_out(asked)
        except BootzError as error:
            log.error("vouchers-not-kept", reason=error.reason, detail=str(error))
            await asyncio.sleep(SOURCE_PAUSE_S)
        finally:
            self._asking = None
            self._woken.set()

    async def _fetch_now(self, vendor: VendorRecord, lacking: Lacking) -> Sequence[Fetched]:
        """Fetch without regard to pauses, when what is in flight for the vendor has ended."""
        kept = await self._claimed(vendor)
        results: list[Fetched] = []
        try:
            async for batch in kept.fetcher.fetch(await lacking()):
                results += batch
                tell_fetched(kept.record.name, batch)
                for fetched in batch:
                    kept.pause_card(fetched, self._monotonic(), self._chance)
            kept.source = no_pause(self._monotonic())
        except BootzError:
            kept.pause_source(self._monotonic(), self._chance)
            raise
        finally:
            kept.working = None
            self._seen = None
            tell_calls(kept)
        return results

    async def _claimed(self, vendor: VendorRecord) -> KeptVendor:
        """Return a vendor's source, and let no one else fetch from it.

        Raises:
            BootzError: there is none, or it cannot be opened.
        """
        while (kept := self._vendors.get(vendor.key)) is not None and kept.working is not None:
            await asyncio.wait([kept.working])
        if kept is None:
            pinned = await asyncio.to_thread(self._pinned)
            fetcher = open_fetcher(vendor, pinned, self._around)
            if fetcher is None:
                raise ConfigError(
                    "voucher-source-missing", "it has no voucher source", where=vendor.name
                )
            at = self._monotonic()
            tpms_at = at + 3600 * self._chance()
            kept = KeptVendor(vendor, pinned, fetcher, tpms_at, no_pause(at))
            self._vendors[vendor.key] = kept
        kept.working = asyncio.current_task()
        return kept

    def _tell(self, cards: Sequence[CardVoucher], now: datetime) -> None:
        """Log how many cards lack a voucher or will soon, when that has changed."""
        missing = sum(card.held is None for card in cards)
        ending = sum(card.held is not None and card.is_stale(now) for card in cards)
        if self._vendors and self._told != (missing, ending):
            self._told = (missing, ending)
            log.info("vouchers-held", cards=len(cards), missing=missing, ending=ending)
