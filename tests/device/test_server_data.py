"""Server data of either form, at work: names, paths or no path, and what failing cards meet."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
from device.chassis_world import LC0, RP0, RP1, ChassisServer, ChassisWorld, Powered, told
from device.world import boot, options, play

from bootz.device import names
from bootz.device.grpc_client import Locate
from bootz.device.names import locating
from bootz.device.onboarding import BootResult
from bootz.device.slots import insert
from bootz.device.source import DiscoveryAccount, FixedUris
from bootz.model.chassis import CardKind, CardStatus
from bootz.wire.uri import parse_bootz_uri


@pytest.fixture
def world(tmp_path: Path) -> ChassisWorld:
    return ChassisWorld(tmp_path)


def as_yang(**leaves: object) -> str:
    members = json.dumps({"address": "127.0.0.1", "port": 4711, **leaves})
    text = f'{{"Cisco-IOS-XR-ztp-cfg:ztp": {{"bootz-server": {members}}}}}\n'
    return text.replace("{", "{{").replace("}", "}}").replace("4711", "{port}")


@pytest.mark.parametrize(
    ("line", "file"),
    [
        (as_yang(**{"trust-anchor": "/misc/disk1/ta.cert"}), "misc/disk1/ta.cert"),
        (as_yang(**{"trust-anchor": "disk0:ta.cert"}), "rootfs/disk0:/ta.cert"),
        (as_yang(), None),
        ("ztp bootz-server ip 127.0.0.1 port {port}\n", None),
        (
            "ztp bootz-server ip 127.0.0.1 port {port} trust-anchor /disk0:/a/ta\n",
            "rootfs/disk0:/a/ta",
        ),
        ("ztp bootz-server ip 127.0.0.1 port {port} trust-anchor /v\n", "rootfs/v"),
    ],
)
def test_s4_s5_each_form_leads_a_later_card_to_the_server(
    world: ChassisWorld, line: str, file: str | None
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0, RP1) as server:
            server.line = line
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("status", 4)
                insert(hardware, "RP1", world.card(RP1))
                await powered.events.until("cards-done")
                assert told(powered.state)["RP1"] == ("verified", "")
        kept = [path for path in hardware.disk.rglob("*") if b"BEGIN CERT" in _read(path)]
        files = [path.relative_to(hardware.disk).as_posix() for path in kept]
        assert [each for each in files if not each.startswith("configurations/")] == (
            [] if file is None else [file]
        )

    play(story)


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


@pytest.mark.parametrize("action", [None, 0, 1])
def test_the_action_decides_whether_a_failing_card_is_shut_down(
    world: ChassisWorld, action: int | None
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        insert(hardware, "LC0", world.tampered(LC0, CardKind.LINE))
        fate = "failed" if action == 0 else "shut-down"
        async with ChassisServer(world, RP0, LC0, "LC1SERIAL", bundle=True) as server:
            leaves = {} if action is None else {"action": action}
            server.line = as_yang(**{"trust-anchor": "/misc/disk1/ta.cert"}, **leaves)
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("status", 4)
                assert told(powered.state)["LC0"] == (fate, "card-tampered")
                insert(hardware, "LC1", world.tampered("LC1SERIAL", CardKind.LINE))
                await powered.events.until("cards-done")
                assert told(powered.state)["LC1"] == (fate, "card-tampered")
                assert not hardware.card(hardware.reload().cards[-1]).owned()
            words = "is left running" if action == 0 else "is shut down"
            for report, card in ((server.reports[1], LC0), (server.reports[-1], "LC1SERIAL")):
                status = {state.serial_number: state.status for state in report.states}
                assert status[card] is CardStatus.NOT_INITIALIZED
                assert f"card {card} in slot {'LC0' if card == LC0 else 'LC1'} {words}" in (
                    report.message
                )

    play(story)


@pytest.mark.parametrize(
    "line",
    [
        as_yang(action=2),
        as_yang(vrf="x"),
        as_yang(**{"trust-anchor": "ta"}),
        "ztp bootz-server ip 127.0.0.1 port {port} action none\n",
    ],
)
def test_s5_data_that_are_malformed_are_an_invalid_configuration(
    world: ChassisWorld, line: str
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0) as server:
            server.line = line
            result, state, _ = await boot(hardware, options(server.uri))
        assert (result, state.reason) == (BootResult.FAILED, "config-ztp-server")
        assert state.status.value == "BOOTZ_CONFIGURATION_INVALID"

    play(story)


def test_a_trust_anchor_where_there_is_a_folder_is_an_invalid_configuration(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        (hardware.disk / "rootfs" / "v").mkdir(parents=True)
        async with ChassisServer(world, RP0) as server:
            server.line = "ztp bootz-server ip 127.0.0.1 port {port} trust-anchor /v\n"
            result, state, _ = await boot(hardware, options(server.uri))
        assert (result, state.reason) == (BootResult.FAILED, "config-ztp-server")
        assert state.running == ""

    play(story)


def test_s4_a_name_is_asked_of_the_last_leases_name_server_when_it_is_used(
    world: ChassisWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, list[str]]] = []

    async def answer(name: str, servers: list[object], _seconds: float) -> str:
        asked.append((name, [str(each) for each in servers]))
        return "192.0.2.7"

    monkeypatch.setattr(names, "resolve_name", answer)
    hardware = world.chassis({"RP0": RP0})
    source = FixedUris(())
    locate = locating(hardware, source)

    async def found(locate: Locate, text: str) -> str:
        return await locate(parse_bootz_uri(text))

    async def story() -> None:
        # Without any lease, the system resolves it.
        assert await found(locate, "bootz://boot.example") == "boot.example"
        account = DiscoveryAccount(
            "mgmt0", "ipv4", "released", name_servers=(str(ip_address("192.0.2.53")),)
        )
        hardware.save_state(replace(hardware.load_state(), discovery=account))
        assert await found(locate, "bootz://boot.example") == "192.0.2.7"
        assert await found(locate, "bootz://192.0.2.9") == "192.0.2.9"
        source.account = replace(account, state="bound")
        assert await found(locate, "bootz://boot.example") == "boot.example"

    play(story)
    assert asked == [("boot.example", ["192.0.2.53"])]


def test_without_a_tam_bootz_does_not_start(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0}, hardware_tam=False)
        async with ChassisServer(world, RP0) as server:
            result, state, log = await boot(hardware, options(server.uri))
            assert (result, state.reason) == (BootResult.NORMAL_BOOT, "hardware-tam-missing")
            assert log.named("bootz-not-started")
            assert server.asked == []

    play(story)
