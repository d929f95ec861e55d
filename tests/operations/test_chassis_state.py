"""Where a chassis stands: what is on record and the time decide, nothing else.

docs/operator-ids.md: O42.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.cli.inventory.chassis.group import SORTS as COMMAND_SORTS
from bootz.cli.inventory.chassis.group import STATES
from bootz.reasons import REASONS
from bootz.server.operations.chassis_overview import SORTS
from bootz.server.operations.chassis_state import (
    AttemptFacts,
    ChassisFacts,
    ChassisState,
    ClaimFacts,
    StepLimits,
    counts,
    standing,
)
from bootz.server.store.attempt_states import AttemptState

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
LIMITS = StepLimits()


def attempt(
    state: AttemptState,
    *,
    reason: str = "",
    ago: timedelta = timedelta(minutes=1),
    downloads: int = 0,
    position: int = 0,
    size: int = 0,
) -> ChassisFacts:
    at = NOW - ago
    return ChassisFacts(
        attempt=AttemptFacts(3, state, reason, "", at, at, downloads, position, size)
    )


def claim(reason: str) -> ChassisFacts:
    return ChassisFacts(claim=ClaimFacts(NOW, reason, "said so"))


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (ChassisFacts(), ChassisState.EXPECTED),
        (claim("database-unavailable"), ChassisState.CONNECTED),
        (claim("idevid-untrusted"), ChassisState.FAILED),
        (attempt(AttemptState.REFUSED, reason="database-unavailable"), ChassisState.PROVED),
        (attempt(AttemptState.REFUSED, reason="voucher-missing"), ChassisState.FAILED),
        (attempt(AttemptState.ANSWERED), ChassisState.SENT),
        (attempt(AttemptState.ANSWERED, position=5, size=9), ChassisState.IMAGE),
        (attempt(AttemptState.INSTALLING, position=5, size=9), ChassisState.IMAGE),
        (attempt(AttemptState.INSTALLING, position=9, size=9, downloads=1), ChassisState.APPLYING),
        (attempt(AttemptState.ANSWERED, position=9, size=9, downloads=1), ChassisState.APPLYING),
        (attempt(AttemptState.INSTALLING), ChassisState.APPLYING),
        (attempt(AttemptState.SUCCESS), ChassisState.READY),
        (attempt(AttemptState.FAILURE, reason="device-reported-failure"), ChassisState.FAILED),
    ],
)
def test_each_state(facts: ChassisFacts, state: ChassisState) -> None:
    found = standing(facts, LIMITS, NOW)

    assert found.state is state
    if state is ChassisState.FAILED:
        assert found.next_action == REASONS[found.reason].action


@pytest.mark.parametrize(
    ("facts", "limit", "step"),
    [
        (attempt(AttemptState.ANSWERED), timedelta(minutes=10), ChassisState.SENT),
        (
            attempt(AttemptState.ANSWERED, position=5, size=9),
            timedelta(minutes=5),
            ChassisState.IMAGE,
        ),
        (attempt(AttemptState.INSTALLING), timedelta(minutes=45), ChassisState.APPLYING),
        (
            attempt(AttemptState.REFUSED, reason="database-unavailable"),
            timedelta(minutes=10),
            ChassisState.PROVED,
        ),
        (claim("database-unavailable"), timedelta(minutes=10), ChassisState.CONNECTED),
    ],
)
def test_silence_beyond_the_steps_limit_is_stuck(
    facts: ChassisFacts, limit: timedelta, step: ChassisState
) -> None:
    last = standing(facts, LIMITS, NOW).since
    assert last is not None

    assert standing(facts, LIMITS, last + limit).state is step
    stuck = standing(facts, LIMITS, last + limit + timedelta(seconds=1))

    assert (stuck.state, stuck.step, stuck.since) == (ChassisState.STUCK, step, last)
    assert stuck.next_action


def test_a_clock_that_was_set_back_hides_no_silence() -> None:
    facts = attempt(AttemptState.ANSWERED)
    last = standing(facts, LIMITS, NOW).since
    assert last is not None
    limit = LIMITS.of(ChassisState.SENT)

    # A small step back is no more than a longer wait.
    assert standing(facts, LIMITS, last - limit).state is ChassisState.SENT
    found = standing(facts, LIMITS, last - timedelta(days=1))
    assert (found.state, found.step) == (ChassisState.STUCK, ChassisState.SENT)
    assert "1 d" in found.detail
    assert "set back" in found.detail


@pytest.mark.parametrize(
    "state", [AttemptState.SUCCESS, AttemptState.FAILURE], ids=lambda state: state.value
)
def test_what_has_ended_is_never_stuck(state: AttemptState) -> None:
    facts = attempt(state, reason="device-reported-failure")
    before = standing(facts, LIMITS, NOW)

    assert standing(facts, LIMITS, NOW + timedelta(days=400)) == before


def test_a_hold_hides_the_step_and_shows_its_note() -> None:
    since = NOW - timedelta(hours=1)
    facts = attempt(AttemptState.ANSWERED)._replace(hold_since=since, hold_note="rack has no power")

    found = standing(facts, LIMITS, NOW)

    assert (found.state, found.step) == (ChassisState.ON_HOLD, ChassisState.SENT)
    assert (found.since, found.detail) == (since, "rack has no power")
    assert found.reason == "chassis-on-hold"


def test_a_claim_by_a_stranger_moves_no_chassis_that_has_proved_itself() -> None:
    facts = attempt(AttemptState.SUCCESS)._replace(claim=claim("idevid-untrusted").claim)

    assert standing(facts, LIMITS, NOW).state is ChassisState.READY


def test_counts_name_every_state() -> None:
    found = counts([standing(ChassisFacts(), LIMITS, NOW)] * 2)

    assert list(found) == list(ChassisState)
    assert found[ChassisState.EXPECTED] == 2
    assert sum(found.values()) == 2


@given(
    state=st.sampled_from(AttemptState),
    reason=st.sampled_from(["", *sorted(REASONS)]) | st.text(max_size=8),
    position=st.integers(0, 10),
    size=st.integers(0, 10),
    held=st.booleans(),
    minutes=st.integers(0, 10_000),
)
def test_time_alone_only_ever_leads_to_stuck(
    state: AttemptState, reason: str, position: int, size: int, held: bool, minutes: int
) -> None:
    facts = attempt(state, reason=reason, position=position, size=size)
    if held:
        facts = facts._replace(hold_since=NOW)
    first = standing(facts, LIMITS, NOW)
    later = standing(facts, LIMITS, NOW + timedelta(minutes=minutes))

    assert later == first or (later.state, later.step) == (ChassisState.STUCK, first.state)


def test_the_command_knows_every_state_and_sort() -> None:
    assert list(STATES) == [state.value for state in ChassisState]
    assert COMMAND_SORTS == SORTS
