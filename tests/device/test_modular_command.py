"""A modular chassis, its hands and its console, as a person calls them."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest
from device.chassis_world import ChassisServer, ChassisWorld
from device.world import play

from bootz.cli.main import run
from bootz.processes import COMMAND


class Person:
    """Types commands, and reads what they print."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self.err = ""

    def __call__(self, *words: object, code: int = 0) -> str:
        seen = run([str(word) for word in words])
        out, self.err = self._capsys.readouterr()
        assert seen == code, self.err
        return out

    def json(self, *words: object) -> Any:
        return json.loads(self(*words, "--output", "json"))

    def slots(self) -> dict[str, tuple[str, str]]:
        cards = self.json("router", "show", self.folder / "r1")["cards"]
        return {card["name"]: (card["serial_number"], card["state"]) for card in cards}


@pytest.fixture
def person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Person:
    made = Person(tmp_path, capsys)
    made("manufacturer", "init", tmp_path / "maker")
    made(
        *("router", "manufacture", tmp_path / "r1", "--manufacturer", tmp_path / "maker"),
        *("--modular", "--serial", "CH1", "--card", "RP0=RPA", "--card", "RP1=RPB"),
    )
    return made


def test_cards_are_made_put_in_exchanged_switched_and_pulled(person: Person) -> None:
    folder, maker = person.folder, person.folder / "maker"
    made = ("--manufacturer", maker, "--serial")
    person("router", "card", folder / "lca", *made, "LCA", "--kind", "line")
    person("router", "card", folder / "rpc", *made, "RPC", "--tampered")
    assert person.slots() == {"RP0": ("RPA", "active"), "RP1": ("RPB", "waiting")}
    inserted = person.json("router", "insert", folder / "r1", "LC0", folder / "lca")
    assert (inserted["slot"], inserted["serial_number"]) == ("LC0", "LCA")
    person("router", "replace", folder / "r1", "RP1", folder / "rpc", "--old", folder / "rpb")
    person("router", "power", folder / "r1", "LC0", "off")
    assert person.slots() == {
        "RP0": ("RPA", "active"),
        "RP1": ("RPC", "waiting"),
        "LC0": ("LCA", "off"),
    }
    person("router", "pull", folder / "r1", "LC0", folder / "lca")
    person("router", "pull", folder / "r1", "RP0", folder / "rpa", code=1)
    assert "card-active" in person.err


@pytest.mark.parametrize(
    "words",
    [
        ("--card", "RP1=A"),
        ("--card", "RP0=A", "--card", "RP0=B"),
        ("--card", "RP0"),
        ("--card", "XX=A"),
        (),
    ],
)
def test_a_chassis_that_cannot_be_built_is_a_wrong_call(
    person: Person, words: tuple[str, ...]
) -> None:
    new = ("router", "manufacture", person.folder / "r2", "--manufacturer", person.folder / "maker")
    person(*new, "--modular", "--serial", "CH2", *words, code=2)
    person(*new, "--serial", "CH2", "--card", "RP0=A", code=2)


def test_the_console_takes_commands_and_scripts(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = person.folder / "r1"
    out = person("router", "console", router, "-c", "show platform", "-c", "show ztp")
    assert "RP/0/RP0/CPU0:ios# show platform" in out
    assert "secure mode   enabled" in out
    script = "config\nhostname ios\ncommit\nexit\nshow running-config\nexit\nnever reached\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(script.encode())))
    out = person("router", "console", router)
    assert "were not run" in person.err
    assert out.splitlines()[-2:] == ["hostname ios", "RP/0/RP0/CPU0:ios# exit"]
    out = person("router", "console", router, "-c", "format disk", "-c", "show ztp", code=1)
    assert "console-command" in person.err
    assert "secure mode" not in out


def test_n1_a_router_without_dhcp_needs_no_uri(tmp_path: Path, person: Person) -> None:
    world = ChassisWorld(tmp_path)

    async def story() -> None:
        hardware = world.chassis({"RP0": "RPA"})
        async with ChassisServer(world, "RPA") as server:
            order = f"bootz no-dhcp initiate --src_interface Mgmt0 --bootz_uri {server.uri}"
            await asyncio.to_thread(person, "router", "console", hardware.folder, "-c", order)
            booted = await asyncio.to_thread(
                person.json, "router", "boot", hardware.folder, "--progress", "none"
            )
            assert (booted["result"], booted["uri"]) == ("onboarded", server.uri)
            again = await asyncio.to_thread(person.json, "router", "boot", hardware.folder)
            assert again["result"] == "already-onboarded"

    play(story)


def test_a_router_that_nobody_tells_its_server_is_a_wrong_call(person: Person) -> None:
    person("router", "boot", person.folder / "r1", code=1)
    assert "--uri" in person.err


def test_n1_n2_the_loop_without_dhcp_survives_kill_9(tmp_path: Path, person: Person) -> None:
    world = ChassisWorld(tmp_path)

    async def story() -> None:
        hardware = world.chassis({"RP0": "RPA"})
        async with ChassisServer(world, "RPA") as server:
            server.known.clear()
            order = f"bootz no-dhcp initiate --src_interface Mgmt0 --bootz_uri {server.uri}"
            await asyncio.to_thread(person, "router", "console", hardware.folder, "-c", order)
            process = await asyncio.create_subprocess_exec(
                *(*COMMAND, "router", "boot", str(hardware.folder)),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            assert process.stderr is not None
            async for line in process.stderr:  # until the first failure
                if b"no-dhcp-restored" in line:
                    break
            process.kill()
            assert await process.wait() == -9
            state = hardware.load_state()
            assert state.no_dhcp is not None
            assert state.reason == "cards-unknown"
            server.known.add("RPA")
            booted = await asyncio.to_thread(
                person.json, "router", "boot", hardware.folder, "--progress", "none"
            )
            assert (booted["result"], booted["error_count"]) == ("onboarded", 1)

    play(story)
