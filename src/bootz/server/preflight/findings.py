"""What a preflight finds: checks with their evidence, and go or no-go; nothing is read here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from cryptography import x509

from bootz.reasons import REASONS
from bootz.trust.certificates import load_certificate

SOON: Final = timedelta(days=14)
"""A certificate or voucher that ends sooner is told, and does not stop a night."""


class PreflightOutcome(Enum):
    """What one check says."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PreflightCheck:
    """One check. ``reason`` is a code of ``bootz reasons``, empty where it passed."""

    name: str
    outcome: PreflightOutcome
    evidence: str
    reason: str = ""

    @property
    def next_action(self) -> str:
        """What a person does next, empty where nothing is to be done."""
        row = REASONS.get(self.reason)
        return "" if row is None else row.action


@dataclass(frozen=True, slots=True)
class PreflightReport:
    """The checks of the site, or of one chassis, whose ``name`` and ``key`` it has."""

    name: str
    checks: Sequence[PreflightCheck]
    key: int = 0

    @property
    def go(self) -> bool:
        """Whether nothing has failed; warnings do not stop a night."""
        return all(check.outcome is not PreflightOutcome.FAILED for check in self.checks)


def passed(name: str, evidence: str) -> PreflightCheck:
    """Return a check that passed."""
    return PreflightCheck(name, PreflightOutcome.PASSED, evidence)


def warned(name: str, evidence: str, reason: str = "") -> PreflightCheck:
    """Return a check of which a person should know."""
    return PreflightCheck(name, PreflightOutcome.WARNING, evidence, reason)


def failed(name: str, evidence: str, reason: str) -> PreflightCheck:
    """Return a check that would end an onboarding."""
    return PreflightCheck(name, PreflightOutcome.FAILED, evidence, reason)


def check_dates(
    name: str, certificates: Iterable[bytes], now: datetime, *, reason: str
) -> PreflightCheck:
    """Check that certificates (DER) are valid at ``now`` (aware UTC), and for a while.

    ``reason`` is the code for one that is not.
    """
    soonest: x509.Certificate | None = None
    for der in certificates:
        certificate = load_certificate(der)
        subject = certificate.subject.rfc4514_string()
        if now < certificate.not_valid_before_utc:
            begins = certificate.not_valid_before_utc.isoformat()
            return failed(name, f"{subject} is not valid before {begins}", reason)
        if now >= certificate.not_valid_after_utc:
            ended = certificate.not_valid_after_utc.isoformat()
            return failed(name, f"{subject} ended on {ended}", reason)
        if soonest is None or certificate.not_valid_after_utc < soonest.not_valid_after_utc:
            soonest = certificate
    if soonest is None:
        return failed(name, "there is no certificate", reason)
    left = soonest.not_valid_after_utc - now
    words = f"{soonest.subject.rfc4514_string()}: {left.days} days left"
    return warned(name, words, reason) if left < SOON else passed(name, words)
