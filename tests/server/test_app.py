"""The running server's upkeep: certificates renewed, keys and vendors taken over, draining."""

from __future__ import annotations

import asyncio
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from grpclib.client import Channel, StreamStreamMethod, UnaryUnaryMethod
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError
from grpclib.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpclib.reflection.v1.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse
from structlog.testing import capture_logs
from world import LISTENS, Running, World, client_tls, manufacturer, report, request, run, verified

from bootz.cli.site.image_store import site_depot
from bootz.config.serving import ImageSettings, LimitSettings
from bootz.config.site import OwnerSettings
from bootz.errors import ConfigError, Unavailable
from bootz.server import app
from bootz.server.app import SiteServer
from bootz.server.keys.rotation import rotate_owner
from bootz.server.listening import Listens
from bootz.server.store.attempt_states import AttemptState
from bootz.server.store.leadership import FileLeadership
from bootz.server.stores import Stores
from bootz.transport.calling import end_channel
from bootz.transport.codec import BytesCodec
from bootz.trust.cms import parse_signed_data


@pytest.fixture
def ready(world: World) -> World:
    world.add_chassis()
    world.add_voucher()
    return world


async def served_certificate(address: tuple[str, int]) -> x509.Certificate:
    """Return what a listener shows in TLS."""
    context = client_tls()
    reader, writer = await asyncio.open_connection(*address, ssl=context)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    del reader
    return x509.load_der_x509_certificate(der)


async def healthy(running: Running) -> bool:
    channel = Channel(*running.bound.bootz[0], ssl=client_tls())
    check = UnaryUnaryMethod(
        channel, "/grpc.health.v1.Health/Check", HealthCheckRequest, HealthCheckResponse
    )
    answer = await check(HealthCheckRequest())
    end_channel(channel)
    assert answer is not None
    return bool(answer.status == HealthCheckResponse.SERVING)


def test_the_tls_certificate_is_renewed_before_it_ends(ready: World) -> None:
    async def story(running: Running) -> None:
        doors = (running.bound.bootz[0], running.bound.image_https[0])
        before = [await served_certificate(door) for door in doors]
        assert before[0] == before[1]
        await running.server.tend()
        assert await served_certificate(doors[0]) == before[0]
        soon = before[0].not_valid_after_utc - timedelta(days=29)
        ready.now = lambda: soon
        await running.server.tend()
        after = [await served_certificate(door) for door in doors]
        assert after[0] == after[1] != before[0]
        assert after[0].not_valid_after_utc > soon + timedelta(days=80)
        await running.server.tend()
        assert await served_certificate(doors[0]) == after[0]

    run(story, ready)


def test_a_lead_that_is_waited_for_does_not_keep_the_journal_from_being_tried_again(
    ready: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Event()
    seen: list[bool] = []

    def hold(_lock: FileLeadership) -> bool:
        # The machine that the lead's connection leads to is silent.
        seen.append(tried.wait(30))
        return seen[-1]

    async def mend(_stores: Stores) -> None:
        tried.set()

    async def story(running: Running) -> None:
        monkeypatch.setattr(app, "_LOOK_S", 0.01)
        monkeypatch.setattr(FileLeadership, "hold", hold)
        monkeypatch.setattr(Stores, "mend", mend)
        await running.server.tend()
        assert seen == [True]

    run(story, ready)


@pytest.mark.parametrize("days", [3, 60, 3 * 365])
def test_a_clock_that_jumps_ahead_for_a_moment_leaves_nothing_behind(
    ready: World, days: int
) -> None:
    async def story(running: Running) -> None:
        device = manufacturer().device("FX1")
        right = ready.now
        wrong = right() + timedelta(days=days)
        ready.now = lambda: wrong
        await running.server.tend()
        ready.now = right
        await running.server.tend()
        for door in (running.bound.bootz[0], running.bound.image_https[0]):
            shown = await served_certificate(door)
            assert shown.not_valid_before_utc <= right() < shown.not_valid_after_utc
        # A router that judges by its own, right clock gets through with its report.
        sealed = await running.ask(device, request())
        data = verified(sealed, "FX1")
        anchor = data.responses[0].server_trust_cert
        await running.report(device, report("FX1"), anchor=anchor)
        # What was signed while the clock was wrong is not sent any more.
        (signer,) = parse_signed_data(sealed.owner_certificate).signers
        assert signer.signing_time is not None
        assert signer.signing_time <= right()

    run(story, ready)


def test_after_a_clock_is_set_back_a_rotation_is_taken_over_at_once(ready: World) -> None:
    async def story(running: Running) -> None:
        device = manufacturer().device("FX1")
        right = ready.now
        ahead = right() + timedelta(hours=3)
        ready.now = lambda: ahead
        await asyncio.to_thread(rotate_owner, ready.site, ahead)
        await running.server.tend()
        before = (await running.ask(device, request())).owner_certificate
        ready.now = right
        await running.server.tend()
        await asyncio.to_thread(rotate_owner, ready.site, right())
        await running.server.tend()
        assert (await running.ask(device, request())).owner_certificate != before

    run(story, ready)


def test_what_failed_is_tried_again_after_seconds_whatever_the_clock_shows(ready: World) -> None:
    async def story(running: Running) -> None:
        right = ready.now
        wrong = right() + timedelta(days=30 * 365)
        ready.now = lambda: wrong
        with capture_logs() as told:
            # All certificates have ended at this time: it fails, and what is in use stays.
            await running.server.tend()
        assert [each["reason"] for each in told if each["event"] == "reload-failed"] == [
            "certificate-unfit"
        ]
        ready.now = right
        seconds = ready.monotonic() + 11
        ready.monotonic = lambda: seconds
        await asyncio.to_thread(rotate_owner, ready.site, right())
        with capture_logs() as told:
            await running.server.tend()
        assert [each["event"] for each in told][-1] == "reloaded"

    run(story, ready)


def test_a_certificate_that_cannot_be_issued_here_is_said_to_be_out_of_date_once(
    ready: World,
) -> None:
    keys = ready.site.keys
    keys.path(keys.read().trust_anchors[0], "key").unlink()

    async def story(running: Running) -> None:
        right = ready.now
        wrong = right() - timedelta(days=4)
        ready.now = lambda: wrong
        with capture_logs() as told:
            for _ in range(3):
                await running.server.tend()
        named = [each["event"] for each in told]
        assert named.count("tls-certificate-out-of-date") == 1
        ready.now = right
        with capture_logs() as told:
            for _ in range(3):
                await running.server.tend()
        assert [each["event"] for each in told].count("tls-certificate-in-date") == 1

    run(story, ready)


def test_a_start_before_the_keys_begin_speaks_of_the_clock(ready: World) -> None:
    ready.now = lambda: datetime(2020, 1, 1, tzinfo=UTC)

    async def start() -> None:
        await SiteServer(ready.site, listens=LISTENS, depot=site_depot()).start()

    with pytest.raises(ConfigError) as caught:
        asyncio.run(start())
    assert caught.value.reason == "clock-behind"
    assert "2020-01-01" in str(caught.value)


def test_a_vendor_that_is_added_meanwhile_is_known_at_the_next_handshake(ready: World) -> None:
    beta = manufacturer("Beta")

    async def story(running: Running) -> None:
        device = beta.device("BX1")
        with pytest.raises((OSError, GRPCError, StreamTerminatedError)):
            await running.ask(device, request("BX1", manufacturer="Beta"))

        def add() -> None:
            ready.add_vendor(beta)
            ready.add_chassis("BX1", "Beta")
            ready.add_voucher("BX1", beta)

        await asyncio.to_thread(add)
        sealed = await running.ask(device, request("BX1", manufacturer="Beta"))
        verified(sealed, "BX1", maker=beta)

    run(story, ready)


def test_a_vendor_that_was_added_before_a_reload_failed_is_known_all_the_same(ready: World) -> None:
    beta = manufacturer("Beta")

    async def story(running: Running) -> None:
        def add_and_break() -> None:
            ready.add_vendor(beta)
            ready.add_chassis("BX1", "Beta")
            ready.add_voucher("BX1", beta)
            (keyring,) = (ready.root / "keys").glob("*.json")
            keyring.write_text("{")

        await asyncio.to_thread(add_and_break)
        await running.server.reload()
        sealed = await running.ask(beta.device("BX1"), request("BX1", manufacturer="Beta"))
        verified(sealed, "BX1", maker=beta)

    run(story, ready)


def test_an_owner_key_that_is_gone_stops_signing_and_not_the_server(ready: World) -> None:
    """Health tells; what was in force before stays in force; the key's return is noticed."""
    site = ready.site
    keyring = site.keys.read()
    assert keyring.owner is not None
    key = site.keys.path(keyring.owner, "key")
    content = key.read_bytes()

    async def story(running: Running) -> None:
        device = manufacturer().device("FX1")
        assert not await healthy(running)
        with pytest.raises(GRPCError) as caught:
            await running.ask(device, request())
        assert caught.value.status is Status.UNAVAILABLE
        # A report needs no signature.
        await running.report(device, report("FX1"))
        key.write_bytes(content)
        later = ready.monotonic() + 60
        ready.monotonic = lambda: later
        await running.server.tend()
        assert await healthy(running)
        verified(await running.ask(device, request()), "FX1")
        key.unlink()
        await running.server.reload()
        assert await healthy(running)
        verified(await running.ask(device, request()), "FX1")
        key.touch(mode=0o600)
        key.write_bytes(content)

    key.unlink()
    key.touch(mode=0o600)
    run(story, ready)


def test_a_database_that_is_locked_is_told_to_routers_and_by_health(ready: World) -> None:
    ready.settings["limits"] = LimitSettings(request_timeout=0.6)

    async def story(running: Running) -> None:
        device = manufacturer().device("FX1")
        assert await healthy(running)
        other = ready.site.database()
        with other.write_journal():
            for method in (running.ask(device, request()), running.report(device, report("FX1"))):
                with pytest.raises(GRPCError) as caught:
                    await method
                assert caught.value.status is Status.UNAVAILABLE
                assert (caught.value.message or "").startswith("database-unavailable:")
            # It is tried at each look, and stays away.
            await running.server.tend()
            assert not await healthy(running)
        other.close()
        await running.server.tend()
        assert await healthy(running)
        verified(await running.ask(device, request()), "FX1")

    run(story, ready)


def test_a_database_that_is_locked_at_start_is_waited_for(ready: World) -> None:
    ready.settings["limits"] = LimitSettings(request_timeout=0.6)
    other = ready.site.database()

    async def story() -> None:
        with other.write_journal():
            server = SiteServer(ready.site, listens=LISTENS, depot=site_depot())
            running = Running(ready, server, await server.start())
            assert not await healthy(running)
        await running.server.tend()
        assert await healthy(running)
        await running.stop()

    asyncio.run(asyncio.wait_for(story(), 60))
    other.close()


def test_keys_that_another_process_rotated_are_taken_over(ready: World) -> None:
    async def story(running: Running) -> None:
        device = manufacturer().device("FX1")
        before = (await running.ask(device, request())).owner_certificate
        await asyncio.to_thread(rotate_owner, ready.site, ready.now())
        await running.server.tend()
        sealed = await running.ask(device, request())
        verified(sealed, "FX1")
        assert sealed.owner_certificate != before

    run(story, ready)


def test_a_reload_that_fails_leaves_everything_as_it_was(ready: World) -> None:
    async def story(running: Running) -> None:
        config = ready.root / "bootz.yaml"
        device = manufacturer().device("FX1")
        for broken in ("owner: {}\n", "tls: {validity_days: no}\n", "\0"):
            config.write_text(broken)
            await running.server.reload()
            verified(await running.ask(device, request()), "FX1")
        config.unlink()
        await running.server.reload()
        verified(await running.ask(device, request()), "FX1")

    run(story, ready)


def test_a_reload_takes_settings_over(ready: World) -> None:
    ready.add_profile(
        image={"name": "os", "version": "1", "url": "http://x/os"},
        vendor_config="{{ server.address }}",
    )

    async def story(running: Running) -> None:
        ready.add_chassis("FX2", profile="base")
        ready.add_voucher("FX2")
        device = manufacturer().device("FX2")

        async def config() -> bytes:
            data = verified(await running.ask(device, request("FX2")), "FX2")
            boot = data.responses[0].boot_config
            assert boot is not None
            return boot.vendor_config

        assert await config() == b"127.0.0.1"
        (ready.root / "bootz.yaml").write_text("advertised: [192.0.2.7]\n")
        await running.server.reload()
        assert await config() == b"192.0.2.7"
        shown = await served_certificate(running.bound.bootz[0])
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert "192.0.2.7" in map(str, names.get_values_for_type(x509.IPAddress))

    run(story, ready)


def test_draining_lets_a_call_that_runs_come_to_its_end(
    ready: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, go = asyncio.Event(), asyncio.Event()

    async def story() -> None:
        async with ready.serving() as running:
            record = running.server._stores.journal.record

            async def slowly(call: Any) -> None:
                held.set()
                await go.wait()
                await record(call)

            monkeypatch.setattr(running.server._stores.journal, "record", slowly)
            call = asyncio.create_task(running.report(manufacturer().device("FX1"), report("FX1")))
            await held.wait()
            stopping = asyncio.create_task(running.stop())
            with pytest.raises((OSError, StreamTerminatedError)):
                while True:
                    await running.ask(None, request())
            assert not call.done()
            go.set()
            assert await call == b""
            await stopping

    asyncio.run(asyncio.wait_for(story(), 60))
    assert ready.attempts()[0].state is AttemptState.SUCCESS


def test_health_and_reflection_need_no_certificate(ready: World) -> None:
    async def story(running: Running) -> None:
        channel = Channel(*running.bound.bootz[0], ssl=client_tls(), codec=BytesCodec())
        health = UnaryUnaryMethod[bytes, bytes](
            channel, "/grpc.health.v1.Health/Check", bytes, bytes
        )
        for service in ("", "Bootstrap", "bootz.proto.Bootstrap", "bootz.Bootstrap"):
            answer = await health(HealthCheckRequest(service=service).SerializeToString())
            assert answer is not None
            assert HealthCheckResponse.FromString(answer).status == HealthCheckResponse.SERVING
        reflection = StreamStreamMethod[bytes, bytes](
            channel,
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            bytes,
            bytes,
        )
        wanted = (
            ServerReflectionRequest(list_services=""),
            ServerReflectionRequest(file_containing_symbol="bootz.Bootstrap"),
        )
        listed, file = [
            ServerReflectionResponse.FromString(answer)
            for answer in await reflection([each.SerializeToString() for each in wanted])
        ]
        names = {service.name for service in listed.list_services_response.service}
        assert {"Bootstrap", "bootz.proto.Bootstrap", "bootz.Bootstrap"} <= names
        assert file.file_descriptor_response.file_descriptor_proto
        end_channel(channel)

    run(story, ready)


def test_a_port_that_is_taken_leaves_nothing_open(ready: World) -> None:
    async def story(running: Running) -> None:
        taken = "{}:{}".format(*running.bound.bootz[0])
        for listens in (
            Listens((taken,), ("127.0.0.1:0",), ()),
            Listens(("127.0.0.1:0",), (taken,)),
        ):
            second = SiteServer(ready.site, listens=listens, depot=site_depot())
            with pytest.raises(Unavailable) as caught:
                await second.start()
            assert caught.value.reason == "listen-failed"
            assert caught.value.where == taken
        verified(await running.ask(manufacturer().device("FX1"), request()), "FX1")

    run(story, ready)


def test_without_an_image_store_it_still_serves(ready: World) -> None:
    listens = Listens(LISTENS.bootz, (), ())

    async def story() -> None:
        async with ready.serving(listens) as running:
            assert (running.bound.image_http, running.bound.image_https) == ((), ())
            verified(await running.ask(manufacturer().device("FX1"), request()), "FX1")

    asyncio.run(story())


def test_connections_of_one_address_that_are_silent_keep_no_router_out(ready: World) -> None:
    ready.settings = {"limits": LimitSettings(max_connections_per_address=2)}

    async def story(running: Running) -> None:
        address = running.bound.bootz[0]
        held = [await asyncio.open_connection(*address) for _ in range(5)]
        verified(await running.ask(manufacturer().device("FX1"), request()), "FX1")
        for _, writer in held:
            writer.close()
            await writer.wait_closed()

    run(story, ready)


def test_tls_below_1_2_is_refused(ready: World) -> None:
    async def story(running: Running) -> None:
        context = client_tls()
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, OSError)):
            await asyncio.open_connection(*running.bound.bootz[0], ssl=context)

    run(story, ready)
    assert ready.attempts() == ()


def test_an_owner_with_own_files_is_served(ready: World, tmp_path: Path) -> None:
    """Certificate and key that the settings name elsewhere."""
    site = ready.site
    keyring = site.keys.read()
    assert keyring.owner is not None
    assert keyring.pinned_domain is not None
    for name, source in (
        ("oc.pem", site.keys.path(keyring.owner, "pem")),
        ("oc.key", site.keys.path(keyring.owner, "key")),
        ("pdc.pem", site.keys.path(keyring.pinned_domain, "pem")),
    ):
        target = tmp_path / name
        target.touch(mode=0o600)
        target.write_bytes(source.read_bytes())
    ready.settings = {
        "owner": OwnerSettings(
            pinned_domain_certificate=tmp_path / "pdc.pem",
            certificate=tmp_path / "oc.pem",
            key=str(tmp_path / "oc.key"),
        ),
        "images": ImageSettings(),
    }

    async def story(running: Running) -> None:
        verified(await running.ask(manufacturer().device("FX1"), request()), "FX1")

    run(story, ready)
