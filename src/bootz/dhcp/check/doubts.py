"""What a configuration alone does not say, and the worlds in which it is one way or the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

MOST_WORLDS: Final = 64
"""Worlds that are followed for one router; beyond that its verdict stays open."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A question that the file does not answer. The same ``what`` is the same question."""

    what: str
    where: str = field(compare=False)


class World:
    """One way in which everything that is not known may be: every doubt has an answer here."""

    def __init__(self, answers: Sequence[bool] = ()) -> None:
        self._answers = answers
        self.asked: dict[Doubt, bool] = {}

    def holds(self, what: str, where: str) -> bool:
        """Return whether it is so in this world."""
        doubt = Doubt(what, where)
        if doubt not in self.asked:
            number = len(self.asked)
            self.asked[doubt] = self._answers[number] if number < len(self._answers) else True
        return self.asked[doubt]


@dataclass(frozen=True, slots=True)
class Explored(Generic[_T]):
    """The outcome in each world, and every doubt; ``whole``: there are no other worlds."""

    outcomes: tuple[_T, ...]
    doubts: tuple[Doubt, ...]
    whole: bool


def explore(evaluate: Callable[[World], _T]) -> Explored[_T]:
    """Return what comes out in every world, up to ``MOST_WORLDS`` of them."""
    outcomes: list[_T] = []
    doubts: dict[Doubt, None] = {}
    pending: list[tuple[bool, ...]] = [()]
    while pending and len(outcomes) < MOST_WORLDS:
        answers = pending.pop()
        world = World(answers)
        outcomes.append(evaluate(world))
        doubts |= dict.fromkeys(world.asked)
        taken = tuple(world.asked.values())
        pending += [(*taken[:at], not taken[at]) for at in range(len(answers), len(taken))]
    return Explored(tuple(outcomes), tuple(doubts), not pending)
