"""A vendor whose vouchers are kept, and for how long it and its cards are left alone."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from bootz.model.chassis import fold_serial
from bootz.server.operations.vendors import VendorRecord
from bootz.server.voucher_source.fetching import Fetched, Fetcher, FetchOutcome
from bootz.transport.backoff import backoff

CARD_PAUSE_S: Final = 60.0
"""For how long a card is left alone after its fetch; doubled with each failure."""
CARD_PAUSE_MOST_S: Final = 3600.0
SOURCE_PAUSE_S: Final = 5.0
_SOURCE_PAUSE_MOST_S: Final = 600.0


@dataclass(slots=True)
class Pause:
    """From when until when a card or source is left alone, and after how many failures.

    Both are of the monotonic clock: a pause is so long, whatever the other clock is set to.
    """

    begun: float
    until: float
    failures: int = 0

    def shorten(self, seconds: float) -> float:
        """End it so many seconds after its beginning, if not before; return its end."""
        self.until = min(self.until, self.begun + seconds)
        return self.until


def no_pause(at: float) -> Pause:
    """Return a pause that has ended already."""
    return Pause(at, at)


@dataclass(slots=True)
class KeptVendor:
    """A vendor whose vouchers are kept."""

    record: VendorRecord
    pinned: bytes
    fetcher: Fetcher
    tpms_at: float
    source: Pause
    cards: dict[str, Pause] = field(default_factory=dict)
    working: asyncio.Task[Any] | None = None

    def pause_card(self, fetched: Fetched, at: float, chance: Callable[[], float]) -> None:
        """Leave a card alone after its fetch: the longer, the more often that failed."""
        serial = fold_serial(fetched.serial_number)
        before = self.cards.get(serial)
        failures = 0
        if fetched.outcome is not FetchOutcome.STORED:
            failures = 1 + (0 if before is None else before.failures)
        seconds = min(CARD_PAUSE_MOST_S, CARD_PAUSE_S * 2.0 ** max(0, failures - 1))
        # Never shorter than a minute: so long a refusal counts.
        seconds += seconds * chance() / 4
        self.cards[serial] = Pause(at, at + seconds, failures)

    def pause_source(self, at: float, chance: Callable[[], float]) -> float:
        """Leave a source alone for a while; return the seconds."""
        failures = self.source.failures + 1
        seconds = backoff(failures, chance(), first=2 * SOURCE_PAUSE_S, most=_SOURCE_PAUSE_MOST_S)
        seconds = max(SOURCE_PAUSE_S, seconds)
        self.source = Pause(at, at + seconds, failures)
        return seconds
