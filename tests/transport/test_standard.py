"""Health and reflection, asked with grpclib's own clients."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.health.v1.health_grpc import HealthStub
from grpclib.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpclib.reflection.v1 import reflection_grpc as v1_grpc
from grpclib.reflection.v1 import reflection_pb2 as v1
from grpclib.reflection.v1alpha import reflection_grpc as v1alpha_grpc
from grpclib.reflection.v1alpha import reflection_pb2 as v1alpha

from bootz.transport.calling import end_channel
from bootz.transport.codec import BytesCodec
from bootz.transport.limits import ListenerLimits
from bootz.transport.listener import GrpcListener
from bootz.transport.standard import StandardServices

SERVICE = "test.Bootstrap"
SCHEMA = FileDescriptorProto(name="test/bootstrap.proto", package="test")
SCHEMA.service.add(name="Bootstrap")


def run(
    story: Callable[[Channel, StandardServices], Awaitable[None]],
    limits: ListenerLimits | None = None,
    codec: BytesCodec | None = None,
) -> None:
    async def play() -> None:
        pool = DescriptorPool()
        pool.AddSerializedFile(SCHEMA.SerializeToString())
        bounds = limits or ListenerLimits()
        services = StandardServices([SERVICE], pool=pool, limits=bounds)
        listener = GrpcListener(services.methods, limits=bounds, context=None)
        (address,) = await listener.start([("127.0.0.1", 0)])
        channel = Channel(*address, codec=codec)
        try:
            await asyncio.wait_for(story(channel, services), 60)
        finally:
            end_channel(channel)
            await listener.drain(5)

    asyncio.run(play())


@pytest.mark.parametrize("service", ["", SERVICE])
def test_health_follows_what_the_server_says_of_itself(service: str) -> None:
    async def story(channel: Channel, services: StandardServices) -> None:
        stub = HealthStub(channel)
        request = HealthCheckRequest(service=service)
        services.set_serving(serving=True)
        assert (await stub.Check(request)).status == HealthCheckResponse.SERVING
        async with stub.Watch.open() as watch:
            await watch.send_message(request, end=True)
            first = await watch.recv_message()
            assert first is not None
            assert first.status == HealthCheckResponse.SERVING
            services.set_serving(serving=False)
            second = await watch.recv_message()
            assert second is not None
            assert second.status == HealthCheckResponse.NOT_SERVING
            await watch.cancel()
        assert (await stub.Check(request)).status == HealthCheckResponse.NOT_SERVING

    run(story)


def test_health_of_an_unknown_service_is_not_found() -> None:
    async def story(channel: Channel, services: StandardServices) -> None:
        with pytest.raises(GRPCError) as caught:
            await HealthStub(channel).Check(HealthCheckRequest(service="nobody"))
        assert caught.value.status is Status.NOT_FOUND

    run(story)


@pytest.mark.parametrize("garbage", [b"\xff\xff\xff", b"\x0a\xff\x01", b"\x0a\x01\xff"])
def test_malformed_request_is_refused(garbage: bytes) -> None:
    async def story(channel: Channel, services: StandardServices) -> None:
        check = UnaryUnaryMethod[bytes, bytes](
            channel, "/grpc.health.v1.Health/Check", bytes, bytes
        )
        with pytest.raises(GRPCError) as caught:
            await check(garbage)
        assert caught.value.status is Status.INVALID_ARGUMENT

    run(story, codec=BytesCodec())


@pytest.mark.parametrize(
    ("stub", "messages"),
    [
        (v1_grpc.ServerReflectionStub, v1),
        (v1alpha_grpc.ServerReflectionStub, v1alpha),
    ],
)
def test_reflection_lists_services_and_gives_their_schema(stub: type, messages: object) -> None:
    request = messages.ServerReflectionRequest  # type: ignore[attr-defined]

    async def story(channel: Channel, services: StandardServices) -> None:
        async with stub(channel).ServerReflectionInfo.open() as stream:
            await stream.send_message(request(list_services=""))
            listed = await stream.recv_message()
            names = [service.name for service in listed.list_services_response.service]
            assert SERVICE in names
            assert "grpc.health.v1.Health" in names
            await stream.send_message(request(file_containing_symbol=SERVICE))
            found = await stream.recv_message()
            (raw,) = found.file_descriptor_response.file_descriptor_proto
            assert FileDescriptorProto.FromString(raw) == SCHEMA
            await stream.send_message(request(file_containing_symbol="nobody"), end=True)
            missing = await stream.recv_message()
            assert missing.error_response.error_code == Status.NOT_FOUND.value

    run(story)


def test_silent_reflection_stream_is_ended() -> None:
    async def story(channel: Channel, services: StandardServices) -> None:
        with pytest.raises(GRPCError) as caught:
            async with v1_grpc.ServerReflectionStub(channel).ServerReflectionInfo.open() as stream:
                await stream.send_request()
                await stream.recv_message()
        assert caught.value.status is Status.DEADLINE_EXCEEDED

    run(story, ListenerLimits(idle_timeout=0.1))
