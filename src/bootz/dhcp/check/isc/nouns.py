"""What a dhcpd configuration consists of: groups of statements, networks, pools, hosts, classes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Network, IPv6Network

from bootz.dhcp.check.answers import Sent
from bootz.dhcp.check.clients import Address
from bootz.dhcp.check.conditions import Node


class Mode(Enum):
    """How a statement sets an option."""

    SET = "set"
    DEFAULT = "default"
    APPEND = "append"
    PREPEND = "prepend"


@dataclass(frozen=True, slots=True)
class SetOption:
    """An option, with its octets or the expression that makes them."""

    code: int
    mode: Mode
    sent: Sent
    data: Node | None = None


@dataclass(frozen=True, slots=True)
class SetParameter:
    """A setting: ``unknown-clients`` and ``booting``, allowed or not; ``min-secs``."""

    name: str
    value: bool
    where: str


@dataclass(frozen=True, slots=True)
class SetBoot:
    """The boot file, or its server."""

    words: str
    where: str


@dataclass(frozen=True, slots=True)
class Branch:
    """Actions of an ``if``, or of its ``else``: ``condition`` None. ``open``: not understood."""

    condition: Node | None
    actions: "tuple[Action, ...]"
    where: str
    open: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """An ``if`` with all its branches: the first that holds."""

    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Opaque:
    """A statement that is not evaluated, and the options that it may set."""

    codes: tuple[int, ...]
    where: str
    why: str


Action = SetOption | SetParameter | SetBoot | Choice | Opaque


@dataclass(slots=True, eq=False)
class HostGroup:
    """Statements of one block; ``around`` is the block in which it stands."""

    where: str
    around: "HostGroup | None" = None
    actions: list[Action] = field(default_factory=list)

    def chain(self) -> "Iterator[HostGroup]":
        """Return this group and those around it, the innermost first."""
        group: HostGroup | None = self
        while group is not None:
            yield group
            group = group.around


@dataclass(frozen=True, slots=True)
class Permit:
    """A pool's ``allow`` or ``deny``, and of whom."""

    allowed: bool
    who: str
    name: str = ""


@dataclass(slots=True)
class Pool:
    """Addresses that are handed out to whoever is permitted."""

    group: HostGroup
    ranges: list[tuple[Address, Address]] = field(default_factory=list)
    permits: list[Permit] = field(default_factory=list)


@dataclass(slots=True)
class Subnet:
    """A subnet; the addresses of ``pool`` are those of its own ``range`` statements."""

    group: HostGroup
    network: IPv4Network | IPv6Network
    shared: "Shared"
    pool: Pool


@dataclass(slots=True)
class Shared:
    """A link: a shared network, or a subnet that stands alone."""

    group: HostGroup
    subnets: list[Subnet] = field(default_factory=list)
    pools: list[Pool] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class IscHost:
    """A host declaration. ``fixed`` are its addresses, ``names`` those that the DNS must tell.

    ``next`` is the declaration with the same identifier that was read after it.
    """

    name: str
    group: HostGroup
    mac: bytes = b""
    uid: bytes = b""
    by_option: tuple[int, bytes] | None = None
    fixed: list[Address] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    has_fixed: bool = False
    next: "IscHost | None" = None


@dataclass(slots=True)
class IscClass:
    """A class: what decides who is in it, and its subclasses by the value that they match."""

    name: str
    group: HostGroup
    condition: Node | None = None
    match: Node | None = None
    subclasses: list[tuple[bytes, HostGroup]] = field(default_factory=list)
    open: str = ""
    """Why it is not known who is in it."""
