"""Kills what serves, at random, and starts it again: never more than some at a time."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from typing import Final

from bootz.errors import Unavailable
from bootz.lab.chaos.mortal import Mortal

_PAUSE_S: Final = (0.1, 1.5)
"""Seconds between two kills."""

MOST_DOWN: Final = 2
"""Things that are down at once: one server of three always lives, or will soon."""

_STARTS: Final = 30
_START_PAUSE_S: Final = 0.5


class Storm:
    """Kills while ``run`` runs, until it has killed so often.

    Args:
        victims: what may be killed, all of it running.
        kills: how often; None: for as long as it runs.
        chance: draws victims and pauses.
    """

    def __init__(self, victims: Sequence[Mortal], kills: int | None, chance: random.Random) -> None:
        self._victims = victims
        self._left = kills
        self._chance = chance
        self._down: dict[str, asyncio.Task[None]] = {}
        self.tally: Counter[str] = Counter()
        """Kills, by what was killed."""

    @property
    def over(self) -> bool:
        """Whether it has killed as often as it was to."""
        return self._left is not None and self._left <= 0

    async def run(self) -> None:
        """Kill until it is over, or until this is cancelled; everything runs again afterwards.

        Raises:
            Unavailable: something did not start again.
        """
        try:
            while not self.over:
                await asyncio.sleep(self._chance.uniform(*_PAUSE_S))
                await self._make_room()
                await self._kill()
        finally:
            await asyncio.gather(*self._down.values())

    async def _make_room(self) -> None:
        while len(self._down) >= MOST_DOWN:
            await asyncio.wait(self._down.values(), return_when=asyncio.FIRST_COMPLETED)
            for name, task in tuple(self._down.items()):
                if task.done():
                    del self._down[name]
                    task.result()

    async def _kill(self) -> None:
        standing = [each for each in self._victims if each.name not in self._down]
        victim = self._chance.choice(standing)
        self.tally[victim.name] += 1
        if self._left is not None:
            self._left -= 1
        self._down[victim.name] = asyncio.create_task(_again(victim))


async def _again(victim: Mortal) -> None:
    """Kill, and start as a supervisor does: again, where what it needs is down, too."""
    await victim.kill()
    for _ in range(_STARTS):
        try:
            await victim.start()
        except Unavailable:
            await asyncio.sleep(_START_PAUSE_S)
        else:
            return
    await victim.start()
