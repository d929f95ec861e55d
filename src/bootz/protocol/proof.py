"""The one place where a chassis becomes a proven one."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from bootz.model.chassis import Chassis, ProvenChassis
from bootz.protocol.idevid import TlsCertificate, is_of_card, proves
from bootz.trust.certificates import fingerprint


@dataclass(frozen=True, slots=True)
class CertificateProof:
    """A certificate whose key was used in TLS, and whose chain and serial number were checked."""

    certificate: TlsCertificate
    serial_number: str


@dataclass(frozen=True, slots=True)
class ChallengeProof:
    """A challenge that was answered rightly; ``key`` names the key that could answer it."""

    key: str
    serial_number: str


Proof: TypeAlias = CertificateProof | ChallengeProof


def prove(chassis: Chassis, proof: Proof, *, now: datetime) -> ProvenChassis:
    """Return the chassis on record as a proven one. Nothing else in the project makes one.

    Raises:
        RuntimeError: the proof is not of a kind that proves, or not of a card of this chassis;
            the checks before this step have refused both.
    """
    match proof:
        case CertificateProof(TlsCertificate(leaf), serial):
            evidence, own = fingerprint(leaf), proves(serial, chassis)
        case ChallengeProof(evidence, serial):
            # A TPM key is of a card, whatever the IDevIDs of the manufacturer name.
            own = proves(serial, chassis) or is_of_card(serial, chassis)
        case _:
            raise RuntimeError(f"{type(proof).__name__} proves nothing")
    if not chassis.skip_idevid_serial_check and not own:
        raise RuntimeError("the proof is of another chassis")
    return ProvenChassis(chassis, serial, evidence, now)
