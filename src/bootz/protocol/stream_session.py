"""One claim on a stream and the challenge that proves it; no I/O, no clock, no dice.

The steps are those of ``server``; a challenge and its answer replace TLS. The certificate in an
identity is text that anyone can copy, so it proves nothing here: it is compared with the record
before the challenge goes out, and the answer is what proves. Source: docs/protocol/tpm.md.
"""

from datetime import datetime

from bootz.errors import PolicyError, WireError
from bootz.model.bootstrap import BootstrapRequest, StatusReport
from bootz.model.challenge import Challenge, ChallengeAnswer, TransportKey
from bootz.model.chassis import ChassisDescriptor, ProvenChassis
from bootz.model.identity import Identity, IdentityKind
from bootz.protocol.challenges import (
    Issued,
    check_transport_key,
    choose_key,
    issue_for_key,
    issue_nonce,
    judge_answer,
)
from bootz.protocol.idevid import (
    ClaimedCertificate,
    check_idevid,
    named_serial,
    read_claimed_certificate,
)
from bootz.protocol.proof import ChallengeProof, prove
from bootz.protocol.record import Claim
from bootz.protocol.server import OwnerSession
from bootz.protocol.steps import Stage, known, step
from bootz.trust.tpm import tpm12
from bootz.wire.flows import StreamFlow


class StreamSession(OwnerSession):
    """One claim on a stream, from the first message to what is to be sent.

    Call in this order: ``begin`` or ``begin_report``, ``resolve``, ``admit``, ``challenge``,
    ``sent``, ``judge``; then for a request ``recipient``, ``select``, ``plan_vouchers``. A stream
    that a report has opened gets no data.
    """

    def __init__(self, flow: StreamFlow) -> None:
        super().__init__()
        self._flow = flow
        self._identity: Identity | None = None
        self._aik_digest: bytes | None = None
        self._certificate: ClaimedCertificate | None = None
        self._issued: Issued | None = None
        self._sent_at: float | None = None
        self._transport_key: TransportKey | None = None

    @property
    def presented(self) -> ClaimedCertificate | None:
        """The certificate in the identity, None where the device has none."""
        return self._certificate

    @property
    def challenged(self) -> bool:
        """Whether a challenge waits for its answer."""
        return self._stage in (Stage.CHALLENGED, Stage.SENT)

    @step(Stage.OPEN, Stage.CLAIMED)
    def begin(self, request: BootstrapRequest) -> str:
        """Step 2: take a request with its identity; return the serial number to look up.

        Raises:
            WireError: no identity of a kind that this call knows, no digest of an AIK.
            TrustError: the certificate in it cannot be read.

        Source: docs/protocol/owner.md#a-request, step 2.
        """
        self._request = request
        claim = Claim(request.active.serial_number, request.descriptor)
        return self._take(claim, request.identity, request.aik_pub_digest)

    @step(Stage.OPEN, Stage.CLAIMED)
    def begin_report(self, report: StatusReport) -> str:
        """Step 2 of a stream that a report opens; the first card that it names is the claim.

        Raises:
            WireError: as ``begin``.
            TrustError: as ``begin``.

        Source: docs/protocol/owner.md#a-request, step 2.
        """
        claim = Claim(report.states[0].serial_number, ChassisDescriptor("", "", ""))
        return self._take(claim, report.identity, report.aik_pub_digest)

    def _take(self, claim: Claim, identity: Identity | None, aik_digest: bytes | None) -> str:
        self._claim = claim
        if identity is None or identity.kind not in self._flow.identities:
            self._log.refuse(
                "identity",
                WireError(
                    "stream-identity-missing",
                    "the stream began without an identity that this call supports",
                    where="identity",
                    expected=", ".join(sorted(kind.value for kind in self._flow.identities)),
                    seen="none" if identity is None else identity.kind.value,
                ),
            )
        self._identity = identity
        if identity.kind is IdentityKind.IDEVID:
            with self._log.checking("identity"):
                certificate = read_claimed_certificate(identity.idevid_cert)
            self._certificate = certificate
            self._idevid_serial = named_serial(certificate)
        elif identity.kind is IdentityKind.TPM12_EK:
            self._aik_digest = aik_digest or b""
            if len(self._aik_digest) != tpm12.DIGEST_BYTES:
                self._log.refuse(
                    "identity",
                    WireError(
                        "aik-digest-malformed",
                        "a TPM 1.2 needs the SHA-1 digest of its AIK",
                        where="aik_pub_digest",
                        expected=f"{tpm12.DIGEST_BYTES} bytes",
                        seen=f"{len(self._aik_digest)} bytes",
                    ),
                )
        self._log.passed("identity", seen=identity.kind.value)
        return claim.serial_number

    @step(Stage.RESOLVED, Stage.ADMITTED)
    def admit(self) -> None:
        """Step 3: refuse a chassis that may not use streams.

        Raises:
            PolicyError: ``streaming-not-allowed``.

        Source: docs/protocol/owner.md#a-request, step 3.
        """
        if not known(self.chassis).streaming:
            self._log.refuse(
                "streaming",
                PolicyError(
                    "streaming-not-allowed",
                    "the chassis may not use streams",
                    where="chassis",
                    expected="unary calls",
                    seen=self._flow.method,
                ),
            )
        self._log.passed("streaming", seen=self._flow.method)

    @step(Stage.ADMITTED, Stage.CHALLENGED)
    def challenge(self, fresh: bytes, *, now: datetime) -> Challenge:
        """Step 4: return the challenge; whatever does not depend on its answer is checked first.

        Args:
            fresh: ``FRESH_BYTES`` random bytes, used for nothing else ever.
            now: aware UTC.

        Raises:
            UnprovenPeer: the IDevID does not chain to a CA of the manufacturer.
            ForeignChassis: the IDevID is of a device that is not a card of this chassis.
            MissingRecord: no key of the TPM is on record.
            UnusableKey: the key in the inventory cannot be used for encryption.

        Source: docs/protocol/owner.md#a-request, step 4.
        """
        record, kind, log = known(self._record), known(self._identity).kind, self._log
        if kind is IdentityKind.IDEVID:
            certificate = known(self._certificate)
            evidence = check_idevid(log, record.chassis, record.vendor, certificate, now=now)
            self._issued = issue_nonce(certificate, evidence, fresh, bound=self._flow.bound)
        else:
            serial = known(self._claim).serial_number
            key = choose_key(log, kind, serial, known(record.chassis.card(serial)).tpm)
            self._issued = issue_for_key(log, key, self._aik_digest, fresh)
        return self._issued.challenge

    @step(Stage.CHALLENGED, Stage.SENT)
    def sent(self, at: float) -> None:
        """Say when the challenge had been sent, in seconds of a monotonic clock."""
        self._sent_at = at

    @step(Stage.SENT, Stage.PROVEN)
    def judge(self, answer: ChallengeAnswer, *, at: float, now: datetime) -> ProvenChassis:
        """Step 4: judge the answer to the challenge; only a right one proves anything.

        Args:
            answer: of whatever kind.
            at: when it arrived, on the clock of ``sent``.
            now: aware UTC.

        Raises:
            OrderError: of another kind than the challenge, or too late.
            PeerError: wrong; the reason says which check failed.

        Source: docs/protocol/owner.md#a-request, step 4.
        """
        issued, self._issued = known(self._issued), None
        age = at - known(self._sent_at)
        self._transport_key = judge_answer(
            self._log, issued, answer, bound=self._flow.bound, age=age
        )
        chassis, serial = known(self.chassis), self._idevid_serial
        if self._certificate is None:
            # A TPM without IDevID proves the card whose key on record it has used.
            serial = known(chassis.card(known(self._claim).serial_number)).serial_number
        self._proven = prove(chassis, ChallengeProof(issued.key, serial), now=now)
        return self._proven

    @step(Stage.PROVEN, Stage.PROVEN)
    def recipient(self) -> bytes | None:
        """Return the key that data are encrypted for; None in a flow that encrypts nothing.

        A report needs no such key, so it is checked only before data are sent.

        Raises:
            WireError: for another cipher suite, or of another length.

        Source: docs/protocol/owner.md#a-request, step 4.
        """
        if not self._flow.bound:
            return None
        return check_transport_key(self._log, known(self._transport_key))

    def attested(self) -> ProvenChassis:
        """Return the chassis that this stream has proven, for what it reports.

        Raises:
            RuntimeError: nothing is proven, or the stream was refused.
        """
        if self._stage is Stage.REFUSED:
            raise RuntimeError("step out of order: at refused")
        return known(self._proven)

    def _end(self, after: Stage) -> None:
        # What a report has opened is at its end with the proof: it may ask for nothing.
        done = after is Stage.PROVEN and self._request is None
        super()._end(Stage.DONE if done else after)

    @property
    def _presented(self) -> ClaimedCertificate | None:
        return self._certificate
