"""What a site counts, read as Prometheus reads it, after real calls."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession
from metrics.scrape import Scraped, scrape
from stream_world import ask, dialogue, fill, prover, refused, tell
from world import Running, World, manufacturer, report, request, run

from bootz.conformance.server.player import Lie
from bootz.images.depot import Depot
from bootz.model.identity import IdentityKind
from bootz.server.operations.chassis import remove_chassis
from bootz.server.operations.images import ImageKind, ImageRecord, add_image
from bootz.server.site import utc_now
from bootz.wire.flows import STREAM_V1


def test_a_site_that_never_served(world: World) -> None:
    found = scrape(world)

    assert found.value("bootz_chassis", state="expected", vendor="Acme") == 0
    assert found.series("bootz_calls_total") == {}
    assert found.series("bootz_build_info") == {}


def test_an_onboarding_from_the_first_call_to_success(world: World) -> None:
    world.add_chassis()
    world.add_voucher()
    device = manufacturer().device("FX1")
    begun = utc_now()
    served: list[Scraped] = []

    async def story(running: Running) -> None:
        await running.ask(device, request())
        world.now = lambda: begun + timedelta(seconds=100)
        await running.report(device, report("FX1"))
        await running.server.tend()
        served.append(await asyncio.to_thread(scrape, world))

    world.now = lambda: begun
    run(story, world)
    (found,) = served

    unary = {"dialect": "current", "code": "OK"}
    assert found.value("bootz_calls_total", rpc="GetBootstrapData", **unary) == 1
    assert found.value("bootz_calls_total", rpc="ReportStatus", **unary) == 1
    assert found.value("bootz_call_seconds_count", rpc="GetBootstrapData") == 1
    assert found.value("bootz_attempts_total", flow="unary", outcome="answered", reason="") == 1
    assert found.value("bootz_attempts_total", flow="unary", outcome="success", reason="") == 1
    assert found.value("bootz_onboarding_seconds_sum", vendor="Acme") == 100
    assert found.value("bootz_onboarding_seconds_bucket", vendor="Acme", le="60.0") == 0
    assert found.value("bootz_onboarding_seconds_bucket", vendor="Acme", le="120.0") == 1
    assert found.value("bootz_chassis", state="ready", vendor="Acme") == 1
    assert found.value("bootz_chassis", state="expected", vendor="Acme") == 0
    assert found.value("bootz_signature_seconds_count", store="file") == 1
    assert found.value("bootz_journal_seconds_count") == 2
    assert found.value("bootz_journal_waiting") == 0
    assert found.value("bootz_handshakes_total", outcome="done") == 2
    assert list(found.series("bootz_build_info").values()) == [1]
    ends = found.series("bootz_certificate_expiry_timestamp_seconds")
    assert {value for labels in ends for _, value in labels} == {
        "tls",
        "owner",
        "pinned-domain",
        "trust-anchor",
    }
    assert all(end > begun.timestamp() for end in ends.values())

    # Counters outlive the server, what was held does not.
    after = scrape(world)
    assert after.value("bootz_calls_total", rpc="ReportStatus", **unary) == 1
    assert after.series("bootz_connections") == {}
    assert after.series("bootz_certificate_expiry_timestamp_seconds") == {}


def test_refusals_by_reason_and_status(world: World) -> None:
    async def story(running: Running) -> None:
        for _ in range(3):
            with pytest.raises(Exception, match="chassis-unknown"):
                await running.ask(manufacturer().device("FX9"), request("FX9"))

    run(story, world)
    found = scrape(world)

    labels = {"flow": "unary", "outcome": "refused", "reason": "chassis-unknown"}
    assert found.value("bootz_attempts_total", **labels) == 3
    calls = {"rpc": "GetBootstrapData", "dialect": "current", "code": "NOT_FOUND"}
    assert found.value("bootz_calls_total", **calls) == 3


@pytest.mark.parametrize(
    ("kind", "lie", "reason"),
    [
        (IdentityKind.IDEVID, "another", "challenge-signature-invalid"),
        (IdentityKind.TPM20_EK, "another", "tpm-hmac-invalid"),
        (IdentityKind.IDEVID, "silent", "challenge-unanswered"),
    ],
)
def test_challenges_that_are_not_met(
    world: World, kind: IdentityKind, lie: str, reason: str
) -> None:
    fill(world, kind)

    async def story(running: Running) -> None:
        if lie == "silent":
            async with dialogue(running, STREAM_V1) as stream:
                await stream.open_with(prover(kind))
            return
        kept: list[Any] = []

        def keep(answer: Any) -> Any:
            kept.append(answer)
            return answer

        await ask(running, STREAM_V1, prover(kind), Lie(answer=keep))
        # An answer that was good for an earlier challenge.
        await refused(ask(running, STREAM_V1, prover(kind), Lie(answer=lambda _: kept[0])))

    run(story, world)
    found = scrape(world).series("bootz_challenge_failures_total")

    ((labels, count),) = found.items()
    assert dict(labels)["kind"] == kind.value
    assert count == 1
    if lie == "silent":
        assert dict(labels)["reason"] == reason


def test_refusals_before_the_challenge_are_none_of_it(world: World) -> None:
    fill(world, IdentityKind.IDEVID, streaming=False)

    async def story(running: Running) -> None:
        await refused(ask(running, STREAM_V1, prover(IdentityKind.IDEVID)))

    run(story, world)
    found = scrape(world)

    labels = {"flow": "stream-v1", "outcome": "refused", "reason": "streaming-not-allowed"}
    assert found.value("bootz_attempts_total", **labels) == 1
    assert found.series("bootz_challenge_failures_total") == {}


def test_streams_are_onboardings_too(world: World) -> None:
    fill(world)
    honest = prover(IdentityKind.IDEVID)

    async def story(running: Running) -> None:
        await ask(running, STREAM_V1, honest)
        await tell(running, STREAM_V1, honest)

    run(story, world)
    found = scrape(world)

    assert found.value("bootz_attempts_total", flow="stream-v1", outcome="success", reason="") == 1
    assert found.value("bootz_onboarding_seconds_count", vendor="Acme") == 1


def test_images_that_are_sent(world: World) -> None:
    source = world.folder / "os.iso"
    source.write_bytes(b"an image" * 1000)
    stored = Depot(world.site.images_folder).add(source)
    record = ImageRecord(
        "os", "2", ImageKind.IMAGE, "os.iso", stored.size, stored.sha256, utc_now()
    )
    world.write(add_image, record)

    async def story(running: Running) -> None:
        host, port = running.bound.image_http[0]
        async with ClientSession() as session:
            url = f"http://{host}:{port}/images/{stored.sha256}/os.iso"
            async with session.get(url) as answer:
                assert len(await answer.read()) == 8000

    run(story, world)

    found = scrape(world)
    assert found.value("bootz_image_bytes_total") == 8000


def test_the_voucher_that_ends_first(world: World) -> None:
    now = utc_now()
    for serial in ("FX1", "FX2", "GONE"):
        world.add_chassis(serial)
    for serial, days in (("FX1", 40), ("FX2", 20), ("FX2", 60), ("GONE", 1)):
        world.add_voucher(serial, life=timedelta(days=days))

    ends = scrape(world).series("bootz_voucher_expiry_timestamp_seconds")
    assert list(ends.values()) == [pytest.approx((now + timedelta(days=1)).timestamp(), abs=3600)]

    world.write(remove_chassis, "GONE")
    # FX2 has a newer one: the first that matters is that of FX1.
    ends = scrape(world).series("bootz_voucher_expiry_timestamp_seconds")
    assert list(ends.values()) == [pytest.approx((now + timedelta(days=40)).timestamp(), abs=3600)]
