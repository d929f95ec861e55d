"""What the calls and the streams of the suite's server share: its record, its script, its eyes."""

import hashlib
from dataclasses import dataclass, field

from bootz.conformance.device.adapter import Device
from bootz.conformance.device.answers import AnswerMaker, Planned
from bootz.conformance.device.cases import Given
from bootz.conformance.device.seen import Seen, SeenReport, SeenRequest
from bootz.errors import UnknownChassis
from bootz.model.artifacts import StoredVouchers
from bootz.model.bootstrap import BootstrapRequest, StatusReport
from bootz.model.chassis import (
    BootMode,
    Chassis,
    ControlCard,
    Release,
    fold_serial,
)
from bootz.model.checks import Check
from bootz.model.identity import TpmRecord
from bootz.protocol.server import OwnerSession
from bootz.trust.certificates import VendorCAs
from bootz.trust.vendor import Vendor
from bootz.wire.dialects import Dialect


@dataclass(frozen=True, slots=True)
class DeskRecord:
    """What the server has on record: the device, and who vouches for it."""

    device: Device
    vendor_anchors: VendorCAs = field(repr=False)
    release: Release = Release.CURRENT

    @property
    def vendor(self) -> Vendor:
        """The manufacturer."""
        anchors = self.vendor_anchors
        return Vendor(self.device.manufacturer, (), "", anchors, anchors)

    def chassis(self, *, insecure: bool, suffix: str = "") -> Chassis:
        """Return the chassis on record; ``suffix`` makes its serial numbers others."""
        device = self.device
        serials = dict.fromkeys((device.serial_number, *device.cards))
        return Chassis(
            key=1,
            manufacturer=device.manufacturer,
            serial_number=device.chassis_serial and device.chassis_serial + suffix,
            cards=tuple(
                ControlCard(serial + suffix, tpm=TpmRecord(ek=device.ek, ppk=device.ppk))
                for serial in serials
            ),
            boot_mode=BootMode.INSECURE if insecure else BootMode.SECURE,
            release=self.release,
            modular=len(serials) > 1,
        )


@dataclass(slots=True)
class Script:
    """What the server does next; who plays the case changes it between the phases."""

    given: Given = Given.GOOD
    planned: Planned | None = None
    insecure: bool = False


class Desk:
    """Who is served, what the script says next, and everything that was seen.

    Args:
        record: whom it serves.
        answers: makes what it sends.
    """

    def __init__(self, record: DeskRecord, answers: AnswerMaker) -> None:
        self.seen = Seen()
        self.script = Script()
        self.record = record
        self.answers = answers

    def select(self, session: OwnerSession, script: Script) -> list[str]:
        """Return the serial numbers to answer, as the device spells them.

        Raises:
            BootzError: the request is not to be answered, or the script says no.
        """
        selection = session.select()
        if script.given is Given.REFUSED:
            raise UnknownChassis("conformance-scripted", "the case refuses this request")
        answered = [card.serial_number for card in selection.answered]
        session.plan_vouchers(StoredVouchers({fold_serial(serial): b"" for serial in answered}))
        return answered

    def saw(
        self,
        session: OwnerSession,
        request: BootstrapRequest | None,
        peer: str,
        dialect: Dialect,
        flow: str,
        *,
        refused: str = "",
        sent: bytes = b"",
    ) -> None:
        """Keep a request; ``sent`` is the BootstrapDataSigned that answered it."""
        planned = self.script.planned
        self.seen.requests.append(
            SeenRequest(
                self.seen.phase,
                peer,
                dialect.name,
                flow,
                request,
                session.checks,
                refused,
                hashlib.sha512(sent).hexdigest() if sent else "",
                planned.image if planned is not None else None,
            )
        )

    def saw_report(
        self,
        report: StatusReport,
        checks: tuple[Check, ...],
        peer: str,
        dialect: Dialect,
        flow: str,
        *,
        refused: str = "",
    ) -> None:
        """Keep a status report."""
        self.seen.reports.append(
            SeenReport(self.seen.phase, peer, dialect.name, flow, report, checks, refused)
        )
