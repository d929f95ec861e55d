"""The suite's Bootz server: it answers by its script and keeps what it sees.

Every check of a request is the law's own (``BootstrapSession``), so that a router that asks
wrongly is refused as a real server would, and the refusal is in the report.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bootz.conformance.device.answers import AnswerMaker
from bootz.conformance.device.material import Owner
from bootz.conformance.device.party.desk import Desk, DeskRecord
from bootz.conformance.device.party.streams import stream_methods
from bootz.errors import BootzError
from bootz.model.bootstrap import BootstrapRequest
from bootz.protocol.idevid import TlsCertificate
from bootz.protocol.reports import ReportSession
from bootz.protocol.server import BootstrapSession
from bootz.transport.binding import peer_address
from bootz.transport.grpc.call import Call, Method
from bootz.transport.limits import ListenerLimits
from bootz.transport.listener import GrpcListener
from bootz.transport.peer import PeerInfo
from bootz.transport.tls import RefusedHandshake, server_context
from bootz.wire.answers import encode_answer, encode_empty
from bootz.wire.dialects import (
    DIALECTS,
    GET_BOOTSTRAP_DATA,
    REPORT_STATUS,
    Dialect,
    written_dialect,
)
from bootz.wire.reports import decode_report
from bootz.wire.requests import decode_bootstrap_request

UNARY = "unary"


class ScriptedServer(Desk):
    """The server; an async context manager that listens while it is entered, more than once.

    Args:
        owner: its keys.
        record: whom it serves.
        answers: makes what it sends.
        listen: address and port; port 0 lets the system choose.
        advertised: the host that the device is told.
        folder: for the TLS key while it runs.
        also: more addresses to listen on, with the same port.
    """

    def __init__(
        self,
        owner: Owner,
        record: DeskRecord,
        answers: AnswerMaker,
        *,
        listen: tuple[str, int],
        advertised: str,
        folder: Path,
        also: Sequence[str] = (),
    ) -> None:
        super().__init__(record, answers)
        self._owner = owner
        self._listen = listen
        self._advertised = advertised
        self._folder = folder
        self._also = tuple(also)
        self._limits = ListenerLimits()
        self._listener: GrpcListener | None = None
        self._material: tuple[Path, Path] | None = None

    @property
    def uri(self) -> str:
        """Where the device finds it."""
        return f"bootz://{peer_address(self._advertised, self._listen[1])}"

    async def __aenter__(self) -> "ScriptedServer":
        if self._material is None:
            self._material = self._owner.save_server(self._folder)
        context = server_context(
            *self._material, client_anchors=self.record.vendor_anchors.certificates
        )
        self._listener = GrpcListener(
            self._methods(), limits=self._limits, context=context, on_refused=self._refused
        )
        port = self._listen[1]
        bound = await self._listener.start([self._listen, *((host, port) for host in self._also)])
        # When it is entered again, it listens where it did.
        self._listen = bound[0]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listener is not None:
            await self._listener.drain(0)

    def _refused(self, peer: str, refusal: RefusedHandshake) -> None:
        what = "client certificate" if refusal.certificate else "TLS"
        self.seen.broken.append(f"{peer}: {what} refused: {refusal.reason}")

    def _methods(self) -> Mapping[str, Method]:
        table: dict[str, Method] = dict(stream_methods(self, self._limits))
        for dialect in reversed(DIALECTS):
            for method, call in ((GET_BOOTSTRAP_DATA, self._ask), (REPORT_STATUS, self._report)):
                row = _unary(call, dialect, self._limits)
                table.setdefault(f"{dialect.path}/{method}", row)
        return table

    async def _ask(self, message: bytes, dialect: Dialect, peer: PeerInfo) -> bytes:
        session = BootstrapSession()
        request: BootstrapRequest | None = None
        script = self.script
        now = datetime.now(UTC)
        written = written_dialect(dialect, self.record.release)
        try:
            request = decode_bootstrap_request(message, dialect)
            session.claim(request, _presented(peer))
            chassis = self.record.chassis(insecure=script.insecure)
            session.resolve([chassis], [self.record.vendor], now=now)
            session.prove_by_certificate(now=now)
            answered = self.select(session, script)
            body = self.answers.encode(
                script.planned or self.answers.plan(script.given), answered, written
            )
            sealed = self.answers.seal(
                script.given, body, nonce=request.nonce, serial_number=answered[0]
            )
        except BootzError as error:
            self.saw(session, request, peer.address, written, UNARY, refused=error.reason)
            raise
        self.saw(session, request, peer.address, written, UNARY, sent=sealed.payload)
        return encode_answer(sealed, written)

    async def _report(self, message: bytes, dialect: Dialect, peer: PeerInfo) -> bytes:
        written = written_dialect(dialect, self.record.release)
        try:
            report = decode_report(message, dialect)
        except BootzError as error:
            self.seen.broken.append(f"{peer.address}: a report: {error.reason}: {error}")
            raise
        session = ReportSession()
        refused = ""
        try:
            session.claim(report, _presented(peer), names_cards=dialect.report_names_cards)
            chassis = self.record.chassis(insecure=self.script.insecure)
            session.resolve([chassis], [self.record.vendor], now=datetime.now(UTC))
        except BootzError as error:
            refused = error.reason
            raise
        finally:
            self.saw_report(report, session.checks, peer.address, written, UNARY, refused=refused)
        return encode_empty()


def _presented(peer: PeerInfo) -> TlsCertificate | None:
    if not peer.certificates:
        return None
    return TlsCertificate(peer.certificates[0], peer.certificates[1:])


UnaryCall = Callable[[bytes, Dialect, PeerInfo], Awaitable[bytes]]


def _unary(answer: UnaryCall, dialect: Dialect, limits: ListenerLimits) -> Method:
    async def handle(call: Call) -> None:
        async with asyncio.timeout(limits.request_timeout):
            message = await call.receive(limits.max_message_bytes)
            await call.send(await answer(message or b"", dialect, call.peer))

    return handle
