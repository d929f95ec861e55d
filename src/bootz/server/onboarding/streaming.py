"""Conversations on streams: a challenge takes the place of the client certificate in TLS.

The order of messages is ``protocol.streams``', every check ``protocol.stream_session``'s, the
spelling ``wire.streams``'; what a proven chassis is sent is made where the unary calls' is. This
shell asks the ports, reads the clocks, and leaves one record in the journal for each thing that
was asked or reported, before it is answered.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from bootz.errors import BootzError, OrderError, Unavailable
from bootz.log import get_logger
from bootz.model.bootstrap import BootstrapRequest, StatusReport
from bootz.model.challenge import ChallengeAnswer, EkAnswer, HmacAnswer, SignatureAnswer
from bootz.model.chassis import ProvenChassis
from bootz.model.checks import Check
from bootz.protocol.challenges import FRESH_BYTES
from bootz.protocol.reports import StreamReportSession
from bootz.protocol.steps import known
from bootz.protocol.stream_session import StreamSession
from bootz.protocol.streams import StreamOrder, StreamStep
from bootz.server.onboarding.attempt import Attempt, Caller
from bootz.server.onboarding.sealing import OwnerState, Sealer
from bootz.server.ports import Clock, Inventory, Journal, Renderer
from bootz.wire.dialects import CURRENT
from bootz.wire.flows import StreamFlow
from bootz.wire.streams import STREAM_CODECS, Acknowledged, Reply, Told

log = get_logger()


class StreamService:
    """Opens conversations.

    Args:
        inventory, renderer, journal, owner, clock: as those of ``BootstrapService``.
        monotonic: seconds that only ever rise; the age of a challenge is measured by it.
        draw: that many random bytes, fit for keys.
    """

    def __init__(
        self,
        *,
        inventory: Inventory,
        renderer: Renderer,
        journal: Journal,
        owner: Callable[[], OwnerState],
        clock: Clock,
        monotonic: Callable[[], float],
        draw: Callable[[int], bytes],
    ) -> None:
        self.inventory = inventory
        self.journal = journal
        self.sealer = Sealer(inventory=inventory, renderer=renderer, owner=owner, clock=clock)
        self.clock = clock
        self.monotonic = monotonic
        self.draw = draw
        self._ending: set[asyncio.Task[None]] = set()

    def open(self, flow: StreamFlow, caller: Caller) -> "StreamConversation":
        """Return the conversation of a new stream.

        A certificate that the caller may have presented in TLS is ignored.

        Source: docs/protocol/pki.md#idevid.
        """
        return StreamConversation(self, flow, Caller(caller.peer, caller.reached_at))

    def abandon(self, conversation: "StreamConversation") -> None:
        """Say that a connection was lost; who owes an answer is put on record behind the scenes."""
        if conversation.challenged:
            task = asyncio.get_running_loop().create_task(_end(conversation))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


async def _end(conversation: "StreamConversation") -> None:
    try:
        await conversation.ended()
    except Unavailable as error:
        log.error("refusal-not-recorded", reason=error.reason, detail=str(error))
    except Exception:
        # A defect of ours: the router has gone, and nothing else hears of it.
        log.exception("refusal-not-recorded")


@dataclass(frozen=True, slots=True)
class _Judged:
    checks: tuple[Check, ...]
    proven: ProvenChassis | None


class StreamConversation:
    """One stream, lock-step: ``take`` a message and send what it returns, then say ``sent``."""

    def __init__(self, service: StreamService, flow: StreamFlow, caller: Caller) -> None:
        self._service = service
        self._flow = flow
        self._caller = caller
        self._codec = STREAM_CODECS[flow.method]
        self._order = StreamOrder()
        self._session = StreamSession(flow)
        self._report: StreamReportSession | None = None
        self._further = False
        self._asked: BootstrapRequest | None = None
        self._told: StatusReport | None = None
        self._attempt = self._new_attempt()

    @property
    def proven(self) -> ProvenChassis | None:
        """The chassis that this stream has proven."""
        return self._session.proven

    @property
    def challenged(self) -> bool:
        """Whether a challenge waits for its answer."""
        return self._session.challenged

    async def take(self, message: bytes) -> bytes:
        """Take one message of the router and return the answer.

        Raises:
            BootzError: refused, and on record; the stream is at its end.
        """
        try:
            arrived = self._codec.arrived(message)
            step = self._order.take(arrived.kind)
            if step is StreamStep.TAKE_REPORT:
                self._further = True
                self._report, self._attempt = None, self._new_attempt()
            reply = await self._do(step, arrived.read())
        except BootzError as error:
            await self.refuse(error)
            raise
        return self._codec.reply(reply)

    def sent(self) -> None:
        """Say that the answer has left; a challenge's time begins now."""
        if self._session.challenged:
            self._session.sent(self._service.monotonic())

    async def ended(self) -> None:
        """Say that the router has closed its side; a challenge without answer is put on record."""
        if self._session.challenged:
            await self.refuse(
                OrderError(
                    "challenge-unanswered",
                    "the router closed the stream instead of answering",
                    where="challenge answer",
                )
            )

    async def refuse(self, error: BootzError) -> None:
        """Put a refusal on record and end the stream."""
        self._order.end()
        attempt = self._attempt
        await self._service.journal.record(
            attempt.record(self._service.clock, self._judged(), error=error)
        )
        attempt.log_refused(error)

    def _new_attempt(self) -> Attempt:
        attempt = Attempt(CURRENT, self._caller, rpc=self._flow.method)
        if self._session.presented is not None:
            attempt.certificate = self._session.presented.leaf
        return attempt

    def _judged(self) -> "_Judged":
        """Return every check of what is on record next; a further report has only its own."""
        session, report = self._session, self._report
        own = () if report is None else report.checks
        return _Judged(own if self._further else session.checks + own, session.proven)

    async def _do(self, step: StreamStep, told: Told) -> Reply:
        match step, told:
            case StreamStep.CHALLENGE_REQUEST, BootstrapRequest():
                self._attempt.take_request(told)
                return await self._challenge(told)
            case StreamStep.CHALLENGE_REPORT, StatusReport():
                self._attempt.take_report(told)
                self._begin_report(told)
                return await self._challenge(told)
            case (
                StreamStep.JUDGE_REQUEST,
                SignatureAnswer() | HmacAnswer() | EkAnswer(),
            ):
                self._attempt.take_chassis(self._judge(told).chassis)
                return await self._answer()
            case StreamStep.JUDGE_REPORT, SignatureAnswer() | HmacAnswer() | EkAnswer():
                self._judge(told)
                return await self._take_report()
            case StreamStep.TAKE_REPORT, StatusReport():
                self._attempt.take_report(told)
                self._begin_report(told)
                return await self._take_report()
            case _:
                raise RuntimeError(f"{step.value}: but {type(told).__name__}")

    def _begin_report(self, report: StatusReport) -> None:
        self._report = StreamReportSession()
        self._told = report
        self._report.take(report)

    async def _challenge(self, told: BootstrapRequest | StatusReport) -> Reply:
        # Steps 2 to 4 of docs/protocol/owner.md#a-request, as far as they go without an answer.
        service, session = self._service, self._session
        now = service.clock()
        if isinstance(told, StatusReport):
            serial = session.begin_report(told)
        else:
            self._asked = told
            serial = session.begin(told)
        if session.presented is not None:
            self._attempt.certificate = session.presented.leaf
        vendors = await service.inventory.vendors()
        candidates = await service.inventory.chassis_of_serial(serial)
        session.resolve(candidates, vendors, now=now)
        session.admit()
        return session.challenge(service.draw(FRESH_BYTES), now=now)

    def _judge(self, answer: ChallengeAnswer) -> ProvenChassis:
        service = self._service
        return self._session.judge(answer, at=service.monotonic(), now=service.clock())

    async def _answer(self) -> Reply:
        request, session, attempt = known(self._asked), self._session, self._attempt
        recipient = session.recipient()
        sealed, _ = await self._service.sealer.seal(session, request, attempt, recipient=recipient)
        attempt.sent["answer_bytes"] = len(sealed.payload)
        attempt.sent["encrypted"] = "no" if recipient is None else "yes"
        await self._service.journal.record(attempt.record(self._service.clock, self._judged()))
        attempt.log_answered()
        return sealed

    async def _take_report(self) -> Reply:
        report, proven = known(self._told), self._session.attested()
        known(self._report).count_for(proven)
        attempt = self._attempt
        attempt.take_chassis(proven.chassis)
        await self._service.journal.record(
            attempt.record(self._service.clock, self._judged(), report=report)
        )
        attempt.log_reported(report, proven.proven_serial)
        return Acknowledged()
