"""What every conversation of the owner's side is made of: steps in order, each leaving a check.

Called out of order a step raises RuntimeError: that is a defect of the caller, never of a peer.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NoReturn, TypeVar

from cryptography import x509

from bootz.errors import BootzError, OperatorError, PeerError, PolicyError, TrustError
from bootz.model.checks import Check, Outcome
from bootz.trust.certificates import (
    fingerprint,
    idevid_serial_number,
    load_certificate,
    verify_chain,
)
from bootz.trust.vendor import Vendor

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class PresentedCertificate:
    """The certificate a peer presented, DER; its key was proven by TLS or is by a challenge."""

    leaf: bytes = field(repr=False)
    intermediates: tuple[bytes, ...] = field(default=(), repr=False)


class UnprovenPeer(TrustError):
    """The peer has not shown that it is a device of the manufacturer."""


class ForeignChassis(PolicyError):
    """A proven peer asks for what is another chassis's."""


class MissingRecord(OperatorError):
    """The inventory does not know what the peer is or asks for."""


class UnmetCondition(PolicyError):
    """The request is right, the state of chassis or server is not."""


class Stage(Enum):
    """How far a conversation has come."""

    OPEN = "open"
    CLAIMED = "claimed"
    RESOLVED = "resolved"
    ADMITTED = "admitted"
    CHALLENGED = "challenged"
    PROVEN = "proven"
    SELECTED = "selected"
    DONE = "done"


class Steps:
    """Keeps the checks of one conversation and refuses steps out of order."""

    def __init__(self) -> None:
        self._stage = Stage.OPEN
        self._checks: list[Check] = []

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check so far, in order, the failed one last."""
        return tuple(self._checks)

    def _enter(self, expected: Stage, following: Stage) -> None:
        if self._stage is not expected:
            raise RuntimeError(f"step out of order: at {self._stage.value}")
        self._stage = following

    def _pass(self, name: str, expected: str = "", seen: str = "") -> None:
        self._checks.append(Check(name, Outcome.PASSED, expected, seen))

    def _skip(self, name: str, why: str) -> None:
        self._checks.append(Check(name, Outcome.SKIPPED, "", why))

    def _fail(self, name: str, error: BootzError) -> NoReturn:
        self._checks.append(Check(name, Outcome.FAILED, error.expected, error.seen))
        raise error

    def _chain_flaw(
        self, vendor: Vendor, certificate: PresentedCertificate, now: datetime
    ) -> PeerError | None:
        """Return why the chain does not end at an anchor of this vendor, None if it does."""
        intermediates = (*certificate.intermediates, *vendor.idevid_intermediates)
        try:
            verify_chain(certificate.leaf, intermediates, vendor.idevid_anchors, now=now)
        except PeerError as flaw:
            return flaw
        return None

    def _require_certificate(self, certificate: PresentedCertificate | None) -> str:
        """Return the serial number in the TLS certificate, empty where it names none.

        Raises:
            UnprovenPeer: no certificate, or one that cannot be read.
        """
        if certificate is None:
            self._fail(
                "client-certificate",
                UnprovenPeer(
                    "client-certificate-missing",
                    "the call has no client certificate",
                    where="TLS",
                    expected="the IDevID of the active control card",
                    seen="none",
                ),
            )
        try:
            leaf = load_certificate(certificate.leaf)
        except PeerError as error:
            self._fail(
                "client-certificate",
                UnprovenPeer(
                    "client-certificate-unreadable", error.detail, where="TLS", seen=error.reason
                ),
            )
        self._pass("client-certificate", seen=fingerprint(certificate.leaf))
        return named_serial(leaf)


def named_serial(certificate: x509.Certificate) -> str:
    """Return the serial number in an IDevID, empty where it names none."""
    try:
        return idevid_serial_number(certificate)
    except PeerError:
        return ""


def untrusted(manufacturer: str, flaw: PeerError | None) -> UnprovenPeer:
    """Return the error for an IDevID that no CA of the manufacturer vouches for."""
    return UnprovenPeer(
        "idevid-untrusted",
        "the IDevID does not chain to a CA of the manufacturer, or is out of date",
        where="IDevID",
        expected=f"a chain to a CA of {manufacturer}",
        seen="no such vendor in the inventory" if flaw is None else f"{flaw.reason}: {flaw.detail}",
    )


def known(value: _T | None) -> _T:
    """Narrow what the stage guarantees; the stages, not the peer, decide."""
    if value is None:
        raise RuntimeError("step out of order: no earlier result")
    return value
