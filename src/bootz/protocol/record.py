"""From a claim to the record: which chassis of the inventory a request is about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bootz.model.chassis import Chassis, ChassisDescriptor, fold_serial
from bootz.protocol.idevid import DeviceCertificate, chain_flaw
from bootz.protocol.refusals import ForeignChassis, MissingRecord
from bootz.protocol.steps import CheckLog
from bootz.trust.vendor import Vendor


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a peer says it is: the serial number of the card that asks, and the chassis around it."""

    serial_number: str
    descriptor: ChassisDescriptor


@dataclass(frozen=True, slots=True)
class Record:
    """The chassis on record for a claim, and its vendor; None where no such vendor is on record."""

    chassis: Chassis
    vendor: Vendor | None


def find_record(
    log: CheckLog,
    claim: Claim,
    certificate: DeviceCertificate | None,
    candidates: Sequence[Chassis],
    vendors: Iterable[Vendor],
    *,
    now: datetime,
) -> Record:
    """Return the one chassis on record that has the claimed card.

    The manufacturer in the request decides, by name or alias. Where no vendor is called so, the
    CA that issued the IDevID decides.

    Raises:
        MissingRecord: no chassis, or still several.
        ForeignChassis: the chassis serial number of the request contradicts the record.
    """
    by_name = {vendor.name.casefold(): vendor for vendor in vendors}
    manufacturer = claim.descriptor.manufacturer
    named = next((v for v in by_name.values() if v.is_called(manufacturer)), None)
    records = [chassis for chassis in candidates if chassis.card(claim.serial_number) is not None]
    if named is not None:
        records = [c for c in records if c.manufacturer.casefold() == named.name.casefold()]
    elif len(records) > 1 and certificate is not None:
        records = [
            chassis
            for chassis in records
            if (vendor := by_name.get(chassis.manufacturer.casefold())) is not None
            and chain_flaw(vendor, certificate, now) is None
        ]
    if len(records) != 1:
        log.refuse(
            "chassis-on-record",
            MissingRecord(
                "chassis-unknown" if not records else "chassis-ambiguous",
                f"{len(records)} chassis in the inventory have the card {claim.serial_number!r}"
                + (f" of manufacturer {manufacturer!r}" if manufacturer else ""),
                where="control_card_state.serial_number",
                expected="exactly one chassis in the inventory",
                seen=f"{len(records)}",
            ),
        )
    chassis = records[0]
    log.passed("chassis-on-record", seen=f"{chassis.manufacturer} {claim.serial_number}")
    claimed = fold_serial(claim.descriptor.serial_number)
    on_record = fold_serial(chassis.serial_number)
    if claimed and on_record and claimed != on_record:
        log.refuse(
            "chassis-serial",
            ForeignChassis(
                "chassis-serial-contradicts",
                "the chassis serial number in the request differs from the inventory",
                where="chassis_descriptor.serial_number",
                expected=chassis.serial_number,
                seen=claim.descriptor.serial_number,
            ),
        )
    return Record(chassis, by_name.get(chassis.manufacturer.casefold()))
