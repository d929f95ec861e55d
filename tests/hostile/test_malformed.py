"""What peers can send that is not a request: each costs itself alone, and gets a bland status."""

from __future__ import annotations

import asyncio
import struct

import pytest
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import Running, World, client_tls, manufacturer, report, request, run, verified

from bootz.config.serving import LimitSettings
from bootz.model.bootstrap import BootstrapRequest, CardState, StatusReport
from bootz.model.chassis import CardStatus, ChassisDescriptor, ClaimedCard
from bootz.reasons import REASONS
from bootz.transport.calling import end_channel
from bootz.transport.codec import BytesCodec
from bootz.wire.dialects import CURRENT, DIALECTS, GET_BOOTSTRAP_DATA, REPORT_STATUS
from bootz.wire.generated import bootz_pb2 as pb
from bootz.wire.reports import decode_report

LONG = "x" * 257


def wired(asked: BootstrapRequest) -> bytes:
    """Write a request without the bounds that an honest device keeps."""
    descriptor = asked.descriptor
    return pb.GetBootstrapDataRequest(
        chassis_descriptor=pb.ChassisDescriptor(
            manufacturer=descriptor.manufacturer,
            serial_number=descriptor.serial_number,
            control_cards=[
                pb.ControlCard(serial_number=card.serial_number, part_number=card.part_number)
                for card in descriptor.control_cards
            ],
        ),
        control_card_state=pb.ControlCardState(serial_number=asked.active.serial_number),
        nonce=asked.nonce or "",
    ).SerializeToString()


def described(*cards: str, manufacturer: str = "Acme", serial: str = "") -> ChassisDescriptor:
    return ChassisDescriptor(manufacturer, "", serial, tuple(ClaimedCard(card) for card in cards))


def active(serial: str, descriptor: ChassisDescriptor, nonce: str = "n") -> bytes:
    return wired(BootstrapRequest(descriptor, CardState(serial, CardStatus.UNSPECIFIED), nonce))


MALFORMED = {
    "random bytes": (b"\xff\xfe\xfd", "message-malformed"),
    "cut": (active("FX1", described(serial="FX1"))[:-1], "message-malformed"),
    "no UTF-8": (b"\x0a\x03\x0a\x01\xff", "message-malformed"),
    "empty": (b"", ""),
    "no active card": (active("", described(serial="FX1")), ""),
    "fixed, of another serial": (active("FX1", described(serial="FX2")), ""),
    "a card twice": (active("A", described("A", "a")), ""),
    "65 cards": (active("0", described(*map(str, range(65)))), "entries-too-many"),
    "long manufacturer": (
        active("FX1", described(manufacturer=LONG, serial="FX1")),
        "field-too-long",
    ),
    "long serial": (active(LONG, described(serial=LONG)), "field-too-long"),
    "long nonce": (active("FX1", described(serial="FX1"), "n" * 1025), "field-too-long"),
    "NUL": (active("F\0", described(serial="F\0")), "field-malformed"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_request_is_refused_before_anything_is_looked_up(
    world: World, name: str
) -> None:
    message, reason = MALFORMED[name]

    async def story(running: Running) -> None:
        device = manufacturer().device("FX1")
        with pytest.raises(GRPCError) as caught:
            await running.call(GET_BOOTSTRAP_DATA, message, device)
        assert caught.value.status is Status.INVALID_ARGUMENT
        told, _, words = (caught.value.message or "").partition(": ")
        assert REASONS[told].meaning == words
        assert reason in {"", told}

    run(story, world)
    (attempt,) = world.attempts()
    assert (attempt.chassis, attempt.proven_serial, attempt.sent) == ("", "", {})


@pytest.mark.parametrize("method", [GET_BOOTSTRAP_DATA, REPORT_STATUS])
def test_an_oversized_message_is_refused_by_its_length_alone(world: World, method: str) -> None:
    async def story(running: Running) -> None:
        with pytest.raises(GRPCError) as caught:
            await running.call(method, b"\0" * ((1 << 20) + 1), manufacturer().device("FX1"))
        assert caught.value.status is Status.RESOURCE_EXHAUSTED

    run(story, world)


def test_a_long_status_message_is_cut_and_never_refused(world: World) -> None:
    world.add_chassis()

    async def story(running: Running) -> None:
        told = pb.ReportStatusRequest(
            status=2,  # type: ignore[arg-type]
            status_message="m" * 100_000,
            states=[pb.ControlCardState(serial_number="FX1", status=1)],  # type: ignore[arg-type]
        ).SerializeToString()
        assert len(decode_report(told, CURRENT).message) == 4096
        assert await running.call(REPORT_STATUS, told, manufacturer().device("FX1")) == b""

    run(story, world)
    assert world.attempts()[0].reports == 1


def test_any_bytes_get_a_clear_status_and_the_server_lives(world: World) -> None:
    world.add_chassis()
    world.add_voucher()

    async def story(running: Running) -> None:
        device = manufacturer().device("FX1")
        channel = Channel(
            *running.bound.bootz[0], ssl=device.context(world.folder), codec=BytesCodec()
        )
        loop = asyncio.get_running_loop()

        async def throw(path: str, message: bytes) -> Status:
            call = UnaryUnaryMethod[bytes, bytes](channel, path, bytes, bytes)
            try:
                await call(message)
            except GRPCError as error:
                return error.status
            return Status.OK

        @settings(max_examples=60, suppress_health_check=list(HealthCheck))
        @given(st.sampled_from(DIALECTS), st.booleans(), st.binary(max_size=60))
        def thrown(dialect: object, asks: bool, message: bytes) -> None:
            method = GET_BOOTSTRAP_DATA if asks else REPORT_STATUS
            path = f"{dialect.path}/{method}"  # type: ignore[attr-defined]
            status = asyncio.run_coroutine_threadsafe(throw(path, message), loop).result(30)
            assert status not in {Status.OK, Status.INTERNAL, Status.UNKNOWN}

        await asyncio.to_thread(thrown)
        end_channel(channel)
        verified(await running.ask(device, request()), "FX1")

    run(story, world)


@pytest.mark.parametrize(
    "path",
    ["/bootz.Bootstrap/Nothing", "/", "/bootz.proto.Bootstrap/BootstrapStreamV1", "/x.Y/Z"],
)
def test_a_method_that_is_not_there_says_so(world: World, path: str) -> None:
    async def story(running: Running) -> None:
        channel = Channel(*running.bound.bootz[0], ssl=client_tls(), codec=BytesCodec())
        with pytest.raises(GRPCError) as caught:
            await UnaryUnaryMethod[bytes, bytes](channel, path, bytes, bytes)(b"")
        assert caught.value.status is Status.UNIMPLEMENTED
        end_channel(channel)

    run(story, world)


def test_slow_and_silent_peers_cost_nothing_but_themselves(world: World) -> None:
    """One says nothing, one stops in its handshake, one in its message; others are served."""
    world.add_chassis()
    world.add_voucher()
    world.settings["limits"] = LimitSettings(request_timeout=3, handshake_timeout=30)

    async def story(running: Running) -> None:
        address = running.bound.bootz[0]
        device = manufacturer().device("FX1")
        silent = await asyncio.open_connection(*address)
        halting = await asyncio.open_connection(*address)
        halting[1].write(b"\x16\x03\x01\x02\x00")
        await halting[1].drain()
        slow = Channel(*address, ssl=device.context(world.folder), codec=BytesCodec())
        call = UnaryUnaryMethod[bytes, bytes](
            slow, f"{CURRENT.path}/{GET_BOOTSTRAP_DATA}", bytes, bytes
        )
        # grpclib's client may take the reset behind the status for the whole of it.
        with pytest.raises((GRPCError, StreamTerminatedError)):
            async with call.open() as stream:
                await stream.send_request()
                await stream._stream.send_data(struct.pack(">BI", 0, 100) + b"half")
                verified(await running.ask(device, request()), "FX1")
                await running.report(device, report("FX1"))
                await stream.recv_message()
        end_channel(slow)
        for _, writer in (silent, halting):
            writer.close()

    run(story, world)
    assert world.attempts()[0].reports == 1


def test_a_status_without_cards_in_the_oldest_dialect_may_still_name_none(world: World) -> None:
    world.add_chassis()
    told = StatusReport(status=report().status)

    async def story(running: Running) -> None:
        for dialect in DIALECTS[1:]:
            with pytest.raises(GRPCError) as caught:
                await running.report(manufacturer().device("FX1"), told, dialect)
            assert caught.value.status is Status.INVALID_ARGUMENT

    run(story, world)
