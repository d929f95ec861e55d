"""`bootz.client` and its examples, against a door: typed answers, one error, every page."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from client.conftest import Door
from store.world import call, report

from bootz.client import (
    ApiProblem,
    ApiUnavailable,
    AsyncBootzClient,
    BootzClient,
    calls,
    models,
)
from bootz.model.bootstrap import ReportedStatus
from bootz.model.chassis import CardKind, ClaimedCard
from bootz.server.operations.chassis import CardRecord


def test_a_chassis_is_added_shown_changed_and_removed(door: Door) -> None:
    with BootzClient(door.url, door.token) as site:
        body = models.ChassisBody(vendor="Acme", serial_number="FX1", labels={"batch": "7"})
        tried = site.send(calls.chassis_add(body, dry_run=True))
        made = site.send(calls.chassis_add(body, idempotency_key="k1"))
        again = site.send(calls.chassis_add(body, idempotency_key="k1"))

        assert (tried.serial_number, made.id, again) == ("FX1", made.id, made)
        assert made.standing.state is models.ChassisState.EXPECTED
        assert site.send(calls.chassis_show(made.id)).labels == {"batch": "7"}
        assert [row.id for row in site.rows(calls.chassis_list(label=["batch=7"]))] == [made.id]
        held = site.send(calls.chassis_hold(models.HoldBody(ids=[made.id], note="no power")))
        assert held.changed == ["FX1"]
        assert site.send(calls.chassis_remove(made.id)).removed == "FX1"
        with pytest.raises(ApiProblem) as refused:
            site.send(calls.chassis_show(made.id))
        assert (refused.value.status, refused.value.reason) == (404, "object-not-found")
        assert refused.value.problem.next_action


def test_every_row_of_every_page_comes_once(door: Door) -> None:
    for number in range(7):
        door.world.chassis(f"FX{number}")

    async def names() -> list[str]:
        async with AsyncBootzClient(door.url, door.token) as site:
            wanted = calls.chassis_list(limit=2, ordering="-serial_number")
            return [row.serial_number async for row in site.rows(wanted)]

    found = asyncio.run(names())
    with BootzClient(door.url, door.token) as site:
        assert [row.serial_number for row in site.rows(calls.chassis_list(limit=3))] == found[::-1]
    assert found == [f"FX{number}" for number in range(6, -1, -1)]


def test_events_are_followed_from_where_one_was(door: Door) -> None:
    key = door.world.chassis("FX1")
    door.record(call("FX1", chassis_key=key))

    with BootzClient(door.url, door.token) as site:
        first = next(iter(site.events(after=0)))
        assert (first.chassis, first.kind) == ("FX1", models.EventKind.ANSWERED)
        assert site.send(calls.status_show()).last_event >= first.id


def test_a_wrong_token_and_a_door_that_is_closed_are_told_apart(door: Door) -> None:
    with BootzClient(door.url, "bootz_wrong") as site, pytest.raises(ApiProblem) as refused:
        site.send(calls.me())
    assert refused.value.reason == "login-needed"
    with BootzClient("http://127.0.0.1:9", door.token) as site, pytest.raises(ApiUnavailable):
        site.send(calls.me())
    assert door.token not in repr(site)


def test_the_example_imports_a_batch_and_tells_what_would_stop_it(
    door: Door, tmp_path: Path
) -> None:
    table = tmp_path / "routers.csv"
    table.write_text("vendor,serial_number,hostname,label:batch\nAcme,FX1,r1,7\nAcme,FX2,r2,7\n")
    door.voucher("FX1")

    stopped = door.example("import_and_preflight.py", str(table))
    door.voucher("FX2")
    ready = door.example("import_and_preflight.py", str(table))
    table.write_text("vendor,serial_number,hostname\nNone,FX3,r3\n")
    wrong = door.example("import_and_preflight.py", str(table))

    assert stopped.returncode == 1, stopped.stdout + stopped.stderr
    assert "2 to add" in stopped.stdout
    assert "FX2: none is stored" in stopped.stdout
    assert (ready.returncode, ready.stdout.splitlines()[-1]) == (0, "go"), ready.stdout
    assert wrong.returncode == 1
    assert "vendor-not-found" in wrong.stdout


def test_the_example_follows_a_night_to_its_end(door: Door) -> None:
    keys = [door.world.chassis(f"FX{number}", labels={"batch": "7"}) for number in (1, 2)]
    for number, key in enumerate(keys, 1):
        door.record(
            call(f"FX{number}", chassis_key=key),
            report(ReportedStatus.SUCCESS, f"FX{number}", chassis_key=key),
        )

    done = door.example("follow_night.py", "batch=7")

    assert (done.returncode, done.stdout) == (0, "FX1: ready\nFX2: ready\n"), done.stderr


def test_the_example_accepts_cards_that_take_a_place(door: Door) -> None:
    cards = (
        CardRecord("RP0", slot="0", kind=CardKind.CONTROL),
        CardRecord("RP1", slot="1", kind=CardKind.CONTROL),
    )
    key = door.world.chassis("CH1", modular=True, cards=cards)
    foreign = (ClaimedCard("NEW", "", "1"), ClaimedCard("LCX", "", "LC4"))
    door.record(call("RP0", chassis_key=key, foreign_cards=foreign))

    done = door.example("accept_replacements.py")

    assert done.returncode == 0, done.stderr
    assert "NEW: accepted in CH1 for RP1" in done.stdout
    assert "LCX: slot LC4 of CH1 was empty; left" in done.stdout
    shown = door.world.get(f"/chassis/{key}")
    assert [each["serial_number"] for each in shown["cards"]] == ["RP0", "NEW"]
