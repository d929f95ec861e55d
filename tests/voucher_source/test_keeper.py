"""Keeping vouchers while the server runs: when a chassis is added, before the end, after a fall."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from masa.world import NOW
from operations.shell import Shell
from store.world import owner
from voucher_source.party import Manufacturer, found_manufacturer, serving

from bootz.errors import Unavailable
from bootz.server.operations.chassis import ChassisRecord, add_chassis, remove_chassis
from bootz.server.operations.vendors import VendorRecord, add_vendor
from bootz.server.operations.vouchers.fetches import (
    FetchScope,
    FetchState,
    VoucherFetch,
    ask_fetch,
    begin_fetch,
    find_fetch,
)
from bootz.server.operations.vouchers.records import list_vouchers
from bootz.server.operations.vouchers.storing import remove_vouchers
from bootz.server.store.database import Database, open_database
from bootz.server.voucher_source import fetching, keeper
from bootz.server.voucher_source.keeper import VoucherKeeper
from bootz.server.voucher_source.opening import Surroundings
from bootz.server.waiting_elsewhere import WaitingElsewhere

DEADLINE_S = 60


class Keeping:
    """A keeper at work, and what it says."""

    def __init__(self, database: Database, root: Path) -> None:
        self.database = database
        self.now = NOW
        self.set_by = timedelta()
        """How far the clock of the day was set, while the seconds went on as they do."""
        self.pinned: Callable[[], bytes] = lambda: owner().der
        self.keeper = VoucherKeeper(
            Surroundings(database, root, lambda: self.now + self.set_by, {}),
            lambda: self.pinned(),
            monotonic=lambda: (self.now - NOW).total_seconds(),
            chance=lambda: 0.5,
        )
        self.events: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()

    async def heard(self, event: str, **fields: object) -> Mapping[str, Any]:
        """Wait until the log has an event with these fields."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                told = await self.events.get()
                if told["event"] == event and fields.items() <= told.items():
                    return told

    async def heard_both(
        self, event: str, other: str, **fields: object
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Wait for two events that may come in either order; the fields are those of ``other``."""
        found: dict[str, Mapping[str, Any]] = {}
        async with asyncio.timeout(DEADLINE_S):
            while len(found) < 2:
                told = await self.events.get()
                if told["event"] == event:
                    found.setdefault(event, told)
                elif told["event"] == other and fields.items() <= told.items():
                    found[other] = told
        return found[event], found[other]

    def add(self, *serials: str) -> None:
        with self.database.write() as connection:
            for serial in serials:
                add_chassis(connection, ChassisRecord("Acme", serial))

    def remove(self, serial: str) -> None:
        with self.database.write() as connection:
            remove_chassis(connection, serial)

    def held(self) -> list[str]:
        with self.database.read() as connection:
            return [record.serial_number for record in list_vouchers(connection)]


@contextmanager
def listening(events: asyncio.Queue[Mapping[str, Any]]) -> Iterator[None]:
    before = structlog.get_config()

    def keep(_logger: object, _level: str, told: Any) -> Any:
        events.put_nowait(dict(told))
        raise structlog.DropEvent

    structlog.configure(processors=[keep], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)


@pytest.fixture(autouse=True)
def _watch_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "WATCH_S", 0.02)


def play(root: Path, story: Callable[[Keeping], Awaitable[None]]) -> None:
    async def run() -> None:
        database = open_database(f"sqlite:///{root}/bootz.db")
        keeping = Keeping(database, root)
        with listening(keeping.events):
            task = asyncio.create_task(keeping.keeper.run())
            try:
                await story(keeping)
                assert not task.done()
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                database.close()

    asyncio.run(run())


def set_vendor(shell: Shell, manufacturer: Manufacturer, tmp_path: Path, *words: str) -> None:
    shell.ok("vendor", "set", "Acme", *manufacturer.words(tmp_path / "token"), *words)


def test_a_chassis_gets_its_voucher_when_it_is_added(
    shell: Shell, manufacturer: Manufacturer, tmp_path: Path
) -> None:
    set_vendor(shell, manufacturer, tmp_path)

    async def story(keeping: Keeping) -> None:
        await keeping.heard("vouchers-held", cards=0, missing=0)
        keeping.add("FX1")
        await keeping.heard("vouchers-held", cards=1, missing=0)
        keeping.add("FX2", "FX3")
        await keeping.heard("vouchers-held", cards=3, missing=0)
        assert keeping.held() == ["FX1", "FX2", "FX3"]

    play(shell.root, story)
    assert manufacturer.issued() == 3


def test_a_voucher_is_renewed_before_it_ends(
    shell: Shell, manufacturer: Manufacturer, tmp_path: Path
) -> None:
    set_vendor(shell, manufacturer, tmp_path, "--lifetime", "1")

    async def story(keeping: Keeping) -> None:
        keeping.add("FX1")
        await keeping.heard("vouchers-held", cards=1, missing=0)
        manufacturer.clock[0] = keeping.now = NOW + timedelta(hours=17)
        await keeping.heard("vouchers-fetched", count=1)
        assert keeping.held() == ["FX1", "FX1"]

    play(shell.root, story)
    assert manufacturer.issued() == 2


def test_a_registration_that_ends_is_told_and_nothing_is_won_by_renewing(
    shell: Shell, manufacturer: Manufacturer, tmp_path: Path
) -> None:
    set_vendor(shell, manufacturer, tmp_path)

    async def story(keeping: Keeping) -> None:
        keeping.add("FX1")
        told = await keeping.heard("registration-ends-soon")
        assert told["days"] == 2
        await keeping.heard("vouchers-held", cards=1, missing=0)
        manufacturer.clock[0] = keeping.now = NOW + timedelta(hours=40)
        await keeping.heard("voucher-source-called")
        keeping.now = NOW + timedelta(hours=44)
        await keeping.heard("vouchers-held", ending=1)

    play(shell.root, story)
    assert manufacturer.issued() == 1


def test_a_service_that_is_down_is_tried_again(shell: Shell, tmp_path: Path) -> None:
    made = found_manufacturer(tmp_path / "maker", ["FX1", "FX2"])
    with serving(made):
        pass
    set_vendor(shell, made, tmp_path)

    async def story(keeping: Keeping) -> None:
        keeping.add("FX1")
        told = await keeping.heard("voucher-source-failed", reason="masa-unreachable")
        assert datetime.fromisoformat(told["again_at"]) > keeping.now
        with ExitStack() as stack:
            await asyncio.to_thread(stack.enter_context, serving(made))
            keeping.now = datetime.fromisoformat(told["again_at"]) + timedelta(seconds=1)
            await keeping.heard("vouchers-held", missing=0)
            await asyncio.to_thread(stack.close)
        # Down again: what is held stays, and a wake tries at once.
        keeping.add("FX2")
        await keeping.heard("voucher-source-failed")
        assert keeping.held() == ["FX1"]
        with ExitStack() as stack:
            await asyncio.to_thread(stack.enter_context, serving(made))
            # Half a minute's rest of the breaker is over in another source.
            set_vendor(shell, made, tmp_path, "--lifetime", "1")
            keeping.keeper.wake()
            await keeping.heard("vouchers-held", cards=2, missing=0)
            await asyncio.to_thread(stack.close)

    play(shell.root, story)
    made.folder.close()


@pytest.mark.parametrize("set_by", [timedelta(minutes=-4), timedelta(hours=5)])
def test_a_clock_that_is_set_does_not_change_when_it_is_tried_again(
    shell: Shell, tmp_path: Path, set_by: timedelta
) -> None:
    made = found_manufacturer(tmp_path / "maker", ["FX1"])
    with serving(made):
        pass
    set_vendor(shell, made, tmp_path)

    async def story(keeping: Keeping) -> None:
        keeping.add("FX1")
        await keeping.heard("voucher-source-failed", reason="masa-unreachable")
        keeping.set_by = set_by
        with ExitStack() as stack:
            await asyncio.to_thread(stack.enter_context, serving(made))
            keeping.now += timedelta(seconds=11)
            made.clock[0] = keeping.now + set_by
            await keeping.heard("vouchers-fetched", count=1)
            await asyncio.to_thread(stack.close)

    play(shell.root, story)
    made.folder.close()


def test_what_a_clock_that_was_set_makes_due_is_seen_at_once(
    shell: Shell, manufacturer: Manufacturer, tmp_path: Path
) -> None:
    set_vendor(shell, manufacturer, tmp_path, "--lifetime", "1")

    async def story(keeping: Keeping) -> None:
        keeping.add("FX1")
        await keeping.heard("vouchers-held", cards=1, missing=0)
        # The card's own pause after its fetch is over, and nothing is due by the old clock.
        keeping.now += timedelta(minutes=2)
        keeping.set_by = timedelta(hours=17)
        manufacturer.clock[0] = keeping.now + keeping.set_by
        await keeping.heard("vouchers-fetched", count=1)

    play(shell.root, story)
    assert manufacturer.issued() == 2


def test_a_card_that_is_refused_is_left_alone_for_a_while(
    shell: Shell, manufacturer: Manufacturer, tmp_path: Path
) -> None:
    set_vendor(shell, manufacturer, tmp_path)

    async def story(keeping: Keeping) -> None:
        keeping.add("ZZ9", "FX1")
        await keeping.heard("voucher-not-fetched", serial_number="ZZ9", reason="masa-refused")
        told, _ = await keeping.heard_both(
            "voucher-source-called", "vouchers-held", cards=2, missing=1
        )
        keeping.add("FX2")
        await keeping.heard("vouchers-fetched", count=1)
        later = await keeping.heard("voucher-source-called")
        refused = "GetOwnershipVouchers FAILED_PRECONDITION"
        # FX2 came alone: the refusal of ZZ9 was not asked for again.
        assert later["calls"][refused] == told["calls"][refused]
        manufacturer.sell("ZZ9")
        manufacturer.clock[0] = keeping.now = NOW + timedelta(seconds=76)
        await keeping.heard("vouchers-held", missing=0)

    play(shell.root, story)
    assert manufacturer.issued() == 3


def test_another_pinned_certificate_needs_other_vouchers(
    shell: Shell, manufacturer: Manufacturer, tmp_path: Path
) -> None:
    set_vendor(shell, manufacturer, tmp_path)
    with manufacturer.folder.records() as records:
        other = records.add_certificate(
            "org-acme",
            owner("heir").der,
            revocation_checks=False,
            expires_at=NOW + timedelta(days=1),
        )

    async def story(keeping: Keeping) -> None:
        keeping.add("FX1")
        await keeping.heard("vouchers-held", missing=0)
        keeping.pinned = lambda: owner("heir").der
        keeping.keeper.wake()
        await keeping.heard("voucher-source-failed", reason="masa-pins-other")
        await asyncio.to_thread(shell.ok, "vendor", "set", "Acme", "--cert-id", other.cert_id)
        await keeping.heard("vouchers-fetched", count=1)

    play(shell.root, story)


def test_a_source_that_is_taken_away_or_broken_ends_nothing(
    shell: Shell, manufacturer: Manufacturer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_vendor(shell, manufacturer, tmp_path)

    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    async def story(keeping: Keeping) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(fetching, "store_voucher", fails)
            keeping.add("FX1")
            await keeping.heard("voucher-source-failed", exc_info=True)
        keeping.keeper.wake()
        await keeping.heard("vouchers-held", missing=0)
        await asyncio.to_thread(shell.ok, "vendor", "set", "Acme", "--ovgs", "")
        keeping.add("FX2")
        source = shell.file("source.yaml", "{folder: nowhere}")
        await asyncio.to_thread(shell.ok, "vendor", "set", "Acme", "--voucher-source", source)
        await keeping.heard("voucher-source-failed", reason="file-unreadable")

    play(shell.root, story)


def test_tpm_keys_are_asked_for_again_every_day(
    shell: Shell, manufacturer: Manufacturer, tmp_path: Path
) -> None:
    set_vendor(shell, manufacturer, tmp_path)

    async def story(keeping: Keeping) -> None:
        keeping.add("FX1")
        await keeping.heard("vouchers-held", missing=0)
        for hours in (1, 26):
            manufacturer.clock[0] = keeping.now = NOW + timedelta(hours=hours)
            while True:
                told = await keeping.heard("voucher-source-called")
                if told["calls"].get("GetSerials OK") == (1 if hours == 1 else 2):
                    break

    play(shell.root, story)
    # The card's voucher has not been touched.
    assert manufacturer.issued() == 1


def test_tpm_keys_that_become_due_while_vouchers_are_fetched_are_asked_for(
    shell: Shell, manufacturer: Manufacturer, tmp_path: Path
) -> None:
    set_vendor(shell, manufacturer, tmp_path)

    async def story(keeping: Keeping) -> None:
        put = keeping.events.put_nowait

        def put_and_turn_the_clock(told: Mapping[str, Any]) -> None:
            # Within the work for the voucher, which did not ask for TPM keys.
            if told["event"] == "vouchers-fetched":
                manufacturer.clock[0] = keeping.now = NOW + timedelta(hours=1)
            put(told)

        keeping.events.put_nowait = put_and_turn_the_clock  # type: ignore[method-assign]
        keeping.add("FX1")
        while True:
            told = await keeping.heard("voucher-source-called")
            if told["calls"].get("GetSerials OK") == 1:
                break

    play(shell.root, story)


def _at_another_server(keeping: Keeping, serial: str) -> None:
    waiting = WaitingElsewhere(keeping.database, lambda: 0.0)
    waiting.hear([serial])
    asyncio.get_running_loop().create_task(waiting.tend(leads=False))


@pytest.mark.parametrize(
    "wait",
    [lambda keeping, serial: keeping.keeper.lacking([serial]), _at_another_server],
    ids=["here", "at another server"],
)
def test_a_router_that_waits_makes_it_try_sooner(
    shell: Shell, tmp_path: Path, wait: Callable[[Keeping, str], None]
) -> None:
    made = found_manufacturer(tmp_path / "maker")
    with serving(made):
        pass
    set_vendor(shell, made, tmp_path)

    async def story(keeping: Keeping) -> None:
        keeping.add("FX1")
        for _ in range(3):
            # The pauses grow: 5, 10, 20 seconds.
            told = await keeping.heard("voucher-source-failed")
            keeping.now = datetime.fromisoformat(told["again_at"]) + timedelta(seconds=1)
        told = await keeping.heard("voucher-source-failed")
        assert datetime.fromisoformat(told["again_at"]) > keeping.now + timedelta(seconds=9)
        with ExitStack() as stack:
            await asyncio.to_thread(stack.enter_context, serving(made))
            # The breaker's own rest counts real seconds; another setting is another client.
            set_vendor(shell, made, tmp_path, "--lifetime", "1")
            await keeping.heard("voucher-not-fetched", serial_number="FX1")
            for seconds in (76, 151):
                keeping.now += timedelta(seconds=seconds)
                await keeping.heard("voucher-not-fetched", serial_number="FX1")
            made.sell("FX1")
            made.clock[0] = keeping.now = keeping.now + timedelta(seconds=61)
            wait(keeping, "fx1")
            await keeping.heard("vouchers-fetched", count=1)
            await asyncio.to_thread(stack.close)

    play(shell.root, story)
    made.folder.close()


def ask(keeping: Keeping, **scope: Any) -> int:
    with keeping.database.write() as connection:
        return ask_fetch(connection, FetchScope(**scope), by="user:ann", now=keeping.now).key


def asked(keeping: Keeping, key: int) -> VoucherFetch:
    with keeping.database.read() as connection:
        return find_fetch(connection, key)


def test_what_is_asked_for_is_fetched_at_once_though_the_card_is_left_alone(
    shell: Shell, manufacturer: Manufacturer, tmp_path: Path
) -> None:
    set_vendor(shell, manufacturer, tmp_path)

    async def story(keeping: Keeping) -> None:
        keeping.add("FX1")
        await keeping.heard("vouchers-held", cards=1, missing=0)
        with keeping.database.write() as connection:
            remove_vouchers(connection, ["FX1"])
        # The clock stands still: by itself the keeper leaves the card alone for a minute.
        key = ask(keeping)
        await keeping.heard("vouchers-asked-ended", request=key, stored=1, failed=0)
        found = asked(keeping, key)
        assert (found.state, found.cards, found.stored) == (FetchState.DONE, 1, 1)
        assert keeping.held() == ["FX1"]

    play(shell.root, story)
    assert manufacturer.issued() == 2


def test_what_cannot_be_fetched_is_told_with_its_reason(
    shell: Shell, manufacturer: Manufacturer, tmp_path: Path
) -> None:
    set_vendor(shell, manufacturer, tmp_path)

    async def story(keeping: Keeping) -> None:
        keeping.add("FX1", "NOT-SOLD")
        with keeping.database.write() as connection:
            add_vendor(connection, VendorRecord("Other", idevid_ca=(owner().der,)))
            add_chassis(connection, ChassisRecord("Other", "ZX1", labels={"batch": "7"}))
        await keeping.heard("voucher-not-fetched", serial_number="NOT-SOLD")
        whole, batch = ask(keeping), ask(keeping, label="batch=7")
        assert ask(keeping, label="batch=7") == batch
        await keeping.heard("vouchers-asked-ended", request=whole)
        await keeping.heard("vouchers-asked-ended", request=batch)
        found = asked(keeping, whole)
        assert (found.state, found.reason) == (FetchState.FAILED, "voucher-fetch-incomplete")
        reasons = {fault.serial_number: fault.reason for fault in found.faults}
        assert reasons == {"NOT-SOLD": "masa-refused", "ZX1": "voucher-source-missing"}
        found = asked(keeping, batch)
        assert (found.cards, found.stored) == (1, 0)
        assert found.reason == "voucher-source-missing"

    play(shell.root, story)


def test_a_request_that_a_crash_cut_off_is_taken_up_again(
    shell: Shell, manufacturer: Manufacturer, tmp_path: Path
) -> None:
    set_vendor(shell, manufacturer, tmp_path)

    async def story(keeping: Keeping) -> None:
        await keeping.heard("vouchers-asked-ended", stored=1, failed=0)
        assert asked(keeping, 1).state is FetchState.DONE

    database = open_database(f"sqlite:///{shell.root}/bootz.db")
    with database.write() as connection:
        add_chassis(connection, ChassisRecord("Acme", "FX1"))
        cut = ask_fetch(connection, FetchScope(), by="user:ann", now=NOW)
        begin_fetch(connection, cut.key, cards=1, now=NOW)
    database.close()
    play(shell.root, story)
    assert manufacturer.issued() == 1


def test_a_site_that_cannot_say_what_vouchers_pin_is_told(
    shell: Shell, manufacturer: Manufacturer, tmp_path: Path
) -> None:
    async def story(keeping: Keeping) -> None:
        def broken() -> bytes:
            raise Unavailable("owner-identity-unusable", "no token", where="owner")

        keeping.pinned = broken
        key = ask(keeping)
        await keeping.heard("vouchers-asked-ended", request=key)
        found = asked(keeping, key)
        assert (found.state, found.reason) == (FetchState.FAILED, "owner-identity-unusable")

    play(shell.root, story)
