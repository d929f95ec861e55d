"""The state of each chassis in a turn-up: a pure function of what is on record, limits and now.

The command line, and whoever else shows chassis, asks here, so that all say the same. The words
are those of ``docs/states.md``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, NamedTuple

from bootz.reasons import REASONS
from bootz.reasons.reason import Fault
from bootz.server.store.attempt_states import AttemptState


class ChassisState(Enum):
    """How far a chassis has come, in the order in which a person wants to see them."""

    FAILED = "failed"
    """Refused, or the router has reported a failure; someone must act."""
    STUCK = "stuck"
    """It began, and has been silent longer than its step may last."""
    ON_HOLD = "on-hold"
    """Refused until it is released."""
    APPLYING = "applying"
    """It has the image, or needs none of ours, and applies image and configuration."""
    IMAGE = "image"
    """It loads the image."""
    SENT = "sent"
    """It has been sent its bootstrap data."""
    PROVED = "proved"
    """Its identity is proved; it has no data yet, for a cause that passes."""
    CONNECTED = "connected"
    """A call claimed its serial number and did not prove it, for a cause that passes."""
    EXPECTED = "expected"
    """On record, and not seen yet."""
    READY = "ready"
    """It has reported success."""


STARTED: Final = frozenset(
    {
        ChassisState.CONNECTED,
        ChassisState.PROVED,
        ChassisState.SENT,
        ChassisState.IMAGE,
        ChassisState.APPLYING,
    }
)
"""States that a router leaves by itself; silence in one of them is what ``STUCK`` means."""

_PASSING: Final = frozenset({Fault.UNAVAILABLE, Fault.DEADLINE})
"""Faults after which a router that asks again may be served, with nothing changed here."""


@dataclass(frozen=True, slots=True)
class StepLimits:
    """How long each step may be silent before the chassis is stuck."""

    first_byte: timedelta = timedelta(minutes=10)
    """From the answer to the first byte of the image, or to a report."""
    image: timedelta = timedelta(minutes=5)
    """While the image is loaded, without a byte."""
    applying: timedelta = timedelta(minutes=45)
    """From the router's report that it has begun, or the image's last byte, to its next report."""

    def of(self, state: ChassisState) -> timedelta:
        """Return the limit of a state that a router leaves by itself."""
        match state:
            case ChassisState.IMAGE:
                return self.image
            case ChassisState.APPLYING:
                return self.applying
            case _:
                return self.first_byte


class AttemptFacts(NamedTuple):
    """The latest attempt of a chassis that proved itself, as the journal has it.

    ``downloads`` counts those that ended; ``image_position`` is how far the latest has come,
    ``image_size`` the whole file, in bytes, both 0 before the first. Times are aware UTC.
    """

    number: int
    state: AttemptState
    reason: str
    detail: str
    started_at: datetime
    updated_at: datetime
    downloads: int
    image_position: int
    image_size: int

    @property
    def loading(self) -> bool:
        """Whether a download is under way, or was cut and is not taken up again yet."""
        return self.image_position < self.image_size


class ClaimFacts(NamedTuple):
    """The latest call that claimed a serial number of the chassis and did not prove it."""

    at: datetime
    reason: str
    detail: str


class ChassisFacts(NamedTuple):
    """Everything on record that a state depends on."""

    hold_since: datetime | None = None
    hold_note: str = ""
    attempt: AttemptFacts | None = None
    claim: ClaimFacts | None = None


class Standing(NamedTuple):
    """Where a chassis stands.

    ``since`` is the time of the last sign of life in this state, None for a chassis never seen.
    ``reason`` is a code of ``bootz reasons``, empty where there is nothing to explain; ``step``
    is the state in which a stuck chassis fell silent, or the one that a hold hides.
    """

    state: ChassisState
    since: datetime | None
    attempt: int
    reason: str
    detail: str
    step: ChassisState | None = None

    @property
    def next_action(self) -> str:
        """What a person does next, empty where nothing is to be done."""
        if self.state in {ChassisState.READY, ChassisState.EXPECTED} and not self.reason:
            return ""
        row = REASONS.get(self.reason)
        return "" if row is None else row.action


_EXPECTED: Final = Standing(ChassisState.EXPECTED, None, 0, "", "")


def standing(facts: ChassisFacts, limits: StepLimits, now: datetime) -> Standing:
    """Return where a chassis stands at ``now`` (aware UTC)."""
    if facts.attempt is None and facts.claim is None and facts.hold_since is None:
        return _EXPECTED
    reached = _reached(facts)
    if facts.hold_since is not None and reached.state is not ChassisState.READY:
        return Standing(
            ChassisState.ON_HOLD,
            facts.hold_since,
            reached.attempt,
            "chassis-on-hold",
            facts.hold_note,
            step=reached.state,
        )
    if reached.state in STARTED and reached.since is not None:
        silent = now - reached.since
        limit = limits.of(reached.state)
        # Ahead by as much: the clock was set back, and would hide the silence until it catches up.
        if abs(silent) > limit:
            words = (
                f"silent for {_span(silent)} in the step {reached.state.value!r}, which may "
                f"last {_span(limit)}"
                if silent > limit
                else f"its last sign of life is {_span(-silent)} ahead of the clock, which was set "
                f"back: whether it is silent in the step {reached.state.value!r} cannot be told"
            )
            return Standing(
                ChassisState.STUCK,
                reached.since,
                reached.attempt,
                reached.reason or "chassis-stuck",
                reached.detail or words,
                step=reached.state,
            )
    return reached


def counts(standings: Iterable[Standing]) -> Mapping[ChassisState, int]:
    """Return how many chassis are in each state, all states in the order of ``ChassisState``."""
    found = dict.fromkeys(ChassisState, 0)
    for each in standings:
        found[each.state] += 1
    return found


def _reached(facts: ChassisFacts) -> Standing:
    attempt = facts.attempt
    if attempt is None:
        return _claimed(facts.claim)
    state = _attempt_state(attempt)
    return Standing(state, attempt.updated_at, attempt.number, attempt.reason, attempt.detail)


def _attempt_state(attempt: AttemptFacts) -> ChassisState:
    match attempt.state:
        case AttemptState.SUCCESS:
            return ChassisState.READY
        case AttemptState.FAILURE:
            return ChassisState.FAILED
        case AttemptState.REFUSED:
            return ChassisState.PROVED if _passes(attempt.reason) else ChassisState.FAILED
        case AttemptState.ANSWERED | AttemptState.INSTALLING if attempt.loading:
            return ChassisState.IMAGE
        case AttemptState.INSTALLING:
            return ChassisState.APPLYING
        case AttemptState.ANSWERED:
            return ChassisState.APPLYING if attempt.downloads else ChassisState.SENT


def _claimed(claim: ClaimFacts | None) -> Standing:
    """No one has proven to be this chassis; the claim may be anyone's."""
    if claim is None:
        return _EXPECTED
    state = ChassisState.CONNECTED if _passes(claim.reason) else ChassisState.FAILED
    return Standing(state, claim.at, 0, claim.reason, claim.detail)


def _passes(reason: str) -> bool:
    row = REASONS.get(reason)
    return row is not None and row.fault in _PASSING


def _span(length: timedelta) -> str:
    """Return a length of time in words: ``45 min``, ``3 h 5 min``, ``2 d 4 h``."""
    minutes = int(length.total_seconds()) // 60
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // (24 * 60)} d {minutes // 60 % 24} h"
