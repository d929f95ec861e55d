"""Who acts in a writing transaction: what the audit writes down beside each change."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

_KEY: Final = "bootz_actor"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: ``user:NAME``, ``token:NAME``, ``cli:uid=1000(ann)`` or ``server``.

    ``origin`` is from where: an address, or the name of a host. ``doing`` is what was asked for (a
    command, a route): the verb of the entry where it is refused. Without it refusals leave none.
    """

    name: str
    origin: str = ""
    doing: str = ""


SERVER: Final = Actor("server")
"""The program by itself: a fetched voucher, a card that was seen."""


def set_actor(connection: Connection, actor: Actor) -> None:
    """Say who acts on a connection until another actor is named."""
    connection.info[_KEY] = actor


def actor_of(connection: Connection) -> Actor:
    """Return who acts on a connection."""
    actor: Actor = connection.info.get(_KEY, SERVER)
    return actor
