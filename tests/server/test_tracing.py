"""Traces: one span a call, the checks as events, read as an OTLP receiver reads them.

docs/operator-ids.md: O52.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from stream_world import IdentityKind, ask, fill, prover, tell
from world import Running, World, manufacturer, report, request

from bootz.config.serving import TelemetrySettings
from bootz.errors import ConfigError
from bootz.server.tracing import open_tracing
from bootz.wire.flows import STREAM_V1


@dataclass
class OtlpReceiver:
    """Keeps what it is sent."""

    raw: bytes = b""
    spans: list[Any] = field(default_factory=list)

    async def take(self, told: web.Request) -> web.Response:
        body = await told.read()
        self.raw += body
        parsed: Any = ExportTraceServiceRequest.FromString(body)
        for resource in parsed.resource_spans:
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
        return web.Response(body=b"", content_type="application/x-protobuf")

    def named(self, rpc: str) -> Any:
        (span,) = (span for span in self.spans if span.name.endswith(f"/{rpc}"))
        return span


def attributes(told: Any) -> dict[str, Any]:
    found = {}
    for each in told.attributes:
        value: Message = each.value
        name = value.WhichOneof("value")
        found[each.key] = getattr(value, name) if name else ""
    return found


@asynccontextmanager
async def traced(world: World) -> AsyncIterator[tuple[Running, OtlpReceiver]]:
    """Serve with a receiver of traces; it has all of them after the block."""
    receiver = OtlpReceiver()
    app = web.Application()
    app.router.add_post("/v1/traces", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    world.settings["telemetry"] = TelemetrySettings(
        otlp_endpoint=f"http://127.0.0.1:{port}/v1/traces"
    )
    try:
        async with world.serving() as running:
            yield running, receiver
    finally:
        await runner.cleanup()


def play(story: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(story, 60))


def test_one_span_a_call_with_its_checks(world: World) -> None:
    world.add_profile(vendor_config="hostname PLANTED-CONFIG\n")
    world.add_chassis(profile="base")
    world.add_voucher()
    device = manufacturer().device("FX1")

    async def story() -> OtlpReceiver:
        async with traced(world) as (running, receiver):
            await running.ask(device, request())
            await running.report(device, report("FX1"))
            with pytest.raises(Exception, match="chassis-unknown"):
                await running.ask(manufacturer().device("FX9"), request("FX9"))
        return receiver

    receiver = play(story())
    assert len(receiver.spans) == 3
    told = receiver.named("ReportStatus")
    assert attributes(told)["bootz.status"] == "SUCCESS"
    asked, refused = sorted(
        (span for span in receiver.spans if span is not told), key=lambda span: span.status.code
    )
    assert attributes(asked)["bootz.vendor"] == "Acme"
    assert attributes(asked)["rpc.grpc.status_code"] == 0
    assert attributes(asked)["bootz.serial_number"] == "FX1"
    checks = {event.name: attributes(event)["outcome"] for event in asked.events}
    assert checks["idevid-chain"] == checks["voucher"] == "passed"
    assert attributes(refused)["bootz.reason"] == "chassis-unknown"
    assert refused.status.message == "chassis-unknown"
    assert attributes(refused)["rpc.grpc.status_code"] == 5
    failed = [event for event in refused.events if attributes(event)["outcome"] == "failed"]
    assert [event.name for event in failed] == ["chassis-on-record"]
    for secret in (b"PLANTED-CONFIG", b"bm9uY2U=", b"BEGIN"):
        assert secret not in receiver.raw


def test_a_stream_is_one_span(world: World) -> None:
    fill(world)
    honest = prover(IdentityKind.IDEVID)

    async def story() -> OtlpReceiver:
        async with traced(world) as (running, receiver):
            await ask(running, STREAM_V1, honest)
            await tell(running, STREAM_V1, honest)
        return receiver

    receiver = play(story())
    assert [span.name for span in receiver.spans] == ["bootz.Bootstrap/BootstrapStreamV1"] * 2
    assert all("challenge" in {event.name for event in span.events} for span in receiver.spans)


def test_a_receiver_that_is_not_there_holds_up_no_router(world: World) -> None:
    fill(world)
    world.settings["telemetry"] = TelemetrySettings(otlp_endpoint="http://127.0.0.1:9/v1/traces")

    async def story() -> None:
        async with world.serving() as running:
            await running.ask(manufacturer().device("FX1"), request())

    play(story())


def test_without_a_receiver_there_are_none() -> None:
    assert open_tracing(TelemetrySettings()) is None


def test_the_library_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigError, match="opentelemetry"):
        open_tracing(TelemetrySettings(otlp_endpoint="http://127.0.0.1:9/v1/traces"))
