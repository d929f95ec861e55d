"""Every parser of foreign bytes, over its samples and changed ones of a fixed seed.

What coverage guides, and more of it, is `make fuzz` (docs/fuzzing.md).
"""

from __future__ import annotations

import pytest
from fuzz.corpus import CORPUS, samples
from fuzz.harness import NAMES, feed, load
from fuzz.mutation import mutations

COUNT = 40
LARGEST = 12 * 1024


@pytest.mark.parametrize("name", NAMES)
def test_only_our_own_errors_are_raised(name: str) -> None:
    entry = load(name)
    for data in (b"", *mutations(samples(name), COUNT, seed=1)):
        feed(entry, data)


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_small_and_one_is_accepted(name: str) -> None:
    entry = load(name)
    found = samples(name)
    assert sum(map(len, found)) <= LARGEST
    assert any(feed(entry, data) for data in found)


def test_every_harness_has_samples_and_every_sample_a_harness() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(NAMES)


def test_a_finding_is_told_from_an_answer() -> None:
    def broken(data: bytes) -> None:
        raise IndexError(data)

    with pytest.raises(IndexError):
        feed(broken, b"x")
