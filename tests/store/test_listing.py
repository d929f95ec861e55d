"""The plain SQL of lists, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from store.world import NOW, call, maker, refusal, report

from bootz.model.bootstrap import ReportedStatus
from bootz.model.chassis import BootMode, CardKind, Release
from bootz.server.api.paging import holding
from bootz.server.operations.chassis import (
    CardRecord,
    ChassisRecord,
    add_all_chassis,
)
from bootz.server.operations.chassis_state import ChassisFacts
from bootz.server.operations.holds import hold_chassis
from bootz.server.operations.profile_document import ProfileDocument
from bootz.server.operations.profiles import ProfileRecord, add_profile, find_profile
from bootz.server.operations.vendors import add_vendor, find_vendor
from bootz.server.store.database import Database, plain
from bootz.server.store.journal import SqlJournal
from bootz.server.store.listing import (
    NO_PROFILE,
    ListChoice,
    ListedChassis,
    claimed_chassis,
    finished_chassis,
    listed_chassis,
    unfinished_chassis,
)
from bootz.server.store.schema import CHASSIS


def test_chassis_are_listed_in_the_order_of_addition(database: Database) -> None:
    cards = (CardRecord("RP0", slot="0"), CardRecord("LC1", kind=CardKind.LINE))
    with database.write() as connection:
        for name in ("Other", "Acme"):
            add_vendor(connection, maker(name).vendor)
        add_profile(connection, ProfileRecord("edge", ProfileDocument()))
        add_all_chassis(
            connection,
            [
                ChassisRecord("Other", "Z9", hostname="r1", profile="edge", release=Release.V0_3),
                ChassisRecord("Acme", "", modular=True, cards=cards, boot_mode=BootMode.INSECURE),
            ],
        )
    first = ListedChassis(1, "Other", "Z9", "", "r1", 1, BootMode.SECURE, Release.V0_3, "edge")
    second = ListedChassis(2, "Acme", "", "", "", 2, BootMode.INSECURE, None, None)
    with database.read() as connection:
        execute = plain(connection)
        vendor, profile = find_vendor(connection, "acme").key, find_profile(connection, "Edge").key
        assert listed_chassis(execute) == [first, second]
        assert listed_chassis(execute, ListChoice(vendor=vendor)) == [second]
        assert listed_chassis(execute, ListChoice(profile=profile)) == [first]
        assert listed_chassis(execute, ListChoice(profile=NO_PROFILE)) == [second]
        assert listed_chassis(execute, ListChoice(vendor=vendor, profile=profile)) == []
        assert listed_chassis(execute, ListChoice(keys=[2, 9])) == [second]
        assert listed_chassis(execute, ListChoice(keys=[])) == []


def test_labels_choose(database: Database) -> None:
    with database.write() as connection:
        add_vendor(connection, maker("Acme").vendor)
        add_all_chassis(
            connection,
            [
                ChassisRecord("Acme", "FX1", labels={"Site": "osl", "rack": "4"}),
                ChassisRecord("Acme", "FX2", labels={"site": "osl"}),
            ],
        )

    def listed(**labels: str | None) -> list[str]:
        with database.read() as connection:
            found = listed_chassis(plain(connection), ListChoice(labels=labels))
        return [each.serial_number for each in found]

    assert listed(site="osl") == ["FX1", "FX2"]
    assert listed(site="osl", rack="4") == ["FX1"]
    assert listed(rack=None) == ["FX1"]
    assert listed(site="Osl") == []
    assert listed(site="' OR 1=1 --") == []
    with database.read() as connection:
        (one,) = listed_chassis(plain(connection), ListChoice(keys=[1]))
    assert one.labels == {"rack": "4", "site": "osl"}


def test_a_list_is_one_query_however_long(database: Database) -> None:
    labels = {"site": "osl", "rack": "4", "batch": "7"}
    with database.write() as connection:
        add_vendor(connection, maker("Acme").vendor)
        records = [ChassisRecord("Acme", f"FX{number}", labels=labels) for number in range(40)]
        add_all_chassis(connection, records)
    asked: list[str] = []
    with database.read() as connection:
        execute = plain(connection)

        def counted(statement: str, values: Mapping[str, object]) -> Iterable[Sequence[Any]]:
            asked.append(statement)
            return execute(statement, values)

        found = listed_chassis(counted, ListChoice(labels={"rack": "4"}))

    assert [each.serial_number for each in found] == [each.serial_number for each in records]
    assert all(each.labels == labels for each in found)
    assert len(asked) == 1


def test_only_chassis_that_were_seen_or_are_held_are_looked_at(database: Database) -> None:
    with database.write() as connection:
        add_vendor(connection, maker("Acme").vendor)
        numbers = ("FX1", "FX2", "FX3", "FX4", "FX5")
        add_all_chassis(connection, [ChassisRecord("Acme", number) for number in numbers])
        hold_chassis(connection, [1, 4], "no power", now=NOW)

    async def write() -> None:
        journal = SqlJournal(database)
        journal.start()
        await journal.record(call("FX1", chassis_key=1))
        await journal.record(call("FX2", chassis_key=2))
        await journal.record(report(ReportedStatus.SUCCESS, "FX2", chassis_key=2))
        await journal.record(refusal("FX3", "idevid-untrusted"))
        await journal.close()

    asyncio.run(write())

    with database.read() as connection:
        execute = plain(connection)
        facts = {each.key: each.facts for each in listed_chassis(execute)}
        unfinished = {key: known for key, _, known in unfinished_chassis(execute)}
        finished = list(finished_chassis(execute))
        claimed = list(claimed_chassis(execute))

    assert unfinished == {key: facts[key] for key in (1, 3, 4)}
    assert (finished, claimed) == ([(2, "Acme")], [3])
    assert facts[5] == ChassisFacts()


def test_a_text_is_found_alike_on_both_engines(database: Database) -> None:
    hosts = ("OSL-core_1", "osl-coreX1", "100%", "Ärger", "back/slash")
    with database.write() as connection:
        add_vendor(connection, maker("Acme").vendor)
        add_all_chassis(
            connection,
            [ChassisRecord("Acme", f"S{at}", hostname=host) for at, host in enumerate(hosts)],
        )
    wanted = {
        "osl": [1, 2],
        "Core_1": [1],
        "0%": [3],
        "%": [3],
        "/": [5],
        "äRGER": [],
        "ÄRGER": [4],
        "s0": [1],
    }
    with database.read() as connection:
        for text, keys in wanted.items():
            (condition,) = holding(connection, text, CHASSIS.c.serial, CHASSIS.c.hostname)
            found = select(CHASSIS.c.id).where(condition).order_by(CHASSIS.c.id)
            assert connection.scalars(found).all() == keys, text
        assert holding(connection, "", CHASSIS.c.serial) == []
