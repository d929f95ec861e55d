"""Strangers: claimed by what they proved, never by what they said; ignored, and heeded again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from api.conftest import World
from store.world import refusal

from bootz.model.chassis import CardKind
from bootz.model.checks import STRANGER, Check, Outcome
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.operations.chassis import CardRecord
from bootz.server.store.journal import SqlJournal


def meet(world: World, serial: str, *, vendor: str = "Acme", proven: bool = True) -> int:
    """Let a caller be refused that is not on record; return the attempt's id."""
    checks = (Check(STRANGER, Outcome.PASSED, seen=vendor),) if proven else ()
    entry = refusal(serial, checks=checks)
    if proven:
        from dataclasses import replace

        entry = replace(entry, proven_serial=serial)

    async def write() -> None:
        journal = SqlJournal(world.database)
        journal.start()
        await journal.record(entry)
        await journal.close()

    asyncio.run(write())
    found: int = world.get("/strangers")["results"][0]["id"]
    return found


def claim(world: World, attempt: int, **body: Any) -> Any:
    return world.call(OperatorRole.OPERATOR, "POST", f"/strangers/{attempt}/claim", json=body)


def test_the_box_that_was_swapped_takes_the_place_of_the_planned_one(world: World) -> None:
    key = world.chassis("FX1", hostname="r1")
    attempt = meet(world, "FX9")
    (listed,) = world.get("/strangers")["results"]
    assert (listed["proven_serial"], listed["proven_vendor"]) == ("FX9", "Acme")

    tried = world.call(
        OperatorRole.OPERATOR,
        "POST",
        f"/strangers/{attempt}/claim?dry_run=true",
        json={"chassis": key},
    ).json()
    assert (tried["expected"], tried["seen"]) == ("FX1", "FX9")
    assert world.get(f"/chassis/{key}")["serial_number"] == "FX1"

    done = claim(world, attempt, chassis=key)

    assert done.status_code == 200, done.text
    shown = world.get(f"/chassis/{key}")
    assert (shown["serial_number"], shown["hostname"]) == ("FX9", "r1")
    entries = world.get("/audit?verb=stranger", OperatorRole.SECURITY)["results"]
    assert entries[0]["verb"] == "stranger.claim"


@pytest.mark.parametrize("fault", ["unproven", "vendor", "taken", "modular", "card"])
def test_a_claim_that_does_not_hold_changes_nothing(world: World, fault: str) -> None:
    cards = (CardRecord("RP0", slot="0", kind=CardKind.CONTROL), CardRecord("RP1", slot="1"))
    modular = fault in {"modular", "card"}
    key = world.chassis("FX1", modular=True, cards=cards) if modular else world.chassis("FX1")
    if fault == "taken":
        world.chassis("FX9")
    vendor = "Other" if fault == "vendor" else "Acme"
    attempt = meet(world, "FX9", vendor=vendor, proven=fault != "unproven")

    refused = claim(world, attempt, chassis=key, **({"card": "RP7"} if fault == "card" else {}))

    reasons = {
        "unproven": "stranger-unproven",
        "vendor": "stranger-other-vendor",
        "taken": "serial-taken",
        "modular": "stranger-card-needed",
        "card": "chassis-not-found",
    }
    assert refused.json()["reason"] == reasons[fault], refused.text
    assert world.get(f"/chassis/{key}")["serial_number"] == "FX1"


def test_one_card_of_a_modular_chassis_is_claimed(world: World) -> None:
    cards = (CardRecord("RP0", slot="0"), CardRecord("RP1", slot="1"))
    key = world.chassis("FX1", modular=True, cards=cards)
    attempt = meet(world, "RP9")

    done = claim(world, attempt, chassis=key, card="RP1")

    assert done.status_code == 200, done.text
    shown = world.get(f"/chassis/{key}")
    assert [(each["serial_number"], each["slot"]) for each in shown["cards"]] == [
        ("RP0", "0"),
        ("RP9", "1"),
    ]


def test_one_that_is_ignored_is_left_out_until_it_is_heeded(world: World) -> None:
    attempt = meet(world, "FX9", proven=False)
    path = f"/strangers/{attempt}/ignore"

    world.call(OperatorRole.OPERATOR, "POST", path, json={"note": "a lab router"})
    assert world.get("/strangers")["results"] == []
    assert world.get("/strangers?ignored=true")["results"][0]["ignored"]

    world.call(OperatorRole.OPERATOR, "DELETE", path)
    assert len(world.get("/strangers")["results"]) == 1
