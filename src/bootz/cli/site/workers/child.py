"""A child's end of the wire to its parent: JSON lines on stdin and stdout.

The child ends with its stdin, so that it does not outlive a parent that is killed.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bootz.processes import MAX_LINE, read_event
from bootz.server.listening import Bound, bound_record

log = structlog.get_logger()

READY = "ready"
"""Event of a child that listens."""

LACKING = "lacking"
"""Event of a child at which a router waits for vouchers; the parent passes it on."""


@dataclass(frozen=True, slots=True)
class Child:
    """What the parent says of a child on its command line."""

    name: str
    number: int
    processes: int
    returning: int
    """The descriptor of the table of addresses that were answered."""
    inbox: int | None = None
    """The descriptor at which it takes connections of the others; None: it takes none."""
    outboxes: tuple[int, ...] = ()
    """Those by which connections are handed over, in the order of the children's numbers."""

    @property
    def descriptors(self) -> tuple[int, ...]:
        """All that it has of its parent's."""
        inbox = () if self.inbox is None else (self.inbox,)
        return (self.returning, *inbox, *self.outboxes)

    @property
    def serves_images(self) -> bool:
        """Whether it is the one with the image store."""
        return self.name == IMAGES


ROUTERS = "routers"
IMAGES = "images"


def read_child(text: str) -> Child:
    """Read what ``written`` wrote.

    Raises:
        ValueError: it has another form.
    """
    name, number, processes, returning, inbox, outboxes = text.split(":")
    if name not in {ROUTERS, IMAGES}:
        raise ValueError("no such part")
    return Child(
        name,
        int(number),
        int(processes),
        int(returning),
        int(inbox) if inbox else None,
        tuple(int(each) for each in outboxes.split(",") if each),
    )


def written(child: Child) -> str:
    """Return it as one word of a command line."""
    inbox = "" if child.inbox is None else str(child.inbox)
    outboxes = ",".join(str(each) for each in child.outboxes)
    return ":".join(
        (child.name, *map(str, (child.number, child.processes, child.returning)), inbox, outboxes)
    )


def tell_ready(bound: Bound, *, http2_engine: str | None) -> None:
    """Tell the parent that this process listens, and what reads HTTP/2 in it."""
    _tell({"event": READY, **bound_record(bound), "http2_engine": http2_engine})


def tell_lacking(serials: Sequence[str]) -> None:
    """Tell the parent for which cards' vouchers a router waits."""
    _tell({"event": LACKING, "serials": list(serials)})


def _tell(event: dict[str, Any]) -> None:
    # One write, and short: lines of a pipe are whole. A parent that has gone is met at stdin.
    try:
        os.write(sys.stdout.fileno(), json.dumps(event).encode() + b"\n")
    except OSError:
        return


async def hear_parent(
    on_lacking: Callable[[Sequence[str]], None], on_end: Callable[[], None]
) -> None:
    """Hear what the parent says until it has gone, and tell that."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MAX_LINE)
    pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        async for line in reader:
            told = read_event(line)
            serials = told.get("serials")
            if told.get("event") == LACKING and isinstance(serials, list):
                on_lacking([str(each) for each in serials])
    except Exception:
        # Who hears nothing any more would not hear the parent's end either.
        log.exception("parent-not-heard")
    finally:
        pipe.close()
    on_end()
