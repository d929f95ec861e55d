"""Closes the databases that a test has opened."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from masa.world import OPENED


@pytest.fixture(autouse=True)
def closed_at_the_end() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()
