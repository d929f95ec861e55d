"""The client of an OVGS service: tokens, tries, the breaker, older services, strictness."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from grpclib.client import Channel
from grpclib.const import Status
from hypothesis import given
from hypothesis import strategies as st
from masa.world import make_folder
from pki import make_pair
from voucher_source.service import FakeService

from bootz.errors import BootzError
from bootz.keystore.files import load_certificates
from bootz.server.voucher_source import client as client_module
from bootz.server.voucher_source.client import OvgsClient
from bootz.server.voucher_source.retry import FAILURES, FIRST_S, MOST_S, OPEN_S, Breaker
from bootz.server.voucher_source.token import SourceToken
from bootz.transport.backoff import backoff
from bootz.transport.calling import client_context
from bootz.transport.codec import BytesCodec
from bootz.transport.limits import ListenerLimits
from bootz.transport.listener import GrpcListener
from bootz.transport.tls import server_context
from bootz.wire.ovgs import messages as pb

NOW = datetime.now(UTC).replace(microsecond=0)
UNTIL = NOW + timedelta(days=1)
KEY = "round-1"


class Caller:
    """A client whose time and chance belong to the test."""

    def __init__(self, folder: Path, service: FakeService, **metadata: str) -> None:
        self.token_file = folder / "token"
        self.write_token("good-token")
        self.slept: list[float] = []
        self.seconds = 0.0
        self.client = OvgsClient(
            lambda codec: Channel("127.0.0.1", service.port, codec=codec),
            where="masa:1",
            ien="9",
            token=SourceToken(self.token_file, "", {}),
            metadata=(
                metadata.get("key", "authorization"),
                metadata.get("template", "Bearer {token}"),
            ),
            clock=lambda: NOW,
            chance=lambda: 0.5,
            sleep=self._sleep,
            monotonic=lambda: self.seconds,
        )

    def write_token(self, text: str) -> None:
        self.token_file.write_text(text + "\n")
        self.token_file.chmod(0o600)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def play(
    folder: Path, service: FakeService, story: Callable[[Caller], Awaitable[None]], **metadata: str
) -> Caller:
    async def run() -> Caller:
        async with service.serving():
            caller = Caller(folder, service, **metadata)
            try:
                await story(caller)
            finally:
                caller.client.close()
            return caller

    return asyncio.run(run())


async def failed(call: Awaitable[object]) -> BootzError:
    with pytest.raises(BootzError) as caught:
        await call
    return caught.value


def registration(_: Any = None) -> Message:
    return pb.GetDomainCertResponse(certificate_der=b"der", cert_id="c")


def vouchers(request: pb.GetOwnershipVouchersRequest) -> Message:
    return pb.GetOwnershipVouchersResponse(
        ownership_vouchers=[
            pb.GetOwnershipVoucherResponse(voucher_cms=each.serial_number.encode())
            for each in request.component
        ]
    )


def voucher(request: pb.GetOwnershipVoucherRequest) -> Message:
    return pb.GetOwnershipVoucherResponse(voucher_cms=request.component.serial_number.encode())


def in_turn(*answers: Message | bytes | Status) -> Callable[[Any], Message | bytes | Status]:
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def test_a_call_carries_token_and_vendor(tmp_path: Path) -> None:
    service = FakeService()
    service.answers["GetOwnershipVouchers"] = vouchers

    async def story(caller: Caller) -> None:
        answers = await caller.client.vouchers(["A", "b"], "cert-1", UNTIL, key=KEY)
        assert [answer.cms for answer in answers] == [b"A", b"b"]

    caller = play(tmp_path, service, story)
    (request,) = service.requests
    assert [(each.ien, each.serial_number) for each in request.component] == [
        ("9", "A"),
        ("9", "b"),
    ]
    assert (request.cert_id, request.lifetime.ToDatetime(UTC)) == ("cert-1", UNTIL)
    assert service.metadata[0]["authorization"] == "Bearer good-token"
    assert service.metadata[0]["idempotency-key"] == KEY
    assert caller.client.tally.calls == {("GetOwnershipVouchers", "OK"): 1}
    assert caller.client.tally.last_success == NOW


def test_the_token_may_travel_otherwise(tmp_path: Path) -> None:
    service = FakeService()
    service.answers["GetDomainCert"] = registration

    async def story(caller: Caller) -> None:
        await caller.client.registration("c")

    play(tmp_path, service, story, key="cookie", template="access_token={token}")
    assert service.metadata[0]["cookie"] == "access_token=good-token"
    assert "authorization" not in service.metadata[0]


def test_a_changed_token_is_read_and_a_refused_one_read_again_once(tmp_path: Path) -> None:
    service = FakeService()
    service.answers["GetDomainCert"] = registration

    async def story(caller: Caller) -> None:
        await caller.client.registration("c")
        caller.write_token("other-token")
        await caller.client.registration("c")
        service.answers["GetDomainCert"] = in_turn(Status.UNAUTHENTICATED, registration())
        await caller.client.registration("c")
        service.answers["GetDomainCert"] = lambda _: Status.UNAUTHENTICATED
        error = await failed(caller.client.registration("c"))
        assert error.reason == "masa-token-refused"
        assert "token" not in error.detail.replace("the token", "")

    caller = play(tmp_path, service, story)
    tokens = [each["authorization"] for each in service.metadata]
    assert tokens == ["Bearer good-token"] + ["Bearer other-token"] * 5
    assert caller.slept == []


@pytest.mark.parametrize("text", ["", "a\x00b", "x" * 9000, "tök"])
def test_what_is_no_token_is_never_sent(tmp_path: Path, text: str) -> None:
    service = FakeService()

    async def story(caller: Caller) -> None:
        caller.token_file.write_bytes(text.encode())
        error = await failed(caller.client.registration("c"))
        assert error.reason in ("masa-token-unusable", "key-malformed")
        assert text[:5] not in str(error) or not text

    play(tmp_path, service, story)
    assert service.calls == []


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("good-token\n")
    path.chmod(0o644)
    with pytest.raises(BootzError) as caught:
        SourceToken(path, "", {}).read()
    assert caught.value.reason == "key-permissions"


def test_a_token_may_stand_in_the_environment() -> None:
    assert SourceToken(None, "OVGS", {"OVGS": "t0ken"}).read() == "t0ken"
    with pytest.raises(BootzError) as caught:
        SourceToken(None, "OVGS", {}).read()
    assert caught.value.reason == "masa-token-unusable"


@pytest.mark.parametrize(
    "status",
    [
        Status.UNAVAILABLE,
        Status.DEADLINE_EXCEEDED,
        Status.RESOURCE_EXHAUSTED,
        Status.ABORTED,
    ],
)
def test_what_may_pass_is_tried_again(tmp_path: Path, status: Status) -> None:
    service = FakeService()
    service.answers["GetDomainCert"] = in_turn(status, status, status, registration())

    async def story(caller: Caller) -> None:
        await caller.client.registration("c")
        service.answers["GetDomainCert"] = lambda _: status
        error = await failed(caller.client.registration("c"))
        assert (error.reason, error.seen) == ("masa-refused", status.name)

    caller = play(tmp_path, service, story)
    assert len(service.calls) == 8
    assert caller.slept == [0.25, 0.5, 1.0] * 2


@pytest.mark.parametrize(
    "status",
    [
        Status.INVALID_ARGUMENT,
        Status.NOT_FOUND,
        Status.PERMISSION_DENIED,
        Status.FAILED_PRECONDITION,
        Status.ALREADY_EXISTS,
        Status.UNIMPLEMENTED,
        Status.INTERNAL,
    ],
)
def test_what_stays_is_not_tried_again(tmp_path: Path, status: Status) -> None:
    service = FakeService()
    service.answers["GetDomainCert"] = lambda _: status

    async def story(caller: Caller) -> None:
        for _ in range(FAILURES + 1):
            # A refusal is an answer: it never opens the breaker.
            error = await failed(caller.client.registration("c"))
            assert (error.reason, error.seen) == ("masa-refused", status.name)
            assert "GetDomainCert says no" in error.detail

    caller = play(tmp_path, service, story)
    assert len(service.calls) == FAILURES + 1
    assert caller.slept == []


def test_a_service_that_is_down_is_left_alone_for_a_while(tmp_path: Path) -> None:
    service = FakeService()
    service.answers["GetDomainCert"] = registration

    async def run() -> None:
        async with service.serving():
            pass
        caller = Caller(tmp_path, service)
        assert (await failed(caller.client.registration("c"))).reason == "masa-unreachable"
        assert len(caller.slept) == 3
        assert (await failed(caller.client.registration("c"))).reason == "masa-suspended"
        assert len(caller.slept) == 4
        async with service.serving(service.port):
            caller.seconds = OPEN_S - 1
            assert (await failed(caller.client.registration("c"))).reason == "masa-suspended"
            caller.seconds = OPEN_S
            await caller.client.registration("c")
            caller.client.close()
        # Open again after one more failure only when five are counted anew.
        assert (await failed(caller.client.registration("c"))).reason == "masa-unreachable"

    asyncio.run(run())


@given(st.integers(1, 50), st.floats(0, 1, exclude_max=True))
def test_pauses_are_bounded_and_never_negative(tries: int, chance: float) -> None:
    assert 0 <= backoff(tries, chance, first=FIRST_S, most=MOST_S) <= 8


def test_a_breaker_opens_again_after_one_failure_in_its_trial() -> None:
    seconds = 0.0
    breaker = Breaker(lambda: seconds)
    for _ in range(FAILURES):
        assert breaker.wait() == 0
        breaker.failed()
    assert breaker.wait() == OPEN_S
    seconds = OPEN_S
    assert breaker.wait() == 0
    breaker.failed()
    assert breaker.wait() == OPEN_S
    breaker.succeeded()
    assert breaker.wait() == 0


def test_an_older_service_is_asked_one_by_one_for_an_hour(tmp_path: Path) -> None:
    service = FakeService()
    service.answers["GetOwnershipVoucher"] = voucher
    service.answers["GetSerial"] = lambda _: pb.GetSerialResponse(public_key_der=b"old")

    async def story(caller: Caller) -> None:
        async def ask() -> Sequence[bytes]:
            return [
                each.cms for each in await caller.client.vouchers(["A", "B"], "c", UNTIL, key=KEY)
            ]

        assert await ask() == await ask() == [b"A", b"B"]
        caller.seconds = 3599
        assert await ask() == [b"A", b"B"]
        service.answers["GetOwnershipVouchers"] = vouchers
        caller.seconds = 3600
        assert await ask() == [b"A", b"B"]
        tpms = await caller.client.tpms(["A"])
        assert tpms[0].deprecated_key == b"old"

    play(tmp_path, service, story)
    single = ["GetOwnershipVoucher"] * 2
    assert service.calls == [
        *("GetOwnershipVouchers", *single),
        *(*single, *single),
        *("GetOwnershipVouchers", "GetSerials", "GetSerial"),
    ]


BAD: dict[str, Message | bytes] = {
    "too few": pb.GetOwnershipVouchersResponse(),
    "too many": pb.GetOwnershipVouchersResponse(
        ownership_vouchers=[pb.GetOwnershipVoucherResponse()] * 3
    ),
    "no protobuf": b"\xff\xff\xff",
    "5 MiB": bytes(5 << 20),
}


@pytest.mark.parametrize("answer", BAD.values(), ids=BAD)
def test_an_answer_that_is_none_is_blamed_on_the_service(
    tmp_path: Path, answer: Message | bytes
) -> None:
    service = FakeService()
    service.answers["GetOwnershipVouchers"] = lambda _: answer

    async def story(caller: Caller) -> None:
        error = await failed(caller.client.vouchers(["A", "B"], "c", UNTIL, key=KEY))
        assert error.reason == "masa-answer-invalid"

    play(tmp_path, service, story)
    assert len(service.calls) == 1


def test_a_service_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "TRY_S", 0.05)
    ended = asyncio.Queue[None]()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        ended.put_nowait(None)

    async def run() -> None:
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        async with server:
            service = FakeService()
            service.port = server.sockets[0].getsockname()[1]
            caller = Caller(tmp_path, service)
            error = await failed(caller.client.registration("c"))
            assert error.reason in ("masa-deadline", "masa-broken")
            assert len(caller.slept) == 3
            caller.client.close()
            for _ in range(4):
                await ended.get()

    asyncio.run(run())


def test_the_server_must_be_the_one_that_the_roots_vouch_for(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    context = server_context(folder / "keys" / "tls.pem", folder / "keys" / "tls.key")
    own = load_certificates(folder / "keys" / "root.pem")
    foreign = [make_pair("foreign", ca=True).der]

    async def ask(roots: Sequence[bytes], host: str, port: int) -> str:
        tls = client_context(roots)

        def open_channel(codec: BytesCodec) -> Channel:
            return Channel(host, port, ssl=tls, codec=codec)

        client = OvgsClient(
            open_channel,
            where="masa",
            ien="9",
            token=SourceToken(None, "T", {"T": "token"}),
            metadata=("authorization", "Bearer {token}"),
            clock=lambda: NOW,
            chance=lambda: 0.0,
        )
        try:
            return (await failed(client.registration("c"))).reason
        finally:
            client.close()

    async def run() -> None:
        async with AsyncExitStack() as stack:
            listener = GrpcListener({}, limits=ListenerLimits(), context=context)
            ((_, port),) = await listener.start([("127.0.0.1", 0)])
            stack.push_async_callback(listener.drain, 1)
            # Over TLS, the service without methods refuses; elsewhere the call ends before.
            assert await ask(own, "127.0.0.1", port) == "masa-refused"
            assert await ask(foreign, "127.0.0.1", port) == "masa-untrusted"
            assert await ask(own, "127.0.0.2", port) == "masa-unreachable"

    asyncio.run(run())
