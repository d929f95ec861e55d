"""The port Inventory on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest
from store.world import NOW, maker, owner

from bootz.errors import BootzError
from bootz.model.artifacts import StoredVouchers
from bootz.model.chassis import BootMode, CardKind, Chassis, ControlCard, Release
from bootz.model.identity import TpmRecord
from bootz.server.operations.chassis import (
    CardRecord,
    ChassisRecord,
    add_all_chassis,
    add_chassis,
    remove_chassis,
    set_chassis,
)
from bootz.server.operations.profile_document import ProfileDocument
from bootz.server.operations.profiles import ProfileRecord, add_profile, set_profile
from bootz.server.operations.vendors import VendorSettings, add_vendor, set_vendor
from bootz.server.operations.vouchers.storing import StoreOutcome, store_voucher
from bootz.server.store.database import Database, open_database
from bootz.server.store.inventory import SqlInventory

T = TypeVar("T")


def ask(database: Database, question: Callable[[SqlInventory], Awaitable[T]]) -> T:
    async def run() -> T:
        inventory = SqlInventory(database)
        try:
            return await question(inventory)
        finally:
            await inventory.close()

    return asyncio.run(run())


def fill(database: Database, *records: ChassisRecord) -> None:
    with database.write() as connection:
        for name in ("Acme", "Other"):
            add_vendor(connection, maker(name).vendor)
        add_all_chassis(connection, records)


def test_a_card_is_found_whatever_its_case(database: Database) -> None:
    fill(
        database,
        ChassisRecord("Acme", "FX1", hostname="r1", boot_mode=BootMode.INSECURE),
        ChassisRecord(
            "Other",
            "CH1",
            modular=True,
            cards=(CardRecord("RP0", slot="0"), CardRecord("LC1", kind=CardKind.LINE)),
        ),
    )
    (fixed,) = ask(database, lambda inventory: inventory.chassis_of_serial(" fx1"))
    assert fixed == Chassis(
        key=fixed.key,
        manufacturer="Acme",
        serial_number="FX1",
        cards=(ControlCard("FX1"),),
        hostname="r1",
        boot_mode=BootMode.INSECURE,
        revision=fixed.revision,
    )
    (modular,) = ask(database, lambda inventory: inventory.chassis_of_serial("lc1"))
    assert [card.serial_number for card in modular.cards] == ["RP0", "LC1"]
    assert modular.cards[1].kind is CardKind.LINE
    assert modular.cards[0].tpm == TpmRecord()


def test_the_chassis_number_of_a_modular_chassis_is_no_card(database: Database) -> None:
    fill(database, ChassisRecord("Acme", "CH1", modular=True, cards=(CardRecord("RP0"),)))
    (chassis,) = ask(database, lambda inventory: inventory.chassis_of_serial("ch1"))
    assert (chassis.serial_number, chassis.card("CH1")) == ("CH1", None)


@pytest.mark.parametrize("setting", ["card", "chassis", "either"])
def test_whose_serial_number_an_idevid_may_have_is_the_vendors(
    database: Database, setting: str
) -> None:
    fill(database, ChassisRecord("Acme", "FX1"))
    settings = VendorSettings.model_validate({"idevid_serial": setting})
    with database.write() as connection:
        set_vendor(connection, "Acme", replace(maker().vendor, settings=settings))
    (chassis,) = ask(database, lambda inventory: inventory.chassis_of_serial("FX1"))
    assert chassis.idevid_serial.value == setting


def test_one_number_of_two_manufacturers_gives_both(database: Database) -> None:
    fill(database, ChassisRecord("Acme", "X"), ChassisRecord("Other", "x"))
    found = ask(database, lambda inventory: inventory.chassis_of_serial("X"))
    assert [chassis.manufacturer for chassis in found] == ["Acme", "Other"]


@pytest.mark.parametrize(
    "serial", ["", " ", "\x00", "a\x00b", "\ud800", "'; DROP TABLE chassis;--", "x" * 100_000, "%"]
)
def test_hostile_numbers_find_nothing(database: Database, serial: str) -> None:
    fill(database, ChassisRecord("Acme", "FX1"))
    assert ask(database, lambda inventory: inventory.chassis_of_serial(serial)) == ()


def test_changes_of_another_process_are_seen(database: Database, url: str) -> None:
    fill(database, ChassisRecord("Acme", "FX1", profile=None))
    elsewhere = open_database(url)

    async def run() -> None:
        inventory = SqlInventory(database)
        assert [vendor.name for vendor in await inventory.vendors()] == ["Acme", "Other"]
        first = await inventory.revision()
        (before,) = await inventory.chassis_of_serial("FX1")
        with elsewhere.write() as connection:
            add_vendor(connection, maker("Third").vendor)
        assert len(await inventory.vendors()) == 3
        assert (await inventory.revision()).latest > first.latest
        (shared,) = await inventory.chassis_of_serial("FX1")
        assert shared.revision > before.revision
        with elsewhere.write() as connection:
            set_chassis(connection, "FX1", ChassisRecord("Acme", "FX1", hostname="new"))
        (own,) = await inventory.chassis_of_serial("FX1")
        assert (own.hostname, own.key) == ("new", before.key)
        assert own.revision > shared.revision
        with elsewhere.write() as connection:
            remove_chassis(connection, "FX1")
        assert await inventory.chassis_of_serial("FX1") == ()
        await inventory.close()

    try:
        asyncio.run(run())
    finally:
        elsewhere.close()


def test_a_change_counts_once_the_revision_that_was_read_is_old(
    database: Database, url: str
) -> None:
    fill(database, ChassisRecord("Acme", "FX1", hostname="old"))
    elsewhere = open_database(url)
    moment = 0.0

    async def run() -> list[tuple[str, int]]:
        nonlocal moment
        inventory = SqlInventory(database, revision_seconds=5.0, monotonic=lambda: moment)
        seen = []
        for moment in (0.0, 4.9, 5.0):
            (chassis,) = await inventory.chassis_of_serial("FX1")
            seen.append((chassis.hostname, len(await inventory.vendors())))
            if moment == 0.0:
                with elsewhere.write() as connection:
                    add_vendor(connection, maker("Third").vendor)
                    set_chassis(connection, "FX1", ChassisRecord("Acme", "FX1", hostname="new"))
        await inventory.close()
        return seen

    try:
        assert asyncio.run(run()) == [("old", 2), ("old", 2), ("new", 3)]
    finally:
        elsewhere.close()


def test_the_release_is_the_chassis_s_own_else_its_profile_s(database: Database) -> None:
    fill(database)
    with database.write() as connection:
        old = ProfileDocument.parse({"release": "v0.3"})
        add_profile(connection, ProfileRecord("old", old))
        add_chassis(connection, ChassisRecord("Acme", "A", profile="old"))
        add_chassis(connection, ChassisRecord("Acme", "B", profile="OLD", release=Release.CURRENT))

    async def releases(inventory: SqlInventory) -> list[Release]:
        return [(await inventory.chassis_of_serial(serial))[0].release for serial in "AB"]

    assert ask(database, releases) == [Release.V0_3, Release.CURRENT]
    with database.write() as connection:
        set_profile(connection, "old", ProfileRecord("old", ProfileDocument()))
    assert ask(database, releases) == [Release.CURRENT, Release.CURRENT]


def test_the_newest_voucher_that_holds_is_served(database: Database) -> None:
    fill(database, ChassisRecord("Acme", "FX1"), ChassisRecord("Other", "FX1"))
    pinned, other = owner().der, owner("somebody else").der
    day = timedelta(days=1)
    old = maker().voucher("FX1", pinned, created=NOW - 9 * day)
    new = maker().voucher("FX1", pinned, created=NOW - 2 * day)
    brief = maker().voucher("FX1", pinned, created=NOW - day, expires=NOW + day)
    foreign = maker().voucher("FX1", other)
    with database.write() as connection:
        outcomes = [
            store_voucher(connection, raw, pinned_domain_cert=pin, now=NOW).outcome
            for raw, pin in ((new, pinned), (old, pinned), (brief, pinned), (foreign, other))
        ]
    assert outcomes == [
        StoreOutcome.STORED,
        StoreOutcome.OLDER,
        StoreOutcome.STORED,
        StoreOutcome.STORED,
    ]

    async def served(inventory: SqlInventory) -> list[StoredVouchers]:
        acme, rival = await inventory.chassis_of_serial("fx1")
        return [
            await inventory.vouchers(acme, acme.cards, pinned, NOW),
            await inventory.vouchers(acme, acme.cards, pinned, NOW + 2 * day),
            await inventory.vouchers(acme, acme.cards, other, NOW),
            await inventory.vouchers(rival, rival.cards, pinned, NOW),
        ]

    found = ask(database, served)
    assert [each.valid for each in found] == [
        {"fx1": brief},
        {"fx1": new},
        {"fx1": foreign},
        {},
    ]
    assert {each.seen_of("fx1") for each in found[3:]} == {"none"}


def test_what_is_in_store_in_place_of_a_valid_voucher_is_said(database: Database) -> None:
    pinned, other, day = owner().der, owner("rival").der, timedelta(days=1)
    cards = tuple(CardRecord(serial) for serial in ("A", "B", "C", "D"))
    with database.write() as connection:
        add_vendor(connection, maker().vendor)
        add_chassis(connection, ChassisRecord("Acme", "CH1", cards=cards, modular=True))
        for serial, pin, life in (
            ("A", pinned, 1),
            ("A", pinned, 2),
            ("A", other, 9),
            ("B", other, 9),
        ):
            raw = maker().voucher(serial, pin, expires=NOW + life * day)
            store_voucher(connection, raw, pinned_domain_cert=pin, now=NOW)
        raw = maker().voucher("C", pinned, expires=NOW + 4 * day)
        store_voucher(connection, raw, pinned_domain_cert=pinned, now=NOW)

    async def stored(inventory: SqlInventory) -> StoredVouchers:
        (chassis,) = await inventory.chassis_of_serial("a")
        return await inventory.vouchers(chassis, chassis.cards, pinned, NOW + 3 * day)

    found = ask(database, stored)
    assert (set(found.valid), dict(found.ended)) == ({"c"}, {"a": NOW + 2 * day})
    assert found.seen_of("a") == f"one that ended at {(NOW + 2 * day).isoformat()}"
    assert "pin another certificate" in found.seen_of("b")
    assert found.seen_of("d") == "none"


def test_the_intent_is_that_of_the_last_commit(database: Database) -> None:
    fill(database)
    with database.write() as connection:
        document = ProfileDocument.parse({"vendor_config": "a", "variables": {"x": 1}})
        add_profile(connection, ProfileRecord("p", document))
        key = add_chassis(
            connection, ChassisRecord("Acme", "A", profile="p", variables={"y": 2})
        ).key

    async def texts(inventory: SqlInventory) -> list[object]:
        first = await inventory.intent(key)
        with database.write() as connection:
            changed = ProfileDocument.parse({"vendor_config": "b"})
            set_profile(connection, "p", ProfileRecord("p", changed))
        second = await inventory.intent(key)
        return [(each.document.vendor_config, dict(each.variables)) for each in (first, second)]

    assert ask(database, texts) == [("a", {"x": 1, "y": 2}), ("b", {"y": 2})]
    with pytest.raises(BootzError) as caught:
        ask(database, lambda inventory: inventory.intent(key + 1))
    assert caught.value.reason == "chassis-not-found"


def test_what_a_database_says_is_wrong_is_unavailable(database: Database) -> None:
    with pytest.raises(BootzError) as caught:
        ask(
            database,
            lambda inventory: inventory.run(lambda connection: connection.exec_driver_sql("NO")),
        )
    assert caught.value.reason == "database-unavailable"
