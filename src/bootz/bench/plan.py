"""What is measured, and what came out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bootz.errors import OptionError
from bootz.keystore.kinds import KeyKind

MAX_ROUTERS: Final = 100_000
"""So many different routers onboard at most."""

OnProgress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


class IdentityKey(Enum):
    """The kind of key in the routers' IDevIDs; the server's share of TLS depends on it.

    Also that of the owner's key, which signs each answer.
    """

    RSA_2048 = "rsa-2048"
    P256 = "p256"


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """One measurement.

    ``inventory`` is the number of chassis on record; ``routers`` how many different ones of them
    onboard; ``onboardings`` how many onboardings are measured, so that a router may come back;
    ``clients`` the number of client processes, each with ``concurrency`` onboardings at a time.
    ``config_bytes`` is the size of the vendor configuration that each router gets; ``flow`` is
    ``unary``, or the name of a stream, which only the dialect ``current`` has. ``tls_key`` is
    the kind of the server's TLS key, ``owner_key`` that of the owner's; None leaves it to the build
    that makes the site. ``workers`` is the number of processes that serve routers.
    """

    inventory: int
    onboardings: int
    routers: int
    clients: int
    concurrency: int
    dialect: str
    identity: IdentityKey
    config_bytes: int
    flow: str = "unary"
    tls_key: KeyKind | None = None
    owner_key: IdentityKey | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be run.

        Raises:
            OptionError: ``bench-plan-invalid``, naming the option.
        """
        for name, low, high in (
            ("inventory", 1, 1_000_000),
            ("onboardings", 1, 10_000_000),
            ("routers", 1, MAX_ROUTERS),
            ("clients", 1, 64),
            ("concurrency", 1, 512),
            ("config_bytes", 0, 1_000_000),
            ("workers", 1, 64),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise OptionError(
                    "bench-plan-invalid",
                    "out of range",
                    where=f"--{name.replace('_', '-')}",
                    expected=f"{low} to {high}",
                    seen=str(value),
                )
        if self.flow != "unary" and self.dialect != "current":
            raise OptionError(
                "bench-plan-invalid",
                "this release has no streams",
                where="--flow",
                expected="--dialect current",
                seen=self.dialect,
            )


@dataclass(frozen=True, slots=True)
class BenchResult:
    """What was measured. Times in seconds but for ``cpu_ms``; memory in bytes.

    ``tls_key`` is the kind of key that the server had in TLS, ``owner_key`` that of the owner who
    signed its answers, None where it was not looked at. ``cpu_ms`` is the CPU time of the server
    process, user and system, of all its threads, per onboarding in milliseconds; ``p50`` and
    ``p99`` are of whole onboardings as a router sees them; ``resident`` is the server's memory at
    the end, ``resident_peak`` its highest.
    """

    plan: BenchPlan
    tls_key: str
    owner_key: str | None
    cpu_ms: float
    per_second: float
    p50: float
    p99: float
    seconds: float
    resident: int
    resident_peak: int


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` (0 to 1) of all do not exceed.

    ``values`` must not be empty.
    """
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]
