"""Hands a connection to the process that answered its peer a moment ago.

The kernel spreads connections over the processes that share a port. A router's second connection
then meets a process that knows neither its certificate nor its chassis, half of the time, and what
it has to be asked for again costs more than to pass the connection on.
"""

import json
import os
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from bootz.transport.proxy_door import Arrival
from bootz.transport.proxy_header import Announced

_MESSAGE_BYTES: Final = 1024
_AGAIN: Final = (BlockingIOError, InterruptedError)


class Handing:
    """Where connections are handed over, and taken.

    Args:
        inbox: what other processes have handed to this one (unix, SOCK_SEQPACKET).
        outboxes: the other ends of all inboxes, in the order of the processes' numbers.
    """

    def __init__(self, inbox: socket.socket, outboxes: Sequence[socket.socket]) -> None:
        self._inbox = inbox
        self._outboxes = tuple(outboxes)
        for each in (inbox, *outboxes):
            each.setblocking(False)

    def fileno(self) -> int:
        """The descriptor that can be read when there is something to take."""
        return self._inbox.fileno()

    def hand(self, number: int, accepted: socket.socket, arrival: Arrival) -> bool:
        """Give a connection away; False where that process has no room: it stays here then."""
        announced = arrival.announced
        message = json.dumps(
            (
                accepted.family,
                arrival.host,
                arrival.port,
                arrival.since,
                None if announced is None else announced.destination,
            )
        ).encode()
        try:
            socket.send_fds(self._outboxes[number], [message], [accepted.fileno()])
        except OSError:
            return False
        accepted.close()
        return True

    def leave(
        self, waiting: Sequence[tuple[socket.socket, Arrival]], others: Sequence[int]
    ) -> list[tuple[socket.socket, Arrival]]:
        """Give connections away to several processes in turn; returns those that none has room for.

        ``others`` are the numbers of the processes.
        """
        turns = deque(others)
        rest = []
        for accepted, arrival in waiting:
            for _ in others:
                turns.rotate(-1)
                if self.hand(turns[-1], accepted, arrival):
                    break
            else:
                rest.append((accepted, arrival))
        return rest

    def pass_on(self, others: Sequence[int], *, number: int) -> None:
        """Give what waits here for a process that has died to others, as of ``leave``.

        ``number`` is of the one that died: what the others have no room for waits for the next.
        """
        if not others:
            return
        waiting = []
        # Without a free descriptor the rest stays.
        with suppress(OSError):
            for each in self.taken():
                waiting.append(each)  # noqa: PERF402 -- what is there before an error counts
        for accepted, _ in self.leave(self.leave(waiting, others), (number,)):
            accepted.close()

    def taken(self) -> Iterator[tuple[socket.socket, Arrival]]:
        """Take what was handed to this process.

        Raises:
            OSError: this process has no descriptor left for it; what is there stays.
        """
        while True:
            # Where none is free the kernel closes what comes, instead of leaving it.
            os.close(os.dup(self._inbox.fileno()))
            try:
                message, descriptors, _, _ = socket.recv_fds(self._inbox, _MESSAGE_BYTES, 1)
            except _AGAIN:
                return
            if not (message and descriptors):
                return
            family, host, port, since, destination = json.loads(message)
            accepted = socket.socket(family, socket.SOCK_STREAM, 0, fileno=descriptors[0])
            accepted.setblocking(False)
            announced = None
            if destination is not None:
                announced = Announced((host, port), (destination[0], destination[1]))
            yield accepted, Arrival(host, port, since, announced)
