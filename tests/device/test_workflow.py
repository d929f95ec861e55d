"""The whole workflow over real sockets: W1, W4 to W13, and enemies."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from device.image_server import ImageServer
from device.world import (
    HONEST,
    IMAGE,
    SERIAL,
    UPGRADED,
    FakeServer,
    Manner,
    World,
    boot,
    names,
    options,
    play,
)
from grpclib.const import Status

from bootz.device.onboarding import BootResult
from bootz.device.source import DiscoveryAccount, FixedUris
from bootz.device.state import BootzStatus, Phase
from bootz.errors import BootzError, Unavailable
from bootz.model.bootstrap import BootConfig, CertzProfile, ReportedStatus, SoftwareImage
from bootz.model.chassis import CardStatus
from bootz.wire.dialects import DIALECTS
from bootz.wire.uri import BootzUri, parse_bootz_uri


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("dialect", [row.name for row in DIALECTS])
def test_a_router_of_each_age_is_onboarded(world: World, dialect: str) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with ImageServer(IMAGE) as images, FakeServer(world) as server:
            world.data = world.with_image(images.url)
            result, state, log = await boot(hardware, options(server.uri, dialect))
        assert result is BootResult.ONBOARDED
        assert names(state) == UPGRADED
        assert (state.error_count, state.attempts, state.reason) == (0, 1, "")
        assert state.image is not None
        assert (state.image.version, state.image.sha256) == ("2", hashlib.sha256(IMAGE).hexdigest())
        assert state.checksum == hashlib.sha512(server.sealed[0].payload).hexdigest()
        running = json.loads(hardware.kept("configurations", state.running))
        assert running["vendor"] == "hostname r1\n"
        assert [report.status for report in server.reports] == [
            ReportedStatus.INITIATED,
            ReportedStatus.SUCCESS,
        ]
        if dialect != "v0.1.0":
            (card,) = server.reports[-1].states
            assert (card.serial_number, card.status) == (SERIAL, CardStatus.INITIALIZED)
        assert log.named("reboot")
        ((_, request),) = server.requests
        assert request.nonce == "nonce-0"
        assert request.descriptor.control_cards == ()
        assert request.descriptor.serial_number == request.active.serial_number == SERIAL

    play(story)


def test_a_reboot_does_not_start_bootz_and_a_factory_reset_does(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with FakeServer(world) as server:
            assert (await boot(hardware, options(server.uri)))[0] is BootResult.ONBOARDED
            result, state, _ = await boot(hardware, options(server.uri))
            assert (result, names(state)) == (BootResult.ALREADY_ONBOARDED, HONEST)
            assert len(server.requests) == 1
            hardware.reset()
            assert hardware.load_state().running == ""
            assert (await boot(hardware, options(server.uri)))[0] is BootResult.ONBOARDED
            assert len(server.requests) == 2

    play(story)


def test_without_secure_mode_bootz_does_not_run(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture(secure_mode=False)
        async with FakeServer(world) as server:
            result, state, _ = await boot(hardware, options(server.uri))
            assert (result, names(state)) == (BootResult.NORMAL_BOOT, ["BOOTZ_UNSPECIFIED"])
            assert server.requests == []

    play(story)


def test_a_router_with_a_configuration_does_not_start_by_itself(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        digest = hardware.keep("configurations", b"{}")
        hardware.save_state(replace(hardware.load_state(), running=digest, startup=digest))
        result, _, _ = await boot(hardware, options("bootz://127.0.0.1:1"))
        assert result is BootResult.NORMAL_BOOT

    play(story)


def test_insecure_asks_without_a_nonce_and_takes_an_unsigned_answer(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with FakeServer(world) as server:
            result, _, _ = await boot(hardware, options(server.uri, insecure=True))
            assert result is BootResult.ONBOARDED
            assert server.requests[0][1].nonce is None

    play(story)


def test_secure_refuses_the_unsigned_answer_of_a_rogue_server(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        strip = Manner(
            change=lambda sealed: replace(
                sealed, signature="", ownership_voucher=b"", owner_certificate=b""
            )
        )
        async with FakeServer(world) as server:
            server.manners = [strip]
            result, state, _ = await boot(hardware, options(server.uri))
        assert result is BootResult.FAILED
        assert names(state)[-1] == "BOOTZ_OV_INVALID"
        assert (state.reason, state.error_count, state.running) == ("ov-missing", 1, "")
        assert server.reports == []

    play(story)


def test_a_failed_attempt_is_counted_and_the_next_one_succeeds(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with FakeServer(world) as server:
            server.manners = [
                Manner(status=Status.NOT_FOUND),
                Manner(voucher_serial="OTHER"),
                Manner(raw=b"\xff\xff"),
                Manner(data=replace(world.data, boot_config=None)),
            ]
            result, state, log = await boot(hardware, options(server.uri, max_attempts=0))
        assert result is BootResult.ONBOARDED
        assert (state.attempts, state.error_count) == (5, 4)
        assert names(state) == [
            "BOOTZ_UNSPECIFIED",
            "BOOTZ_SENT",
            "BOOTZ_RECEIVED",
            "BOOTZ_OV_INVALID",
            "BOOTZ_SENT",
            "BOOTZ_OV_INVALID",
            "BOOTZ_SENT",
            "BOOTZ_RECEIVED",
            "BOOTZ_CONFIGURATION_INVALID",
            *HONEST[1:],
        ]
        reasons = [fields["reason"] for fields in log.named("attempt-failed")]
        assert reasons[0] == "contact-refused"
        assert "NOT_FOUND" in str(log.named("attempt-failed")[0]["detail"])
        assert (reasons[1], reasons[3]) == ("ov-wrong-serial", "config-missing")
        nonces = {request.nonce for _, request in server.requests}
        assert len(nonces) == 5
        failure = next(r for r in server.reports if r.status is ReportedStatus.FAILURE)
        assert failure.message.startswith("config-missing")

    play(story)


def test_an_answer_replayed_to_the_next_attempt_is_refused(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with FakeServer(world) as server:
            server.manners = [Manner(data=replace(world.data, boot_config=None))]
            await boot(hardware, options(server.uri))
            old = server.sealed[0]
            server.manners = [Manner(change=lambda _: old)]
            fresh = iter(["another"])
            _, state, _ = await boot(hardware, options(server.uri), nonces=lambda: next(fresh))
        assert (state.status, state.reason) == (BootzStatus.OV_INVALID, "nonce-mismatch")

    play(story)


@pytest.mark.parametrize(
    ("script", "content", "reason"),
    [
        (["missing"], IMAGE, "os-image-not-found"),
        ([], b"x" + IMAGE, "os-image-hash"),
        (["cut", "cut"], IMAGE, "os-image-cut"),
    ],
)
def test_a_bad_image_changes_nothing(
    world: World, script: list[str], content: bytes, reason: str
) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with ImageServer(content, script) as images, FakeServer(world) as server:
            world.data = world.with_image(images.url)
            result, state, _ = await boot(hardware, options(server.uri))
        assert result is BootResult.FAILED
        assert names(state) == [*HONEST[:3], "BOOTZ_OS_INVALID_IMAGE"]
        assert (state.reason, state.error_count, state.running) == (reason, 1, "")
        assert state.image is not None
        assert state.image.version == "1"
        assert [r.status for r in server.reports] == [
            ReportedStatus.INITIATED,
            ReportedStatus.FAILURE,
        ]

    play(story)


def test_a_file_that_is_no_image_is_refused_when_it_is_installed(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture(strict_images=True)
        content = b"no image"
        async with ImageServer(content) as images, FakeServer(world) as server:
            world.data = world.with_image(images.url, content)
            _, state, _ = await boot(hardware, options(server.uri))
        assert names(state)[-2:] == ["BOOTZ_OS_UPGRADE_IN_PROGRESS", "BOOTZ_OS_INVALID_IMAGE"]

    play(story)


def test_an_image_that_runs_already_is_not_fetched(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with FakeServer(world) as server:
            image = SoftwareImage("os", "1", "http://127.0.0.1:1/x", "0" * 64)
            world.data = replace(world.data, image=image)
            result, state, _ = await boot(hardware, options(server.uri))
        assert (result, names(state)) == (BootResult.ONBOARDED, HONEST)

    play(story)


def test_a_download_that_was_cut_goes_on_where_it_was(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with ImageServer(IMAGE, ["cut", ""]) as images, FakeServer(world) as server:
            world.data = world.with_image(images.url)
            result, _, _ = await boot(hardware, options(server.uri))
        assert result is BootResult.ONBOARDED
        assert images.ranges == ["", f"{len(IMAGE) // 2}-"]

    play(story)


@pytest.mark.parametrize(
    ("boot_config", "reason"),
    [
        (None, "config-missing"),
        (BootConfig(oc_config=b"{"), "config-openconfig"),
        (BootConfig(vendor_config=b"\xff\x00"), "config-vendor"),
        (BootConfig(metadata={"pre-configuration-script": "rm -rf /"}), "config-script"),
    ],
)
def test_a_bad_configuration_is_not_applied_in_part(
    world: World, boot_config: BootConfig | None, reason: str
) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with FakeServer(world) as server:
            world.data = replace(world.data, boot_config=boot_config)
            result, state, _ = await boot(hardware, options(server.uri))
        assert result is BootResult.FAILED
        assert names(state) == [*HONEST[:3], "BOOTZ_CONFIGURATION_INVALID"]
        assert (state.reason, state.running, state.startup) == (reason, "", "")
        assert state.phase is Phase.CONTACT

    play(story)


def test_a_certz_profile_with_a_reserved_name_is_refused(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with FakeServer(world) as server:
            profile = CertzProfile("system_default_profile", {"entities": []})
            world.data = replace(world.data, certz_profiles=(profile,))
            _, state, _ = await boot(hardware, options(server.uri))
        assert state.reason == "config-certz"

    play(story)


def test_uris_are_tried_in_turn_and_an_unreachable_one_is_told(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with FakeServer(world) as server:
            source = FixedUris(
                [parse_bootz_uri("bootz://127.0.0.1:1"), parse_bootz_uri(server.uri)]
            )
            result, state, log = await boot(hardware, options(server.uri, source=source))
        assert result is BootResult.ONBOARDED
        (failed,) = log.named("server-failed")
        assert (failed["uri"], failed["reason"]) == (
            "bootz://127.0.0.1:1",
            "contact-unreachable",
        )
        # All of them together are one attempt, and this one succeeded.
        assert log.named("attempt-failed") == []
        assert (state.attempts, state.error_count) == (1, 0)
        assert names(state) == HONEST

    play(story)


def test_an_attempt_has_failed_when_every_uri_was_tried(world: World) -> None:
    """Once it counts, with what tells most; three URIs are no three attempts."""

    async def story() -> None:
        hardware = world.manufacture()
        async with FakeServer(world) as server:
            server.manners = [Manner(status=Status.NOT_FOUND), Manner(voucher_serial="ANOTHER")] * 2
            uris = ["bootz://127.0.0.1:1", server.uri, server.uri, "bootz://127.0.0.1:1"]
            source = FixedUris([parse_bootz_uri(uri) for uri in uris])
            result, state, log = await boot(
                hardware, options(server.uri, max_attempts=2, source=source)
            )
        assert result is BootResult.FAILED
        assert len(log.named("server-failed")) == 8
        assert [fields["reason"] for fields in log.named("attempt-failed")] == [
            "ov-wrong-serial",
            "ov-wrong-serial",
        ]
        assert (state.attempts, state.error_count) == (2, 2)
        assert state.reason == "ov-wrong-serial"
        assert state.status is BootzStatus.OV_INVALID

    play(story)


def test_waits_between_attempts_are_random_around_their_mean(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    sleep = asyncio.sleep

    async def wait(seconds: float) -> None:
        waited.append(seconds)
        await sleep(0)

    async def story() -> None:
        hardware = world.manufacture()
        chances = iter([0.0, 0.25, 0.75])
        choice = options(
            "bootz://127.0.0.1:1",
            retry_wait=10.0,
            max_attempts=4,
            chance=lambda: next(chances),
        )
        monkeypatch.setattr(asyncio, "sleep", wait)
        _, _, log = await boot(hardware, choice)
        assert [fields["seconds"] for fields in log.named("waiting")] == [0.0, 5.0, 15.0]

    play(story)
    assert [seconds for seconds in waited if seconds] == [5.0, 15.0]


def test_a_report_is_repeated_after_random_waits_that_grow(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    sleep = asyncio.sleep

    async def wait(seconds: float) -> None:
        waited.append(seconds)
        await sleep(0)

    async def story() -> None:
        hardware = world.manufacture()
        async with FakeServer(world) as server:
            server.report_statuses = [Status.OK, *[Status.UNAVAILABLE] * 9]
            choice = options(server.uri, report_attempts=0, report_wait=1.0, chance=lambda: 0.5)
            monkeypatch.setattr(asyncio, "sleep", wait)
            result, _, _ = await boot(hardware, choice)
        assert result is BootResult.ONBOARDED

    play(story)
    assert [seconds for seconds in waited if seconds] == [1, 2, 4, 8, 16, 30, 30, 30, 30]


class _Dhcp(FixedUris):
    """A network that gives no lease at first."""

    def __init__(self, uri: str, failures: int) -> None:
        super().__init__([parse_bootz_uri(uri)])
        self.failures = failures
        self.calls: list[str] = []

    async def discover(self) -> Sequence[BootzUri]:
        self.calls.append("discover")
        self.account = DiscoveryAccount("eth0", "ipv4", "bound" if not self.failures else "none")
        if self.failures:
            self.failures -= 1
            raise Unavailable("contact-unreachable", "no answer", where="eth0")
        return await super().discover()

    async def release(self) -> None:
        self.calls.append("release")
        self.account = DiscoveryAccount("eth0", "ipv4", "released")

    async def close(self) -> None:
        self.calls.append("close")


def test_a_round_without_servers_counts_and_the_next_one_is_used(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with FakeServer(world) as server:
            source = _Dhcp(server.uri, 1)
            result, state, log = await boot(
                hardware, options(server.uri, max_attempts=2, source=source)
            )
        assert result is BootResult.ONBOARDED
        assert source.calls == ["discover", "release", "discover", "close"]
        assert (state.error_count, state.uri) == (1, server.uri)
        assert state.discovery == DiscoveryAccount("eth0", "ipv4", "bound")
        assert [fields["reason"] for fields in log.named("attempt-failed")] == [
            "contact-unreachable"
        ]

    play(story)


def test_servers_that_fail_send_the_router_back_to_discovery(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        source = _Dhcp("bootz://127.0.0.1:1", 0)
        result, state, _ = await boot(hardware, options("bootz://h", max_attempts=2, source=source))
        assert result is BootResult.FAILED
        # Also where it is the last attempt, the lease is given back, and not said to be held.
        assert source.calls == ["discover", "release", "discover", "release", "close"]
        assert state.discovery == DiscoveryAccount("eth0", "ipv4", "released")
        assert (state.error_count, state.reason) == (2, "contact-unreachable")

    play(story)


def test_a_clock_that_was_never_set_is_not_trusted(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        async with FakeServer(world) as server:
            result, state, _ = await boot(
                hardware, options(server.uri), clock=lambda: datetime(1970, 1, 1, tzinfo=UTC)
            )
        assert result is BootResult.ONBOARDED
        assert "clock" in [check.name for check in state.checks]

    play(story)


def test_one_process_at_a_time_runs_a_router(world: World) -> None:
    hardware = world.manufacture()
    with hardware.powered(), pytest.raises(BootzError) as caught, hardware.powered():
        pass
    assert caught.value.reason == "hardware-busy"


def test_no_event_tells_a_nonce_or_a_configuration(world: World) -> None:
    async def story() -> None:
        hardware = world.manufacture()
        world.data = replace(world.data, boot_password_hash="$6$secret-hash")
        async with FakeServer(world) as server:
            _, _, log = await boot(hardware, options(server.uri))
        told = repr(log.events)
        assert "nonce-0" not in told
        assert "secret-hash" not in told
        assert "hostname" not in told

    play(story)
