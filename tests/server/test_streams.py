"""Onboarding over streams: every flow and identity, honest, through real TLS and gRPC."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from stream_world import (
    FLOWS,
    KINDS,
    TIMEOUTS,
    Dialogue,
    ask,
    dialogue,
    fill,
    on_record,
    opened,
    prover,
    refused,
    spki,
    tell,
    tpm_key,
    uri,
)
from world import Running, World, manufacturer, report, request, run

from bootz.device.grpc_client import GrpcClient, ServerRefused, client_context
from bootz.errors import Unavailable
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import ReportedStatus
from bootz.model.challenge import HmacChallenge
from bootz.model.chassis import BootMode
from bootz.model.checks import Outcome
from bootz.model.identity import IdentityKind, TpmKeyType, TpmRecord
from bootz.server.operations.chassis import CardRecord
from bootz.server.store.attempt_states import AttemptState, EventKind
from bootz.wire.dialects import CURRENT
from bootz.wire.flows import STREAM, STREAM_V1, StreamFlow
from bootz.wire.streams import STREAM_CODECS, Acknowledged


@pytest.mark.parametrize(("flow", "kind"), KINDS)
def test_onboarding(world: World, flow: StreamFlow, kind: IdentityKind) -> None:
    fill(world, kind)
    honest = prover(kind)

    async def story(running: Running) -> None:
        sealed = await ask(running, flow, honest)
        assert bool(sealed.encapsulated_key) is flow.bound
        (own,) = opened(sealed).responses
        assert own.boot_config is not None
        assert own.boot_config.vendor_config == b"hostname r1\n"
        await tell(running, flow, honest, anchor=own.server_trust_cert)

    run(story, world)
    (attempt,) = world.attempts()
    assert attempt.state is AttemptState.SUCCESS
    assert attempt.proven_serial == "FX1"
    assert bool(attempt.idevid_fingerprint) is (kind is IdentityKind.IDEVID)
    assert attempt.sent["encrypted"] == ("yes" if flow.bound else "no")
    assert [event.kind for event in world.events()] == [EventKind.ANSWERED, EventKind.REPORT]
    assert {event.data["rpc"] for event in world.events()} == {flow.method}
    names = [check.name for check in attempt.checks]
    assert names[0] == "identity"
    assert "challenge" in names
    assert all(check.outcome is Outcome.PASSED for check in attempt.checks)


@pytest.mark.parametrize(("flow", "kind"), KINDS)
def test_reports_follow_on_the_stream_that_has_proven_itself(
    world: World, flow: StreamFlow, kind: IdentityKind
) -> None:
    fill(world, kind)

    async def story(running: Running) -> None:
        async with dialogue(running, flow) as stream:
            assert isinstance(await stream.attest(prover(kind)), SealedData)
            for status in (ReportedStatus.INITIATED, ReportedStatus.SUCCESS):
                assert await stream.say(report("FX1", status=status)) == Acknowledged()

    run(story, world)
    (attempt,) = world.attempts()
    assert (attempt.state, attempt.reports) == (AttemptState.SUCCESS, 2)


def test_unary_calls_and_streams_are_one_attempt(world: World) -> None:
    fill(world)
    device = manufacturer().device("FX1")

    async def story(running: Running) -> None:
        await running.ask(device, request())
        await tell(running, STREAM_V1, prover(IdentityKind.IDEVID, device))

    run(story, world)
    (attempt,) = world.attempts()
    assert attempt.state is AttemptState.SUCCESS


@pytest.mark.parametrize("flow", FLOWS)
def test_a_certificate_in_tls_is_not_looked_at(world: World, flow: StreamFlow) -> None:
    fill(world)
    other = manufacturer().device("OTHER")

    async def story(running: Running) -> None:
        context = other.context(world.folder)
        async with (
            GrpcClient(uri(running), context, TIMEOUTS) as client,
            client.stream(f"{CURRENT.path}/{flow.method}") as exchange,
        ):
            stream = Dialogue(flow, exchange)
            assert isinstance(await stream.attest(prover(IdentityKind.IDEVID)), SealedData)

    run(story, world)


@pytest.mark.parametrize(
    ("kind", "tpm", "key_type"),
    [
        (IdentityKind.TPM20_EK, on_record(IdentityKind.TPM20_EK), TpmKeyType.EK),
        (IdentityKind.TPM20_PPK, on_record(IdentityKind.TPM20_EK), TpmKeyType.PPK),
        (IdentityKind.EK_OR_PPK, on_record(IdentityKind.TPM20_EK), TpmKeyType.PPK),
        # The inventory's key counts, whatever the device names; and says what it is.
        (IdentityKind.TPM20_EK, TpmRecord(ppk=spki(tpm_key("ppk"))), TpmKeyType.PPK),
        (IdentityKind.TPM20_PPK, TpmRecord(ek=spki(tpm_key("ek"))), TpmKeyType.EK),
        (IdentityKind.TPM20_EK, TpmRecord(key=spki(tpm_key("ek"))), TpmKeyType.UNSPECIFIED),
        (IdentityKind.TPM20_PPK, TpmRecord(key=spki(tpm_key("ppk"))), TpmKeyType.UNSPECIFIED),
    ],
)
def test_which_key_a_challenge_is_encrypted_to(
    world: World, kind: IdentityKind, tpm: TpmRecord, key_type: TpmKeyType
) -> None:
    fill(world, kind, tpm=tpm)
    flow = STREAM if kind is IdentityKind.EK_OR_PPK else STREAM_V1

    async def story(running: Running) -> None:
        async with dialogue(running, flow) as stream:
            honest = prover(kind)
            challenge = await stream.open_with(honest)
            assert isinstance(challenge, HmacChallenge)
            assert challenge.key_type is key_type
            answer = await stream.answered(honest, challenge)
            assert isinstance(await stream.say(answer), SealedData)

    run(story, world)


@pytest.mark.parametrize("flow", FLOWS)
def test_an_insecure_chassis_gets_unsigned_data_without_a_nonce(
    world: World, flow: StreamFlow
) -> None:
    fill(world, boot_mode=BootMode.INSECURE)

    async def story(running: Running) -> None:
        sealed = await ask(running, flow, prover(IdentityKind.IDEVID), wanted=request(nonce=None))
        assert (sealed.signature, sealed.ownership_voucher) == ("", b"")
        assert sealed.content

    run(story, world)


def test_a_modular_chassis(world: World) -> None:
    cards = (
        CardRecord("RP0", tpm=on_record(IdentityKind.TPM20_EK)),
        CardRecord("RP1"),
    )
    world.add_chassis("CH1", modular=True, cards=cards)
    world.add_voucher("RP0")

    async def story(running: Running) -> None:
        wanted = request("rp0", cards=["rp0", "RP1"])
        sealed = await ask(running, STREAM_V1, prover(IdentityKind.TPM20_EK), wanted=wanted)
        data = opened(sealed, "RP0")
        assert [each.serial_number for each in data.responses] == ["rp0", "RP1"]
        # Only the active card is proven by its key; the other has none on record.
        other = ask(
            running,
            STREAM_V1,
            prover(IdentityKind.TPM20_EK),
            wanted=request("RP1", cards=["RP1"]),
        )
        assert await refused(other) == ("NOT_FOUND", "tpm-key-missing")

    run(story, world)


def test_the_device_may_stop_at_any_time(world: World) -> None:
    fill(world)

    async def story(running: Running) -> None:
        async with dialogue(running, STREAM_V1):
            pass
        async with dialogue(running, STREAM_V1) as stream:
            await stream.open_with(prover(IdentityKind.IDEVID))

    run(story, world)
    (attempt,) = world.attempts()
    assert attempt.reason == "challenge-unanswered"


def test_a_connection_that_is_cut_after_the_challenge_is_on_record(world: World) -> None:
    fill(world)

    async def story(running: Running) -> None:
        made = await prover(IdentityKind.IDEVID).introduce(STREAM_V1)
        opening = replace(request(), identity=made.identity)
        client = GrpcClient(uri(running), client_context(None, None), TIMEOUTS)
        with pytest.raises(Unavailable):
            async with client, client.stream(f"{CURRENT.path}/{STREAM_V1.method}") as exchange:
                await Dialogue(STREAM_V1, exchange).say(opening)
                client.close()
                await exchange(b"")
        while not await asyncio.to_thread(world.attempts):
            pass

    run(story, world)
    (attempt,) = world.attempts()
    assert (attempt.reason, attempt.claimed_serial) == ("challenge-unanswered", "FX1")


@pytest.mark.parametrize("bound", [4096, 50])
def test_a_thousand_streams_that_are_left_keep_nobody_out(world: World, bound: int) -> None:
    fill(world)
    limits = world.site.config.limits
    world.settings = {"limits": limits.model_copy(update={"max_open_streams": bound})}

    async def story(running: Running) -> None:
        made = await prover(IdentityKind.IDEVID).introduce(STREAM_V1)
        opening = STREAM_CODECS[STREAM_V1.method].tell(replace(request(), identity=made.identity))
        all_challenged, leaving = asyncio.Event(), asyncio.Event()
        challenged, turned_away = 0, []

        async def open_and_leave(client: GrpcClient) -> None:
            nonlocal challenged
            try:
                async with client.stream(f"{CURRENT.path}/{STREAM_V1.method}") as exchange:
                    await exchange(opening)
                    challenged += 1
                    if challenged == 1000:
                        all_challenged.set()
                    await leaving.wait()
            except ServerRefused as error:
                turned_away.append(error.seen)

        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            per_connection = limits.max_streams_per_connection
            for number in range(1000):
                if number % per_connection == 0:
                    tls = client_context(None, None)
                    client = GrpcClient(uri(running), tls, TIMEOUTS)
                    await stack.enter_async_context(client)
                group.create_task(open_and_leave(client))
            await all_challenged.wait()
            opened(await ask(running, STREAM_V1, prover(IdentityKind.IDEVID)))
            leaving.set()
        reasons = {seen.partition(":")[0] for seen in turned_away}
        assert reasons == (set() if bound > 1000 else {"UNAVAILABLE streams-full"})

    run(story, world)
