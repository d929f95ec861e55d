"""Hands at the chassis: what fits, what does not, and what a power cut leaves behind."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from device.chassis_world import LC0, RP0, RP1, ChassisServer, ChassisWorld, told
from device.killer import KILLER
from device.world import boot, options, play

from bootz.device.bell import Bell, ring
from bootz.device.hardware import Hardware
from bootz.device.onboarding import BootResult
from bootz.device.slots import Power, exchange, insert, pull, switch
from bootz.errors import BootzError
from bootz.model.chassis import CardKind


@pytest.fixture
def world(tmp_path: Path) -> ChassisWorld:
    return ChassisWorld(tmp_path)


@pytest.fixture
def hardware(world: ChassisWorld) -> Hardware:
    return world.chassis({"RP0": RP0, "RP1": RP1})


def folders(hardware: Hardware) -> set[str]:
    return {path.name for path in (hardware.folder / "cards").iterdir()}


def test_a_card_goes_in_and_comes_out_as_it_was(
    world: ChassisWorld, hardware: Hardware, tmp_path: Path
) -> None:
    card = world.card(LC0, CardKind.LINE)
    key = (card / "identity.key").read_bytes()
    inserted = insert(hardware, "LC1", card)
    assert (inserted.name, inserted.slot, inserted.serial_number) == ("LC1", "LC1", LC0)
    assert not card.exists()
    assert Hardware.open(hardware.folder).record.card_in("LC1") == inserted
    pull(hardware, "LC1", tmp_path / "out")
    assert (tmp_path / "out" / "identity.key").read_bytes() == key
    assert folders(hardware) == {"RP0", "RP1"}
    again = insert(hardware, "LC1", tmp_path / "out")
    assert again.token != inserted.token


def test_a_switched_card_is_a_new_one_to_the_router(hardware: Hardware) -> None:
    before = hardware.record.cards[1].token
    assert not switch(hardware, "RP1", Power.OFF).powered
    assert [card.name for card in hardware.record.running] == ["RP0"]
    assert switch(hardware, "RP1", Power.ON).token != before
    cycled = switch(hardware, "RP1", Power.CYCLE)
    assert folders(hardware) == {"RP0", cycled.token}


def refused(reason: str, act: object, *arguments: object) -> None:
    with pytest.raises(BootzError) as refusal:
        act(*arguments)  # type: ignore[operator]
    assert refusal.value.reason == reason
    assert refusal.value.remedy


def test_what_does_not_fit_changes_nothing(
    world: ChassisWorld, hardware: Hardware, tmp_path: Path
) -> None:
    line, control = world.card(LC0, CardKind.LINE), world.card("RP9")
    before = hardware.reload()
    full = tmp_path / "full"
    full.mkdir()
    (full / "something").touch()
    refused("slot-unknown", insert, hardware, "LC99", line)
    refused("slot-taken", insert, hardware, "RP1", control)
    refused("card-misfit", insert, hardware, "LC0", control)
    refused("card-misfit", exchange, hardware, "RP1", line, tmp_path / "old")
    refused("card-missing", insert, hardware, "LC0", tmp_path / "nothing")
    refused("slot-empty", pull, hardware, "LC0", tmp_path / "old")
    refused("slot-empty", switch, hardware, "LC0", Power.OFF)
    refused("card-active", pull, hardware, "RP0", tmp_path / "old")
    refused("card-active", switch, hardware, "RP0", Power.OFF)
    refused("card-active", exchange, hardware, "RP0", control, tmp_path / "old")
    refused("file-exists", pull, hardware, "RP1", full)
    (line / "card.json").write_text("{}")
    refused("hardware-damaged", insert, hardware, "LC0", line)
    assert hardware.reload() == before
    assert not (tmp_path / "old").exists()


def test_a_router_of_fixed_form_has_no_slots(world: ChassisWorld) -> None:
    refused("slot-fixed", insert, world.manufacture(), "LC0", world.card(LC0, CardKind.LINE))


def test_the_bell_is_heard_by_a_running_router_alone(tmp_path: Path) -> None:
    async def story() -> None:
        assert not ring(tmp_path)
        bell = Bell(tmp_path)
        for _ in range(100_000):
            assert ring(tmp_path)
        assert await bell.wait()
        await asyncio.to_thread(ring, tmp_path)
        assert await bell.wait()
        assert not await bell.wait(0)
        bell.close()
        assert not ring(tmp_path)

    play(story)


def test_something_else_in_the_bells_place_is_said(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "bell").touch()
        with pytest.raises(BootzError) as refusal:
            Bell(tmp_path)
        assert refusal.value.reason == "hardware-damaged"

    play(story)


def test_s1_a_chassis_comes_up_whole_wherever_the_power_is_cut(world: ChassisWorld) -> None:
    """``kill -9`` at each event in turn, of the first contact and of a later card."""

    async def boot_and_kill(hardware: Hardware, uri: str, at: int) -> int:
        paths = [path for path in sys.path if path]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", KILLER, str(hardware.folder), uri, str(at), ":".join(paths)),
            stdout=subprocess.DEVNULL,
        )
        return await process.wait()

    async def story() -> None:
        hardware = world.chassis({"RP0": RP0, "RP1": RP1})
        async with ChassisServer(world, RP0, RP1, LC0) as server:
            for at in (2, 4, 6, 7, 8, 9):
                if await boot_and_kill(hardware, server.uri, at) == 0:
                    break
                json.loads((hardware.folder / "state.json").read_bytes())
            assert told(hardware.load_state()) == dict.fromkeys(("RP0", "RP1"), ("verified", ""))
            insert(hardware, "LC0", world.card(LC0, CardKind.LINE))
            for at in (2, 3, 4):
                if await boot_and_kill(hardware, server.uri, at) == 0:
                    break
            result, state, _ = await boot(hardware, options(server.uri))
        assert result is BootResult.ALREADY_ONBOARDED
        assert told(state) == dict.fromkeys(("RP0", "RP1", "LC0"), ("verified", ""))
        assert all(hardware.card(card).owned() for card in hardware.reload().cards)

    play(story)
