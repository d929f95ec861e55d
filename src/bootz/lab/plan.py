"""Which routers the lab powers on: the mix, the serial numbers, the batches; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, groupby, islice
from typing import Final

from bootz.errors import ConfigError

MANUFACTURER: Final = "Bootz Labs"
PART_NUMBER: Final = "BOOTZ-8000"
MAX_ROUTERS: Final = 1000


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of router. ``identity`` and ``flow`` are words of ``bootz router``."""

    dialect: str
    flow: str = "unary"
    identity: str = "idevid"
    modular: bool = False

    @property
    def words(self) -> str:
        """The kind in a table."""
        form = "modular" if self.modular else "fixed"
        return f"{form}, {self.flow}"


MIX: Final = (
    Kind("v0.1.0"),
    Kind("2023-11"),
    Kind("v0.3"),
    Kind("current"),
    Kind("v0.1.0"),
    Kind("2023-11"),
    Kind("v0.3"),
    Kind("current"),
)
"""Eight routers, two for each dialect; more of them repeat the mix."""


@dataclass(frozen=True, slots=True)
class PlannedRouter:
    """A router of the lab; ``standby`` is the serial number of a modular chassis's second RP."""

    serial_number: str
    kind: Kind
    standby: str = ""

    @property
    def hostname(self) -> str:
        """Its name in the site's inventory."""
        return f"lab-{self.serial_number.lower()}"

    @property
    def cards(self) -> tuple[str, ...]:
        """The serial numbers that need a voucher each."""
        return (self.serial_number, *((self.standby,) if self.standby else ()))


def plan_routers(count: int, dialects: Sequence[str] = ()) -> tuple[PlannedRouter, ...]:
    """Return ``count`` routers of the mix, only those of ``dialects`` where some are named.

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
            "lab-plan-invalid", "no router speaks that", where="--dialect", seen=", ".join(dialects)
        )
    return tuple(
        PlannedRouter(f"LAB{number:05d}", kind, standby=f"LAB{number:05d}S" if kind.modular else "")
        for number, kind in enumerate(islice(cycle(kinds), count), 1)
    )


def by_kind(
    routers: Sequence[PlannedRouter],
) -> tuple[tuple[Kind, tuple[PlannedRouter, ...]], ...]:
    """Return the routers in batches of one kind: what one process of ``bootz router`` runs."""

    def key(router: PlannedRouter) -> tuple[int, bool]:
        return MIX.index(router.kind), router.kind.modular

    return tuple(
        (kinds[0].kind, kinds)
        for _, group in groupby(sorted(routers, key=key), key=key)
        if (kinds := tuple(group))
    )
