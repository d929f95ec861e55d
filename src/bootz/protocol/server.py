"""The order of a request for bootstrapping data, the owner's side; no I/O, no clock, no dice.

The law of this room: a claim (what the request says) leads to a record (what the inventory
knows); a proof (what the device has shown to hold) must be of a card of that record; only the
proven chassis learns anything, and nothing in the request can widen it. Each step leaves its
checks behind, also when it fails, and a failed step is the last one.

The steps are numbered as docs/protocol/owner.md#a-request numbers them; step 1 (the form of the
message) is ``wire``'s, 8 (data, signature) and 9 (journal, then the answer) are the server's:

    unary                       stream (``stream_session``)
    2  claim                    begin
    3  resolve                  resolve, admit
    4  prove_by_certificate     challenge, sent, judge
    5  select: the nonce        the same
    6  select: the cards        the same
    7  plan_vouchers            the same
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime

from bootz.model.artifacts import StoredVouchers
from bootz.model.bootstrap import BootstrapRequest
from bootz.model.chassis import Chassis, ProvenChassis
from bootz.protocol.idevid import (
    DeviceCertificate,
    TlsCertificate,
    check_idevid,
    take_tls_certificate,
)
from bootz.protocol.proof import CertificateProof, prove
from bootz.protocol.record import Claim, Record, find_record
from bootz.protocol.selection import (
    Selection,
    VoucherPlan,
    check_cards,
    check_hold,
    check_nonce,
    plan_vouchers,
    select_cards,
)
from bootz.protocol.steps import Stage, Steps, known, step
from bootz.trust.vendor import Vendor


class OwnerSession(Steps, ABC):
    """The steps that every request takes, whatever proves who sent it."""

    def __init__(self) -> None:
        super().__init__()
        self._claim: Claim | None = None
        self._request: BootstrapRequest | None = None
        self._record: Record | None = None
        self._idevid_serial = ""
        self._proven: ProvenChassis | None = None
        self._selection: Selection | None = None

    @property
    def idevid_serial(self) -> str:
        """The serial number in the certificate as presented; proven only after the proof."""
        return self._idevid_serial

    @property
    def chassis(self) -> Chassis | None:
        """The record, once it is found."""
        return None if self._record is None else self._record.chassis

    @property
    def proven(self) -> ProvenChassis | None:
        """The proven chassis, once the proof holds."""
        return self._proven

    @property
    def selection(self) -> Selection | None:
        """What ``select`` decided, also when there was no card left to answer."""
        return self._selection

    @step(Stage.CLAIMED, Stage.RESOLVED)
    def resolve(
        self, candidates: Sequence[Chassis], vendors: Iterable[Vendor], *, now: datetime
    ) -> Chassis:
        """Step 3: find the record, the one chassis that has the claimed card.

        Args:
            candidates: every chassis on record with a card of that serial number.
            vendors: all of them.
            now: aware UTC.

        Raises:
            MissingRecord: no chassis, or still several.
            ForeignChassis: the chassis serial number of the request contradicts the record.

        Source: docs/protocol/owner.md#a-request, step 3.
        """
        self._record = find_record(
            self._log, known(self._claim), self._presented, candidates, vendors, now=now
        )
        return self._record.chassis

    @step(Stage.PROVEN, Stage.SELECTED)
    def select(self) -> Selection:
        """Steps 5 to 7: refuse a chassis on hold, want a nonce, decide which cards are answered.

        Raises:
            UnmetCondition: the chassis is on hold.
            UnmetCondition: a chassis in secure mode asks without a nonce.
            MissingRecord: no card is left to answer.

        Source: docs/protocol/owner.md#a-request, steps 5 to 7.
        """
        request, proven = known(self._request), known(self._proven)
        check_hold(self._log, proven)
        check_nonce(self._log, request, proven)
        self._selection = select_cards(request, proven)
        check_cards(self._log, request, proven, self._selection)
        return self._selection

    @step(Stage.SELECTED, Stage.DONE)
    def plan_vouchers(self, stored: StoredVouchers) -> VoucherPlan:
        """Step 8: choose the vouchers that travel with a signed answer.

        ``stored`` is by serial number as ``fold_serial`` gives it.

        Raises:
            UnmetCondition: the voucher that must be there is not, or has ended; an alarm for the
                operator.

        Source: docs/protocol/owner.md#a-request, step 8.
        """
        request, proven, selection = self._request, self._proven, self._selection
        return plan_vouchers(self._log, known(request), known(proven), known(selection), stored)

    @property
    @abstractmethod
    def _presented(self) -> DeviceCertificate | None:
        """The certificate that came with the claim, proven or not."""


class BootstrapSession(OwnerSession):
    """One unary request: the peer is proven by the certificate that it has used in TLS.

    Call in this order: ``claim``, ``resolve``, ``prove_by_certificate``, ``select``,
    ``plan_vouchers``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._certificate: TlsCertificate | None = None

    @step(Stage.OPEN, Stage.CLAIMED)
    def claim(self, request: BootstrapRequest, certificate: TlsCertificate | None) -> str:
        """Step 2: take a well-formed request and its caller; return the serial number to look up.

        Raises:
            UnprovenPeer: no certificate, or an unreadable one.

        Source: docs/protocol/owner.md#a-request, step 2.
        """
        self._request = request
        self._claim = Claim(request.active.serial_number, request.descriptor)
        self._certificate, self._idevid_serial = take_tls_certificate(self._log, certificate)
        return self._claim.serial_number

    @step(Stage.RESOLVED, Stage.PROVEN)
    def prove_by_certificate(self, *, now: datetime) -> ProvenChassis:
        """Step 4: tie the certificate to the record, by its chain and its serial number.

        Raises:
            UnprovenPeer: the chain does not end at a CA of the record's own manufacturer.
            ForeignChassis: the certificate is of a device that is not a card of this chassis.

        Source: docs/protocol/owner.md#a-request, step 4.
        """
        record, certificate = known(self._record), known(self._certificate)
        check_idevid(self._log, record.chassis, record.vendor, certificate, now=now)
        proof = CertificateProof(certificate, self._idevid_serial)
        self._proven = prove(record.chassis, proof, now=now)
        return self._proven

    @property
    def _presented(self) -> TlsCertificate | None:
        return self._certificate
