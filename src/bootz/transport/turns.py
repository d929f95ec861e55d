"""Who comes next among connections that wait: a pure order, without sockets and without a clock.

Peers whose address was answered a moment ago go before first contacts: a router that has its
data still has to report. They get three turns of four and never all, so that a busy relay cannot
keep others out. Within each lane the addresses take turns, and each address keeps its order.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

_Item = TypeVar("_Item")

_RETURNING_TURNS: Final = 3
"""Turns of peers that return, for each turn of a first contact, while both wait."""


class _Lane(Generic[_Item]):
    """Addresses that take turns; those at their bound stand aside."""

    def __init__(self) -> None:
        self._hosts: OrderedDict[str, OrderedDict[_Item, None]] = OrderedDict()
        self._aside: dict[str, OrderedDict[_Item, None]] = {}

    def add(self, host: str, item: _Item) -> None:
        queue = self._hosts.get(host) or self._aside.get(host)
        if queue is None:
            queue = self._hosts[host] = OrderedDict()
        queue[item] = None

    def discard(self, host: str, item: _Item) -> bool:
        for hosts in (self._hosts, self._aside):
            queue = hosts.get(host)
            if queue is not None and item in queue:
                del queue[item]
                if not queue:
                    del hosts[host]
                return True
        return False

    def freed(self, host: str) -> None:
        queue = self._aside.pop(host, None)
        if queue is not None:
            self._hosts[host] = queue

    def aside(self) -> tuple[str, ...]:
        return tuple(self._aside)

    def next(self, may_begin: Callable[[str], bool]) -> _Item | None:
        while self._hosts:
            host, queue = self._hosts.popitem(last=False)
            if not may_begin(host):
                self._aside[host] = queue
                continue
            item, _ = queue.popitem(last=False)
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
        self._returning: _Lane[_Item] = _Lane()
        self._first: _Lane[_Item] = _Lane()
        self._turn = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, host: str, item: _Item, *, returning: bool) -> None:
        """Let a connection of an address wait; ``returning``: it was answered a moment ago."""
        (self._returning if returning else self._first).add(host, item)
        self._count += 1

    def discard(self, host: str, item: _Item) -> None:
        """Forget one that has gone, if it waits."""
        if self._returning.discard(host, item) or self._first.discard(host, item):
            self._count -= 1

    def freed(self, host: str) -> None:
        """Hear that an address has one connection less."""
        self._returning.freed(host)
        self._first.freed(host)

    def aside(self) -> set[str]:
        """Return the addresses that are at their bound while connections of theirs wait."""
        return {*self._returning.aside(), *self._first.aside()}

    def next(self) -> _Item | None:
        """Return the one whose turn it is, None if all that wait are at their address's bound."""
        lanes = [self._returning, self._first]
        if self._turn >= _RETURNING_TURNS:
            lanes.reverse()
        for lane in lanes:
            item = lane.next(self._may_begin)
            if item is not None:
                self._turn = self._turn + 1 if lane is self._returning else 0
                self._count -= 1
                return item
        return None
