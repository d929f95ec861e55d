"""The connections that keep others waiting: how many, and for how long.

Each has its turn from its handshake's begin to the end of its first call. Peers that shake hands
and ask for nothing cost a handshake each, and nothing tells them from others before. So such a
stranger keeps its turn for half a second in which it asks for nothing, and bounds on the turns of
peers that have not asked yet bound how many strangers are let in:

- who came in the last ten seconds has half of the turns, so that whoever comes finds one although
  thousands of strangers were there before;
- all others have a quarter of the turns while this process has no time to spare, and up to twice
  as many as there are turns while it has: someone who waits among strangers is found soon;
- of those, addresses that came so before have a quarter of the turns.

With 48 turns that is some 48, 24 to 190, and 24 handshakes in a second; an honest router's turn
ends much sooner. While no stranger is about, first contacts have three quarters of the turns.

Who does not finish its handshake is a stranger, too, and cheaper to be: it is told from a slow
router by half of the time that a handshake may take.
"""

import math
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum
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

_NEWCOMER_S: Final = 10.0
"""Seconds after it came for which a first contact has a share of its own among strangers."""


class _Share(Enum):
    """Which of the bounds a peer that has not asked yet counts against."""

    RETURNING = "returning"
    NEWCOMER = "newcomer"
    OTHER = "other"
    FRUITLESS = "fruitless"


@dataclass(slots=True)
class _Turn:
    share: _Share
    begun: float
    shaken: float | None = None
    asked: bool = False

    @property
    def rests(self) -> bool:
        """Whether it waits for a stranger, and for no work of ours."""
        return self.shaken is not None and not self.asked and self.share is not _Share.RETURNING


class UnderWay:
    """Keeps the turns.

    Args:
        most: connections that may keep others waiting.
        calls_told: whether it is told who asks for something; else all peers are alike.
        handshake_timeout: seconds that a handshake may take.
    """

    def __init__(self, most: int, *, calls_told: bool, handshake_timeout: float = math.inf) -> None:
        self._most = most
        self._slow_s = handshake_timeout / 2
        self._calls_told = calls_told
        self._turns: dict[Hashable, _Turn] = {}
        # Those that work, or wait for a peer in its handshake, and those that may be strangers.
        self._at_work: Counter[_Share] = Counter()
        self._unasked: Counter[_Share] = Counter()
        # Those whose handshake outlasts their turn, and when that began.
        self._slow: dict[Hashable, float] = {}
        self._strangers_at = -math.inf
        self._spare = 1.0

    def __len__(self) -> int:
        return len(self._turns)

    def last(self, now: float) -> Rank | None:
        """Return the worst rank that may begin now, None if none may."""
        if self._at_work.total() >= self._most:
            return None
        if not self._calls_told:
            return Rank.FRUITLESS
        fruitless = self._unasked[_Share.FRUITLESS]
        if self._first_full() or self._unasked[_Share.OTHER] + fruitless >= self._others(now):
            return Rank.RETURNING
        return Rank.FIRST if fruitless >= self._part(1, 4) else Rank.FRUITLESS

    def newcomers_since(self, now: float) -> float:
        """Return since when a first contact must have come, to begin where its rank may not."""
        if (
            not self.strangers(now)
            or self._at_work.total() >= self._most
            or self._first_full()
            or self._unasked[_Share.NEWCOMER] >= self._part(1, 2)
        ):
            return math.inf
        return now - _NEWCOMER_S

    def strangers(self, now: float) -> bool:
        """Tell whether turns were lately spent on peers that asked for nothing."""
        return now - self._strangers_at < _STRANGERS_S

    def begin(self, place: Hashable, rank: Rank, *, came: float, now: float) -> None:
        """Give a connection its turn; it came at a time."""
        if rank is Rank.RETURNING:
            share = _Share.RETURNING
        elif rank is Rank.FRUITLESS:
            share = _Share.FRUITLESS
        else:
            share = _Share.NEWCOMER if came > self.newcomers_since(now) else _Share.OTHER
        self._turns[place] = _Turn(share, now)
        self._at_work[share] += 1
        self._unasked[share] += 1

    def shaken(self, place: Hashable, now: float) -> None:
        """Hear that a handshake is done."""
        self._slow.pop(place, None)
        turn = self._turns.get(place)
        if turn is not None and self._calls_told and turn.shaken is None:
            turn.shaken = now
            self._at_work[turn.share] -= turn.rests

    def asked(self, place: Hashable) -> None:
        """Hear that a peer has asked for something."""
        turn = self._turns.get(place)
        if turn is not None and not turn.asked:
            self._at_work[turn.share] += turn.rests
            self._unasked[turn.share] -= 1
            turn.asked = True

    def end(self, place: Hashable) -> bool:
        """End a turn; tell whether it was under way."""
        self._slow.pop(place, None)
        turn = self._turns.pop(place, None)
        if turn is None:
            return False
        self._at_work[turn.share] -= not turn.rests
        self._unasked[turn.share] -= not turn.asked
        return True

    def look(self, now: float, *, late: bool, spare: float) -> None:
        """Let others not wait any longer for peers that take their time.

        Args:
            now: seconds on a clock that only rises, the same for all calls.
            late: whether this process did not come to it in time.
            spare: the part of a core that it had to spare lately, from 0 to 1.
        """
        self._spare = spare
        for place, turn in tuple(self._turns.items()):
            waits = turn.shaken is not None and not turn.asked
            since = turn.shaken if waits and turn.shaken is not None else turn.begun
            most = _LONG_TURN_S if late else _STRANGER_TURN_S if waits else _TURN_S
            if now - since >= most:
                self.end(place)
                if waits:
                    self._strangers_at = now
                elif turn.shaken is None and self._calls_told:
                    self._slow[place] = turn.begun
        if self._slow and now - next(iter(self._slow.values())) >= self._slow_s:
            self._strangers_at = now

    def _part(self, part: int, of: int) -> int:
        return max(1, self._most * part // of)

    def _first_full(self) -> bool:
        """Tell whether all have their turn that may be there without having been answered."""
        first = self._at_work.total() - self._at_work[_Share.RETURNING]
        return first >= self._part(3, 4)

    def _others(self, now: float) -> int:
        if not self.strangers(now):
            return self._part(3, 4)
        least = self._part(1, 4)
        return least + int((2 * self._most - least) * self._spare)
