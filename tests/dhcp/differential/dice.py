"""Chance that is always the same for a seed."""

from __future__ import annotations

import random
from typing import Any


class Dice:
    """Makes configurations of one family, always the same for a seed."""

    server: str

    def __init__(self, version: int, seed: int) -> None:
        self.version = version
        self.random = random.Random(f"{self.server}{version} {seed}")

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def pick(self, *items: Any) -> Any:
        return self.random.choice(items)
