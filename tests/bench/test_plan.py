"""Numbers of a measurement: what may be asked for, and how percentiles are taken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.bench.plan import BenchPlan, IdentityKey, percentile
from bootz.errors import ConfigError

PLAN = BenchPlan(
    inventory=100,
    onboardings=10,
    routers=10,
    clients=1,
    concurrency=1,
    dialect="current",
    identity=IdentityKey.P256,
    config_bytes=100,
)


@pytest.mark.parametrize(
    ("field", "value", "option"),
    [
        ("inventory", 0, "--inventory"),
        ("inventory", 1_000_001, "--inventory"),
        ("onboardings", 0, "--onboardings"),
        ("routers", 0, "--routers"),
        ("clients", 0, "--clients"),
        ("clients", 65, "--clients"),
        ("concurrency", 0, "--concurrency"),
        ("config_bytes", -1, "--config-bytes"),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(field: str, value: int, option: str) -> None:
    with pytest.raises(ConfigError) as caught:
        replace(PLAN, **{field: value})
    assert caught.value.reason == "bench-plan-invalid"
    assert (caught.value.where, caught.value.seen) == (option, str(value))


def test_old_releases_have_no_streams() -> None:
    with pytest.raises(ConfigError) as caught:
        replace(PLAN, flow="stream", dialect="v0.3")
    assert caught.value.where == "--flow"


def test_percentiles_are_values_that_were_there() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile(values, 1) == 100
    assert percentile([7.0], 0.01) == 7


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.01, 1))
def test_enough_values_are_not_above_a_percentile(values: list[float], share: float) -> None:
    limit = percentile(values, share)
    assert limit in values
    assert sum(value <= limit for value in values) >= share * len(values) * (1 - 1e-9)
