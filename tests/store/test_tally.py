"""How many chassis stand where: what is remembered says what reading everything again says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from store.world import NOW, call, maker, refusal, report

from bootz.config.serving import ProgressSettings
from bootz.model.bootstrap import ReportedStatus
from bootz.model.kinds import BootMode
from bootz.server.operations.chassis import ChassisRecord, add_all_chassis, remove_chassis
from bootz.server.operations.chassis_overview import overview
from bootz.server.operations.chassis_state import ChassisState
from bootz.server.operations.holds import hold_chassis, release_chassis
from bootz.server.operations.step_limits import read_limits
from bootz.server.operations.tally import ChassisTally
from bootz.server.operations.vendors import add_vendor, find_vendor, set_vendor
from bootz.server.store.database import Database, plain
from bootz.server.store.entries import CallRecord, DownloadRecord
from bootz.server.store.journal import SqlJournal
from bootz.server.store.listing import listed_chassis
from bootz.server.store.schema import CHASSIS

MINUTES = ProgressSettings()
SERIALS = ("FX1", "FX2", "FX3", "FX4", "FX5", "FX6")


def record(database: Database, *entries: CallRecord | DownloadRecord) -> None:
    async def write() -> None:
        journal = SqlJournal(database)
        journal.start()
        for entry in entries:
            if isinstance(entry, CallRecord):
                await journal.record(entry)
            else:
                await journal.record_download(entry)
        await journal.close()

    asyncio.run(write())


def compare(database: Database, kept: ChassisTally, now: datetime) -> dict[ChassisState, int]:
    """Return the counts, when what is remembered, read again, and judged one by one agree."""
    with database.read() as connection:
        execute = plain(connection)
        found = overview(listed_chassis(execute), read_limits(execute, MINUTES), now)
        for tally in (kept, ChassisTally()):
            counted = tally.count(connection, MINUTES, now)
            assert counted.states == found.counts
            assert sum(counted.chassis.values()) == len(found.chassis)
            assert {vendor for _, vendor in counted.chassis} >= {"Other"}
            for state in ChassisState:
                all_but, keys = tally.in_states(connection, MINUTES, now, {state})
                wanted = {
                    each.chassis.key for each in found.chassis if each.standing.state is state
                }
                others = {each.chassis.key for each in found.chassis} - wanted
                assert set(keys) == (others if all_but else wanted), state
    return {state: number for state, number in found.counts.items() if number}


def test_what_is_remembered_is_what_is_on_record(database: Database) -> None:
    def inventory(change: Callable[..., object], *words: object, **more: object) -> None:
        with database.write() as connection:
            change(connection, *words, **more)

    for name in ("Acme", "Other"):
        inventory(add_vendor, maker(name).vendor)
    inventory(add_all_chassis, [ChassisRecord("Acme", serial) for serial in SERIALS])
    with database.read() as connection:
        tags = {
            row.serial: row.url_tag
            for row in connection.execute(select(CHASSIS.c.serial, CHASSIS.c.url_tag))
        }
    piece = DownloadRecord(
        NOW,
        tags["FX2"],
        "ef" * 32,
        "os.iso",
        "192.0.2.1:80",
        0,
        1000,
        2000,
        complete=False,
        ended=False,
    )
    kept = ChassisTally()
    assert compare(database, kept, NOW) == {ChassisState.EXPECTED: 6}

    steps: list[Callable[[], None]] = [
        lambda: record(database, call("FX1", chassis_key=1), call("FX2", chassis_key=2)),
        lambda: record(database, piece),
        lambda: record(database, report(ReportedStatus.SUCCESS, "FX1", chassis_key=1)),
        lambda: record(database, refusal("FX3", "idevid-untrusted")),
        lambda: record(database, refusal("FX3", "database-unavailable"), refusal("nobody")),
        lambda: inventory(hold_chassis, [1, 4], "no power", now=NOW),
        lambda: record(database, report(ReportedStatus.FAILURE, "FX2", chassis_key=2)),
        lambda: inventory(release_chassis, [4]),
        lambda: record(database, call("FX1", chassis_key=1, nonce_digest="again")),
        lambda: inventory(remove_chassis, "FX2"),
        lambda: inventory(remove_chassis, "FX5"),
        lambda: inventory(
            add_all_chassis, [ChassisRecord("Other", "Z1", boot_mode=BootMode.INSECURE)]
        ),
        lambda: record(database, report(ReportedStatus.SUCCESS, "FX1", chassis_key=1)),
    ]
    seen = [compare(database, kept, NOW)]
    for step in steps:
        step()
        seen.append(compare(database, kept, NOW))
        compare(database, kept, NOW + timedelta(hours=3))

    assert {state for counts in seen for state in counts} >= {
        *(ChassisState.SENT, ChassisState.IMAGE, ChassisState.READY, ChassisState.FAILED),
        *(ChassisState.ON_HOLD, ChassisState.EXPECTED),
    }
    with database.read() as connection:
        totals = {each.vendor: each for each in kept.count(connection, MINUTES, NOW).totals}
    assert (totals["Other"].chassis, totals["Other"].insecure) == (1, 1)
    assert (totals["Acme"].chassis, totals["Acme"].skip_serial) == (4, 0)


def test_a_vendor_with_another_name_and_limits_is_seen(database: Database) -> None:
    with database.write() as connection:
        add_vendor(connection, maker("Acme").vendor)
        add_vendor(connection, maker("Other").vendor)
        add_all_chassis(connection, [ChassisRecord("Acme", "FX1")])
    record(database, call("FX1", chassis_key=1))
    kept = ChassisTally()
    compare(database, kept, NOW)
    with database.write() as connection:
        vendor = find_vendor(connection, "Acme")
        set_vendor(connection, "Acme", replace(vendor, name="Renamed"))

    compare(database, kept, NOW)
    with database.read() as connection:
        counted = kept.count(connection, MINUTES, NOW).chassis

    assert counted[ChassisState.SENT, "Renamed"] == 1
    assert (ChassisState.SENT, "Acme") not in counted


def test_only_what_may_have_changed_is_read_again(database: Database) -> None:
    with database.write() as connection:
        add_vendor(connection, maker("Acme").vendor)
        add_all_chassis(connection, [ChassisRecord("Acme", serial) for serial in SERIALS])
    for key, serial in enumerate(SERIALS[:4], 1):
        record(database, call(serial, chassis_key=key))
        record(database, report(ReportedStatus.SUCCESS, serial, chassis_key=key))
    kept = ChassisTally()
    with database.read() as connection:
        kept.count(connection, MINUTES, NOW)
    # Behind the journal's back, without an event: whoever reads it again would see it.
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE attempt SET state = 'failure' WHERE chassis_id = 1")
    with database.read() as connection:
        counted = kept.count(connection, MINUTES, NOW)
    assert counted.states[ChassisState.READY] == 4
