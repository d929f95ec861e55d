"""The emulated chassis against the real server: bundles, replacements, slots (S2, S5, S7, S10)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from device.chassis_world import SLOTS, Powered, told
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from world import Running, World, manufacturer, request, run, verified

from bootz.device.card_folder import CardParts
from bootz.device.hardware import BuiltCard, BuiltChassis, Hardware, NewCard
from bootz.device.slots import Power, exchange, make_card, switch
from bootz.device.state import RouterState
from bootz.model.chassis import VoucherDelivery
from bootz.server.operations.chassis import find_chassis
from bootz.server.operations.chassis_record import CardRecord as OnRecord
from bootz.server.operations.replacements import (
    accept_replacement,
    list_replacements,
    list_seats,
)


def parts(serial: str) -> CardParts:
    made = manufacturer().device(serial)
    return CardParts(made.key, [made.certificate, *made.chain], [manufacturer().ca])


def chassis(folder: Path, cards: Mapping[str, str]) -> Hardware:
    records = tuple(BuiltCard(slot, serial, "PID-1", slot) for slot, serial in cards.items())
    new = []
    for record in records:
        made = parts(record.serial_number)
        new.append(NewCard(record, made.key, made.certificates, made.anchors))
    return Hardware.manufacture(
        folder / "chassis",
        BuiltChassis("Acme", "CH1", records, "PID-1", modular=True, slots=SLOTS),
        new,
        RouterState(),
    )


def owned(world: World, delivery: VoucherDelivery) -> None:
    world.add_vendor(manufacturer())
    world.add_profile(vendor_config="hostname core1\n", ztp_server_line="on")
    world.add_chassis(
        "CH1",
        modular=True,
        cards=(OnRecord("RP0", slot="RP0"), OnRecord("RP1", slot="RP1")),
        profile="base",
        voucher_delivery=delivery,
    )
    for serial in ("RP0", "RP1"):
        world.add_voucher(serial)


def test_s2_both_cards_with_the_standby_as_the_one_that_asks_are_answered(tmp_path: Path) -> None:
    """The form that the Go reference knows; the active card proves who is there."""
    world = World(tmp_path)
    owned(world, VoucherDelivery.SINGLE)

    async def story(running: Running) -> None:
        active = manufacturer().device("RP0")
        asked = request("RP1", cards=("RP0", "RP1"), chassis_serial="CH1")
        data = verified(await running.ask(active, asked), "RP1")
        assert [each.serial_number for each in data.responses] == ["RP0", "RP1"]
        # A card of another chassis proves nothing, however it is asked.
        with pytest.raises(GRPCError) as caught:
            await running.ask(manufacturer().device("FOREIGN"), asked)
        assert caught.value.status is Status.PERMISSION_DENIED

    run(story, world)


@pytest.mark.parametrize(
    ("delivery", "requests"),
    [(VoucherDelivery.SINGLE, 2), (VoucherDelivery.BUNDLE, 1), (VoucherDelivery.AUTO, 1)],
)
def test_s2_s5_s7_s10_a_chassis_comes_up_and_a_new_standby_is_accepted(
    tmp_path: Path, delivery: VoucherDelivery, requests: int
) -> None:
    world = World(tmp_path)
    owned(world, delivery)
    hardware = chassis(tmp_path, {"RP0": "RP0", "RP1": "RP1"})

    async def story(running: Running) -> None:
        host, port = running.bound.bootz[0]
        async with Powered(hardware, f"bootz://{host}:{port}") as powered:
            await powered.events.until("report", 2)
            asked = [name for name, _ in powered.events.events if name.endswith("contact")]
            assert len(asked) == requests
            assert set(told(powered.state).values()) == {("verified", "")}
            card = tmp_path / "new"
            make_card(card, BuiltCard("", "NEW", "PID-2"), parts("NEW"))
            exchange(hardware, "RP1", card, tmp_path / "old")
            refused = await powered.events.until("card-shut-down")
            assert (refused["card"], refused["reason"]) == ("NEW", "cards-unknown")
            (waiting,) = await asyncio.to_thread(world.write, list_replacements)
            assert (waiting.serial_number, waiting.slot, waiting.replaces) == ("NEW", "RP1", "RP1")
            assert (waiting.proven_serial, waiting.part_number) == ("RP0", "PID-2")
            await asyncio.to_thread(world.write, accept_replacement, "NEW")
            await asyncio.to_thread(world.add_voucher, "NEW")
            switch(hardware, "RP1", Power.CYCLE)
            verified = len(powered.events.named("card-verified")) + 1
            await powered.events.until("card-verified", verified)
            await powered.events.until("cards-done", 2)
            assert told(powered.state)["RP1"] == ("verified", "")

    run(story, world)
    key = world.write(find_chassis, "CH1").key
    seats = world.write(list_seats, key)
    assert [(seat.slot, seat.serial_number) for seat in seats] == [
        ("RP0", "RP0"),
        ("RP1", "NEW"),
        ("RP1", "RP1"),
    ]
