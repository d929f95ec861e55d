"""One call while it is under way: who called, and what the journal keeps of it."""

import hashlib
from dataclasses import dataclass, field
from typing import Protocol

from bootz.errors import BootzError
from bootz.log import get_logger
from bootz.model.bootstrap import BootstrapRequest, StatusReport
from bootz.model.chassis import Chassis, ClaimedCard, ProvenChassis
from bootz.model.checks import STRANGER, STRICT_FORM, Check, Outcome
from bootz.protocol.idevid import TlsCertificate
from bootz.protocol.selection import Selection
from bootz.protocol.strangers import ProvenStranger
from bootz.server.ports import CallRecord, Clock
from bootz.trust.certificates import fingerprint
from bootz.wire.dialects import Dialect

log = get_logger()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who called: ``peer`` is address and port; certificates are DER as presented in TLS."""

    peer: str
    reached_at: tuple[str, int]
    certificates: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def presented(self) -> TlsCertificate | None:
        """The certificate with what came along to build its chain, None without one."""
        if not self.certificates:
            return None
        return TlsCertificate(self.certificates[0], self.certificates[1:])


class Judged(Protocol):
    """What was found out about a call: a session, or several of one stream together."""

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check, in order, the failed one last."""

    @property
    def proven(self) -> ProvenChassis | None:
        """The proven chassis."""


class Attempt:
    """Gathers what the journal keeps of one call while it is under way."""

    def __init__(self, dialect: Dialect, caller: Caller, *, rpc: str = "GetBootstrapData") -> None:
        self.dialect = dialect
        self.caller = caller
        self.rpc = rpc
        self.certificate = caller.certificates[0] if caller.certificates else b""
        self.claimed_manufacturer = ""
        self.claimed_serial = ""
        self.nonce_digest = ""
        self.chassis: Chassis | None = None
        self.stranger: ProvenStranger | None = None
        self.answered: tuple[str, ...] = ()
        self.foreign: tuple[ClaimedCard, ...] = ()
        self.seated: tuple[ClaimedCard, ...] = ()
        self.sent: dict[str, str | int] = {}
        self.content = b""
        """What the answer says, without its nonce."""
        self.content_sha256 = ""
        self.written = ""
        """The dialect that the answer is written in: the chassis's own, which a path may share."""

    @property
    def chassis_name(self) -> str:
        """How a log names the chassis; empty before it is proven."""
        if self.chassis is None:
            return ""
        return self.chassis.hostname or self.chassis.serial_number or f"#{self.chassis.key}"

    def take_request(self, request: BootstrapRequest) -> None:
        """Keep whom a request claims to be."""
        self.claimed_manufacturer = request.descriptor.manufacturer
        self.claimed_serial = request.active.serial_number
        if request.nonce:
            # The digest tells a repeated call from a new attempt; the nonce itself is never kept.
            self.nonce_digest = hashlib.sha256(request.nonce.encode()).hexdigest()

    def take_report(self, report: StatusReport) -> None:
        """Keep the card that a report names first."""
        if report.states:
            self.claimed_serial = report.states[0].serial_number

    def take_chassis(self, chassis: Chassis) -> None:
        """Keep the chassis that is proven."""
        self.chassis = chassis

    def take_stranger(self, stranger: ProvenStranger | None) -> None:
        """Keep who a caller is that is not on record."""
        self.stranger = stranger

    def take_selection(self, selection: Selection | None) -> None:
        """Keep which cards are answered, and which are not of the chassis."""
        if selection is not None:
            self.answered = tuple(card.serial_number for card in selection.answered)
            self.foreign = selection.foreign
            self.seated = tuple(card for card in selection.answered if card.slot)

    def record(
        self,
        clock: Clock,
        session: Judged,
        *,
        report: StatusReport | None = None,
        error: BootzError | None = None,
    ) -> CallRecord:
        """Return the record of the call: answered, reported or refused."""
        for check in session.checks:
            if check.name == STRICT_FORM:
                log.warning("legacy-form-accepted", **self._fields(), detail=check.seen)
        proven = session.proven
        proven_serial = "" if proven is None else proven.proven_serial
        checks = session.checks
        if self.stranger is not None:
            proven_serial = self.stranger.serial_number
            checks = (*checks, Check(STRANGER, Outcome.PASSED, seen=self.stranger.vendor))
        return CallRecord(
            at=clock(),
            rpc=self.rpc,
            dialect=self.dialect.name,
            peer=self.caller.peer,
            chassis_key=None if self.chassis is None else self.chassis.key,
            claimed_manufacturer=self.claimed_manufacturer,
            claimed_serial=self.claimed_serial,
            proven_serial=proven_serial,
            idevid_fingerprint=fingerprint(self.certificate) if self.certificate else "",
            checks=checks,
            reason="" if error is None else error.reason,
            detail="" if error is None else str(error),
            nonce_digest=self.nonce_digest,
            answered_serials=self.answered if error is None else (),
            foreign_cards=self.foreign,
            seated=self.seated if error is None else (),
            sent=self.sent if error is None else {},
            written=self.written if error is None else "",
            report=report,
            vendor="" if self.chassis is None else self.chassis.manufacturer,
            content=self.content if error is None else b"",
            content_sha256=self.content_sha256 if error is None else "",
            reached_at=self.caller.reached_at,
        )

    def log_answered(self) -> None:
        """Say in the log that the call got its data."""
        log.info("bootstrap-data-answered", **self._fields(), cards=len(self.answered))

    def log_reported(self, report: StatusReport, serial_number: str) -> None:
        """Say in the log what was reported, and by which card, as proven."""
        fields = self._fields() | {"serial_number": serial_number}
        log.info("status-reported", **fields, status=report.status.name)

    def log_refused(self, error: BootzError) -> None:
        """Say in the log that the call was refused, and why."""
        fields = self._fields()
        log.warning("call-refused", **fields, reason=error.reason, detail=str(error))

    def _fields(self) -> dict[str, str]:
        return {
            "rpc": self.rpc,
            "chassis": self.chassis_name,
            "serial_number": self.claimed_serial,
            "dialect": self.dialect.name,
            "peer": self.caller.peer,
        }
