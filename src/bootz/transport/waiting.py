"""Connections that were accepted and wait: a descriptor each, no TLS, no task, no buffer.

They are accepted because the kernel forgets what its own queue cannot hold; a peer whose
connection it forgot gets a reset half a minute later. Here a peer that has said nothing, or only
part of a ClientHello, keeps no other from its turn, and one that has gone is not served.
"""

import math
import select
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from bootz.transport.hello import says_hello
from bootz.transport.proxy_door import Arrival
from bootz.transport.turns import Rank, Turns

_GONE: Final = select.EPOLLHUP | select.EPOLLERR
_HEARD: Final = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
"""By edges: what comes, and later the peer's end, are told once each."""

_EVENTS: Final = 4096

_DROPPED: Final = 8192
"""Octets, more than of part of a ClientHello that is waited for."""


@dataclass(slots=True, eq=False)
class Waiter:
    """A connection that waits: its socket, and how it came."""

    accepted: socket.socket = field(repr=False)
    arrival: Arrival
    rank: Rank
    spoken: bool = False
    """Whether its peer has sent so much that it can be served."""

    @property
    def host(self) -> str:
        """The address of its peer: of the router, where a load balancer told it."""
        return self.arrival.host

    @property
    def port(self) -> int:
        """The port of its peer."""
        return self.arrival.port


class WaitingRoom:
    """Keeps connections until it is their turn.

    Args:
        may_begin: tells whether an address is below its own bound.
        tls: whether peers begin with a ClientHello. Without TLS (HTTP) a peer that sends no more
            still waits for an answer.
    """

    def __init__(self, may_begin: Callable[[str], bool], *, tls: bool) -> None:
        self._turns: Turns[Waiter] = Turns(may_begin)
        self._tls = tls
        self._all: dict[int, Waiter] = {}
        self._silent: dict[int, Waiter] = {}
        # Of these, since when part of a hello has been there.
        self._begun: dict[int, float] = {}
        self._per_host: Counter[str] = Counter()
        self._epoll = select.epoll()

    def fileno(self) -> int:
        """The descriptor that can be read when ``hear`` has something to hear."""
        return self._epoll.fileno()

    def __len__(self) -> int:
        return len(self._all)

    @property
    def ready(self) -> int:
        """How many of them have said hello, and so want to be served."""
        return len(self._turns)

    def of(self, host: str) -> int:
        """Return how many of an address wait."""
        return self._per_host[host]

    def oldest(self) -> Waiter | None:
        """Return the one that has waited longest of those that want to be served."""
        return next((each for each in self._all.values() if each.spoken), None)

    def add(self, waiter: Waiter) -> None:
        """Let a connection wait."""
        number = waiter.accepted.fileno()
        self._all[number] = waiter
        self._per_host[waiter.host] += 1
        # What is there already is told by the first look.
        self._epoll.register(number, _HEARD)
        self._silent[number] = waiter

    def hear(self, now: float) -> None:
        """Find out who has spoken, and who has gone.

        ``now`` is seconds on a clock that only rises.
        """
        for number, events in self._epoll.poll(0, _EVENTS):
            waiter = self._all.get(number)
            if waiter is None:
                continue
            ended = events & select.EPOLLRDHUP and (self._tls or not _has_spoken(waiter.accepted))
            if ended or events & _GONE:
                self.close(waiter)
            elif not waiter.spoken:
                self._listen(number, waiter, now)

    def _listen(self, number: int, waiter: Waiter, now: float) -> None:
        if self._tls and not says_hello(waiter.accepted):
            self._begun.setdefault(number, now)
            return
        waiter.spoken = True
        del self._silent[number]
        self._begun.pop(number, None)
        self._turns.add(waiter.host, waiter, rank=waiter.rank)

    def want(self, last: Rank) -> int:
        """Return how many want to be served of this rank or a better one."""
        return self._turns.count(last)

    def next(self, last: Rank, *, newest: bool, newcomers_since: float) -> Waiter | None:
        """Take out the one whose turn it is; None where none may be served now.

        Args:
            last: none of a worse rank has a turn now, but for ``newcomers_since``.
            newest: whether most turns are for those that came last.
            newcomers_since: the first contact that came last has one if it came after this.
        """

        def newcomer(waiter: Waiter) -> bool:
            return waiter.arrival.since > newcomers_since

        only = None if math.isinf(newcomers_since) else newcomer
        found = self._turns.next(last, newest=newest, newcomer=only)
        if found is None:
            return None
        self._forget(found[0])
        return found[0]

    def freed(self, host: str) -> None:
        """Hear that an address has one connection less."""
        self._turns.freed(host)

    def asked(self, host: str) -> None:
        """Hear that a peer of an address has asked for something."""
        self._turns.asked(host)

    def aside(self, last: Rank) -> set[str]:
        """Return addresses at their bound of which any of this rank or a better one wait."""
        return self._turns.aside(last)

    def silent_since(self, before: float, *, begun_before: float) -> list[Waiter]:
        """Return those that have not said hello: who came before a time, or began it before one."""
        found = {}
        for number, waiter in self._silent.items():
            if waiter.arrival.since > before:
                break
            found[number] = waiter
        for number, begun in self._begun.items():
            if begun > begun_before:
                break
            found[number] = self._silent[number]
        return list(found.values())

    def close(self, waiter: Waiter) -> None:
        """End one that waits."""
        if waiter.accepted.fileno() in self._begun:
            # What was not read would be answered by a reset.
            _drop(waiter.accepted)
        self._turns.discard(waiter.host, waiter)
        self._forget(waiter)
        waiter.accepted.close()

    def take_all(self) -> list[Waiter]:
        """Take out all that wait."""
        found = list(self._all.values())
        for waiter in found:
            self._turns.discard(waiter.host, waiter)
            self._forget(waiter)
        return found

    def end(self) -> None:
        """Give the descriptor back."""
        self._epoll.close()

    def _forget(self, waiter: Waiter) -> None:
        number = waiter.accepted.fileno()
        del self._all[number]
        self._silent.pop(number, None)
        self._begun.pop(number, None)
        self._per_host[waiter.host] -= 1
        if self._per_host[waiter.host] <= 0:
            del self._per_host[waiter.host]
        self._epoll.unregister(number)


def _has_spoken(accepted: socket.socket) -> bool:
    try:
        return bool(accepted.recv(1, socket.MSG_PEEK))
    except OSError:
        return False


def _drop(accepted: socket.socket) -> None:
    with suppress(OSError):
        accepted.recv(_DROPPED)
