"""One conversation with a router: the order is ``protocol``'s, the spelling ``wire``'s.

This shell asks the ports (inventory, renderer, owner identity, journal) for what the pure
rooms decide that they need. Knows no transport: bytes and a peer come in, bytes go out, any
refusal is a ``BootzError``. Every call leaves one record in the journal before it is answered.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from bootz.errors import BootzError
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootstrapRequest, StatusReport
from bootz.model.chassis import BootMode, Chassis, ClaimedCard, fold_serial
from bootz.protocol.reports import ReportSession
from bootz.protocol.server import BootstrapSession, Selection, VoucherPlan
from bootz.protocol.steps import PresentedCertificate
from bootz.server.ports import (
    CallRecord,
    Clock,
    Inventory,
    Journal,
    OwnerIdentity,
    Renderer,
)
from bootz.trust.bundle import pack_bundle
from bootz.trust.certificates import fingerprint
from bootz.wire.answers import encode_answer, encode_bootstrap_data, encode_empty, with_nonce
from bootz.wire.dialects import Dialect, written_dialect
from bootz.wire.reports import decode_report
from bootz.wire.requests import decode_bootstrap_request

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who called: ``peer`` is address and port; certificates are DER as presented in TLS."""

    peer: str
    reached_at: tuple[str, int]
    certificates: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def presented(self) -> PresentedCertificate | None:
        """The certificate with what came along to build its chain, None without one."""
        if not self.certificates:
            return None
        return PresentedCertificate(self.certificates[0], self.certificates[1:])


@dataclass(frozen=True, slots=True)
class OwnerState:
    """What the owner answers with; swapped whole on reload. ``trust_anchor`` is DER."""

    identity: OwnerIdentity
    trust_anchor: bytes = field(repr=False)


class BootstrapService:
    """Answers requests for bootstrapping data and takes status reports.

    Args:
        inventory, renderer, journal: the ports.
        owner: returns the owner's present state, or raises Unavailable while it has none.
        clock: tells the time once per call.
    """

    def __init__(
        self,
        *,
        inventory: Inventory,
        renderer: Renderer,
        journal: Journal,
        owner: Callable[[], OwnerState],
        clock: Clock,
    ) -> None:
        self._inventory = inventory
        self._renderer = renderer
        self._journal = journal
        self._owner = owner
        self._clock = clock

    async def get_bootstrap_data(self, message: bytes, dialect: Dialect, caller: Caller) -> bytes:
        """Answer a GetBootstrapDataRequest with a GetBootstrapDataResponse, both serialised.

        Raises:
            BootzError: refused; the journal has the whole story, the error the reason.
        """
        session = BootstrapSession()
        attempt = _Attempt(dialect, caller)
        try:
            answer = await self._answer(message, session, attempt)
        except BootzError as error:
            await self._refused(session, attempt, error)
            raise
        await self._journal.record(attempt.record(self._clock, session))
        log.info(
            "bootstrap-data-answered",
            chassis=attempt.chassis_name,
            serial_number=attempt.claimed_serial,
            dialect=attempt.dialect.name,
            peer=caller.peer,
            cards=len(attempt.answered),
        )
        return answer

    async def _answer(
        self, message: bytes, session: BootstrapSession, attempt: "_Attempt"
    ) -> bytes:
        now = self._clock()
        request = decode_bootstrap_request(message, attempt.dialect)
        attempt.take_request(request)
        serial = session.claim(request, attempt.caller.presented)
        vendors = await self._inventory.vendors()
        candidates = await self._inventory.chassis_of_card(serial)
        chassis = session.resolve(candidates, vendors, now=now)
        session.prove_by_certificate(now=now)
        attempt.take_chassis(chassis)
        try:
            selection = session.select()
        finally:
            attempt.take_selection(session.selection)
        owner = self._owner()
        voucher = b""
        if request.nonce:
            voucher = await self._voucher(session, selection, chassis, owner, attempt)
        elif chassis.boot_mode is BootMode.INSECURE:
            log.warning(
                "insecure-chassis-answered-unsigned",
                chassis=attempt.chassis_name,
                serial_number=serial,
                peer=attempt.caller.peer,
            )
        written = written_dialect(attempt.dialect, chassis.release)
        data = await self._renderer.bootstrap_data(
            chassis,
            [card.serial_number for card in selection.answered],
            written,
            trust_anchor=owner.trust_anchor,
            reached_at=attempt.caller.reached_at,
        )
        payload = with_nonce(encode_bootstrap_data(data, written), request.nonce or None)
        sealed = SealedData(payload)
        if request.nonce:
            sealed = SealedData(
                payload,
                signature=await owner.identity.sign(payload),
                ownership_voucher=voucher,
                owner_certificate=owner.identity.certificate.cms,
            )
        answer = encode_answer(sealed, written)
        attempt.sent.update(
            payload_sha256=hashlib.sha256(payload).hexdigest(),
            answer_bytes=len(answer),
            signed="yes" if sealed.signature else "no",
            voucher_sha256=hashlib.sha256(voucher).hexdigest() if voucher else "",
            written_as=written.name,
        )
        return answer

    async def _voucher(
        self,
        session: BootstrapSession,
        selection: Selection,
        chassis: Chassis,
        owner: OwnerState,
        attempt: "_Attempt",
    ) -> bytes:
        cards = [
            card
            for answered in selection.answered
            if (card := chassis.card(answered.serial_number)) is not None
        ]
        available = await self._inventory.vouchers(
            chassis, cards, owner.identity.pinned_domain_cert, self._clock()
        )
        plan: VoucherPlan = session.plan_vouchers(available)
        for missing in plan.missing:
            log.warning(
                "voucher-missing-in-bundle", chassis=attempt.chassis_name, serial_number=missing
            )
        if not plan.bundle:
            return available[plan.serials[0]]
        spelling = {fold_serial(card.serial_number): card.serial_number for card in cards}
        return pack_bundle({spelling[serial]: available[serial] for serial in plan.serials})

    async def report_status(self, message: bytes, dialect: Dialect, caller: Caller) -> bytes:
        """Take a ReportStatusRequest; the acknowledgement is returned once it is durable.

        Raises:
            BootzError: refused; nothing of the report counts.
        """
        session = ReportSession()
        attempt = _Attempt(dialect, caller, rpc="ReportStatus")
        try:
            now = self._clock()
            report = decode_report(message, dialect)
            attempt.take_report(report)
            serials = session.claim(
                report, caller.presented, names_cards=dialect.report_names_cards
            )
            vendors = await self._inventory.vendors()
            candidates: dict[int, Chassis] = {}
            for serial in dict.fromkeys(fold_serial(serial) for serial in serials):
                for found in await self._inventory.chassis_of_card(serial):
                    candidates[found.key] = found
            proven = session.resolve(tuple(candidates.values()), vendors, now=now)
            attempt.take_chassis(proven.chassis)
        except BootzError as error:
            await self._refused(session, attempt, error)
            raise
        await self._journal.record(attempt.record(self._clock, session, report=report))
        log.info(
            "status-reported",
            chassis=attempt.chassis_name,
            serial_number=proven.proven_serial,
            dialect=dialect.name,
            peer=caller.peer,
            status=report.status.name,
        )
        return encode_empty()

    async def refused_handshake(self, peer: str, told: str) -> None:
        """Record a client certificate that failed in TLS, before any call could be made."""
        await self._journal.record(
            CallRecord(
                at=self._clock(),
                rpc="TLS",
                dialect="",
                peer=peer,
                chassis_key=None,
                claimed_manufacturer="",
                claimed_serial="",
                proven_serial="",
                idevid_fingerprint="",
                checks=(),
                reason="tls-certificate-refused",
                detail=told,
            )
        )
        log.warning("tls-certificate-refused", peer=peer, detail=told)

    async def _refused(
        self, session: BootstrapSession | ReportSession, attempt: "_Attempt", error: BootzError
    ) -> None:
        await self._journal.record(attempt.record(self._clock, session, error=error))
        log.warning(
            "call-refused",
            rpc=attempt.rpc,
            reason=error.reason,
            detail=str(error),
            chassis=attempt.chassis_name,
            serial_number=attempt.claimed_serial,
            dialect=attempt.dialect.name,
            peer=attempt.caller.peer,
        )


class _Attempt:
    """Gathers what the journal shall keep of one call while it is under way."""

    def __init__(self, dialect: Dialect, caller: Caller, *, rpc: str = "GetBootstrapData") -> None:
        self.dialect = dialect
        self.caller = caller
        self.rpc = rpc
        self.claimed_manufacturer = ""
        self.claimed_serial = ""
        self.nonce_digest = ""
        self.chassis: Chassis | None = None
        self.answered: tuple[str, ...] = ()
        self.foreign: tuple[str, ...] = ()
        self.sent: dict[str, str | int] = {}

    @property
    def chassis_name(self) -> str:
        """How a log names the chassis; empty before it is proven."""
        if self.chassis is None:
            return ""
        return self.chassis.hostname or self.chassis.serial_number or f"#{self.chassis.key}"

    def take_request(self, request: BootstrapRequest) -> None:
        self.claimed_manufacturer = request.descriptor.manufacturer
        self.claimed_serial = request.active.serial_number
        if request.nonce:
            # The digest tells a repeated call from a new attempt; the nonce itself is never kept.
            self.nonce_digest = hashlib.sha256(request.nonce.encode()).hexdigest()

    def take_report(self, report: StatusReport) -> None:
        if report.states:
            self.claimed_serial = report.states[0].serial_number

    def take_chassis(self, chassis: Chassis) -> None:
        self.chassis = chassis

    def take_selection(self, selection: Selection | None) -> None:
        if selection is not None:
            self.answered = _serials(selection.answered)
            self.foreign = _serials(selection.foreign)

    def record(
        self,
        clock: Clock,
        session: BootstrapSession | ReportSession,
        *,
        report: StatusReport | None = None,
        error: BootzError | None = None,
    ) -> CallRecord:
        certificates = self.caller.certificates
        proven = session.proven
        return CallRecord(
            at=clock(),
            rpc=self.rpc,
            dialect=self.dialect.name,
            peer=self.caller.peer,
            chassis_key=None if self.chassis is None else self.chassis.key,
            claimed_manufacturer=self.claimed_manufacturer,
            claimed_serial=self.claimed_serial,
            proven_serial="" if proven is None else proven.proven_serial,
            idevid_fingerprint=fingerprint(certificates[0]) if certificates else "",
            checks=session.checks,
            reason="" if error is None else error.reason,
            detail="" if error is None else str(error),
            nonce_digest=self.nonce_digest,
            answered_serials=self.answered if error is None else (),
            foreign_cards=self.foreign,
            sent=self.sent if error is None else {},
            report=report,
        )


def _serials(cards: Sequence[ClaimedCard]) -> tuple[str, ...]:
    return tuple(card.serial_number for card in cards)
