"""The console, and routers without DHCP (N1 to N5), while the router runs and while it does not."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from device.chassis_world import RP0, RP1, ChassisServer, ChassisWorld, Powered, told
from device.world import HONEST, FakeServer, Manner, boot, names, options, play
from grpclib.const import Status

from bootz.device.console.session import Console
from bootz.device.hardware import Hardware
from bootz.device.onboarding import BootResult
from bootz.device.slots import insert
from bootz.device.state import Phase
from bootz.errors import BootzError

NOWHERE = "bootz://127.0.0.1:1"


@pytest.fixture
def world(tmp_path: Path) -> ChassisWorld:
    return ChassisWorld(tmp_path)


def console(hardware: Hardware, *, asks: bool = False) -> Console:
    return Console(
        hardware, lambda _event, _fields: None, clock=lambda: datetime.now(UTC), asks=asks
    )


def typed(hardware: Hardware, *lines: str) -> str:
    session = console(hardware)
    return [session.execute(line) for line in lines][-1]


async def typing(hardware: Hardware, *lines: str) -> str:
    """As at another process's console: the router works on meanwhile."""
    return await asyncio.to_thread(typed, hardware, *lines)


def initiate(uri: str) -> str:
    return f"bootz no-dhcp initiate --src_interface MgmtEth0/RP0/CPU0/0 --bootz_uri {uri}"


def logged(hardware: Hardware) -> list[str]:
    return [
        f"{line['event']} {line.get('order', '')}".strip()
        for line in map(json.loads, hardware.log_lines())
    ]


# The console


def test_secure_mode_counts_at_power_on(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0}, secure_mode=False)
        async with ChassisServer(world, RP0) as server:
            result, _, _ = await boot(hardware, options(server.uri))
            assert result is BootResult.NORMAL_BOOT
            assert "enabled" in typed(hardware, "ztp secure-mode enable")
            result, _, _ = await boot(hardware, options(server.uri))
            assert result is BootResult.ONBOARDED
        assert "secure mode   disabled" in typed(hardware, "ztp secure-mode disable", "show ztp")

    play(story)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "ztp bootz-server ip 1.1.1.1 port 5000 trust-anchor /misc/disk1/ta.cert",
            "ztp bootz-server ip 1.1.1.1 port 5000 trust-anchor /misc/disk1/ta.cert",
        ),
        (
            "ztp   bootz-server ip 2001:DB8::1 port 5000 trust-anchor /misc/disk1/ta.cert",
            "ztp bootz-server ip 2001:db8::1 port 5000 trust-anchor /misc/disk1/ta.cert",
        ),
    ],
    ids=["ipv4", "ipv6"],
)
def test_s5_the_line_of_the_guide_is_typed_and_committed(
    world: ChassisWorld, line: str, shown: str
) -> None:
    hardware = world.chassis({"RP0": RP0})
    assert typed(hardware, "config", "hostname ios", line, "commit") == "committed"
    assert typed(hardware, "show running-config") == f"hostname ios\n{shown}"
    assert shown in typed(hardware, "show ztp")
    session = console(hardware)
    for each in ("configure terminal", "no ztp bootz-server", "show"):
        left = session.execute(each)
    assert (left, session.prompt) == ("hostname ios", "RP/0/RP0/CPU0:ios(config)#")
    assert session.execute("abort") == "the changes are discarded"


def test_s5_a_typed_line_serves_cards_that_come_later(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0, RP1) as server:
            line = server.line.format(port=server.uri.rpartition(":")[2]).strip()
            server.line = ""
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("status", 4)
                insert(hardware, "RP1", world.card(RP1))
                await powered.events.until("cards-refused")
                assert await typing(hardware, "config", line, "commit") == "committed"
                await powered.events.until("cards-done")
                assert told(powered.state)["RP1"] == ("verified", "")

    play(story)


@pytest.mark.parametrize(
    "line",
    [
        "enable",
        "ztp",
        "ztp secure-mode",
        "ztp secure-mode perhaps",
        "show",
        "show nothing",
        "bootz no-dhcp",
        "bootz no-dhcp initiate",
        "bootz no-dhcp initiate --src_interface Mgmt0",
        "bootz no-dhcp initiate --src_interface Mgmt0 --src_interface Mgmt1",
        "bootz no-dhcp initiate --bootz_uri http://x --src_interface Mgmt0",
        "bootz no-dhcp initiate --bootz_uri bootz://x --src_interface ../../etc",
        "bootz no-dhcp terminate",
        "reload now",
        "x" * 5000,
        "show\x07ztp",
    ],
)
def test_what_the_console_does_not_know_it_says(world: ChassisWorld, line: str) -> None:
    hardware = world.chassis({"RP0": RP0})
    before = hardware.load_state()
    with pytest.raises(BootzError) as refusal:
        typed(hardware, line)
    assert refusal.value.reason in {"console-command", "uri-wrong-scheme", "no-dhcp-none"}
    assert refusal.value.remedy
    assert hardware.load_state() == before


@pytest.mark.parametrize(
    "line",
    [
        "ztp bootz-server",
        "ztp bootz-server ip example..com port 5000 trust-anchor /misc/disk1/ta.cert",
        "ztp bootz-server ip 1.1.1.1 port 0 trust-anchor /misc/disk1/ta.cert",
        "ztp bootz-server ip 1.1.1.1 port 65536 trust-anchor /misc/disk1/ta.cert",
        "ztp bootz-server ip 1.1.1.1 port 5000 trust-anchor etc/passwd",
        "ztp bootz-server ip 1.1.1.1 port 5000 trust-anchor /misc/../../state.json",
        "ztp bootz-server ip 1.1.1.1 port 5000 trust-anchor /misc",
        "ztp bootz-server ip 1.1.1.1 port 5000 trust-anchor /misc/disk1/ta.cert more",
        "router bgp 1",
        "hostname",
    ],
)
def test_configuration_that_is_none_is_refused(world: ChassisWorld, line: str) -> None:
    hardware = world.chassis({"RP0": RP0})
    with pytest.raises(BootzError) as refusal:
        typed(hardware, "config", line)
    assert refusal.value.reason in {"console-command", "config-ztp-server"}


def test_s5_a_line_of_the_server_that_is_none_is_an_invalid_configuration(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0) as server:
            server.line = "ztp bootz-server ip 1.1.1.1 port {port} trust-anchor /misc/../x\n"
            result, state, _ = await boot(hardware, options(server.uri))
        assert (result, state.reason) == (BootResult.FAILED, "config-ztp-server")
        assert state.status.value == "BOOTZ_CONFIGURATION_INVALID"

    play(story)


def test_show_platform_tells_every_slot(world: ChassisWorld) -> None:
    hardware = world.chassis({"RP0": RP0, "RP1": RP1})
    lines = typed(hardware, "show platform").splitlines()
    assert [line.split()[:4] for line in lines[1:]] == [
        ["RP0", "control", RP0, "active"],
        ["RP1", "control", RP1, "waiting"],
        ["LC0", "empty"],
        ["LC1", "empty"],
    ]


def test_w13_a_reload_does_not_start_bootz_again_and_a_factory_reset_does(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0) as server:
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("status", 4)
                assert await typing(hardware, "reload") == "the router restarts"
                assert (await powered.events.until("power-on", 2))["phase"] == "operational"
                await typing(hardware, "factory-reset")
                assert (await powered.events.until("power-on", 3))["phase"] == "contact"
                await powered.events.until("status", 8)
                assert powered.state.phase is Phase.OPERATIONAL
            assert len(server.asked) == 2

    play(story)


# Without DHCP


def test_n1_n5_bootz_7_1_a_router_is_onboarded_without_dhcp(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0) as server:
            typed(hardware, initiate(server.uri))
            assert hardware.load_state().no_dhcp is not None
            result, state, log = await boot(hardware, options(NOWHERE))
            assert (result, names(state)) == (BootResult.ONBOARDED, HONEST)
            assert (state.no_dhcp, state.uri) == (None, server.uri)
            assert log.named("no-dhcp-done")
            named = {state.running, state.startup}
            kept = {path.name for path in (hardware.disk / "configurations").iterdir()}
            assert kept == named
        assert "order no-dhcp-initiate" in logged(hardware)
        assert "no-dhcp-done" in logged(hardware)

    play(story)


def test_n1_n2_bootz_7_2_an_unreachable_server_is_tried_without_end(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        typed(hardware, "config", "hostname before", "commit")
        before = hardware.load_state().running
        async with Powered(hardware, "bootz://127.0.0.1:2") as powered:
            await powered.events.until("power-on")
            await typing(hardware, initiate(NOWHERE))
            failure = await powered.events.until("attempt-failed", 5)
            assert failure["reason"] == "contact-unreachable"
            await powered.events.until("no-dhcp-restored", 5)
            state = powered.state
            assert (state.running, state.startup) == (before, before)
            assert state.no_dhcp is not None
        # Another life, as after a power cut: the loop goes on.
        async with Powered(hardware, "bootz://127.0.0.1:2") as powered:
            contact = await powered.events.until("contact")
            assert contact["uri"] == NOWHERE

    play(story)


def test_n2_bootz_7_3_a_rejecting_server_leaves_the_configuration_from_before(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        typed(hardware, "config", "hostname before", "commit")
        before = hardware.load_state().running
        async with FakeServer(world) as server:
            server.manners = [
                Manner(status=Status.PERMISSION_DENIED),
                Manner(voucher_serial="OTHER"),
                Manner(data=world.with_image("http://127.0.0.1:1/none")),
            ]
            typed(hardware, initiate(server.uri))
            for reason in ("contact-refused", "ov-wrong-serial", "os-image-unreachable"):
                result, state, _ = await boot(hardware, options(NOWHERE))
                assert (result, state.reason) == (BootResult.FAILED, reason)
                assert (state.running, state.startup) == (before, before)
            result, state, _ = await boot(hardware, options(NOWHERE))
            assert result is BootResult.ONBOARDED
            assert state.running != before

    play(story)


def test_n3_bootz_7_4_reset_wipes_all_and_returns_to_dhcp(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        typed(hardware, "config", "hostname before", "commit")
        async with ChassisServer(world, RP0) as server:
            # What the router would learn by DHCP.
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("power-on")
                await typing(hardware, initiate(NOWHERE))
                await powered.events.until("attempt-failed")
                await typing(hardware, "bootz no-dhcp reset")
                await powered.events.until("report", 2)
            state = hardware.load_state()
            assert (state.no_dhcp, state.uri) == (None, server.uri)
        assert "order no-dhcp-reset" in logged(hardware)

    play(story)


@pytest.mark.parametrize("by_hand", [False, True], ids=["terminate", "commit"])
def test_n4_bootz_7_5_terminate_stops_the_loop_and_leaves_the_configuration(
    world: ChassisWorld, *, by_hand: bool
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        typed(hardware, "config", "hostname before", "commit")
        before = hardware.load_state().running
        async with Powered(hardware, "bootz://127.0.0.1:2") as powered:
            await powered.events.until("power-on")
            await typing(hardware, initiate(NOWHERE))
            await powered.events.until("attempt-failed")
            if by_hand:
                await typing(hardware, "config", "hostname after", "commit")
            else:
                await typing(hardware, "bootz no-dhcp terminate")
            await powered.events.until("power-on", 3)
            state = powered.state
            assert state.no_dhcp is None
            assert (state.running == before) is not by_hand
        result, _, _ = await boot(hardware, options(NOWHERE))
        assert result is BootResult.NORMAL_BOOT

    play(story)


def test_n4_a_router_that_was_onboarded_before_is_so_again_after_terminate(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0) as server:
            await boot(hardware, options(server.uri))
        typed(hardware, initiate(NOWHERE))
        with pytest.raises(BootzError, match="already"):
            typed(hardware, initiate(NOWHERE))
        result, state, _ = await boot(hardware, options(NOWHERE))
        assert result is BootResult.FAILED
        typed(hardware, "bootz no-dhcp terminate")
        result, state, _ = await boot(hardware, options(NOWHERE))
        assert (result, state.phase) == (BootResult.ALREADY_ONBOARDED, Phase.OPERATIONAL)

    play(story)


def test_damaged_orders_are_said(world: ChassisWorld) -> None:
    hardware = world.chassis({"RP0": RP0})
    (hardware.folder / "orders.json").write_text('[{"verb": "explode"}]')
    with pytest.raises(BootzError) as refusal:
        typed(hardware, "reload")
    assert refusal.value.reason == "hardware-damaged"


# ztp initiate, terminate, clean


def test_ztp_initiate_runs_bootz_although_there_is_a_configuration(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0) as server:
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("status", 4)
                assert await typing(hardware, "ztp initiate noprompt") == "Bootz starts"
                await powered.events.until("status", 8)
                assert powered.state.phase is Phase.OPERATIONAL
            assert len(server.asked) == 2
            result, _, _ = await boot(hardware, options(server.uri))
            assert result is BootResult.ALREADY_ONBOARDED
            # Of one that is off, Bootz starts at power-on, and survives a power cut.
            typed(hardware, "ztp initiate")
            result, _, _ = await boot(hardware, options(NOWHERE))
            assert result is BootResult.FAILED
            result, _, _ = await boot(hardware, options(server.uri))
            assert result is BootResult.ONBOARDED

    play(story)


def test_a_router_is_onboarded_again_after_commit_replace_and_reload_location_all(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0) as server:
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("status", 4)
                assert await typing(hardware, "conf", "commit replace", "yes") == "committed"
                # It has no configuration, and waits for its restart.
                await powered.events.until("power-on", 2)
                assert (powered.state.running, len(server.asked)) == ("", 1)
                assert await typing(hardware, "ztp clean noprompt")
                assert "restarts" in await typing(hardware, "reload location all", "y")
                await powered.events.until("status", 8)
                assert powered.state.phase is Phase.OPERATIONAL
            assert len(server.asked) == 2

    play(story)


def test_ztp_terminate_stops_bootz_until_the_next_power_on(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with Powered(hardware, NOWHERE) as powered:
            await powered.events.until("attempt-failed")
            assert await typing(hardware, "ztp terminate") == "Bootz is stopped"
            await powered.events.until("power-on", 2)
            with pytest.raises(BootzError) as refused:
                await typing(hardware, "ztp terminate")
            assert refused.value.reason == "ztp-none"
            assert not powered.state.in_progress
        async with ChassisServer(world, RP0) as server:
            result, _, _ = await boot(hardware, options(server.uri))
        assert result is BootResult.ONBOARDED

    play(story)


def test_ztp_terminate_of_one_that_was_onboarded_leaves_it_in_service(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0) as server:
            await boot(hardware, options(server.uri))
        before = hardware.load_state().running
        typed(hardware, "ztp initiate")
        await boot(hardware, options(NOWHERE))
        typed(hardware, "ztp terminate")
        state = hardware.load_state()
        assert (state.phase, state.running) == (Phase.OPERATIONAL, before)
        result, _, _ = await boot(hardware, options(NOWHERE))
        assert result is BootResult.ALREADY_ONBOARDED

    play(story)


def test_ztp_clean_removes_records_and_logs_and_nothing_in_service(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0) as server:
            await boot(hardware, options(NOWHERE))
            await boot(hardware, options(server.uri))
        before = hardware.load_state()
        assert (before.attempts, before.error_count) == (2, 1)
        typed(hardware, "ztp clean")
        after = hardware.load_state()
        assert (after.attempts, after.error_count, after.checks) == (0, 0, ())
        assert (after.phase, after.running) == (Phase.OPERATIONAL, before.running)
        assert [json.loads(line)["event"] for line in hardware.log_lines()] == ["order"]

    play(story)


@pytest.mark.parametrize(
    ("settings", "line", "reason"),
    [
        ({"hardware_tam": False}, "ztp initiate", "hardware-tam-missing"),
        ({"hardware_tam": False}, initiate(NOWHERE), "hardware-tam-missing"),
        ({"secure_mode": False}, "ztp initiate", "ztp-not-secure"),
    ],
)
def test_bootz_is_not_started_where_it_cannot_run(
    world: ChassisWorld, settings: dict[str, bool], line: str, reason: str
) -> None:
    hardware = world.chassis({"RP0": RP0}, **settings)
    with pytest.raises(BootzError) as refused:
        typed(hardware, line)
    assert refused.value.reason == reason
    absent = "hardware_tam" in settings
    assert ("absent; this hardware has no TAM" in typed(hardware, "show ztp")) is absent
    assert ("Bootz does not start" in typed(hardware, "ztp secure-mode enable")) is absent
