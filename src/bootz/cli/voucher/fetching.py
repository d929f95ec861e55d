"""What ``bootz voucher fetch`` and its like do: find the cards in question, and fetch."""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.progress import Progress, TaskID

from bootz.cli.base import Cli
from bootz.cli.inventory.base import reading
from bootz.cli.output import Column, error_record, stderr
from bootz.errors import BootzError, ConfigError, UnknownChassis
from bootz.model.chassis import fold_serial
from bootz.server.operations.nearest import meant_serial
from bootz.server.operations.vendors import VendorRecord, find_vendor, list_vendors
from bootz.server.operations.vouchers.needs import CardVoucher, card_vouchers
from bootz.server.voucher_source.fetching import Fetched, FetchOutcome
from bootz.server.voucher_source.opening import Surroundings, open_fetcher

_FETCHED = (
    Column("serial_number", "SERIAL"),
    Column("vendor"),
    Column("outcome"),
    Column("reason"),
    Column("detail"),
)


_CARDS = (
    Column("serial_number", "SERIAL"),
    Column("chassis"),
    Column("vendor"),
    Column("expires_on", "EXPIRES"),
    Column("days_left", "DAYS LEFT", right=True),
    Column("renewal"),
    Column("source"),
)


_BAD = (FetchOutcome.FAILED, FetchOutcome.REFUSED)


@dataclass(frozen=True, slots=True)
class Looked:
    """The cards in question, and what they were looked up with."""

    now: datetime
    pinned: bytes
    vendors: dict[int, VendorRecord]
    cards: Sequence[CardVoucher]


def look_up(cli: Cli, serials: Sequence[str], vendor: str | None) -> Looked:
    """Return the cards in question."""
    site = cli.site()
    now, pinned = site.clock(), site.pinned_domain_cert()
    with reading(cli) as connection:
        named = list_vendors(connection) if vendor is None else (find_vendor(connection, vendor),)
        cards = card_vouchers(
            connection,
            pinned_domain_cert=pinned,
            now=now,
            vendors=named,
            serials=serials or None,
        )
        known = {fold_serial(card.serial_number) for card in cards}
        for serial in serials:
            if fold_serial(serial) not in known:
                raise UnknownChassis(
                    "voucher-card-unknown",
                    f"no card {serial!r} needs a voucher{meant_serial(connection, serial)}",
                    where="voucher",
                )
    return Looked(now, pinned, {record.key: record for record in named}, cards)


def is_due(card: CardVoucher, now: datetime, days: int | None) -> bool:
    """Tell whether a voucher ends within so many days; None: whether it is time to renew it."""
    at = card.renew_at()
    if at is None or card.held is None or card.held.expires_on is None:
        return False
    return at <= now if days is None else card.held.expires_on <= now + timedelta(days=days)


def fetch_and_print(cli: Cli, looked: Looked, cards: Sequence[CardVoucher], *, force: bool) -> None:
    """Fetch vouchers for cards, and print what came of each."""
    rows: list[dict[str, object]] = []
    bad = 0
    with _progress(len(cards)) as advance:
        for fetched in asyncio.run(_fetch_all(cli, looked, cards, advance, force=force)):
            bad += fetched.outcome in _BAD
            rows.append(_fetched_row(fetched))
            for warning in fetched.warnings:
                cli.output.warning(f"{fetched.serial_number}: {warning}")
    cli.output.rows(_FETCHED, rows)
    if bad:
        raise ConfigError("voucher-fetch-incomplete", f"{bad} of {len(rows)} cards")


async def _fetch_all(
    cli: Cli,
    looked: Looked,
    cards: Sequence[CardVoucher],
    advance: Callable[[int], None],
    *,
    force: bool,
) -> list[Fetched]:
    site = cli.site()
    results: list[Fetched] = []
    with closing(site.database()) as database:
        around = Surroundings(database, site.root, site.clock, os.environ)
        for key, vendor in looked.vendors.items():
            own = [card for card in cards if card.vendor_key == key]
            if own:
                results += await _fetch_from(
                    vendor, own, looked.pinned, around, advance, force=force
                )
    return results


async def _fetch_from(
    vendor: VendorRecord,
    cards: Sequence[CardVoucher],
    pinned: bytes,
    around: Surroundings,
    advance: Callable[[int], None],
    *,
    force: bool,
) -> list[Fetched]:
    results: list[Fetched] = []
    fetcher = None
    error: BootzError
    try:
        fetcher = open_fetcher(vendor, pinned, around)
        if fetcher is None:
            raise ConfigError(
                "voucher-source-missing", "it has no voucher source", where=vendor.name
            )
        async for batch in fetcher.fetch(cards, force=force):
            results += batch
            advance(len(batch))
    except BootzError as caught:
        error = caught
        done = {fold_serial(each.serial_number) for each in results}
        results += [
            Fetched(card.serial_number, vendor.name, FetchOutcome.FAILED, error=error)
            for card in cards
            if fold_serial(card.serial_number) not in done
        ]
    finally:
        if fetcher is not None:
            fetcher.source.close()
    return results


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how far a long fetch is."""
    with Progress(console=stderr(), transient=True, disable=total < 2) as progress:
        task: TaskID = progress.add_task("fetching vouchers", total=total)
        yield lambda count: progress.advance(task, count)


def _fetched_row(fetched: Fetched) -> dict[str, object]:
    row: dict[str, object] = {
        "serial_number": fetched.serial_number,
        "vendor": fetched.vendor,
        "outcome": fetched.outcome,
        "warnings": fetched.warnings,
    }
    return row if fetched.error is None else row | error_record(fetched.error)


def print_cards(cli: Cli, looked: Looked, cards: Sequence[CardVoucher]) -> None:
    """Print cards with what is known of their vouchers."""
    cli.output.rows(_CARDS, [_card_row(card, looked) for card in cards])


def _card_row(card: CardVoucher, looked: Looked) -> dict[str, object]:
    source = looked.vendors[card.vendor_key].settings.voucher_source
    ends = card.ended if card.held is None else card.held.expires_on
    renewal = card.renew_at()
    return {
        "serial_number": card.serial_number,
        "chassis": card.chassis,
        "vendor": card.vendor,
        "expires_on": ends,
        "days_left": None if ends is None else (ends - looked.now).days,
        "renewal": None if card.held is None else renewal,
        "source": "none" if source is None else source.ovgs or source.folder,
    }
