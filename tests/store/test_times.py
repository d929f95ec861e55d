"""Times in the database: their width, their order, and that they come back as they were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.sql.times import from_text, to_text

_ZONES = st.timedeltas(timedelta(hours=-14), timedelta(hours=14)).map(timezone)
_MOMENTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=_ZONES)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 29, 16, 44, 29, 209, tzinfo=UTC), "2026-11-29T16:44:29.000209Z"),
        (datetime(2026, 11, 29, 16, 44, 29, tzinfo=UTC), "2026-11-29T16:44:29.000000Z"),
        (
            datetime(26, 1, 1, tzinfo=timezone(timedelta(hours=1, microseconds=1))),
            "0025-12-31T22:59:59.999999Z",
        ),
    ],
)
def test_a_time_has_a_fixed_width_in_utc(moment: datetime, text: str) -> None:
    assert to_text(moment) == text


@given(_MOMENTS, _MOMENTS)
def test_times_come_back_and_are_in_the_order_of_their_texts(one: datetime, two: datetime) -> None:
    assert len(to_text(one)) == len(to_text(two)) == 27
    assert from_text(to_text(one)) == one
    assert (to_text(one) < to_text(two)) is (one < two)
