"""What a Kea configuration consists of: networks, subnets, pools, reservations, classes."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from bootz.dhcp.check.clients import Address
from bootz.dhcp.check.conditions import Node
from bootz.dhcp.check.kea.options import Option

_ANYWHERE: Final = IPv4Network("0.0.0.0/0")

BY_RELAY: Final = frozenset({"circuit-id", "flex-id"})
"""Identifiers that a relay or an expression makes: no router's name tells them."""


@dataclass(frozen=True, slots=True)
class Boot:
    """The boot file of a place's own settings, beside its options."""

    file: str = ""
    server: str = ""

    @property
    def words(self) -> str:
        """The boot file with its server, as a person reads it."""
        return " ".join(filter(None, (self.file, self.server)))


@dataclass(slots=True)
class Place:
    """What every place has: where it is, its options, its boot file.

    ``guards``: the classes of which a client must be in one; none: everybody may. ``additional``:
    classes that are looked at only here.
    """

    where: str
    options: list[Option] = field(default_factory=list)
    boot: Boot = field(default_factory=Boot)
    guards: tuple[str, ...] = ()
    additional: tuple[str, ...] = ()


@dataclass(slots=True)
class KeaHost(Place):
    """A reservation. ``address`` None: it reserves none."""

    kind: str = ""
    octets: bytes = b""
    address: Address | None = None
    classes: tuple[str, ...] = ()


@dataclass(slots=True)
class Pool(Place):
    """Addresses from ``first`` to ``last`` that are handed out to whoever asks."""

    first: int = 0
    last: int = 0

    def free(self, taken: int) -> bool:
        """Return whether addresses are left beside those that are reserved."""
        return self.last - self.first + 1 > taken


@dataclass(slots=True)
class Modes:
    """Where Kea looks for reservations of a subnet; of the innermost place that says."""

    in_subnet: bool = True
    everywhere: bool = False
    out_of_pool: bool = False


@dataclass(slots=True)
class Subnet(Place):
    """A subnet. ``interface`` empty: it names none."""

    number: int = 0
    network: IPv4Network | IPv6Network = _ANYWHERE
    interface: str = ""
    shared: "Shared | None" = None
    pools: list[Pool] = field(default_factory=list)
    hosts: list[KeaHost] = field(default_factory=list)
    modes: Modes = field(default_factory=Modes)
    by_name: dict[tuple[str, bytes], KeaHost] = field(default_factory=dict)


@dataclass(slots=True)
class Shared(Place):
    """A shared network: several subnets on one link."""

    interface: str = ""
    subnets: list[Subnet] = field(default_factory=list)


@dataclass(slots=True)
class KeaClass(Place):
    """A client class. ``test`` None: it has none; ``opaque``: it has one that is not understood.

    ``on_demand``: it is looked at only where a place asks for it. ``late``: its test asks whether
    the client is known, and is looked at after the reservations.
    """

    name: str = ""
    test: Node | None = None
    opaque: bool = False
    on_demand: bool = False
    late: bool = False
