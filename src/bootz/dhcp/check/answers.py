"""What a server would send, and the model of a configuration that tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bootz.dhcp.check.clients import Address, Client, Host
from bootz.dhcp.check.doubts import World
from bootz.protocol.dhcp_offer import Family


@dataclass(frozen=True, slots=True)
class Sent:
    """The octets of an option and the place that sets it; ``octets`` None: they are not told.

    ``why`` says, where they are not, what prevents it.
    """

    octets: bytes | None
    where: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class CheckedAnswer:
    """What a router gets. ``silence``: why it hears nothing.

    ``address`` None with no silence: DHCPv6 says that there is none. ``where`` is the place that
    decides: a reservation, a pool, a subnet. ``boot_file`` and where it is set. ``options`` by
    their code, as the router would read them.
    """

    where: str
    address: Address | None = None
    silence: str = ""
    options: Mapping[int, Sent] = field(default_factory=dict)
    boot_file: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class CheckNote:
    """Something of the file itself: a code of ``findings.RULES``, the place, and words."""

    code: str
    where: str
    detail: str


class Model(Protocol):
    """A configuration that was read. It answers for a client as its server would.

    ``notes`` are about the file; a ``refused`` among them means that the server does not start.
    ``doubts`` are what may change every answer: with one of them no fault is certain.
    """

    name: str
    family: Family
    notes: Sequence[CheckNote]
    doubts: Sequence[CheckNote]
    hosts: Sequence[Host]

    def answer(self, client: Client, world: World) -> CheckedAnswer:
        """Return what a router gets in a world."""
        ...

    def serves(self, link: Address) -> bool:
        """Return whether the configuration knows the link of an address."""
        ...
