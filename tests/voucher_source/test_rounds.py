"""A leader that dies after the manufacturer has answered: the next one gets the same vouchers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from masa.world import NOW
from operations.shell import Shell
from store.world import owner
from voucher_source.party import Manufacturer
from voucher_source.test_keeper import set_vendor

from bootz.server.operations.vendors import find_vendor
from bootz.server.operations.vouchers.needs import card_vouchers
from bootz.server.operations.vouchers.records import list_vouchers
from bootz.server.store.database import open_database
from bootz.server.voucher_source import fetching
from bootz.server.voucher_source.fetching import FetchOutcome
from bootz.server.voucher_source.opening import Surroundings, open_fetcher


class Killed(BaseException):
    """The process is no more; nothing catches it."""


def fetch(shell: Shell, now: datetime = NOW) -> list[FetchOutcome]:
    """Fetch for every card, as one leader."""

    async def run() -> list[FetchOutcome]:
        database = open_database(f"sqlite:///{shell.root}/bootz.db")
        try:
            with database.read() as connection:
                vendor = find_vendor(connection, "Acme")
                cards = card_vouchers(connection, pinned_domain_cert=owner().der, now=now)
            around = Surroundings(database, shell.root, lambda: now, {})
            fetcher = open_fetcher(vendor, owner().der, around)
            assert fetcher is not None
            try:
                return [
                    fetched.outcome
                    async for batch in fetcher.fetch(cards, force=True)
                    for fetched in batch
                ]
            finally:
                fetcher.source.close()
        finally:
            database.close()

    return asyncio.run(run())


def killed_before_it_stores(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def store(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(fetching, "store_voucher", store)
        with pytest.raises(Killed):
            fetch(shell)


def held(shell: Shell) -> Sequence[bytes]:
    database = open_database(f"sqlite:///{shell.root}/bootz.db")
    with database.read() as connection:
        found = [record.raw for record in list_vouchers(connection)]
    database.close()
    return found


@pytest.fixture
def site(shell: Shell, manufacturer: Manufacturer, tmp_path: Path) -> Shell:
    set_vendor(shell, manufacturer, tmp_path, "--lifetime", "1")
    for serial in ("FX1", "FX2"):
        shell.ok("chassis", "add", serial, "--vendor", "Acme")
    return shell


def test_what_was_issued_and_not_stored_is_issued_once(
    site: Shell, manufacturer: Manufacturer, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_before_it_stores(site, monkeypatch)
    assert (manufacturer.issued(), held(site)) == (2, [])
    # A card that came later is asked for in the same round.
    site.ok("chassis", "add", "FX3", "--vendor", "Acme")
    manufacturer.clock[0] = NOW + timedelta(seconds=9)
    assert fetch(site, NOW + timedelta(seconds=9)) == [FetchOutcome.STORED] * 3
    assert (manufacturer.issued(), len(held(site))) == (3, 3)


def test_a_round_that_came_to_its_end_is_not_taken_up_again(
    site: Shell, manufacturer: Manufacturer
) -> None:
    assert fetch(site) == [FetchOutcome.STORED] * 2
    fetch(site)
    assert manufacturer.issued() == 4


def test_a_round_of_yesterday_is_not_taken_up_again(
    site: Shell, manufacturer: Manufacturer, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_before_it_stores(site, monkeypatch)
    manufacturer.clock[0] = later = NOW + timedelta(hours=13)
    assert fetch(site, later) == [FetchOutcome.STORED] * 2
    assert manufacturer.issued() == 4
