"""The order of a request for bootstrapping data, the owner's side; no I/O, no clock, no dice.

The law of this room: a claim (what the request says) leads to a record (what the inventory
knows); a proof (what the device has shown to hold) must be of a card of that record; only the
proven chassis learns anything, and nothing in the request can widen it. The steps are those
of docs/dialects.md#order-of-the-checks-of-getbootstrapdata, numbered there and here alike; each
leaves a ``Check`` behind, also when it fails.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bootz.model.artifacts import StoredVouchers
from bootz.model.bootstrap import BootstrapRequest
from bootz.model.chassis import (
    BootMode,
    CardStatus,
    Chassis,
    ClaimedCard,
    ProvenChassis,
    VoucherDelivery,
    fold_serial,
)
from bootz.protocol.steps import (
    ForeignChassis,
    MissingRecord,
    PresentedCertificate,
    Stage,
    Steps,
    UnmetCondition,
    known,
    untrusted,
)
from bootz.trust.certificates import fingerprint
from bootz.trust.vendor import Vendor


@dataclass(frozen=True, slots=True)
class Selection:
    """Which cards are answered. ``answered`` keeps the device's spelling and order.

    ``foreign`` were listed and are not of the chassis; ``initialized`` is the asking card of a
    modular chassis that needs nothing itself; ``listed`` counts the cards of the request.
    """

    answered: tuple[ClaimedCard, ...]
    foreign: tuple[ClaimedCard, ...]
    initialized: str
    listed: int


@dataclass(frozen=True, slots=True)
class VoucherPlan:
    """Which vouchers travel, by serial number as ``fold_serial`` gives it, and whether as a bundle.

    ``missing`` are answered cards without a voucher that the answer goes out without.
    """

    serials: tuple[str, ...]
    bundle: bool
    missing: tuple[str, ...] = ()


class BootstrapSession(Steps):
    """One request for bootstrapping data, from claim to what is to be sent.

    Call in this order: ``claim``, ``resolve``, ``prove_by_certificate``, ``select``,
    ``plan_vouchers``. Source: docs/protocol/wire.md#rules-of-getbootstrapdata.
    """

    def __init__(self) -> None:
        super().__init__()
        self._request: BootstrapRequest | None = None
        self._certificate: PresentedCertificate | None = None
        self._idevid_serial = ""
        self._chassis: Chassis | None = None
        self._vendor: Vendor | None = None
        self._proven: ProvenChassis | None = None
        self._selection: Selection | None = None

    @property
    def idevid_serial(self) -> str:
        """The serial number in the certificate as presented; proven only after the proof."""
        return self._idevid_serial

    @property
    def chassis(self) -> Chassis | None:
        """The record, once it is found."""
        return self._chassis

    @property
    def proven(self) -> ProvenChassis | None:
        """The proven chassis, once the proof holds."""
        return self._proven

    def claim(self, request: BootstrapRequest, certificate: PresentedCertificate | None) -> str:
        """Take a well-formed request and the peer's certificate; return the serial to look up.

        Raises:
            UnprovenPeer: no certificate, or an unreadable one (rule 2).
        """
        self._enter(Stage.OPEN, Stage.CLAIMED)
        self._request = request
        self._idevid_serial = self._require_certificate(certificate)
        self._certificate = certificate
        return request.active.serial_number

    def resolve(
        self, candidates: Sequence[Chassis], vendors: Iterable[Vendor], *, now: datetime
    ) -> Chassis:
        """Find the record: the chassis that has the claimed active card (rule 3).

        The manufacturer in the request decides, by name or alias; where it is unknown, the
        CA that issued the IDevID.

        Raises:
            MissingRecord: no chassis, or still several.
            ForeignChassis: the chassis serial number of the request contradicts the record.
        """
        self._enter(Stage.CLAIMED, Stage.RESOLVED)
        request = known(self._request)
        certificate = self._certificate
        by_name = {vendor.name.casefold(): vendor for vendor in vendors}
        serial = request.active.serial_number
        manufacturer = request.descriptor.manufacturer
        named = next((v for v in by_name.values() if v.is_called(manufacturer)), None)
        records = [chassis for chassis in candidates if chassis.card(serial) is not None]
        if named is not None:
            records = [c for c in records if c.manufacturer.casefold() == named.name.casefold()]
        elif len(records) > 1 and certificate is not None:
            records = [
                chassis
                for chassis in records
                if (vendor := by_name.get(chassis.manufacturer.casefold())) is not None
                and self._chain_flaw(vendor, certificate, now) is None
            ]
        if len(records) != 1:
            self._fail(
                "chassis-on-record",
                MissingRecord(
                    "chassis-unknown" if not records else "chassis-ambiguous",
                    f"{len(records)} chassis in the inventory have the card {serial!r}"
                    + (f" of manufacturer {manufacturer!r}" if manufacturer else ""),
                    where="control_card_state.serial_number",
                    expected="exactly one chassis in the inventory",
                    seen=f"{len(records)}",
                ),
            )
        chassis = records[0]
        self._chassis = chassis
        self._vendor = by_name.get(chassis.manufacturer.casefold())
        self._pass("chassis-on-record", seen=f"{chassis.manufacturer} {serial}")
        claimed = fold_serial(request.descriptor.serial_number)
        on_record = fold_serial(chassis.serial_number)
        if claimed and on_record and claimed != on_record:
            self._fail(
                "chassis-serial",
                ForeignChassis(
                    "chassis-serial-contradicts",
                    "the chassis serial number in the request differs from the inventory",
                    where="chassis_descriptor.serial_number",
                    expected=chassis.serial_number,
                    seen=request.descriptor.serial_number,
                ),
            )
        return chassis

    def prove_by_certificate(self, *, now: datetime) -> ProvenChassis:
        """Tie the certificate to the record (rule 4): chain, then serial number.

        The chain must end at a CA of the record's own manufacturer: TLS trusts all vendors, and
        without this any of them could certify a serial number of another.

        Raises:
            UnprovenPeer: the chain does not end there.
            ForeignChassis: the certificate is of a device that is not a card of this chassis.
        """
        self._enter(Stage.RESOLVED, Stage.PROVEN)
        return self._prove(self._check_certificate(now), self._idevid_serial, now)

    def _check_certificate(self, now: datetime) -> str:
        """Check chain and serial number of the certificate; return its fingerprint."""
        chassis = known(self._chassis)
        certificate = known(self._certificate)
        vendor = self._vendor
        flaw = None if vendor is None else self._chain_flaw(vendor, certificate, now)
        if vendor is None or flaw is not None:
            self._fail("idevid-chain", untrusted(chassis.manufacturer, flaw))
        evidence = fingerprint(certificate.leaf)
        self._pass("idevid-chain", expected=f"a CA of {chassis.manufacturer}", seen=evidence)
        if chassis.skip_idevid_serial_check:
            self._skip("idevid-serial", "switched off for this chassis")
        elif not self._idevid_serial or chassis.card(self._idevid_serial) is None:
            self._fail(
                "idevid-serial",
                ForeignChassis(
                    "idevid-serial-foreign",
                    "the proven serial number is not a card of the named chassis",
                    where="IDevID serialNumber",
                    expected=", ".join(card.serial_number for card in chassis.cards),
                    seen=self._idevid_serial or "none",
                ),
            )
        else:
            self._pass("idevid-serial", seen=self._idevid_serial)
        return evidence

    def _prove(self, evidence: str, serial: str, now: datetime) -> ProvenChassis:
        self._proven = ProvenChassis(known(self._chassis), serial, evidence, now)
        return self._proven

    def select(self) -> Selection:
        """Decide which cards are answered (rules 5 and 6); what is foreign is left out.

        Raises:
            UnmetCondition: a chassis in secure mode asks without a nonce.
            MissingRecord: no card is left to answer.
        """
        self._enter(Stage.PROVEN, Stage.SELECTED)
        request = known(self._request)
        chassis = known(self._proven).chassis
        if request.nonce:
            self._pass("nonce", seen="present")
        elif chassis.boot_mode is BootMode.SECURE:
            self._fail(
                "nonce",
                UnmetCondition(
                    "nonce-missing",
                    "the chassis is in secure mode and the request has no nonce",
                    where="nonce",
                    expected="a nonce",
                    seen="none",
                ),
            )
        else:
            self._skip("nonce", "the chassis is in insecure mode")
        listed = request.descriptor.control_cards or (ClaimedCard(request.active.serial_number),)
        asking = fold_serial(request.active.serial_number)
        done = chassis.modular and request.active.status is CardStatus.INITIALIZED
        own = [card for card in listed if chassis.card(card.serial_number) is not None]
        answered = tuple(
            card for card in own if not (done and fold_serial(card.serial_number) == asking)
        )
        foreign = tuple(card for card in listed if chassis.card(card.serial_number) is None)
        self._selection = Selection(
            answered, foreign, request.active.serial_number if done else "", len(listed)
        )
        if not answered:
            self._fail(
                "cards",
                MissingRecord(
                    "cards-unknown",
                    "none of the listed cards belongs to this chassis",
                    where="chassis_descriptor.control_cards",
                    expected=", ".join(card.serial_number for card in chassis.cards),
                    seen=", ".join(card.serial_number for card in listed),
                ),
            )
        if foreign:
            self._skip(
                "cards",
                "left out, not in this chassis: " + ", ".join(c.serial_number for c in foreign),
            )
        else:
            self._pass("cards", seen=", ".join(card.serial_number for card in answered))
        return self._selection

    @property
    def selection(self) -> Selection | None:
        """What ``select`` decided, also when nothing was left to answer."""
        return self._selection

    def plan_vouchers(self, stored: StoredVouchers) -> VoucherPlan:
        """Choose the vouchers that travel with a signed answer.

        Source: docs/protocol/vouchers.md#bundles.

        ``stored`` is by serial number as ``fold_serial`` gives it.

        Raises:
            UnmetCondition: the voucher that must be there is not, or has ended; an alarm for the
                operator.
        """
        self._enter(Stage.SELECTED, Stage.DONE)
        request = known(self._request)
        selection = known(self._selection)
        chassis = known(self._proven).chassis
        answered = [fold_serial(card.serial_number) for card in selection.answered]
        active = fold_serial(request.active.serial_number)
        first = active if active in answered else answered[0]
        match chassis.voucher_delivery:
            case VoucherDelivery.SINGLE:
                bundle = False
            case VoucherDelivery.BUNDLE:
                bundle = True
            case VoucherDelivery.AUTO:
                bundle = selection.listed > 1
        present = tuple(serial for serial in answered if serial in stored.valid)
        required_missing = not present if bundle and first != active else first not in stored.valid
        if required_missing:
            ended = first in stored.ended
            self._fail(
                "voucher",
                UnmetCondition(
                    "voucher-expired" if ended else "voucher-missing",
                    "the stored voucher of a card that needs one has ended"
                    if ended
                    else "no valid voucher is stored for a card that needs one",
                    where=first,
                    expected="a stored voucher that pins this owner's domain certificate",
                    seen=stored.seen_of(first),
                ),
            )
        travelling = present if bundle else (first,)
        self._pass("voucher", seen="bundle" if bundle else first)
        missing = tuple(each for each in answered if each not in present) if bundle else ()
        return VoucherPlan(travelling, bundle, missing)
