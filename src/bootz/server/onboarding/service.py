"""One conversation with a router: the order is ``protocol``'s, the spelling ``wire``'s.

This shell asks the ports (inventory, renderer, owner identity, journal) for what the pure
rooms decide that they need. Knows no transport: bytes and a peer come in, bytes go out, any
refusal is a ``BootzError``. Every call leaves one record in the journal before it is answered.
"""

from collections.abc import Callable

from bootz.errors import BootzError
from bootz.log import get_logger
from bootz.model.chassis import Chassis, fold_serial
from bootz.protocol.reports import ReportSession
from bootz.protocol.server import BootstrapSession
from bootz.protocol.strangers import prove_stranger
from bootz.server.onboarding.attempt import Attempt, Caller
from bootz.server.onboarding.sealing import OwnerState, Sealer
from bootz.server.ports import (
    CallRecord,
    Clock,
    Inventory,
    Journal,
    Renderer,
)
from bootz.wire.answers import encode_answer, encode_empty
from bootz.wire.dialects import Dialect
from bootz.wire.reports import decode_report
from bootz.wire.requests import decode_bootstrap_request

__all__ = ["BootstrapService", "Caller", "OwnerState"]

log = get_logger()


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
        self._journal = journal
        self._sealer = Sealer(inventory=inventory, renderer=renderer, owner=owner, clock=clock)
        self._clock = clock

    async def get_bootstrap_data(self, message: bytes, dialect: Dialect, caller: Caller) -> bytes:
        """Answer a GetBootstrapDataRequest with a GetBootstrapDataResponse, both serialised.

        Raises:
            BootzError: refused; the journal has the whole story, the error the reason.
        """
        session = BootstrapSession()
        attempt = Attempt(dialect, caller)
        try:
            answer = await self._answer(message, session, attempt)
        except BootzError as error:
            await self._refused(session, attempt, error)
            raise
        await self._journal.record(attempt.record(self._clock, session))
        attempt.log_answered()
        return answer

    async def _answer(self, message: bytes, session: BootstrapSession, attempt: Attempt) -> bytes:
        """Take a request's steps, numbered as docs/protocol/owner.md#a-request numbers them."""
        now = self._clock()
        # 1. The message decodes and is within its bounds.
        request = decode_bootstrap_request(message, attempt.dialect)
        attempt.take_request(request)
        # 2. There is a client certificate, whose key TLS has proven.
        serial = session.claim(request, attempt.caller.presented)
        # 3. One chassis on record has the claimed card.
        vendors = await self._inventory.vendors()
        candidates = await self._inventory.chassis_of_serial(serial)
        chassis = session.resolve(candidates, vendors, now=now)
        # 4. The certificate is of that chassis. Nothing was disclosed before this line.
        session.prove_by_certificate(now=now)
        attempt.take_chassis(chassis)
        # 5 to 8. Nonce, cards, voucher; then the data. The journal (9) is the caller's.
        sealed, written = await self._sealer.seal(session, request, attempt)
        answer = encode_answer(sealed, written)
        attempt.sent["answer_bytes"] = len(answer)
        return answer

    async def report_status(self, message: bytes, dialect: Dialect, caller: Caller) -> bytes:
        """Take a ReportStatusRequest; the acknowledgement is returned once it is durable.

        Raises:
            BootzError: refused; nothing of the report counts.
        """
        session = ReportSession()
        attempt = Attempt(dialect, caller, rpc="ReportStatus")
        try:
            # The steps of docs/protocol/owner.md#a-report: 1 and 2 are the claim, 3 and 4 the rest.
            now = self._clock()
            report = decode_report(message, dialect)
            attempt.take_report(report)
            serials = session.claim(
                report, caller.presented, names_cards=dialect.report_names_cards
            )
            vendors = await self._inventory.vendors()
            candidates: dict[int, Chassis] = {}
            for serial in dict.fromkeys(fold_serial(serial) for serial in serials):
                for found in await self._inventory.chassis_of_serial(serial):
                    candidates[found.key] = found
            proven = session.resolve(tuple(candidates.values()), vendors, now=now)
            attempt.take_chassis(proven.chassis)
        except BootzError as error:
            await self._refused(session, attempt, error)
            raise
        await self._journal.record(attempt.record(self._clock, session, report=report))
        attempt.log_reported(report, proven.proven_serial)
        return encode_empty()

    async def refused_handshake(self, peer: str, told: str, *, purpose: bool) -> None:
        """Record a client certificate that failed in TLS, before any call could be made.

        ``purpose`` tells that only its usages are wrong for a TLS client.
        """
        reason = "tls-certificate-purpose" if purpose else "tls-certificate-refused"
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
                reason=reason,
                detail=told,
            )
        )
        log.warning(reason, peer=peer, detail=told)

    async def _refused(
        self, session: BootstrapSession | ReportSession, attempt: Attempt, error: BootzError
    ) -> None:
        if error.reason == "chassis-unknown":
            await self._meet_stranger(attempt)
        await self._journal.record(attempt.record(self._clock, session, error=error))
        attempt.log_refused(error)

    async def _meet_stranger(self, attempt: Attempt) -> None:
        try:
            vendors = await self._inventory.vendors()
        except BootzError:
            # The refusal is put on record all the same.
            return
        presented = attempt.caller.presented
        attempt.take_stranger(prove_stranger(presented, vendors, now=self._clock()))
