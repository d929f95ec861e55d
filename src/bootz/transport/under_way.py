"""The connections that keep others waiting: how many, and for how long.

Each has its turn from its handshake's begin to the end of its first call. Peers that shake hands
and ask for nothing cost a handshake each, so they are let in slowly: those of whom nothing is
known have three quarters of the turns at most, those whose address came so before one quarter,
and who has shaken hands keeps its turn for half a second in which it asks for nothing. That is
some 70 and 24 handshakes in a second with 48 turns; an honest router's turn ends much sooner.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from bootz.transport.turns import Rank

_TURN_S: Final = 0.25
"""For how long a connection may keep others waiting, while this process has time to spare: what
is not done by then waits for the peer."""

_LONG_TURN_S: Final = 3.0
"""The same, while this process is busy, and its peers wait for it."""

_STRANGER_TURN_S: Final = 0.5
"""The same, from the end of its handshake, for one that has asked for nothing yet."""

_STRANGERS_S: Final = 1.0
"""Seconds for which a stranger that asked for nothing tells that more of them are about."""


@dataclass(slots=True)
class _Turn:
    rank: Rank
    begun: float
    shaken: float | None = None
    asked: bool = False


class UnderWay:
    """Keeps the turns.

    Args:
        most: connections that may keep others waiting.
        calls_told: whether it is told who asks for something; else all peers are alike.
    """

    def __init__(self, most: int, *, calls_told: bool) -> None:
        self._most = most
        self._calls_told = calls_told
        self._turns: dict[Hashable, _Turn] = {}
        self._strangers_at: float | None = None

    def __len__(self) -> int:
        return len(self._turns)

    def last(self) -> Rank | None:
        """Return the worst rank that may begin now, None if none may."""
        if len(self._turns) >= self._most:
            return None
        if not self._calls_told:
            return Rank.FRUITLESS
        first = fruitless = 0
        for turn in self._turns.values():
            first += turn.rank is not Rank.RETURNING
            fruitless += turn.rank is Rank.FRUITLESS
        if first >= max(1, self._most * 3 // 4):
            return Rank.RETURNING
        return Rank.FIRST if fruitless >= max(1, self._most // 4) else Rank.FRUITLESS

    def strangers(self, now: float) -> bool:
        """Tell whether turns were lately spent on peers that asked for nothing."""
        return self._strangers_at is not None and now - self._strangers_at < _STRANGERS_S

    def begin(self, place: Hashable, rank: Rank, now: float) -> None:
        """Give a connection its turn."""
        self._turns[place] = _Turn(rank, now)

    def shaken(self, place: Hashable, now: float) -> None:
        """Hear that a handshake is done."""
        turn = self._turns.get(place)
        if turn is not None and self._calls_told:
            turn.shaken = now

    def asked(self, place: Hashable) -> None:
        """Hear that a peer has asked for something."""
        turn = self._turns.get(place)
        if turn is not None:
            turn.asked = True

    def end(self, place: Hashable) -> bool:
        """End a turn; tell whether it was under way."""
        return self._turns.pop(place, None) is not None

    def end_long(self, now: float, *, busy: bool) -> None:
        """Let others not wait any longer for peers that take their time."""
        for place, turn in tuple(self._turns.items()):
            waits = turn.shaken is not None and not turn.asked
            since = turn.shaken if waits and turn.shaken is not None else turn.begun
            most = _LONG_TURN_S if busy else _STRANGER_TURN_S if waits else _TURN_S
            if now - since >= most:
                del self._turns[place]
                if waits:
                    self._strangers_at = now
