"""Fetches that someone asked for, carried out one after the other by the keeper.

A request stays on record until it has ended, so that one that a crash cut off is taken up again:
the vouchers that were stored until then are not fetched twice.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from bootz.errors import BootzError
from bootz.log import get_logger
from bootz.server.operations.vendors import VendorRecord, list_vendors
from bootz.server.operations.vouchers.fetches import (
    FetchFault,
    VoucherFetch,
    begin_fetch,
    cards_meant,
    end_fetch,
    fault_of,
)
from bootz.server.operations.vouchers.needs import CardVoucher, card_vouchers
from bootz.server.voucher_source.fetching import Fetched
from bootz.server.voucher_source.opening import Surroundings

log = get_logger()

Lacking = Callable[[], Awaitable[Sequence[CardVoucher]]]
"""Reads which of a vendor's cards still have no voucher."""
FetchNow = Callable[[VendorRecord, Lacking], Awaitable[Sequence[Fetched]]]
"""Fetches for the cards that lack one; raises a BootzError where the vendor's source cannot."""


class AskedFetches:
    """Carries out requests.

    Args:
        around: database, folder, clock and environment of the site.
        pinned: returns this owner's pinned domain certificate (DER), as it is now; blocking.
        fetch_now: the keeper's.
    """

    def __init__(
        self, around: Surroundings, pinned: Callable[[], bytes], fetch_now: FetchNow
    ) -> None:
        self._around = around
        self._pinned = pinned
        self._fetch_now = fetch_now

    async def carry_out(self, asked: VoucherFetch) -> None:
        """Fetch for the cards that a request means, and note how it ended.

        Raises:
            Unavailable: the database does not answer; the request stays as it is.
        """
        stored, faults = 0, list[FetchFault]()
        try:
            for vendor, cards in await asyncio.to_thread(self._begin, asked):
                faults += await self._fetch(asked, vendor)
                left = await asyncio.to_thread(self._lacking, asked, vendor)
                stored += max(0, cards - len(left))
        except BootzError as error:
            faults.append(fault_of("", "", error))
        except Exception:
            # A defect of ours: the request ends, so that the next one has its turn.
            log.exception("vouchers-asked-failed", request=asked.key)
            words = "a fault of the server; its log says more"
            faults.append(FetchFault("", "", "voucher-fetch-incomplete", words))
        await asyncio.to_thread(self._end, asked, stored, faults)

    async def _fetch(self, asked: VoucherFetch, vendor: VendorRecord) -> list[FetchFault]:
        async def lacking() -> Sequence[CardVoucher]:
            return await asyncio.to_thread(self._lacking, asked, vendor)

        try:
            fetched = await self._fetch_now(vendor, lacking)
        except BootzError as error:
            told = await lacking()
            return [fault_of(card.serial_number, vendor.name, error) for card in told]
        return [
            fault_of(each.serial_number, vendor.name, each.error)
            for each in fetched
            if each.error is not None
        ]

    def _begin(self, asked: VoucherFetch) -> list[tuple[VendorRecord, int]]:
        """Note that it is under way; return each vendor with how many of its cards are meant."""
        pinned, now = self._pinned(), self._around.clock()
        with self._around.database.write() as connection:
            vendors = list_vendors(connection)
            cards = cards_meant(
                connection,
                asked.scope,
                card_vouchers(connection, pinned_domain_cert=pinned, now=now, vendors=vendors),
            )
            begin_fetch(connection, asked.key, cards=len(cards), now=now)
        log.info("vouchers-asked-for", request=asked.key, by=asked.asked_by, cards=len(cards))
        counts = Counter(card.vendor_key for card in cards)
        return [(vendor, counts[vendor.key]) for vendor in vendors if counts[vendor.key]]

    def _lacking(self, asked: VoucherFetch, vendor: VendorRecord) -> list[CardVoucher]:
        pinned, now = self._pinned(), self._around.clock()
        with self._around.database.read() as connection:
            cards = card_vouchers(connection, pinned_domain_cert=pinned, now=now, vendors=[vendor])
            return cards_meant(connection, asked.scope, cards)

    def _end(self, asked: VoucherFetch, stored: int, faults: Sequence[FetchFault]) -> None:
        with self._around.database.write() as connection:
            end_fetch(connection, asked.key, stored=stored, faults=faults, now=self._around.clock())
        log.info("vouchers-asked-ended", request=asked.key, stored=stored, failed=len(faults))
