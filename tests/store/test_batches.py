"""Long lists of values go into several statements, none lost and none twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.sql.batches import VALUES_MOST, batches


@given(st.integers(0, 4 * VALUES_MOST))
def test_nothing_is_lost_and_nothing_comes_twice(count: int) -> None:
    values = list(range(count))
    assert [value for batch in batches(values) for value in batch] == values


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, []), (1, [1]), (VALUES_MOST, [VALUES_MOST]), (VALUES_MOST + 1, [VALUES_MOST, 1])],
)
def test_a_statement_never_has_more_than_the_engines_take(count: int, sizes: list[int]) -> None:
    assert [len(batch) for batch in batches(range(count))] == sizes
