"""Which cards need a voucher, on both engines."""

from __future__ import annotations

from datetime import datetime, timedelta

from store.world import NOW, maker, owner

from bootz.model.chassis import BootMode
from bootz.server.operations.chassis import CardRecord, ChassisRecord, add_all_chassis
from bootz.server.operations.vendors import add_vendor, find_vendor
from bootz.server.operations.vouchers.needs import CardVoucher, card_vouchers
from bootz.server.operations.vouchers.records import list_vouchers
from bootz.server.operations.vouchers.storing import StoreOutcome, store_voucher
from bootz.server.store.database import Database

PINNED = owner().der
DAY = timedelta(days=1)


def needs(database: Database, now: datetime = NOW, **only: object) -> dict[str, CardVoucher]:
    with database.read() as connection:
        found = card_vouchers(connection, pinned_domain_cert=PINNED, now=now, **only)  # type: ignore[arg-type]
    return {f"{each.vendor} {each.serial_number}": each for each in found}


def store(
    database: Database, *vouchers: bytes, pinned: bytes = PINNED, now: datetime = NOW
) -> None:
    with database.write() as connection:
        for raw in vouchers:
            result = store_voucher(connection, raw, pinned_domain_cert=pinned, now=now)
            assert result.outcome in (StoreOutcome.STORED, StoreOutcome.OLDER)


def test_each_card_with_the_voucher_that_lasts_longest(database: Database) -> None:
    with database.write() as connection:
        for name in ("Acme", "Other"):
            add_vendor(connection, maker(name).vendor)
        cards = tuple(CardRecord(serial) for serial in ("RP0", "RP1"))
        add_all_chassis(
            connection,
            [
                ChassisRecord("Acme", "fx1"),
                ChassisRecord("Other", "FX1"),
                ChassisRecord("Acme", "", cards=cards, modular=True),
                ChassisRecord("Acme", "FX2", boot_mode=BootMode.INSECURE),
            ],
        )
    store(
        database,
        maker().voucher("FX1", PINNED, created=NOW - 3 * DAY, expires=NOW + DAY),
        maker().voucher("FX1", PINNED, created=NOW - 2 * DAY, expires=NOW + 9 * DAY),
        maker().voucher("RP0", PINNED),
        maker().voucher("RP0", PINNED, expires=NOW + DAY),
        maker().voucher("RP1", PINNED, expires=NOW + DAY),
    )
    # Of another owner: it does not count.
    rival = owner("rival").der
    store(database, maker("Other").voucher("FX1", rival), pinned=rival)
    found = needs(database)
    assert list(found) == ["Acme fx1", "Other FX1", "Acme RP0", "Acme RP1"]
    held = {name: each.held and each.held.expires_on for name, each in found.items()}
    assert held == {
        "Acme fx1": NOW + 9 * DAY,
        "Other FX1": None,
        "Acme RP0": None,
        "Acme RP1": NOW + DAY,
    }
    assert found["Other FX1"].held is None
    assert found["Acme RP0"].held is not None
    # Of what has ended the date is told, and only while nothing else holds.
    later = needs(database, NOW + 2 * DAY)
    ended = {name: each.ended for name, each in later.items() if each.ended is not None}
    assert ended == {"Acme RP1": NOW + DAY}
    assert needs(database, NOW + 10 * DAY)["Acme fx1"].ended == NOW + 9 * DAY
    assert (found["Acme RP0"].chassis, found["Acme fx1"].chassis) == ("RP0", "fx1")
    later = needs(database, now=NOW + DAY)
    assert later["Acme RP1"].held is None
    assert later["Acme fx1"].held is not None
    assert list(needs(database, serials=["FX1", "rp1"])) == ["Acme fx1", "Other FX1", "Acme RP1"]
    with database.read() as connection:
        other = find_vendor(connection, "Other")
    assert list(needs(database, vendors=[other])) == ["Other FX1"]
    assert needs(database, vendors=[]) == {}


def test_what_has_ended_makes_room_for_what_comes(database: Database) -> None:
    with database.write() as connection:
        add_vendor(connection, maker().vendor)
    short = maker().voucher("FX1", PINNED, expires=NOW + DAY)
    other = maker().voucher("FX2", PINNED, expires=NOW + DAY)
    store(database, short, other)
    fresh = maker().voucher("FX1", PINNED, created=NOW + DAY, expires=NOW + 9 * DAY)
    store(database, fresh, now=NOW + DAY)
    with database.read() as connection:
        assert [record.raw for record in list_vouchers(connection)] == [fresh, other]
