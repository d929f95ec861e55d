"""Where a router learns whom to ask: the port of the workflow, and the source that a person types.

DHCP is the other implementation (``bootz.device.discovery``); the workflow does not notice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bootz.errors import ConfigError
from bootz.wire.uri import BootzUri


@dataclass(frozen=True, slots=True)
class DiscoveryAccount:
    """What the last discovery brought, for the router's record; nothing in it is a secret.

    ``state`` is ``bound``, ``released``, or the reason for which there is no usable lease;
    ``family`` is ``ipv4`` or ``ipv6``; ``shape`` how the redirect list was written; ``ignored``
    every entry that does not count, with its reason; ``boot_file`` was offered and is ignored.
    """

    interface: str
    family: str
    state: str
    message: str = ""
    address: str = ""
    gateway: str = ""
    name_servers: tuple[str, ...] = ()
    server: str = ""
    expires_at: datetime | None = None
    shape: str = ""
    uris: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    boot_file: str = ""


class UriSource(Protocol):
    """One router's way to its bootstrap servers."""

    async def discover(self) -> Sequence[BootzUri]:
        """Return the servers of one attempt, one at least, in the order to try them; may wait long.

        Raises:
            BootzError: this round brings none; it counts as a failed attempt.
        """
        ...

    async def release(self) -> None:
        """Give back what the last round took, because none of its servers worked."""
        ...

    async def close(self) -> None:
        """End: no task and no socket is left, and nothing on an interface."""
        ...

    async def locate(self, uri: BootzUri) -> str:
        """Return the host to connect to: the URI's own, or the address of its name.

        Raises:
            BootzError: the name has no address.
        """
        ...

    @property
    def account(self) -> DiscoveryAccount | None:
        """What the last discovery brought; None where nothing was discovered."""
        ...


class FixedUris:
    """The servers that a person named."""

    account: DiscoveryAccount | None = None

    def __init__(self, uris: Sequence[BootzUri]) -> None:
        self._uris = tuple(uris)

    async def discover(self) -> Sequence[BootzUri]:
        """Return them, each round the same."""
        return self._uris

    async def release(self) -> None:
        """Nothing was taken."""

    async def close(self) -> None:
        """Nothing is open."""

    async def locate(self, uri: BootzUri) -> str:
        """Return the URI's own host; the system resolves it."""
        return uri.host


class NoSource(FixedUris):
    """A router that was powered on without a word on where its servers are."""

    def __init__(self) -> None:
        super().__init__(())

    async def discover(self) -> Sequence[BootzUri]:
        """Say what is missing.

        Raises:
            ConfigError: always.
        """
        raise ConfigError("boot-no-source", "no bootstrap server is configured", where="boot")
