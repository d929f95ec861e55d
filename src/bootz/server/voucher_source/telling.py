"""What the log hears of fetches."""

from collections.abc import Sequence

from bootz.log import get_logger
from bootz.server.voucher_source.fetching import Fetched, FetchOutcome
from bootz.server.voucher_source.kept import KeptVendor

log = get_logger()


def tell_fetched(vendor: str, batch: Sequence[Fetched]) -> None:
    """Log what became of each card."""
    stored = sum(each.outcome is FetchOutcome.STORED for each in batch)
    if stored:
        log.info("vouchers-fetched", vendor=vendor, count=stored)
    for each in batch:
        if each.error is not None:
            log.warning(
                "voucher-not-fetched",
                vendor=vendor,
                serial_number=each.serial_number,
                outcome=each.outcome.value,
                reason=each.error.reason,
                detail=str(each.error),
            )
        tell_warnings(vendor, each.serial_number, each.warnings)


def tell_warnings(vendor: str, serial: str, warnings: Sequence[str]) -> None:
    """Log what is odd about a voucher that holds."""
    for warning in warnings:
        log.warning("voucher-warning", vendor=vendor, serial_number=serial, detail=warning)


def tell_calls(kept: KeptVendor) -> None:
    """Log how often a source was called, with what outcome."""
    tally = kept.fetcher.source.tally
    if tally is not None:
        log.info(
            "voucher-source-called",
            vendor=kept.record.name,
            calls={f"{rpc} {code}": count for (rpc, code), count in tally.calls.items()},
            last_success=tally.last_success and tally.last_success.isoformat(),
        )
