"""Who comes next among connections that wait: a pure order, without sockets and without a clock.

Peers that are expected, one for each answer to their address a moment ago, go before first
contacts: a router that has its data still has to report. They get three turns of four and never
all, so that a busy relay cannot keep others out. Addresses that came lately and asked for nothing
go last, and get one turn of sixteen at least. Within each lane the addresses take turns, and each
address keeps its order.

While strangers take turns and ask for nothing, those that came last go first in seven turns of
eight, but for peers that return: a router that comes does not wait for thousands of strangers.
"""

from collections import OrderedDict
from collections.abc import Callable
from enum import IntEnum
from typing import Final, Generic, TypeVar

_Item = TypeVar("_Item")

_RETURNING_TURNS: Final = 3
"""Turns of peers that return, for each turn of a first contact, while both wait."""

_OTHERS_TURNS: Final = 15
"""Turns of all others, for each turn of an address that asked for nothing, while both wait."""

_NEWEST_TURNS: Final = 7
"""Turns of those that came last, for each turn of those that came first, where so asked."""


class Rank(IntEnum):
    """What is known of an address, in the order of turns."""

    RETURNING = 0
    """It was answered a moment ago, and this connection is expected."""
    FIRST = 1
    """Nothing."""
    FRUITLESS = 2
    """It came lately, and asked for nothing."""


class _Lane(Generic[_Item]):
    """Addresses that take turns; those at their bound stand aside."""

    def __init__(self) -> None:
        self._hosts: OrderedDict[str, OrderedDict[_Item, None]] = OrderedDict()
        self._aside: dict[str, OrderedDict[_Item, None]] = {}
        # Those that have had no turn since they came, or since they asked for something.
        self._fresh: OrderedDict[str, None] = OrderedDict()

    def add(self, host: str, item: _Item) -> None:
        queue = self._hosts.get(host) or self._aside.get(host)
        if queue is None:
            queue = self._hosts[host] = OrderedDict()
            self._fresh[host] = None
        queue[item] = None

    def discard(self, host: str, item: _Item) -> bool:
        for hosts in (self._hosts, self._aside):
            queue = hosts.get(host)
            if queue is not None and item in queue:
                del queue[item]
                if not queue:
                    del hosts[host]
                    self._fresh.pop(host, None)
                return True
        return False

    def freed(self, host: str) -> None:
        queue = self._aside.pop(host, None)
        if queue is not None:
            self._hosts[host] = queue

    def aside(self) -> tuple[str, ...]:
        return tuple(self._aside)

    def renew(self, host: str) -> None:
        if host in self._hosts:
            self._fresh[host] = None
            self._fresh.move_to_end(host)

    def next(
        self,
        may_begin: Callable[[str], bool],
        *,
        newest: bool,
        only: Callable[[_Item], bool] | None = None,
    ) -> _Item | None:
        while self._hosts:
            if newest and self._fresh:
                host = next(reversed(self._fresh))
                if only is not None and not only(next(reversed(self._hosts[host]))):
                    return None
                del self._fresh[host]
                queue = self._hosts.pop(host)
            elif only is not None:
                return None
            else:
                host, queue = self._hosts.popitem(last=False)
                self._fresh.pop(host, None)
            if not may_begin(host):
                self._aside[host] = queue
                continue
            item, _ = queue.popitem(last=newest)
            if queue:
                self._hosts[host] = queue
            return item
        return None


class Turns(Generic[_Item]):
    """The connections that wait for their turn.

    Args:
        may_begin: tells whether an address is below its own bound. After it has told no, call
            ``freed`` when that has changed.
    """

    def __init__(self, may_begin: Callable[[str], bool]) -> None:
        self._may_begin = may_begin
        self._lanes: dict[Rank, _Lane[_Item]] = {each: _Lane() for each in Rank}
        self._counts = dict.fromkeys(Rank, 0)
        self._returned = self._others = self._newest = 0

    def __len__(self) -> int:
        return sum(self._counts.values())

    def count(self, last: Rank) -> int:
        """Return how many wait of this rank or a better one."""
        return sum(count for each, count in self._counts.items() if each <= last)

    def add(self, host: str, item: _Item, *, rank: Rank) -> None:
        """Let a connection of an address wait."""
        self._lanes[rank].add(host, item)
        self._counts[rank] += 1

    def discard(self, host: str, item: _Item) -> None:
        """Forget one that has gone, if it waits."""
        for rank, lane in self._lanes.items():
            if lane.discard(host, item):
                self._counts[rank] -= 1
                return

    def freed(self, host: str) -> None:
        """Hear that an address has one connection less."""
        for lane in self._lanes.values():
            lane.freed(host)

    def asked(self, host: str) -> None:
        """Hear that a peer of an address has asked for something: more of them may be honest."""
        for lane in self._lanes.values():
            lane.renew(host)

    def aside(self, last: Rank = Rank.FRUITLESS) -> set[str]:
        """Return addresses at their bound of which any of this rank or a better one wait."""
        lanes = (lane for each, lane in self._lanes.items() if each <= last)
        return {host for lane in lanes for host in lane.aside()}

    def next(
        self,
        last: Rank = Rank.FRUITLESS,
        *,
        newest: bool = False,
        newcomer: Callable[[_Item], bool] | None = None,
    ) -> tuple[_Item, Rank] | None:
        """Return the one whose turn it is, None if none of them may be served.

        Args:
            last: none of a worse rank has a turn now.
            newest: most turns of first contacts, and of those who asked for nothing, are for
                those that came last.
            newcomer: tells of the first contact that came last whether it has a turn although
                its rank has none; None: it has not.
        """
        for rank in self._order():
            only = None
            if rank > last:
                if rank is not Rank.FIRST or newcomer is None:
                    continue
                only = newcomer
            most = rank is not Rank.RETURNING and self._newest < _NEWEST_TURNS
            turned = only is not None or (newest and most)
            item = self._lanes[rank].next(self._may_begin, newest=turned, only=only)
            if item is not None:
                self._count(rank, turned=turned)
                return item, rank
        return None

    def _order(self) -> tuple[Rank, ...]:
        if self._others >= _OTHERS_TURNS and self._counts[Rank.FRUITLESS]:
            return (Rank.FRUITLESS, Rank.RETURNING, Rank.FIRST)
        if self._returned >= _RETURNING_TURNS:
            return (Rank.FIRST, Rank.RETURNING, Rank.FRUITLESS)
        return tuple(Rank)

    def _count(self, rank: Rank, *, turned: bool) -> None:
        self._counts[rank] -= 1
        self._newest = self._newest + 1 if turned else 0
        if rank is Rank.FRUITLESS:
            self._others = 0
            return
        self._others += 1
        self._returned = self._returned + 1 if rank is Rank.RETURNING else 0
