"""Tries come later and later, scattered, and end after a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bootz.server.webhooks.backoff import GIVE_UP_AFTER, next_try

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def tries(chance: float) -> list[datetime]:
    found, now = [], NOW
    while (at := next_try(len(found) + 1, NOW, now, chance=chance)) is not None:
        found.append(at)
        now = at
    return found


@given(st.floats(0, 1))
def test_each_wait_is_as_long_as_the_one_before_up_to_half_an_hour(chance: float) -> None:
    found = tries(chance)
    waits = [after - before for before, after in zip([NOW, *found], found, strict=False)]
    assert waits == sorted(waits)
    assert timedelta(seconds=1) <= waits[0] <= timedelta(seconds=2)
    assert timedelta(minutes=15) <= waits[-1] <= timedelta(minutes=30)
    assert found[-1] < NOW + GIVE_UP_AFTER
    assert found[-1] > NOW + GIVE_UP_AFTER - timedelta(minutes=31)


@given(st.integers(1, 10**6), st.floats(0, 1), st.floats(0, 1e12))
def test_a_receiver_cannot_ask_for_more_than_half_an_hour(
    count: int, chance: float, asked: float
) -> None:
    at = next_try(count, NOW, NOW, chance=chance, asked=asked)
    assert at is not None
    assert at <= NOW + timedelta(minutes=30)
