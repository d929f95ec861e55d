"""The story of a modular chassis, as ``bootz lab`` tells it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bootz.lab.story import play_standby


def test_the_three_use_cases_are_played_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    cards = asyncio.run(play_standby(tmp_path / "story", told.append))
    states = {card["slot"]: (card["serial_number"], card["state"]) for card in cards}
    assert states == {
        "RP0": ("STORY1RP0", "verified"),
        "RP1": ("STORY1NEW", "verified"),
        "LC0": ("STORY1LC0", "verified"),
        "LC1": ("STORY1BAD", "shut-down"),
    }
    text = "\n".join(told)
    assert text.index("USE CASE 1") < text.index("USE CASE 2") < text.index("USE CASE 3")
    assert "card-tampered" in text
