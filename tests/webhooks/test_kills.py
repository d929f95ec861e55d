"""A few kills of the sender; many by ``make check-webhooks``.

docs/operator-ids.md: O51.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from webhooks import kills


def test_a_killed_sender_loses_nothing_and_keeps_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(kills.__file__).parents[1]))

    tally = asyncio.run(asyncio.wait_for(kills.run(tmp_path, 3, 1), 120))

    assert tally.holds, tally
    assert tally.events > 10
