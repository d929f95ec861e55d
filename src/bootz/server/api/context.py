"""What every route works with: the database, the clock, the caller."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, cast

from fastapi import Depends, Request

from bootz.config.site import SiteConfig
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.auth.throttle import Throttle
from bootz.server.api.ports import DoorSurroundings
from bootz.server.door_tls import door_chain
from bootz.server.metrics.of_site import SiteMemory
from bootz.server.store.actor import Actor
from bootz.server.store.database import Database


@dataclass(frozen=True, slots=True)
class Door:
    """The operator's door of one site. ``clock`` returns aware UTC, ``monotonic`` seconds."""

    database: Database
    config: SiteConfig
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    surroundings: DoorSurroundings
    root: Path | None = None
    """The site's folder, where its server keeps what it counts; None: there is none here."""
    throttle: Throttle = field(default_factory=Throttle)
    memory: SiteMemory = field(default_factory=SiteMemory)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the door closes: streams of events end then."""

    def tls_chain(self) -> Sequence[bytes]:
        """Return the door's certificate and those above it (DER); empty where it has no TLS.

        Raises:
            ConfigError: ``certificate-file-invalid``.
        """
        return () if self.root is None else door_chain(self.root, self.config)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: a person with a session, or a program with a token.

    ``name`` is as the audit names it; ``scope`` are labels that a chassis must have to be seen.
    """

    name: str
    role: OperatorRole
    peer: str
    scope: Mapping[str, str] = field(default_factory=dict)

    def actor(self, doing: str) -> Actor:
        """Return whom the audit names."""
        return Actor(self.name, self.peer, doing)


def door_of(request: Request) -> Door:
    """Return the door that an application was made for."""
    return cast("Door", request.app.state.door)


DoorDep = Annotated[Door, Depends(door_of)]
