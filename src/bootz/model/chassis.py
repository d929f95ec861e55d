"""The chassis in its three degrees of trust: claimed, known, proven.

Serial numbers are compared without case (``fold_serial``); a Chassis keeps the inventory's
spelling, an answer uses the device's own.
"""

from dataclasses import dataclass
from datetime import datetime

from bootz.model.identity import NO_TPM, TpmRecord
from bootz.model.kinds import BootMode as BootMode
from bootz.model.kinds import CardKind as CardKind
from bootz.model.kinds import CardStatus as CardStatus
from bootz.model.kinds import DynamicConfigPolicy as DynamicConfigPolicy
from bootz.model.kinds import IdevidSerial as IdevidSerial
from bootz.model.kinds import Release as Release
from bootz.model.kinds import VoucherDelivery as VoucherDelivery


def fold_serial(serial_number: str) -> str:
    """Return the form of a serial number under which two spellings are the same card."""
    return serial_number.strip().casefold()


@dataclass(frozen=True, slots=True)
class ClaimedCard:
    """A card as a device lists it. Part number and slot are recorded, never a reason to refuse."""

    serial_number: str
    part_number: str = ""
    slot: str = ""


@dataclass(frozen=True, slots=True)
class ChassisDescriptor:
    """What a device says of itself; nothing in it is trusted (Bootz ``ChassisDescriptor``).

    ``serial_number`` may be empty for a modular chassis; without ``control_cards`` the
    chassis is a fixed form factor.
    """

    manufacturer: str
    part_number: str
    serial_number: str
    control_cards: tuple[ClaimedCard, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlCard:
    """A card on record."""

    serial_number: str
    part_number: str = ""
    slot: str = ""
    kind: CardKind = CardKind.CONTROL
    tpm: TpmRecord = NO_TPM


@dataclass(frozen=True, slots=True)
class Chassis:
    """A chassis as the inventory knows it.

    ``key`` is the inventory's own stable identifier; ``manufacturer`` the vendor's name;
    ``revision`` rises with every change that could alter an answer to this chassis.
    ``verifies_p256``: its routers verify a P-256 owner key, not RSA alone. A chassis
    ``on_hold`` is refused, whatever it proves, until an operator releases it.
    """

    key: int
    manufacturer: str
    serial_number: str
    cards: tuple[ControlCard, ...]
    part_number: str = ""
    hostname: str = ""
    boot_mode: BootMode = BootMode.SECURE
    release: Release = Release.CURRENT
    streaming: bool = True
    skip_idevid_serial_check: bool = False
    idevid_serial: IdevidSerial = IdevidSerial.EITHER
    voucher_delivery: VoucherDelivery = VoucherDelivery.SINGLE
    dynamic_config: DynamicConfigPolicy = DynamicConfigPolicy.MERGE
    modular: bool = False
    verifies_p256: bool = False
    on_hold: bool = False
    revision: int = 0

    def card(self, serial_number: str) -> ControlCard | None:
        """Return the card of this chassis with that serial number, compared without case."""
        folded = fold_serial(serial_number)
        for card in self.cards:
            if fold_serial(card.serial_number) == folded:
                return card
        return None


@dataclass(frozen=True, slots=True)
class ProvenChassis:
    """A chassis on record whose identity the peer has proven; only ``protocol`` makes one.

    ``proven_serial`` is the serial number in the proof (empty where the chassis skips that
    comparison and the certificate names none); ``evidence`` the SHA-256 fingerprint of the
    IDevID, or the name of the challenge that was won.
    """

    chassis: Chassis
    proven_serial: str
    evidence: str
    proven_at: datetime
