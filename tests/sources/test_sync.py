"""What a sync does with the inventory: whole or not at all, and never with what is not its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from sources.conftest import SourceWorld
from sources.product import TOKEN

from bootz.errors import BootzError, ConfigError
from bootz.server.operations.chassis import add_chassis, set_chassis
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.vendors import list_vendors
from bootz.server.sources.planning import SyncOrder
from bootz.server.sources.releasing import release_from_source
from bootz.server.sources.showing import show_sources
from bootz.server.sources.syncing import sync_from_copy


def reasons(world: SourceWorld, order: SyncOrder | None = None) -> dict[str, str]:
    return {fault.name: fault.error.reason for fault in world.sync(order).faults}


def held(world: SourceWorld) -> set[str]:
    return {name for name, record in world.chassis().items() if record.on_hold}


def test_a_second_sync_writes_nothing(world: SourceWorld) -> None:
    """T2."""
    world.sync()
    before = world.digest()

    synced = world.sync()

    assert not synced.wrote
    assert world.digest() == before


def test_one_fault_stops_everything_or_holds_itself(world: SourceWorld) -> None:
    """T4."""
    with pytest.raises(ConfigError) as refused:
        world.sync(on_fault="stop")
    assert refused.value.reason == "source-refused"
    assert world.chassis() == {}
    (shown,) = show_sources(world.room(), ["sot"])
    assert {fault["name"] for fault in shown.state.faults} == {"edge-05", "FOC2801A006"}
    assert shown.next

    world.sync(on_fault="hold")

    assert "edge-02" in world.chassis()


def test_a_device_that_waits_for_its_serial_number_stops_nothing(world: SourceWorld) -> None:
    world.product.devices.remove(world.product.device(None))  # type: ignore[arg-type]

    world.sync(on_fault="stop")

    assert "edge-05" not in world.chassis()
    assert "edge-02" in world.chassis()


def test_a_serial_number_twice_in_another_case(world: SourceWorld) -> None:
    """T5: both are told, neither is taken."""
    world.product.device("edge-03")["serial"] = "foc2801a002"

    told = reasons(world)

    assert told["edge-02"] == told["edge-03"] == "source-serial-twice"
    assert {"edge-02", "edge-03"}.isdisjoint(world.chassis())


def test_chassis_that_are_not_the_sources_stay_as_they_are(world: SourceWorld) -> None:
    """T6."""
    with world.database.write() as connection:
        add_chassis(connection, ChassisRecord("Cisco", "FOC2801A002", hostname="mine"))
        add_chassis(connection, ChassisRecord("Cisco", "ELSEWHERE", hostname="other"))
    before = world.chassis()

    told = reasons(world)

    after = world.chassis()
    assert told["edge-02"] == "source-not-owner"
    for name in ("mine", "other"):
        assert (after[name], after[name].revision) == (before[name], before[name].revision)
    assert "edge-02" not in after


def test_a_chassis_that_says_the_same_can_be_adopted(world: SourceWorld) -> None:
    world.sync()
    with world.database.write() as connection:
        release_from_source(connection, "FOC2801A002")
    assert reasons(world)["edge-02"] == "source-not-owner"

    synced = world.sync(SyncOrder(adopt=True))

    assert synced.counts["adopt"] == 1
    assert "edge-02" not in reasons(world)


def test_a_change_there_is_taken(world: SourceWorld) -> None:
    world.sync()
    device = world.product.device("edge-02")
    device["name"], device["asset_tag"] = "edge-02b", None

    synced = world.sync()

    after = world.chassis()
    assert synced.counts["change"] == 1
    assert "edge-02" not in after
    sot = after["edge-02b"].variables["sot"]
    assert isinstance(sot, dict)
    assert "asset_tag" not in sot


def test_a_tag_that_is_taken_off_takes_its_label(world: SourceWorld) -> None:
    extra = {"id": 9, "name": "late", "slug": "late"}
    world.product.device("edge-02")["tags"].append(extra)
    world.sync()
    assert "tag/late" in world.chassis()["edge-02"].labels

    world.product.device("edge-02")["tags"].pop()
    world.sync()

    assert "tag/late" not in world.chassis()["edge-02"].labels


def test_a_new_card_is_seen_although_the_device_is_untouched(world: SourceWorld) -> None:
    """T24."""
    words = ["planned", "staged", "active"]
    if world.product.kind == "nautobot":
        words = [word.title() for word in words]
    world.settings["select"] = {"status": words, "tag": ["bootz"]}
    world.sync()
    module = next(
        each for each in world.product.lists["dcim/modules/"] if each["serial"] == "FXM28RP0"
    )
    module["serial"] = "FXM28RPX"

    world.sync()

    cards = {card.serial_number for card in world.chassis()["core-28"].cards}
    assert cards == {"FXM28LC0", "FXM28RPX", "FXM28RP1"}


def test_a_change_made_here_wins_until_the_operator_says_otherwise(world: SourceWorld) -> None:
    world.sync()
    with world.database.write() as connection:
        record = world.chassis()["edge-02"]
        set_chassis(connection, "FOC2801A002", _with(record, hostname="by-hand"))
    world.product.device("edge-02")["name"] = "by-source"

    assert reasons(world)["by-source"] == "source-differs"
    assert "by-hand" in world.chassis()

    world.sync(SyncOrder(update=True))

    assert "by-source" in world.chassis()
    assert "by-hand" not in world.chassis()


def test_what_the_source_does_not_speak_of_is_the_operators(world: SourceWorld) -> None:
    world.sync()
    with world.database.write() as connection:
        record = world.chassis()["edge-02"]
        labels = {**record.labels, "batch": "7"}
        variables = {**record.variables, "mine": 1}
        set_chassis(connection, "FOC2801A002", _with(record, labels=labels, variables=variables))
    world.product.device("edge-02")["name"] = "renamed"

    world.sync()

    after = world.chassis()["renamed"]
    assert (after.labels["batch"], after.variables["mine"]) == ("7", 1)


def _with(record: ChassisRecord, **changes: object) -> ChassisRecord:
    from dataclasses import replace

    return replace(record, **changes)  # type: ignore[arg-type]


def test_a_device_that_became_active_has_left_and_is_not_held(world: SourceWorld) -> None:
    """T7."""
    world.sync()
    world.product.set_status("edge-02", "active")

    for _ in range(3):
        world.sync()

    assert held(world) == set()
    assert world.markers()[str(world.product.device("edge-02")["id"])].left


def test_a_device_that_is_gone_twice_is_held_and_comes_back(world: SourceWorld) -> None:
    """T8."""
    world.sync()
    device = world.product.device("edge-02")
    world.product.devices.remove(device)

    world.sync()
    assert held(world) == set()
    world.sync()
    assert held(world) == {"edge-02"}
    before = world.digest()
    world.sync()
    assert world.digest() == before

    world.product.devices.append(device)
    world.sync()

    assert held(world) == set()


def test_a_hold_by_a_person_is_not_ended_by_a_sync(world: SourceWorld) -> None:
    from bootz.server.operations.holds import hold_chassis

    world.sync()
    with world.database.write() as connection:
        hold_chassis(connection, [world.chassis()["edge-02"].key], "wait", now=world.now)

    world.sync()

    assert held(world) == {"edge-02"}


def test_another_serial_number_is_another_router(world: SourceWorld) -> None:
    world.sync()
    world.product.device("edge-02")["serial"] = "FOC2801NEW"
    world.product.device("edge-02")["name"] = "edge-02-new"

    synced = world.sync()

    after = world.chassis()
    assert synced.counts["replace"] == 1
    assert after["edge-02"].on_hold
    assert after["edge-02-new"].serial_number == "FOC2801NEW"
    assert not after["edge-02-new"].on_hold


def test_an_empty_answer_is_never_the_truth(world: SourceWorld) -> None:
    """T9."""
    world.sync()
    world.product.devices.clear()

    with pytest.raises(BootzError) as shrunk:
        world.sync()

    assert shrunk.value.reason == "source-shrunk"
    assert held(world) == set()


def test_too_many_gone_at_once_need_a_word(world: SourceWorld) -> None:
    world.sync()
    for number in range(9, 16):
        world.product.devices.remove(world.product.device(f"edge-{number:02}"))

    with pytest.raises(BootzError) as shrunk:
        world.sync()
    assert shrunk.value.reason == "source-shrunk"
    assert "7 of" in shrunk.value.seen

    world.sync(SyncOrder(accept_missing=True))
    world.sync(SyncOrder(accept_missing=True))
    assert len(held(world)) == 7
    world.sync()


def test_the_copy_is_applied_again_while_the_source_is_off(world: SourceWorld) -> None:
    """T13."""
    world.sync()
    copy = world.root / "sources" / "sot.json"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert TOKEN not in copy.read_text()
    room = world.room(url="http://127.0.0.1:9")
    with pytest.raises(BootzError):
        world.sync(url="http://127.0.0.1:9")
    world.later(hours=30)

    synced = sync_from_copy(room, room.config.sources[0], SyncOrder())

    assert synced.counts["same"] == len(world.chassis())
    assert not synced.wrote
    (shown,) = show_sources(room, ["sot"])
    assert (shown.state.reason, shown.state.failures) == ("source-unreachable", 1)
    assert "30 hours ago" in shown.warnings[0]
    world.sync()
    (shown,) = show_sources(room, ["sot"])
    assert (shown.state.reason, shown.state.failures, shown.warnings) == ("", 0, [])


def test_a_damaged_copy_is_refused(world: SourceWorld) -> None:
    world.sync()
    copy = world.root / "sources" / "sot.json"
    copy.write_text(copy.read_text().replace("edge-02", "edge-xx"))
    room = world.room()

    with pytest.raises(BootzError) as refused:
        sync_from_copy(room, room.config.sources[0], SyncOrder())

    assert refused.value.reason == "source-no-copy"


def test_an_unknown_vendor_is_told_and_never_made(world: SourceWorld) -> None:
    for device in world.product.devices:
        kind = device["device_type"]
        if kind.get("manufacturer", {}).get("name") == "Arista":
            kind["manufacturer"] = {"id": 77, "name": "Nokia", "slug": "nokia"}
    for kind in world.product.lists["dcim/device-types/"]:
        if kind["manufacturer"].get("name") == "Arista":
            kind["manufacturer"] = {"id": 77, "name": "Nokia", "slug": "nokia"}

    told = reasons(world)

    assert told["leaf-17"] == "source-vendor-unknown"
    with world.database.read() as connection:
        assert {vendor.name for vendor in list_vendors(connection)} == {"Arista", "Cisco"}


def test_profiles_by_rule(world: SourceWorld) -> None:
    for device in world.product.devices:
        device["custom_fields"] = {}
    world.settings["profiles"] = [
        {"role": "edge", "manufacturer": "Cisco", "profile": "EDGE"},
        {"role": "leaf", "profile": "nothing"},
    ]

    told = reasons(world)

    assert world.chassis()["edge-02"].profile == "edge"
    assert told["leaf-17"] == "source-profile-unknown"


_KILLED = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import bootz.server.sources.planning as planning
import bootz.server.sources.syncing as syncing
from bootz.config.site import SiteConfig
from bootz.server.sources.planning import SyncOrder
from bootz.server.sources.syncing import SourceRoom, sync
from bootz.server.store.database import open_database

root, config, step = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
place = planning if hasattr(planning, step) else syncing
whole = getattr(place, step)

def killing(*args, **kwargs):
    whole(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(place, step, killing)
site = SiteConfig.model_validate_json(config)
database = open_database(f"sqlite:///{root}/bootz.db")
room = SourceRoom(root, site, database, lambda: datetime.now(UTC))
asyncio.run(sync(room, site.sources[0], SyncOrder()))
"""


@pytest.mark.parametrize(
    "step", ["write_copy", "_apply", "_mark", "_note_absent", "_note_back", "note_success"]
)
def test_a_kill_at_each_step_leaves_the_old_inventory(netbox: SourceWorld, step: str) -> None:
    """T20: and the next sync is not in its way."""
    config = netbox.room().config.model_dump_json()
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(netbox.root), config, step],
        check=False,
        timeout=60,
        env={**os.environ},
    )

    assert done.returncode == -signal.SIGKILL
    assert netbox.chassis() == {}
    assert netbox.markers() == {}
    netbox.sync()
    assert len(netbox.chassis()) == 21
