"""What the suite's server saw: the observations that the judge works from."""

from dataclasses import dataclass, field

from bootz.model.bootstrap import BootstrapRequest, ReportedStatus, SoftwareImage, StatusReport
from bootz.model.checks import Check


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request for bootstrapping data.

    ``checks`` are those of the owner's order of checks; ``refused`` the reason where there was
    no answer; ``checksum`` the SHA-512 of the BootstrapDataSigned that was sent, hex.
    """

    phase: int
    peer: str
    dialect: str
    flow: str
    request: BootstrapRequest | None = None
    checks: tuple[Check, ...] = ()
    refused: str = ""
    checksum: str = ""
    image: SoftwareImage | None = None


@dataclass(frozen=True, slots=True)
class SeenReport:
    """A status report; ``peer`` tells one connection from another."""

    phase: int
    peer: str
    dialect: str
    flow: str
    report: StatusReport
    checks: tuple[Check, ...] = ()
    refused: str = ""


@dataclass(slots=True)
class Seen:
    """Everything so far. ``phase`` is counted up by who plays the case."""

    phase: int = 0
    requests: list[SeenRequest] = field(default_factory=list)
    reports: list[SeenReport] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """What arrived and could not be read at all, in words."""

    @property
    def succeeded(self) -> bool:
        """Whether the device has reported a success, in whatever phase, and proved itself."""
        return any(
            each.report.status is ReportedStatus.SUCCESS and not each.refused
            for each in self.reports
        )
