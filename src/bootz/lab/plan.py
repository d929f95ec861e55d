"""Which routers the lab powers on: the mix, the serial numbers, the batches; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import cycle, groupby, islice
from typing import Final

from bootz.errors import ConfigError

MANUFACTURER: Final = "Bootz Labs"
PART_NUMBER: Final = "BOOTZ-8000"
MAX_ROUTERS: Final = 1000


class Dhcp(Enum):
    """Who tells routers their server; the words of ``--dhcp``."""

    NONE = "none"
    LAB = "lab"
    KEA = "kea"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of router. ``flow`` and ``identity`` are words of ``bootz router``."""

    dialect: str
    flow: str = "unary"
    identity: str = "idevid"
    modular: bool = False

    @property
    def words(self) -> str:
        """The kind in a table."""
        form = "modular" if self.modular else "fixed"
        return f"{form}, {self.flow}, {self.identity}"


def _mix(modular: Kind, *current: Kind) -> tuple[Kind, ...]:
    """Return eight kinds, two for each dialect; what is special is in the two newest."""
    oldest = (Kind("v0.1.0"), Kind("2023-11"))
    first, second = current
    return (*oldest, Kind("v0.3"), first, *oldest, modular, second)


MIX: Final = (
    *_mix(
        Kind("v0.3", modular=True),
        Kind("current", "stream", "idevid"),
        Kind("current", "stream-v1", "tpm20-ppk"),
    ),
    *_mix(
        Kind("v0.3", modular=True),
        Kind("current"),
        Kind("current", "stream-v1", "tpm12"),
    ),
    *_mix(
        Kind("v0.3", modular=True),
        Kind("current", "stream-v1", "idevid"),
        Kind("current", "stream", "tpm20-ppk"),
    ),
)
"""Eight routers, two for each dialect, with every flow and form; more of them repeat the mix."""


@dataclass(frozen=True, slots=True)
class PlannedRouter:
    """A router of the lab; ``slots`` are the cards of a modular chassis, by slot."""

    serial_number: str
    kind: Kind
    slots: Mapping[str, str] = field(default_factory=dict)

    @property
    def hostname(self) -> str:
        """Its name in the site's inventory."""
        return f"lab-{self.serial_number.lower()}"

    @property
    def cards(self) -> tuple[str, ...]:
        """The serial numbers that need a voucher each."""
        return tuple(self.slots.values()) or (self.serial_number,)

    @property
    def active(self) -> str:
        """The serial number of the card that asks."""
        return self.cards[0]


def plan_routers(
    count: int, dialects: Sequence[str] = (), *, first: int = 1
) -> tuple[PlannedRouter, ...]:
    """Return ``count`` routers of the mix, only those of ``dialects`` where some are named.

    ``first`` is the number of the first one, in its serial number.

    Raises:
        ConfigError: no router, too many, or a dialect that is in no kind.
    """
    if not 1 <= count <= MAX_ROUTERS:
        raise ConfigError(
            "lab-plan-invalid",
            f"there can be 1 to {MAX_ROUTERS} routers",
            where="--routers",
            seen=str(count),
        )
    kinds = tuple(kind for kind in MIX if not dialects or kind.dialect in dialects)
    if not kinds:
        raise ConfigError(
            "lab-plan-invalid",
            "no router supports that",
            where="--dialect",
            seen=", ".join(dialects),
        )
    return tuple(
        PlannedRouter(f"LAB{number:05d}", kind, _slots(number) if kind.modular else {})
        for number, kind in enumerate(islice(cycle(kinds), count), first)
    )


def _slots(number: int) -> Mapping[str, str]:
    """Return the cards of a modular chassis: two route processors and a line card."""
    return {slot: f"LAB{number:05d}{slot}" for slot in ("RP0", "RP1", "LC0")}


def by_kind(
    routers: Sequence[PlannedRouter],
) -> tuple[tuple[Kind, tuple[PlannedRouter, ...]], ...]:
    """Return the routers in batches of one kind: what one process of ``bootz router`` runs."""

    def key(router: PlannedRouter) -> int:
        return MIX.index(router.kind)

    return tuple(
        (kinds[0].kind, kinds)
        for _, group in groupby(sorted(routers, key=key), key=key)
        if (kinds := tuple(group))
    )
