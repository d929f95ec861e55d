"""Each row of the streams' error tables through real gRPC: the status, and that nothing leaks."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from grpclib.client import Channel, StreamStreamMethod
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from stream_world import (
    FLOWS,
    KINDS,
    Lie,
    ask,
    dialogue,
    fill,
    on_record,
    opened,
    prover,
    refused,
    signer,
    spki,
    tell,
    tpm_key,
)
from world import (
    Manufacturer,
    Running,
    World,
    client_tls,
    manufacturer,
    report,
    request,
    run,
)

from bootz.errors import PeerError
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootstrapRequest, CardState, ReportedStatus, StatusReport
from bootz.model.challenge import (
    ChallengeAnswer,
    EkAnswer,
    HmacAnswer,
    SignatureAnswer,
    TransportKey,
)
from bootz.model.chassis import CardStatus
from bootz.model.identity import Identity, IdentityKind, TpmRecord
from bootz.server.operations.chassis import CardRecord
from bootz.server.store.attempt_states import AttemptState
from bootz.transport.calling import end_channel
from bootz.transport.codec import BytesCodec
from bootz.wire.dialects import CURRENT
from bootz.wire.flows import STREAM, STREAM_V1, StreamFlow
from bootz.wire.streams import STREAM_CODECS, Acknowledged

IDEVID = IdentityKind.IDEVID
EK = IdentityKind.TPM20_EK
TPM12 = IdentityKind.TPM12_EK


def nothing_answered(world: World) -> None:
    """Assert that no data and no acknowledgement left the server."""
    for attempt in world.attempts():
        assert attempt.state is AttemptState.REFUSED
        assert attempt.reports == 0
        assert not attempt.sent


def introduced(world: World, flow: StreamFlow, kind: IdentityKind, lie: Lie) -> list[Any]:
    """Return how a request and a report that open a stream are refused; nothing is recorded."""
    told: list[tuple[str, str]] = []

    async def story(running: Running) -> None:
        told.append(await refused(ask(running, flow, prover(kind), lie)))
        told.append(await refused(tell(running, flow, prover(kind), lie)))

    run(story, world)
    nothing_answered(world)
    return told


def both(status: str, reason: str) -> list[tuple[str, str]]:
    return [(status, reason)] * 2


@pytest.mark.parametrize(
    ("flow", "identity"),
    [
        (STREAM, None),
        (STREAM_V1, None),
        (STREAM, Identity(IdentityKind.TPM20_EK, public_key=b"x")),
        (STREAM, Identity(IdentityKind.TPM20_PPK, public_key=b"x")),
        (STREAM, Identity(IdentityKind.TPM12_EK, public_key=b"x")),
        (STREAM_V1, Identity(IdentityKind.EK_OR_PPK)),
    ],
)
def test_identities_that_the_call_does_not_know(
    world: World, flow: StreamFlow, identity: Identity | None
) -> None:
    fill(world, EK)
    lie = Lie(introduction=lambda honest: replace(honest, identity=identity))  # type: ignore[arg-type]
    expected = both("INVALID_ARGUMENT", "stream-identity-missing")
    assert introduced(world, flow, IDEVID, lie) == expected


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize(
    "text", ["", "no certificate", "AAAA", "-----BEGIN CERTIFICATE-----\nAAAA\n"]
)
def test_a_certificate_that_is_none(world: World, flow: StreamFlow, text: str) -> None:
    fill(world)
    lie = Lie(
        introduction=lambda honest: replace(honest, identity=Identity(IDEVID, idevid_cert=text))
    )
    told = introduced(world, flow, IDEVID, lie)
    assert {status for status, _ in told} == {"INVALID_ARGUMENT"}


@pytest.mark.parametrize("size", [0, 19, 21, 32])
def test_a_digest_of_another_length(world: World, size: int) -> None:
    fill(world, TPM12)
    lie = Lie(introduction=lambda honest: replace(honest, aik_pub_digest=bytes(size)))
    expected = both("INVALID_ARGUMENT", "aik-digest-malformed")
    assert introduced(world, STREAM_V1, TPM12, lie) == expected


@pytest.mark.parametrize(("flow", "kind"), KINDS)
def test_an_unknown_chassis(world: World, flow: StreamFlow, kind: IdentityKind) -> None:
    assert introduced(world, flow, kind, Lie()) == both("NOT_FOUND", "chassis-unknown")


@pytest.mark.parametrize(("flow", "kind"), KINDS)
def test_a_chassis_that_may_not_stream(world: World, flow: StreamFlow, kind: IdentityKind) -> None:
    # It comes before the proof: the device shall try unary calls, whatever is on record.
    fill(world, tpm=TpmRecord(), streaming=False)
    expected = both("UNIMPLEMENTED", "streaming-not-allowed")
    assert introduced(world, flow, kind, Lie()) == expected


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize(
    ("device", "status", "reason"),
    [
        (lambda: Manufacturer("Rogue").device("FX1"), "UNAUTHENTICATED", "idevid-untrusted"),
        (
            lambda: manufacturer().device("FX1", life=timedelta(days=-1)),
            "UNAUTHENTICATED",
            "idevid-untrusted",
        ),
        (lambda: manufacturer().device("FX2"), "PERMISSION_DENIED", "idevid-serial-foreign"),
        (
            lambda: manufacturer().device("", subject_serial="PID:X SN:"),
            "PERMISSION_DENIED",
            "certificate-serial-missing",
        ),
    ],
)
def test_idevids_that_prove_nothing_here(
    world: World, flow: StreamFlow, device: Callable[[], Any], status: str, reason: str
) -> None:
    fill(world)

    async def story(running: Running) -> None:
        # Refused before the challenge goes out.
        for opening in (request(), report("FX1")):
            async with dialogue(running, flow) as stream:
                honest = prover(IDEVID, device())
                assert await refused(stream.open_with(honest, opening)) == (status, reason)

    run(story, world)
    nothing_answered(world)


@pytest.mark.parametrize(("flow", "kind"), KINDS)
def test_a_genuine_device_that_asks_for_another_s_data(
    world: World, flow: StreamFlow, kind: IdentityKind
) -> None:
    """The hole of the Go reference: the own serial number listed beside the victim's."""
    fill(world, kind)
    cards = (CardRecord("VICTIM", tpm=TpmRecord(ek=spki(tpm_key("victim")))),)
    world.add_chassis("V0", modular=True, cards=cards)
    world.add_voucher("VICTIM")

    async def story(running: Running) -> None:
        wanted = request("VICTIM", cards=["VICTIM", "FX1"])
        with pytest.raises(PeerError) as caught:
            await ask(running, flow, prover(kind), wanted=wanted)
        if kind is IDEVID:
            assert "idevid-serial-foreign" in caught.value.seen
        else:
            # A TPM that is not the victim's cannot even open the challenge.
            assert caught.value.reason == "tpm-import-refused"

    run(story, world)
    nothing_answered(world)


@pytest.mark.parametrize(
    ("flow", "kind", "tpm", "status", "reason"),
    [
        (STREAM, IdentityKind.EK_OR_PPK, TpmRecord(), "NOT_FOUND", "tpm-key-missing"),
        (STREAM_V1, EK, TpmRecord(), "NOT_FOUND", "tpm-key-missing"),
        (STREAM_V1, TPM12, TpmRecord(), "NOT_FOUND", "tpm-key-missing"),
        # A TPM 1.2 never uses a PPK; and one family does not answer for the other.
        (STREAM_V1, TPM12, TpmRecord(ppk=spki(tpm_key("ppk"))), "NOT_FOUND", "tpm-key-missing"),
        (STREAM_V1, TPM12, on_record(EK), "NOT_FOUND", "tpm-key-missing"),
        (STREAM_V1, EK, on_record(TPM12), "NOT_FOUND", "tpm-key-missing"),
        (
            STREAM_V1,
            EK,
            TpmRecord(ek=spki(ec.generate_private_key(ec.SECP256R1()))),
            "INTERNAL",
            "tpm-key-unusable",
        ),
        (STREAM_V1, EK, TpmRecord(ek=spki(tpm_key("big", 3072))), "INTERNAL", "tpm-key-unusable"),
        (
            STREAM_V1,
            TPM12,
            TpmRecord(ek=spki(ec.generate_private_key(ec.SECP384R1()))),
            "INTERNAL",
            "tpm-key-unusable",
        ),
    ],
)
def test_keys_on_record_that_do_not_do(
    world: World,
    flow: StreamFlow,
    kind: IdentityKind,
    tpm: TpmRecord,
    status: str,
    reason: str,
) -> None:
    fill(world, kind, tpm=tpm)
    assert introduced(world, flow, kind, Lie()) == both(status, reason)


def flip(data: bytes, seed: int) -> bytes:
    bit = random.Random(seed).randrange(8 * len(data))
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def changed(answer: ChallengeAnswer, part: str, change: Callable[[bytes], bytes]) -> Any:
    return replace(answer, **{part: change(getattr(answer, part))})


PARTS: dict[IdentityKind, list[str]] = {
    IDEVID: ["signature"],
    EK: ["iak_public", "certify_info", "signature"],
    IdentityKind.TPM20_PPK: ["signature"],
    IdentityKind.EK_OR_PPK: ["iak_public", "certify_info", "signature"],
    TPM12: ["hash"],
}
CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut": lambda data: data[:-1],
    "surplus": lambda data: data + b"\0",
    "oversized": lambda data: data + bytes(8000 - len(data)),
    **{f"bit-{seed}": lambda data, seed=seed: flip(data, seed) for seed in range(3)},
}


@pytest.mark.parametrize(("flow", "kind"), KINDS)
def test_answers_that_were_changed(world: World, flow: StreamFlow, kind: IdentityKind) -> None:
    fill(world, kind)
    parts = PARTS[kind] + (["transport_key"] if flow.bound else [])

    async def story(running: Running) -> None:
        for part in parts:
            for name, change in CHANGES.items():
                lie = Lie(answer=lambda honest, p=part, c=change: changed(honest, p, c))
                for call in (
                    ask(running, flow, prover(kind), lie),
                    tell(running, flow, prover(kind), lie),
                ):
                    status, _ = await refused(call)
                    assert status == "INVALID_ARGUMENT", (part, name)

    run(story, world)
    nothing_answered(world)


@pytest.mark.parametrize(("flow", "kind"), KINDS)
def test_an_answer_of_another_stream_or_of_yesterday(
    world: World, flow: StreamFlow, kind: IdentityKind
) -> None:
    fill(world, kind)
    kept: list[ChallengeAnswer] = []

    def keep(honest: ChallengeAnswer) -> ChallengeAnswer:
        kept.append(honest)
        return honest

    async def story(running: Running) -> None:
        opened(await ask(running, flow, prover(kind), Lie(answer=keep)))
        status, reason = await refused(
            ask(running, flow, prover(kind), Lie(answer=lambda _: kept[0]))
        )
        assert status == "INVALID_ARGUMENT"
        assert reason in {
            "challenge-signature-invalid",
            "challenge-nonce-mismatch",
            "tpm-hmac-invalid",
        }

    run(story, world)


@pytest.mark.parametrize(("flow", "kind"), KINDS)
def test_an_answer_of_another_device(world: World, flow: StreamFlow, kind: IdentityKind) -> None:
    fill(world, kind)

    async def story(running: Running) -> None:
        async with dialogue(running, flow) as stream:
            honest = prover(kind)
            challenge = await stream.open_with(honest)
            if kind is IDEVID:
                answer = await stream.answered(
                    prover(kind, manufacturer().device("FX2")), challenge
                )
            else:
                # It has guessed a key, since it cannot open this one.
                answer = await stream.answered(honest, challenge)
                answer = changed(
                    answer,
                    "hash" if kind is TPM12 else "signature",
                    lambda d: d[:4] + bytes(len(d) - 4),
                )
            assert (await refused(stream.say(answer)))[0] == "INVALID_ARGUMENT"

    run(story, world)
    nothing_answered(world)


KIND_OF_ANSWER: dict[IdentityKind, ChallengeAnswer] = {
    IDEVID: SignatureAnswer(b"s", b"t"),
    EK: HmacAnswer(b"p", b"i", b"s", b"t"),
    TPM12: EkAnswer(b"h", b"t"),
}


@pytest.mark.parametrize(("flow", "kind"), KINDS)
def test_answers_of_another_kind(world: World, flow: StreamFlow, kind: IdentityKind) -> None:
    fill(world, kind)
    own = EK if kind in {IdentityKind.TPM20_PPK, IdentityKind.EK_OR_PPK} else kind
    others = [answer for other, answer in KIND_OF_ANSWER.items() if other is not own]
    if not flow.bound:
        others = [answer for answer in others if not isinstance(answer, EkAnswer)]

    async def story(running: Running) -> None:
        for answer in others:
            async with dialogue(running, flow) as stream:
                await stream.open_with(prover(kind))
                told = await refused(stream.say(answer))
                assert told == ("FAILED_PRECONDITION", "challenge-kind-mismatch")

    run(story, world)
    nothing_answered(world)


OUT_OF_ORDER = ("FAILED_PRECONDITION", "stream-out-of-order")


@pytest.mark.parametrize(("flow", "kind"), KINDS)
def test_every_message_out_of_order(world: World, flow: StreamFlow, kind: IdentityKind) -> None:
    fill(world, kind)
    own = EK if kind in {IdentityKind.TPM20_PPK, IdentityKind.EK_OR_PPK} else kind
    answer = KIND_OF_ANSWER[own]

    async def story(running: Running) -> None:
        async with dialogue(running, flow) as stream:
            assert await refused(stream.say(answer)) == OUT_OF_ORDER
        for opening in (request(), report("FX1")):
            for early in (request(), report("FX1")):
                async with dialogue(running, flow) as stream:
                    await stream.open_with(prover(kind), opening)
                    assert await refused(stream.say(early)) == OUT_OF_ORDER
            for late in (request(), answer):
                async with dialogue(running, flow) as stream:
                    await stream.attest(prover(kind), opening)
                    assert await refused(stream.say(late)) == OUT_OF_ORDER

    run(story, world)


@pytest.mark.parametrize("flow", FLOWS)
def test_there_is_one_answer_to_a_challenge(world: World, flow: StreamFlow) -> None:
    fill(world)

    async def story(running: Running) -> None:
        async with dialogue(running, flow) as stream:
            honest = prover(IDEVID)
            challenge = await stream.open_with(honest)
            good = await stream.answered(honest, challenge)
            wrong = changed(good, "signature", lambda data: data[:-1])
            refusal = await refused(stream.say(wrong))
            assert refusal[0] == "INVALID_ARGUMENT"
            # The stream is closed: what is said now gets the same refusal.
            assert await refused(stream.say(good)) == refusal

    run(story, world)
    nothing_answered(world)


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("message", [b"", b"\x3a\x05draft", b"\x08\x01", b"\xff"])
def test_messages_that_say_nothing(world: World, flow: StreamFlow, message: bytes) -> None:
    fill(world)

    async def story(running: Running) -> None:
        async with dialogue(running, flow) as stream:
            status, reason = await refused(stream.say(message))
            assert status == "INVALID_ARGUMENT"
            assert reason in {"stream-message-empty", "message-malformed"}

    run(story, world)
    nothing_answered(world)


@pytest.mark.parametrize("flow", FLOWS)
def test_a_message_that_is_too_large(world: World, flow: StreamFlow) -> None:
    fill(world)

    async def story(running: Running) -> None:
        async with dialogue(running, flow) as stream:
            told = await refused(stream.say(bytes(2 << 20)))
            assert told == ("RESOURCE_EXHAUSTED", "message-too-large")

    run(story, world)


@pytest.mark.parametrize(("flow", "kind"), KINDS)
def test_time_limits_of_answers(world: World, flow: StreamFlow, kind: IdentityKind) -> None:
    fill(world, kind)
    clock = [1000.0]
    world.monotonic = lambda: clock[0]
    tpm20 = kind in {EK, IdentityKind.TPM20_PPK, IdentityKind.EK_OR_PPK}

    def after(seconds: float) -> Lie:
        async def wait() -> None:
            clock[0] += seconds

        return Lie(before_answer=wait)

    async def story(running: Running) -> None:
        opened(await ask(running, flow, prover(kind), after(10.0)))
        if not tpm20:
            opened(await ask(running, flow, prover(kind), after(1000.0)))
            return
        late = ("DEADLINE_EXCEEDED", "challenge-late")
        assert await refused(ask(running, flow, prover(kind), after(10.1))) == late
        assert await refused(tell(running, flow, prover(kind), after(10.1))) == late
        # A late answer is not even looked at.
        lie = replace(after(11), answer=lambda honest: changed(honest, "certify_info", bytes))
        assert await refused(ask(running, flow, prover(kind), lie)) == late

    run(story, world)


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("begun", [True, False])
def test_idle_streams_are_closed(world: World, flow: StreamFlow, begun: bool) -> None:
    fill(world)
    limits = world.site.config.limits
    # A busy machine needs its time to be asked at all.
    idle = 2.0 if begun else 0.3
    world.settings["limits"] = limits.model_copy(update={"stream_idle_timeout": idle})

    async def story(running: Running) -> None:
        made = await prover(IDEVID).introduce(flow)
        opening = replace(request(), identity=made.identity)
        channel = Channel(*running.bound.bootz[0], ssl=client_tls(), codec=BytesCodec())
        path = f"{CURRENT.path}/{flow.method}"
        with pytest.raises(GRPCError) as caught:
            async with StreamStreamMethod[bytes, bytes](channel, path, bytes, bytes).open() as call:
                await call.send_request()
                if begun:
                    await call.send_message(STREAM_CODECS[flow.method].tell(opening))
                    assert await call.recv_message()
                # The server ends it; nobody has spoken.
                assert await call.recv_message() is None
        end_channel(channel)
        assert caught.value.status is Status.DEADLINE_EXCEEDED
        assert (caught.value.message or "").startswith("stream-idle")

    run(story, world)
    assert [attempt.reason for attempt in world.attempts()] == ["stream-idle"] * begun


TRANSPORT_KEYS: list[Any] = [
    pytest.param(lambda key: replace(key, cipher_suite=0), "transport-key-unusable", id="none"),
    pytest.param(lambda key: replace(key, cipher_suite=1), "transport-key-unusable", id="NONE"),
    pytest.param(lambda key: replace(key, cipher_suite=99), "transport-key-unusable", id="99"),
    pytest.param(lambda key: replace(key, public_key=b""), "transport-key-invalid", id="empty"),
    pytest.param(lambda key: replace(key, public_key=bytes(31)), "transport-key-invalid", id="31"),
    pytest.param(lambda key: replace(key, public_key=bytes(33)), "transport-key-invalid", id="33"),
    pytest.param(lambda key: replace(key, public_key=bytes(32)), "transport-key-invalid", id="0"),
    pytest.param(
        lambda key: replace(key, public_key=b"\x01" + bytes(31)), "transport-key-invalid", id="1"
    ),
]


@pytest.mark.parametrize("kind", [IDEVID, EK, IdentityKind.TPM20_PPK, TPM12])
@pytest.mark.parametrize(("change", "reason"), TRANSPORT_KEYS)
def test_transport_keys(
    world: World,
    kind: IdentityKind,
    change: Callable[[TransportKey], TransportKey],
    reason: str,
) -> None:
    fill(world, kind)
    lie = Lie(transport_key=change)

    async def story(running: Running) -> None:
        told = await refused(ask(running, STREAM_V1, prover(kind), lie))
        assert told == ("INVALID_ARGUMENT", reason)
        # A report gets no data: nobody looks at suite and key.
        await tell(running, STREAM_V1, prover(kind), lie)

    run(story, world)


@pytest.mark.parametrize("nonce", [b"", bytes(32), b"x"])
def test_a_transport_key_with_another_nonce(world: World, nonce: bytes) -> None:
    fill(world)
    lie = Lie(transport_key=lambda key: replace(key, nonce=nonce))
    told = introduced(world, STREAM_V1, IDEVID, lie)
    assert told == both("INVALID_ARGUMENT", "challenge-nonce-mismatch")


def test_a_signature_over_the_decoded_nonce(world: World) -> None:
    """v0.6 signs the text; and never the transport key of V1."""
    fill(world)
    device = manufacturer().device("FX1")

    async def story(running: Running) -> None:
        async with dialogue(running, STREAM) as stream:
            challenge: Any = await stream.open_with(prover(IDEVID, device))
            decoded = base64.b64decode(challenge.nonce, validate=True)
            assert (len(challenge.nonce), len(decoded)) == (44, 32)
            wrong = SignatureAnswer(signer(device)(decoded, hashes.SHA256()))
            told = await refused(stream.say(wrong))
            assert told == ("INVALID_ARGUMENT", "challenge-signature-invalid")

    run(story, world)


@pytest.mark.parametrize(("flow", "kind"), KINDS)
def test_what_is_looked_at_only_after_the_challenge(
    world: World, flow: StreamFlow, kind: IdentityKind
) -> None:
    world.add_chassis(cards=(CardRecord("FX1", tpm=on_record(kind)),))

    async def asked(running: Running, wanted: BootstrapRequest) -> tuple[str, str]:
        async with dialogue(running, flow) as stream:
            honest = prover(kind)
            challenge = await stream.open_with(honest, wanted)
            return await refused(stream.say(await stream.answered(honest, challenge)))

    async def story(running: Running) -> None:
        told = await asked(running, request(nonce=None))
        assert told == ("FAILED_PRECONDITION", "nonce-missing")
        assert await asked(running, request()) == ("FAILED_PRECONDITION", "voucher-missing")

    run(story, world)
    nothing_answered(world)


@pytest.mark.parametrize("flow", FLOWS)
def test_an_asking_card_that_needs_nothing(world: World, flow: StreamFlow) -> None:
    world.add_chassis("CH1", modular=True, cards=(CardRecord("RP0"),))
    wanted = request("RP0", cards=["RP0"], status=CardStatus.INITIALIZED)

    async def story(running: Running) -> None:
        honest = prover(IDEVID, manufacturer().device("RP0"))
        told = await refused(ask(running, flow, honest, wanted=wanted))
        assert told == ("NOT_FOUND", "cards-unknown")

    run(story, world)


@pytest.mark.parametrize(("flow", "kind"), KINDS)
def test_reports_for_cards_of_another_chassis(
    world: World, flow: StreamFlow, kind: IdentityKind
) -> None:
    fill(world, kind)
    world.add_chassis("OTHER")
    foreign = ("PERMISSION_DENIED", "report-card-foreign")

    async def story(running: Running) -> None:
        # With a challenge of its own, and on a stream that is proven already.
        both_cards = report("FX1", "OTHER")
        assert await refused(tell(running, flow, prover(kind), told=both_cards)) == foreign
        async with dialogue(running, flow) as stream:
            await stream.attest(prover(kind))
            assert await refused(stream.say(report("OTHER"))) == foreign

    run(story, world)
    assert all(attempt.reports == 0 for attempt in world.attempts())


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (report(), "report-without-cards"),
        (report("FX1", status=ReportedStatus.UNSPECIFIED), "report-status-unspecified"),
    ],
)
def test_reports_that_say_nothing(
    world: World, flow: StreamFlow, told: StatusReport, reason: str
) -> None:
    fill(world)

    async def story(running: Running) -> None:
        assert await refused(tell(running, flow, prover(IDEVID), told=told)) == (
            "INVALID_ARGUMENT",
            reason,
        )
        async with dialogue(running, flow) as stream:
            assert isinstance(await stream.attest(prover(IDEVID)), SealedData)
            assert await refused(stream.say(told)) == ("INVALID_ARGUMENT", reason)

    run(story, world)


def test_a_report_is_not_recorded_before_its_challenge_is_won(world: World) -> None:
    fill(world)

    async def story(running: Running) -> None:
        async with dialogue(running, STREAM_V1) as stream:
            honest = prover(IDEVID)
            challenge = await stream.open_with(honest, report("FX1"))
            assert not world.attempts()
            answer = await stream.answered(honest, challenge)
            assert await stream.say(answer) == Acknowledged()
            assert world.attempts()[0].reports == 1

    run(story, world)


def test_a_request_without_an_active_card(world: World) -> None:
    fill(world)
    wanted = replace(request(), active=CardState("", CardStatus.NOT_INITIALIZED))

    async def story(running: Running) -> None:
        told = await refused(ask(running, STREAM_V1, prover(IDEVID), wanted=wanted))
        assert told == ("INVALID_ARGUMENT", "active-card-missing")

    run(story, world)
