"""Which part of a site a process serves, where several serve it together."""

from dataclasses import dataclass

from bootz.transport.handing import Handing
from bootz.transport.returning import Returning


@dataclass(frozen=True, slots=True)
class Part:
    """The part of one process.

    ``processes`` serve routers together, on the same addresses, and share the bounds of
    ``limits``; ``images``: whether this one has the image store.
    """

    processes: int = 1
    images: bool = True
    shares_ports: bool = False
    returning: Returning | None = None
    """Which addresses were answered a moment ago, by whichever process; None: by this one."""
    handing: Handing | None = None
    """How connections are handed to the process that answered their peer; None: not at all."""


WHOLE = Part()
"""All of it."""
