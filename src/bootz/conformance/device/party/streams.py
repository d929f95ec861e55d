"""The streams of the suite's server: the law's order and checks, and the script's faults."""

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from bootz.conformance.device.cases import Given
from bootz.conformance.device.party.desk import Desk
from bootz.errors import BootzError
from bootz.model.bootstrap import BootstrapRequest, CardState, StatusReport
from bootz.model.challenge import Challenge, EkAnswer, HmacAnswer, SignatureAnswer
from bootz.model.checks import Check
from bootz.protocol.challenges import FRESH_BYTES
from bootz.protocol.reports import StreamReportSession
from bootz.protocol.steps import known
from bootz.protocol.stream_session import StreamSession
from bootz.protocol.streams import StreamOrder, StreamStep
from bootz.transport.grpc.call import Call, Method
from bootz.transport.limits import ListenerLimits
from bootz.transport.status import EndCall, Status
from bootz.wire.dialects import CURRENT
from bootz.wire.flows import STREAM_FLOWS, StreamFlow
from bootz.wire.streams import STREAM_CODECS, Acknowledged, Reply, Told

_OTHER = "-OTHER"


def stream_methods(desk: Desk, limits: ListenerLimits) -> Mapping[str, Method]:
    """Return the method table of both streaming calls."""
    return {f"{CURRENT.path}/{flow.method}": _row(desk, flow, limits) for flow in STREAM_FLOWS}


def _row(desk: Desk, flow: StreamFlow, limits: ListenerLimits) -> Method:
    async def handle(call: Call) -> None:
        conversation = _Conversation(desk, flow, call.peer.address)
        try:
            while True:
                async with asyncio.timeout(limits.idle_timeout):
                    message = await call.receive(limits.max_message_bytes)
                    if message is None:
                        return
                    await call.send(conversation.take(message))
                conversation.sent()
        except TimeoutError as error:
            raise EndCall(Status.DEADLINE_EXCEEDED, "stream-idle") from error

    return handle


class _Conversation:
    """One stream, lock-step."""

    def __init__(self, desk: Desk, flow: StreamFlow, peer: str) -> None:
        self._desk = desk
        self._flow = flow
        self._peer = peer
        self._codec = STREAM_CODECS[flow.method]
        self._order = StreamOrder()
        self._session = StreamSession(flow)
        self._asked: BootstrapRequest | None = None
        self._told: StatusReport | None = None

    def take(self, message: bytes) -> bytes:
        """Take one message and return the answer.

        Raises:
            BootzError: refused, by the law or by the script.
        """
        try:
            arrived = self._codec.arrived(message)
            reply = self._do(self._order.take(arrived.kind), arrived.read())
        except BootzError as error:
            self._order.end()
            self._saw_refusal(error)
            raise
        return self._codec.reply(reply)

    def sent(self) -> None:
        """Say that the answer has left."""
        if self._session.challenged:
            self._session.sent(time.monotonic())

    def _do(self, step: StreamStep, told: Told) -> Reply:
        match step, told:
            case StreamStep.CHALLENGE_REQUEST, BootstrapRequest():
                self._asked = told
                return self._challenge(told)
            case StreamStep.CHALLENGE_REPORT, StatusReport():
                self._told = told
                return self._challenge(told)
            case (
                StreamStep.JUDGE_REQUEST,
                SignatureAnswer() | HmacAnswer() | EkAnswer(),
            ):
                self._judge(told)
                return self._answer()
            case StreamStep.JUDGE_REPORT, SignatureAnswer() | HmacAnswer() | EkAnswer():
                self._judge(told)
                return self._take(known(self._told))
            case StreamStep.TAKE_REPORT, StatusReport():
                return self._take(told)
            case _:
                raise RuntimeError(f"{step.value}: but {type(told).__name__}")

    def _challenge(self, told: BootstrapRequest | StatusReport) -> Challenge:
        given = self._desk.script.given
        claimed = _bent(told, given) if isinstance(told, BootstrapRequest) else told
        challenge = self._begun(self._session, claimed)
        if given is Given.CHALLENGE:
            # Made by another conversation: whatever the device answers, it is not to this one.
            return self._begun(StreamSession(self._flow), claimed)
        return challenge

    def _begun(self, session: StreamSession, told: BootstrapRequest | StatusReport) -> Challenge:
        desk, script = self._desk, self._desk.script
        now = datetime.now(UTC)
        if isinstance(told, StatusReport):
            session.begin_report(told)
        else:
            session.begin(told)
        suffix = _OTHER if script.given is Given.OTHER_SERIAL else ""
        chassis = desk.record.chassis(insecure=script.insecure, suffix=suffix)
        session.resolve([chassis], [desk.record.vendor], now=now)
        session.admit()
        return session.challenge(secrets.token_bytes(FRESH_BYTES), now=now)

    def _judge(self, answer: SignatureAnswer | HmacAnswer | EkAnswer) -> None:
        self._session.judge(answer, at=time.monotonic(), now=datetime.now(UTC))

    def _answer(self) -> Reply:
        desk, session, request = self._desk, self._session, known(self._asked)
        script = desk.script
        recipient = session.recipient()
        answered = desk.select(session, script)
        body = desk.answers.encode(
            script.planned or desk.answers.plan(script.given), answered, CURRENT
        )
        sealed = desk.answers.seal(
            script.given,
            body,
            nonce=request.nonce,
            serial_number=answered[0],
            recipient=recipient,
        )
        sent = sealed.content or b""
        desk.saw(session, request, self._peer, CURRENT, self._flow.name, sent=sent)
        return sealed

    def _take(self, report: StatusReport) -> Reply:
        session = StreamReportSession()
        refused = ""
        try:
            session.take(report)
            session.count_for(self._session.attested())
        except BootzError as error:
            refused = error.reason
            raise
        finally:
            self._keep(report, session.checks, refused)
        return Acknowledged()

    def _keep(self, report: StatusReport, checks: tuple[Check, ...], refused: str) -> None:
        self._desk.saw_report(report, checks, self._peer, CURRENT, self._flow.name, refused=refused)

    def _saw_refusal(self, error: BootzError) -> None:
        if self._told is not None and self._asked is None and not self._session.proven:
            self._keep(self._told, self._session.checks, error.reason)
        elif not self._session.proven or self._asked is not None:
            self._desk.saw(
                self._session,
                self._asked,
                self._peer,
                CURRENT,
                self._flow.name,
                refused=error.reason,
            )


def _bent(request: BootstrapRequest, given: Given) -> BootstrapRequest:
    """Return a request as it would have been with the fault that a device cannot be asked for."""
    match given:
        case Given.NO_AIK_DIGEST:
            return replace(request, aik_pub_digest=None)
        case Given.OTHER_SERIAL:
            described = request.descriptor
            return replace(
                request,
                active=CardState(request.active.serial_number + _OTHER, request.active.status),
                descriptor=replace(
                    described,
                    serial_number=described.serial_number and described.serial_number + _OTHER,
                    control_cards=tuple(
                        replace(card, serial_number=card.serial_number + _OTHER)
                        for card in described.control_cards
                    ),
                ),
            )
        case _:
            return request
