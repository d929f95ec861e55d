"""The order of a status report, the owner's side: it counts only for the chassis that is proven.

The steps are numbered as docs/protocol/owner.md#a-report numbers them:

    unary (ReportSession)       stream (StreamReportSession)
    1  claim: the form          take
    2  claim: the certificate   the stream's own proof
    3  resolve                  the stream's own proof
    4  resolve: the cards       count_for
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from bootz.errors import WireError
from bootz.model.bootstrap import ReportedStatus, StatusReport
from bootz.model.chassis import Chassis, ProvenChassis
from bootz.protocol.idevid import (
    TlsCertificate,
    chain_flaw,
    proves,
    serial_flaw,
    take_tls_certificate,
    untrusted,
)
from bootz.protocol.proof import CertificateProof, prove
from bootz.protocol.refusals import ForeignChassis, MissingRecord
from bootz.protocol.steps import CheckLog, Stage, Steps, known, step
from bootz.trust.certificates import fingerprint
from bootz.trust.vendor import Vendor


class ReportSession(Steps):
    """One unary report, from claim to the chassis that it is recorded for.

    Call in this order: ``claim``, ``resolve``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._report: StatusReport | None = None
        self._certificate: TlsCertificate | None = None
        self._idevid_serial = ""
        self._proven: ProvenChassis | None = None

    @property
    def idevid_serial(self) -> str:
        """The serial number in the certificate as presented."""
        return self._idevid_serial

    @property
    def proven(self) -> ProvenChassis | None:
        """The chassis that the report counts for, once everything about it is proven."""
        return self._proven

    @step(Stage.OPEN, Stage.CLAIMED)
    def claim(
        self, report: StatusReport, certificate: TlsCertificate | None, *, names_cards: bool
    ) -> tuple[str, ...]:
        """Steps 1 and 2: take a report; return the serial numbers whose chassis are needed.

        ``names_cards`` is False for the dialect whose reports name no card (``v0.1.0``).

        Raises:
            WireError: no status, or no card named.
            UnprovenPeer: no certificate, or an unreadable one.

        Source: docs/protocol/owner.md#a-report, steps 1 and 2.
        """
        self._report = report
        check_form(self._log, report, names_cards=names_cards)
        self._certificate, self._idevid_serial = take_tls_certificate(self._log, certificate)
        wanted = [self._idevid_serial] if self._idevid_serial else []
        if report.states:
            wanted.append(report.states[0].serial_number)
        return tuple(wanted)

    @step(Stage.CLAIMED, Stage.DONE)
    def resolve(
        self, candidates: Sequence[Chassis], vendors: Iterable[Vendor], *, now: datetime
    ) -> ProvenChassis:
        """Steps 3 and 4: find the chassis that the certificate proves; hold the report against it.

        ``candidates`` are the chassis of the serial numbers that ``claim`` returned.

        Raises:
            UnprovenPeer: the certificate chains to no CA of the manufacturer.
            MissingRecord: the proven serial number is on no record.
            ForeignChassis: a card in ``states`` is not of the proven chassis.

        Source: docs/protocol/owner.md#a-report, steps 3 and 4.
        """
        report, certificate = known(self._report), known(self._certificate)
        vouching = _vouching(self._log, certificate, candidates, vendors, now)
        of_vendor = [c for c in candidates if c.manufacturer.casefold() in vouching]
        first = report.states[0].serial_number if report.states else ""
        lenient = [c for c in of_vendor if c.skip_idevid_serial_check and c.card(first)]
        proven = [c for c in of_vendor if proves(self._idevid_serial, c)]
        records = {chassis.key: chassis for chassis in (lenient or proven)}
        if len(records) != 1:
            self._log.refuse(
                "chassis-on-record",
                MissingRecord(
                    "chassis-unknown" if not records else "chassis-ambiguous",
                    "the proven serial number does not belong to exactly one chassis in the "
                    "inventory",
                    where="IDevID serialNumber",
                    expected="exactly one chassis in the inventory",
                    seen=self._idevid_serial or _unnamed(certificate),
                ),
            )
        chassis = next(iter(records.values()))
        self._log.passed("chassis-on-record", seen=self._idevid_serial or first)
        check_cards(self._log, report, chassis)
        self._proven = prove(chassis, CertificateProof(certificate, self._idevid_serial), now=now)
        return self._proven


class StreamReportSession(Steps):
    """One report on a stream, whose peer the stream has proven.

    Call in this order: ``take``, ``count_for``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._report: StatusReport | None = None

    @step(Stage.OPEN, Stage.CLAIMED)
    def take(self, report: StatusReport) -> None:
        """Step 1: take a report.

        Raises:
            WireError: no status, or no card named.

        Source: docs/protocol/owner.md#a-report, step 1.
        """
        self._report = report
        check_form(self._log, report, names_cards=True)

    @step(Stage.CLAIMED, Stage.DONE)
    def count_for(self, proven: ProvenChassis) -> None:
        """Step 4: hold the report against the chassis that its stream has proven.

        Raises:
            ForeignChassis: a card in ``states`` is not of that chassis.

        Source: docs/protocol/owner.md#a-report, step 4.
        """
        check_cards(self._log, known(self._report), proven.chassis)


def check_form(log: CheckLog, report: StatusReport, *, names_cards: bool) -> None:
    """Check that a report has a status and, in a dialect whose reports name cards, a card.

    Raises:
        WireError: it has not.
    """
    if report.status is ReportedStatus.UNSPECIFIED:
        log.refuse(
            "report-form",
            WireError("report-status-unspecified", "the report has no status", where="status"),
        )
    if names_cards and not report.states:
        log.refuse(
            "report-form",
            WireError("report-without-cards", "the report names no card", where="states"),
        )
    log.passed("report-form", seen=report.status.name)


def check_cards(log: CheckLog, report: StatusReport, chassis: Chassis) -> None:
    """Check that every card in a report is of the chassis.

    Raises:
        ForeignChassis: ``report-card-foreign``.
    """
    foreign = [s.serial_number for s in report.states if chassis.card(s.serial_number) is None]
    if foreign:
        log.refuse(
            "report-cards",
            ForeignChassis(
                "report-card-foreign",
                "the report names a card that does not belong to the proven chassis",
                where="states",
                expected=", ".join(card.serial_number for card in chassis.cards),
                seen=", ".join(foreign),
            ),
        )
    log.passed("report-cards", seen=", ".join(s.serial_number for s in report.states))


def _unnamed(certificate: TlsCertificate) -> str:
    flaw = serial_flaw(certificate)
    return "none" if flaw is None else flaw.seen


def _vouching(
    log: CheckLog,
    certificate: TlsCertificate,
    candidates: Sequence[Chassis],
    vendors: Iterable[Vendor],
    now: datetime,
) -> set[str]:
    """Return the manufacturers of the candidates whose CAs vouch for the certificate.

    It may be empty: a device of another vendor, which is on no record, is not an unproven one.
    """
    by_name = {vendor.name.casefold(): vendor for vendor in vendors}
    # The manufacturers that could own the card first; the others only to tell a device of
    # theirs, which is on no record, from one without a trusted issuer.
    owners = {chassis.manufacturer.casefold() for chassis in candidates}
    flaws = {
        name: chain_flaw(vendor, certificate, now)
        for name, vendor in by_name.items()
        if name in owners
    }
    vouching = {name for name, flaw in flaws.items() if flaw is None}
    if not vouching and not any(
        chain_flaw(vendor, certificate, now) is None
        for name, vendor in by_name.items()
        if name not in flaws
    ):
        log.refuse("idevid-chain", untrusted("any vendor", next(iter(flaws.values()), None)))
    log.passed("idevid-chain", seen=fingerprint(certificate.leaf))
    return vouching
