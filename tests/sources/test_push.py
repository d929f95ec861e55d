"""What is written back: the latest state, once, and never over a person's change."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sources.conftest import SourceWorld, attempted

from bootz.server.sources.markers import read_markers, set_markers
from bootz.server.sources.pushing import due_pushes, push_all

PUSH = {"status": {"success": "staged"}, "fields": True, "journal": True}


def push(world: SourceWorld, **settings: Any) -> int:
    room = world.room(push={**PUSH, **settings})
    return asyncio.run(push_all(room, room.config.sources[0], set()))


def ready(world: SourceWorld) -> dict[str, Any]:
    """Sync, onboard edge-02, forget the requests so far; return the device."""
    world.sync()
    attempted(world, "edge-02", "success")
    world.product.seen.clear()
    return world.product.device("edge-02")


def fault_of(world: SourceWorld, hostname: str = "edge-02") -> str:
    key = world.chassis()[hostname].key
    return next(m.push_reason for m in world.markers().values() if m.chassis == key)


def test_a_ready_router_is_told_once(world: SourceWorld) -> None:
    device = ready(world)
    wanted = "staged" if world.product.kind == "netbox" else "Staged"

    assert push(world, status={"success": wanted}) == 1

    fields = device["custom_fields"]
    assert (fields["bootz_state"], fields["bootz_last_attempt"]) == (
        "ready",
        "2026-11-28T20:00:00Z",
    )
    status = device["status"]
    assert (status.get("value") or status["name"]) == wanted
    methods = [method for method, _, _ in world.product.writes()]
    assert methods == ["PATCH", "POST"]
    assert "attempt 1" in str(world.product.writes()[1][2])
    world.product.seen.clear()
    assert push(world) == 0
    assert world.product.seen == []


def test_the_status_that_was_read_is_remembered(world: SourceWorld) -> None:
    device = ready(world)
    before = world.markers()[str(device["id"])].status

    push(world, status={})

    assert before
    assert world.markers()[str(device["id"])].status == before


def test_who_was_killed_behind_an_entry_of_the_journal_makes_no_other(world: SourceWorld) -> None:
    ready(world)
    push(world, status={})
    assert [method for method, _, _ in world.product.writes()] == ["PATCH", "POST"]
    with world.database.write() as connection:
        # As a server leaves it that was killed before its own note.
        set_markers(connection, [replace(each, pushed="") for each in read_markers(connection)])
    world.product.seen.clear()

    assert push(world, status={}) == 1

    assert world.product.writes() == []
    assert len(world.product.entries) == 1


def test_without_the_right_to_read_the_journal_an_entry_is_made(world: SourceWorld) -> None:
    device = ready(world)

    def forbid(path: str, _query: object) -> None:
        journal = path in {"extras/journal-entries/", f"dcim/devices/{device['id']}/notes/"}
        reads = world.product.seen[-1][0] == "GET"
        world.product.forbidden = {path} if journal and reads else set()

    world.product.before = forbid
    assert push(world, status={}) == 1
    assert len(world.product.entries) == 1


def test_nothing_is_patched_where_it_says_the_same(world: SourceWorld) -> None:
    device = ready(world)
    device["custom_fields"] = {
        "bootz_state": "ready",
        "bootz_reason": None,
        "bootz_last_attempt": "2026-11-28T20:00:00Z",
    }

    push(world, status={}, journal=False)

    assert world.product.writes() == []


def test_expected_routers_are_not_told(world: SourceWorld) -> None:
    world.sync()

    assert push(world) == 0


def test_the_latest_state_wins(world: SourceWorld) -> None:
    device = ready(world)
    attempted(world, "edge-02", "failure", "boot-config-failed")

    push(world)

    assert len([each for each in world.product.writes() if each[0] == "PATCH"]) == 1
    assert device["custom_fields"]["bootz_state"] == "failed"
    # What a router says of itself stays with us.
    assert device["custom_fields"]["bootz_reason"] == "boot-config-failed"


def test_a_persons_status_stays(world: SourceWorld) -> None:
    """T14: NetBox answers 412 at the first try; Nautobot has no lock, and is read before."""
    device = ready(world)
    gets: list[str] = []

    def change(path: str, _query: dict[str, list[str]]) -> None:
        # After our read, and before our write.
        if path.startswith("dcim/devices/") and path != "dcim/devices/":
            gets.append(path)
            if len(gets) == (2 if world.product.kind == "netbox" else 1):
                world.product.set_status("edge-02", "active")
                device["last_updated"] += "*"

    world.product.before = change

    push(world)

    status = device["status"]
    assert (status.get("value") or status["name"]).lower() == "active"
    assert device["custom_fields"]["bootz_state"] == "ready"


def test_a_value_that_is_silently_dropped_is_told_once(nautobot: SourceWorld) -> None:
    """T15."""
    ready(nautobot)
    nautobot.product.drops_fields = True

    assert push(nautobot, status={}) == 0
    assert fault_of(nautobot) == "source-push-dropped"

    nautobot.product.seen.clear()
    push(nautobot, status={})
    assert nautobot.product.seen == []


def test_a_source_that_is_off_is_told_later(world: SourceWorld) -> None:
    device = ready(world)
    world.product.refuse = (503, "text/html", b"")
    assert push(world) == 0
    assert fault_of(world) == "source-unreachable"
    world.product.refuse = None

    assert push(world) == 0
    world.later(minutes=2)
    assert push(world) == 1

    assert device["custom_fields"]["bootz_state"] == "ready"
    assert fault_of(world) == ""


def test_a_device_that_is_gone_is_not_asked_again(world: SourceWorld) -> None:
    device = ready(world)
    world.product.devices.remove(device)

    push(world)

    assert fault_of(world) == "source-gone"
    world.later(hours=1)
    world.product.seen.clear()
    push(world)
    assert world.product.seen == []


def test_without_the_right_to_change_it_is_told_once(world: SourceWorld) -> None:
    device = ready(world)
    world.product.forbidden = {f"dcim/devices/{device['id']}/"}

    push(world)

    assert fault_of(world) == "source-forbidden"


def test_a_source_that_wants_nothing_is_not_asked(world: SourceWorld) -> None:
    ready(world)

    assert push(world, status={}, fields=False, journal=False) == 0
    assert world.product.seen == []


@pytest.mark.parametrize("state", ["answered", "installing"])
def test_a_change_waits_while_the_router_is_onboarded(world: SourceWorld, state: str) -> None:
    world.sync()
    attempted(world, "edge-02", state)
    world.product.device("edge-02")["name"] = "renamed"

    faults = {fault.name: fault.error.reason for fault in world.sync().faults}
    assert faults["renamed"] == "source-busy"
    assert "edge-02" in world.chassis()

    attempted(world, "edge-02", "success")
    world.sync()
    assert "renamed" in world.chassis()


def test_what_is_due_follows_from_the_journal(world: SourceWorld) -> None:
    ready(world)
    room = world.room(push=PUSH)

    (due,) = due_pushes(room, room.config.sources[0])

    assert (due.serial, due.key) == ("FOC2801A002", "1:ready:")
