"""The order of a status report, the owner's side: it counts only for the chassis that is proven."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from bootz.errors import WireError
from bootz.model.bootstrap import ReportedStatus, StatusReport
from bootz.model.chassis import Chassis, ProvenChassis
from bootz.protocol.steps import (
    ForeignChassis,
    MissingRecord,
    PresentedCertificate,
    Stage,
    Steps,
    known,
    untrusted,
)
from bootz.trust.certificates import fingerprint
from bootz.trust.vendor import Vendor


class ReportSession(Steps):
    """One status report, from claim to the chassis that it is recorded for.

    Call in this order: ``claim``, ``resolve``; on a stream ``take``, ``count_for``.
    Source: docs/protocol/wire.md#rules-of-reportstatus.
    """

    def __init__(self) -> None:
        super().__init__()
        self._report: StatusReport | None = None
        self._certificate: PresentedCertificate | None = None
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

    def claim(
        self,
        report: StatusReport,
        certificate: PresentedCertificate | None,
        *,
        names_cards: bool,
    ) -> tuple[str, ...]:
        """Take a report; return the serial numbers whose chassis are needed.

        ``names_cards`` is False for the dialect whose reports name no card (``v0.1.0``).

        Raises:
            WireError: no status, or no card named.
            UnprovenPeer: no certificate, or an unreadable one.
        """
        self._enter(Stage.OPEN, Stage.CLAIMED)
        self._take(report, names_cards=names_cards)
        self._idevid_serial = self._require_certificate(certificate)
        self._certificate = certificate
        wanted = [self._idevid_serial] if self._idevid_serial else []
        if report.states:
            wanted.append(report.states[0].serial_number)
        return tuple(wanted)

    def take(self, report: StatusReport) -> None:
        """Take a report of a stream, whose peer is proven by other means.

        Raises:
            WireError: no status, or no card named.
        """
        self._enter(Stage.OPEN, Stage.CLAIMED)
        self._take(report, names_cards=True)

    def _take(self, report: StatusReport, *, names_cards: bool) -> None:
        self._report = report
        if report.status is ReportedStatus.UNSPECIFIED:
            self._fail(
                "report-form",
                WireError("report-status-unspecified", "the report has no status", where="status"),
            )
        if names_cards and not report.states:
            self._fail(
                "report-form",
                WireError("report-without-cards", "the report names no card", where="states"),
            )
        self._pass("report-form", seen=report.status.name)

    def resolve(
        self, candidates: Sequence[Chassis], vendors: Iterable[Vendor], *, now: datetime
    ) -> ProvenChassis:
        """Find the chassis that the certificate proves, and hold the report against it.

        ``candidates`` are the chassis of the serial numbers that ``claim`` returned.

        Raises:
            UnprovenPeer: the certificate chains to no CA of the manufacturer.
            MissingRecord: the proven serial number is on no record.
            ForeignChassis: a card in ``states`` is not of the proven chassis.
        """
        self._enter(Stage.CLAIMED, Stage.DONE)
        report = known(self._report)
        certificate = known(self._certificate)
        by_name = {vendor.name.casefold(): vendor for vendor in vendors}
        # The manufacturers that could own the card first; the others only to tell a device of
        # theirs, which is on no record, from one without a trusted issuer.
        named = [
            name for name in by_name if name in {c.manufacturer.casefold() for c in candidates}
        ]
        flaws = {name: self._chain_flaw(by_name[name], certificate, now) for name in named}
        chained = {name for name, flaw in flaws.items() if flaw is None}
        if not chained and not any(
            self._chain_flaw(vendor, certificate, now) is None
            for name, vendor in by_name.items()
            if name not in flaws
        ):
            self._fail("idevid-chain", untrusted("any vendor", next(iter(flaws.values()), None)))
        evidence = fingerprint(certificate.leaf)
        self._pass("idevid-chain", seen=evidence)
        of_vendor = [c for c in candidates if c.manufacturer.casefold() in chained]
        first = report.states[0].serial_number if report.states else ""
        lenient = [c for c in of_vendor if c.skip_idevid_serial_check and c.card(first)]
        proven = [c for c in of_vendor if self._idevid_serial and c.card(self._idevid_serial)]
        records = {chassis.key: chassis for chassis in (lenient or proven)}
        if len(records) != 1:
            self._fail(
                "chassis-on-record",
                MissingRecord(
                    "chassis-unknown" if not records else "chassis-ambiguous",
                    "the proven serial number does not belong to exactly one chassis in the "
                    "inventory",
                    where="IDevID serialNumber",
                    expected="exactly one chassis in the inventory",
                    seen=self._idevid_serial or "none",
                ),
            )
        chassis = next(iter(records.values()))
        self._pass("chassis-on-record", seen=self._idevid_serial or first)
        self._check_cards(chassis)
        self._proven = ProvenChassis(chassis, self._idevid_serial, evidence, now)
        return self._proven

    def count_for(self, proven: ProvenChassis) -> None:
        """Hold a report against the chassis that its stream has proven.

        Raises:
            ForeignChassis: a card in ``states`` is not of that chassis.
        """
        self._enter(Stage.CLAIMED, Stage.DONE)
        self._check_cards(proven.chassis)
        self._proven = proven

    def _check_cards(self, chassis: Chassis) -> None:
        report = known(self._report)
        foreign = [s.serial_number for s in report.states if chassis.card(s.serial_number) is None]
        if foreign:
            self._fail(
                "report-cards",
                ForeignChassis(
                    "report-card-foreign",
                    "the report names a card that does not belong to the proven chassis",
                    where="states",
                    expected=", ".join(card.serial_number for card in chassis.cards),
                    seen=", ".join(foreign),
                ),
            )
        self._pass("report-cards", seen=", ".join(s.serial_number for s in report.states))
