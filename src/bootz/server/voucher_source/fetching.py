"""Fetching: what a source answers is verified and stored, a transaction for each batch.

Source: docs/protocol/ovgs.md#the-client (6 to 9).
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import Connection

from bootz.errors import BootzError
from bootz.server.operations.vouchers.needs import CardVoucher
from bootz.server.operations.vouchers.storing import StoreOutcome, VoucherResult, store_voucher
from bootz.server.store.database import Database
from bootz.server.store.voucher_rounds import (
    CHANCE_BITS,
    VoucherRound,
    begin_round,
    end_round,
)
from bootz.server.voucher_source.source import Answered, VoucherSource
from bootz.server.voucher_source.tpm import EkIssuers, keep_tpm, read_tpm

_GAIN = timedelta(hours=1)
"""How much longer a new voucher must last to be worth a signature."""


class FetchOutcome(Enum):
    """What became of one card's fetch."""

    STORED = "stored"
    SAME = "same"
    """The source has only what is held."""
    REFUSED = "refused"
    """What came does not hold."""
    FAILED = "failed"
    """Nothing came."""
    KEPT = "kept"
    """A new voucher would last no longer than the one that is held."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one card's fetch; ``error`` says why there is no new voucher."""

    serial_number: str
    vendor: str
    outcome: FetchOutcome
    warnings: tuple[str, ...] = ()
    error: BootzError | None = None


_OUTCOMES = {
    StoreOutcome.STORED: FetchOutcome.STORED,
    # It is stored; one that was made later is served.
    StoreOutcome.OLDER: FetchOutcome.SAME,
    StoreOutcome.SAME: FetchOutcome.SAME,
    StoreOutcome.REFUSED: FetchOutcome.REFUSED,
}
_BEST_FIRST = (FetchOutcome.STORED, FetchOutcome.SAME, FetchOutcome.REFUSED)


class Fetcher:
    """Fetches from one vendor's source into the inventory.

    Args:
        vendor: its name.
        vendor_key: of its record.
        source: where its vouchers come from.
        database: the inventory's.
        pinned_domain_cert: this owner's, DER.
        ek_issuers: who may certify EKs; None: the manufacturer's word is enough.
        clock: aware UTC.
    """

    def __init__(
        self,
        vendor: str,
        source: VoucherSource,
        *,
        vendor_key: int,
        database: Database,
        pinned_domain_cert: bytes,
        ek_issuers: EkIssuers | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._vendor = vendor
        self._vendor_key = vendor_key
        self.source = source
        self._database = database
        self._pinned = pinned_domain_cert
        self._ek_issuers = ek_issuers
        self._clock = clock

    async def fetch(
        self, cards: Sequence[CardVoucher], *, force: bool = False
    ) -> AsyncIterator[tuple[Fetched, ...]]:
        """Fetch a voucher for each card; yields what became of them, batch by batch.

        ``force`` fetches also where a new voucher would last no longer.

        Raises:
            BootzError: the source does not answer; the cards that were not yielded have not
                been asked for.
        """
        asking = await asyncio.to_thread(self._begin_round)
        until = await self.source.until(asking.begun)
        wanted: list[str] = []
        kept: list[Fetched] = []
        for card in cards:
            if force or _gains(card, until):
                wanted.append(card.serial_number)
            else:
                kept.append(Fetched(card.serial_number, self._vendor, FetchOutcome.KEPT))
        if kept:
            yield tuple(kept)
        async for batch in self.source.fetch(wanted, asking):
            yield await asyncio.to_thread(self._store, batch)
        # Only where all came to its end: what is not stored is asked for under the same key.
        await asyncio.to_thread(self._end_round, asking)

    async def refresh_tpms(self, serials: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Ask again what is known of the cards' TPMs, and put what is new on record.

        Returns what kept something away, by serial number.

        Raises:
            BootzError: the source does not answer.
        """
        warnings: dict[str, tuple[str, ...]] = {}
        async for batch in self.source.tpms(serials):
            warnings |= await asyncio.to_thread(self._store_tpms, batch)
        return warnings

    def _begin_round(self) -> VoucherRound:
        drawn = secrets.randbits(CHANCE_BITS)
        with self._database.write() as connection:
            return begin_round(connection, self._vendor_key, now=self._clock(), chance=drawn)

    def _end_round(self, asking: VoucherRound) -> None:
        with self._database.write() as connection:
            end_round(connection, self._vendor_key, asking)

    def _store(self, batch: Sequence[Answered]) -> tuple[Fetched, ...]:
        with self._database.write() as connection:
            return tuple(self._store_one(connection, answered) for answered in batch)

    def _store_tpms(self, batch: Sequence[Answered]) -> dict[str, tuple[str, ...]]:
        with self._database.write() as connection:
            told = {each.serial_number: self._keep_tpm(connection, each) for each in batch}
        return {serial: warnings for serial, warnings in told.items() if warnings}

    def _store_one(self, connection: Connection, answered: Answered) -> Fetched:
        serial = answered.serial_number
        if answered.error is not None:
            return Fetched(serial, self._vendor, FetchOutcome.FAILED, error=answered.error)
        results = [
            self._judged(
                serial,
                store_voucher(
                    connection,
                    raw,
                    pinned_domain_cert=self._pinned,
                    now=self._clock(),
                    vendor=self._vendor,
                    serial_number=serial,
                ),
            )
            for raw in answered.vouchers
        ]
        best = min(results, key=lambda result: _BEST_FIRST.index(result.outcome))
        if best.outcome is FetchOutcome.REFUSED:
            # Who is wrong about the voucher is not believed about the TPM.
            return best
        return replace(best, warnings=best.warnings + self._keep_tpm(connection, answered))

    def _judged(self, serial: str, result: VoucherResult) -> Fetched:
        return Fetched(
            serial, self._vendor, _OUTCOMES[result.outcome], result.warnings, result.error
        )

    def _keep_tpm(self, connection: Connection, answered: Answered) -> tuple[str, ...]:
        """Put a TPM's keys on record; return what kept them away, which the voucher survives."""
        if answered.tpm is None:
            return ()
        serial = answered.serial_number
        try:
            tpm = read_tpm(
                answered.tpm, ek_issuers=self._ek_issuers, now=self._clock(), where=serial
            )
            with connection.begin_nested():
                keep_tpm(connection, self._vendor, serial, tpm)
        except BootzError as error:
            return (f"the TPM's keys are not kept: {error} ({error.reason})",)
        return ()


def _gains(card: CardVoucher, until: datetime | None) -> bool:
    """Tell whether a new voucher, ending at ``until``, would last longer than the one held."""
    if card.held is None or until is None:
        return True
    return card.held.expires_on is not None and until > card.held.expires_on + _GAIN
