"""What the router remembers: one record, replaced whole, from which every restart goes on.

The record is the only root: whatever a folder holds beside it and the record does not name
counts for nothing. So a router that is killed between any two writes comes up in the state
before or after a step, never in between.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from bootz.device.source import DiscoveryAccount
from bootz.model.checks import Check

MAX_STATUSES = 256
"""How much of the status sequence is kept; a router that retries for days does not grow."""


class BootzStatus(Enum):
    """The leaf ``/system/bootz/state/status`` (docs/protocol/workflow.md#telemetry)."""

    UNSPECIFIED = "BOOTZ_UNSPECIFIED"
    SENT = "BOOTZ_SENT"
    RECEIVED = "BOOTZ_RECEIVED"
    OS_UPGRADE_IN_PROGRESS = "BOOTZ_OS_UPGRADE_IN_PROGRESS"
    OS_UPGRADE_COMPLETE = "BOOTZ_OS_UPGRADE_COMPLETE"
    CONFIGURATION_APPLIED = "BOOTZ_CONFIGURATION_APPLIED"
    OK = "BOOTZ_OK"
    OV_INVALID = "BOOTZ_OV_INVALID"
    OS_INVALID_IMAGE = "BOOTZ_OS_INVALID_IMAGE"
    CONFIGURATION_INVALID = "BOOTZ_CONFIGURATION_INVALID"


class Phase(Enum):
    """What is left to do after a restart."""

    CONTACT = "contact"
    """Everything: no verified answer is on the disk."""
    ANSWERED = "answered"
    """An answer was verified and kept: image and configuration are to be installed."""
    CONFIGURED = "configured"
    """Only the report that says so."""
    OPERATIONAL = "operational"
    """Nothing: Bootz does not start again (W13)."""


@dataclass(frozen=True, slots=True)
class InstalledImage:
    """The software that runs; ``sha256`` is empty for what the factory installed."""

    name: str
    version: str
    sha256: str = ""


class CardCondition(Enum):
    """What the router makes of a card that it has seen."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    """In service without verified ownership: the router runs insecurely."""
    SHUT_DOWN = "shut-down"
    FAILED = "failed"
    """It failed and is left running, because the stored server data say so (action none)."""


@dataclass(frozen=True, slots=True)
class CardNote:
    """What became of one card, by the ``token`` of its insertion.

    ``answered`` tells whether the server had data for it; ``final`` is False where asking again
    may end otherwise: the server refused or left out the card, and may accept it later.
    ``reported`` is False until the server has acknowledged a report of a card that came later.
    """

    token: str
    slot: str
    serial_number: str
    condition: CardCondition
    reason: str = ""
    message: str = ""
    answered: bool = True
    final: bool = True
    reported: bool = True


@dataclass(frozen=True, slots=True)
class NoDhcp:
    """``bootz no-dhcp``: whom to ask over which interface, and the configuration from before.

    ``running`` and ``startup`` name files by SHA-256; both empty where there was none.
    ``operational`` tells whether the router had been onboarded before.
    """

    interface: str
    uri: str
    running: str = ""
    startup: str = ""
    operational: bool = False


@dataclass(frozen=True, slots=True)
class RouterState:
    """The record. ``answer``, ``report``, ``running`` and ``startup`` name files by SHA-256.

    ``checks`` are those of the last answer; ``reason`` and ``message`` tell the last failure
    and are empty after a success; ``checksum`` is that of
    docs/protocol/workflow.md#telemetry. ``uri`` is the server that was asked last,
    ``discovery`` how the router came to it. ``asked`` are the tokens of the cards that the last
    request listed; ``cards`` has what became of each card, and one that is not in it is yet to
    be looked at. ``initiated`` is the phase before ``ztp initiate``, which starts Bootz although
    there is a configuration; ``halted``: ``ztp terminate`` has stopped it until the next power-on.
    """

    phase: Phase = Phase.CONTACT
    statuses: tuple[BootzStatus, ...] = (BootzStatus.UNSPECIFIED,)
    attempts: int = 0
    error_count: int = 0
    last_boot_attempt: datetime | None = None
    checksum: str = ""
    image: InstalledImage | None = None
    answer: str = ""
    report: str = ""
    running: str = ""
    startup: str = ""
    script_sha256: str = ""
    dialect: str = ""
    uri: str = ""
    discovery: DiscoveryAccount | None = None
    reason: str = ""
    message: str = ""
    checks: tuple[Check, ...] = field(default=())
    asked: tuple[str, ...] = ()
    cards: tuple[CardNote, ...] = ()
    no_dhcp: NoDhcp | None = None
    initiated: Phase | None = None
    halted: bool = False

    @property
    def in_progress(self) -> bool:
        """Whether a Bootz process runs, or would go on after a restart."""
        begun = self.phase in {Phase.ANSWERED, Phase.CONFIGURED}
        waiting = self.phase is Phase.CONTACT and not self.startup
        return not self.halted and (begun or waiting or self.initiated is not None)

    @property
    def status(self) -> BootzStatus:
        """The present status."""
        return self.statuses[-1]

    def moved(self, status: BootzStatus) -> "RouterState":
        """Return the record with a status added; a repetition (after a restart) adds nothing."""
        if status is self.status:
            return self
        return replace(self, statuses=(*self.statuses, status)[-MAX_STATUSES:])

    def note_of(self, token: str) -> CardNote | None:
        """Return what became of a card, None while that is open."""
        return next((note for note in self.cards if note.token == token), None)

    def noted(self, *notes: CardNote) -> "RouterState":
        """Return the record with these notes, each in the place of an earlier one."""
        fresh = {note.token for note in notes}
        kept = tuple(note for note in self.cards if note.token not in fresh)
        return replace(self, cards=(*kept, *notes))

    def turned_back(self, status: BootzStatus | None) -> "RouterState":
        """Return the record after a server that led to nothing: back to the contact."""
        before = self if self.no_dhcp is None else self.no_dhcp
        back = replace(
            self,
            phase=Phase.CONTACT,
            answer="",
            running=before.startup,
            startup=before.startup,
        )
        return back if status is None else back.moved(status)

    def failed(self, reason: str, message: str) -> "RouterState":
        """Return the record after a failed attempt: counted and explained; what is done stays."""
        return replace(self, error_count=self.error_count + 1, reason=reason, message=message)

    def after_reset(self) -> "RouterState":
        """Return the record of a factory reset: the software stays, everything else is gone."""
        return RouterState(image=self.image)
