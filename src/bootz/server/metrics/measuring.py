"""What a server process counts: wrapped around its parts, which know nothing of it.

A count is a few hundred nanoseconds (a look into a dict, a word in memory); what is only worth
a look once a second (open connections, what waits) is read then, by ``look``.
"""

import asyncio
import math
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bootz import __version__
from bootz.errors import BootzError
from bootz.model.artifacts import OwnerCertificate
from bootz.model.checks import Outcome
from bootz.server.metrics import families
from bootz.server.metrics.counting import Counting
from bootz.server.onboarding.sealing import OwnerState
from bootz.server.ports import CallRecord, Journal, OwnerIdentity
from bootz.server.snapshot import Snapshot
from bootz.server.store.attempt_log import Onboarded
from bootz.server.store.entries import verdict_of
from bootz.transport.grpc.call import Call, Method
from bootz.transport.pressure import LoadCounts
from bootz.transport.status import EndCall, Status, end_of
from bootz.trust.certificates import load_certificate
from bootz.wire.dialects import DIALECTS, GET_BOOTSTRAP_DATA, REPORT_STATUS
from bootz.wire.flows import STREAM_FLOWS
from bootz.wire.names import FlowName

_FLOW_OF: Final = {
    GET_BOOTSTRAP_DATA: FlowName.UNARY.value,
    REPORT_STATUS: FlowName.UNARY.value,
    **{flow.method: flow.name for flow in STREAM_FLOWS},
}
# Put on record only where a challenge was open.
_SILENCE: Final = frozenset({"challenge-unanswered", "stream-idle"})
# Of dialects that share a path, the newest stands for it, as in the journal.
_DIALECT_OF: Final = {dialect.path: dialect.name for dialect in DIALECTS}


@dataclass(frozen=True, slots=True)
class Load:
    """What is under way now, and what was counted elsewhere since the process began."""

    connections: int
    counts: LoadCounts
    journal_waiting: int
    downloads: int
    image_bytes: int
    image_proxy_refused: int


class ServerMetrics:
    """Counts for one server process.

    Args:
        counting: where.
        monotonic: seconds that only ever rise.
    """

    def __init__(self, counting: Counting, monotonic: Callable[[], float]) -> None:
        self._counting = counting
        self._monotonic = monotonic
        self._signing: tuple[OwnerState, OwnerState] | None = None
        self._ends: dict[str, float] = {}

    def close(self) -> None:
        """Stop counting; the numbers stay."""
        self._counting.close()

    def measured_calls(self, methods: Mapping[str, Method]) -> Mapping[str, Method]:
        """Return the method table with each call counted."""
        return {path: self._measured(path, method) for path, method in methods.items()}

    def _measured(self, path: str, method: Method) -> Method:
        service, _, rpc = path.rpartition("/")
        dialect = _DIALECT_OF[service]
        counting, monotonic = self._counting, self._monotonic

        async def handle(call: Call) -> None:
            began = monotonic()
            status = Status.OK
            try:
                await method(call)
            except EndCall as end:
                status = end.status
                raise
            except BootzError as error:
                status = end_of(error).status
                raise
            except TimeoutError:
                status = Status.DEADLINE_EXCEEDED
                raise
            except asyncio.CancelledError:
                status = Status.CANCELLED
                raise
            except Exception:
                status = Status.INTERNAL
                raise
            finally:
                counting.add(families.CALLS, rpc, dialect, status.name)
                counting.observe(families.CALL_SECONDS, monotonic() - began, rpc)

        return handle

    def measured_journal(self, journal: Journal) -> Journal:
        """Return the journal with each entry counted once it is durable."""
        return _MeasuredJournal(journal, self._counting, self._monotonic)

    def measured_owner(self, owner: OwnerState) -> OwnerState:
        """Return what the owner answers with, with each signature timed."""
        if self._signing is None or self._signing[0] is not owner:
            p256 = owner.p256 and self._measured_identity(owner.p256)
            measured = self._measured_identity(owner.identity)
            self._signing = owner, OwnerState(measured, owner.trust_anchor, p256)
        return self._signing[1]

    def _measured_identity(self, identity: OwnerIdentity) -> OwnerIdentity:
        return _MeasuredIdentity(identity, self._counting, self._monotonic)

    def onboarded(self, onboarded: Onboarded) -> None:
        """Count a router whose report of success is on record."""
        self._counting.observe(families.ONBOARDING_SECONDS, onboarded.seconds, onboarded.vendor)

    def look(self, load: Load) -> None:
        """Take over what is under way now. Call it about once a second."""
        counting = self._counting
        counting.put(families.CONNECTIONS, value=load.connections)
        counting.put(families.JOURNAL_WAITING, value=load.journal_waiting)
        self.look_at_images(load.downloads, load.image_bytes, load.image_proxy_refused)
        counts = load.counts
        counting.put(families.HANDSHAKES, "done", value=counts.handshakes_done)
        counting.put(families.HANDSHAKES, "refused", value=counts.handshakes_refused)
        counting.put(families.HANDSHAKES, "failed", value=counts.handshakes_failed)
        counting.put(families.HANDSHAKES, "turned-away", value=counts.turned_away)
        counting.put(families.PROXY_REFUSED, "bootz", value=counts.proxy_headers_refused)
        counting.put(families.BOUNDS_MET, value=counts.bounds_met)
        counting.put(families.LONG_WAITS, value=counts.long_waits)
        counting.put(families.QUEUE_OVERFLOWS, value=counts.queue_overflows)
        counting.put(families.SLOWED, value=counts.slowed)
        counting.put(families.FRUITLESS, value=counts.fruitless)
        counting.put(families.MADE_ROOM, value=counts.made_room)

    def look_at_images(self, downloads: int, bytes_sent: int, proxy_refused: int) -> None:
        """Take over what the image store does now. Call it about once a second."""
        self._counting.put(families.IMAGE_DOWNLOADS, value=downloads)
        self._counting.put(families.IMAGE_BYTES, value=bytes_sent)
        self._counting.put(families.PROXY_REFUSED, "images", value=proxy_refused)

    def take(self, snapshot: Snapshot, http2_engine: str) -> None:
        """Take over the ends of the certificates in use, and say what runs."""
        build = (__version__, platform.python_version(), http2_engine)
        self._counting.put(families.BUILD_INFO, *build, value=1)
        ends = {"tls": snapshot.tls.not_after.timestamp()}
        certificates = {"trust-anchor": snapshot.tls.trust_anchor}
        if snapshot.owner is not None:
            identity = snapshot.owner.identity
            certificates["trust-anchor"] = snapshot.owner.trust_anchor
            certificates["owner"] = identity.certificate.certificate
            certificates["pinned-domain"] = identity.pinned_domain_cert
            if snapshot.owner.p256 is not None:
                certificates["owner-p256"] = snapshot.owner.p256.certificate.certificate
        for role, der in certificates.items():
            ends[role] = load_certificate(der).not_valid_after_utc.timestamp()
        # One that is retired ends no more.
        self._ends = dict.fromkeys(self._ends, math.inf) | ends
        for role, end in self._ends.items():
            self._counting.put(families.CERTIFICATE_EXPIRY, role, value=end)


class _MeasuredJournal:
    """Fills the port ``Journal``: another one, counted."""

    def __init__(
        self, journal: Journal, counting: Counting, monotonic: Callable[[], float]
    ) -> None:
        self._journal = journal
        self._counting = counting
        self._monotonic = monotonic

    async def record(self, call: CallRecord) -> None:
        """Store one call, as the port says, and count it."""
        began = self._monotonic()
        await self._journal.record(call)
        counting = self._counting
        counting.observe(families.JOURNAL_SECONDS, self._monotonic() - began)
        flow = _FLOW_OF.get(call.rpc)
        if flow is None:
            # A refused handshake: no request was made.
            return
        verdict = verdict_of(call)
        counting.add(families.ATTEMPTS, flow, verdict.state.value, verdict.reason)
        if call.reason and flow != FlowName.UNARY.value:
            failed = _challenge_failed(call)
            if failed:
                counting.add(families.CHALLENGE_FAILURES, failed, call.reason)


def _challenge_failed(call: CallRecord) -> str:
    """Return the kind of identity whose challenge was not met; empty where that is not why."""
    kind, failed = "", call.reason in _SILENCE
    for check in call.checks:
        if check.name == "identity" and check.outcome is Outcome.PASSED:
            kind = check.seen
        elif check.name in {"challenge", "transport-key"} and check.outcome is Outcome.FAILED:
            failed = True
    return kind if failed else ""


class _MeasuredIdentity:
    """Fills the port ``OwnerIdentity``: another one, timed."""

    def __init__(
        self, identity: OwnerIdentity, counting: Counting, monotonic: Callable[[], float]
    ) -> None:
        self._identity = identity
        self._counting = counting
        self._monotonic = monotonic

    @property
    def store(self) -> str:
        """Where the key is: ``file`` or ``pkcs11``."""
        return self._identity.store

    @property
    def certificate(self) -> OwnerCertificate:
        """The owner certificate in the CMS form that travels."""
        return self._identity.certificate

    @property
    def pinned_domain_cert(self) -> bytes:
        """DER of the pinned domain certificate that vouchers must pin."""
        return self._identity.pinned_domain_cert

    async def sign(self, data: bytes) -> str:
        """Sign, as the port says."""
        began = self._monotonic()
        try:
            return await self._identity.sign(data)
        finally:
            self._counting.observe(
                families.SIGNATURE_SECONDS, self._monotonic() - began, self._identity.store
            )
