"""Two builds in alternation: what an onboarding costs this one, as a share of the other's cost.

Each round is A B B A, so that a machine whose pace changes changes it for both.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bootz.bench.builds import other_build, this_build
from bootz.bench.clients import Clients
from bootz.bench.factory import Factory
from bootz.bench.measure import warm_up
from bootz.bench.peer import tls_key_of
from bootz.bench.plan import BenchPlan, OnProgress
from bootz.bench.serving import ServerProcess, serving
from bootz.bench.site import build_site, onboarding_serials, owner_key_of


@dataclass(frozen=True, slots=True)
class Round:
    """CPU milliseconds of one onboarding in one round, with the other build and with this one."""

    other: float
    own: float

    @property
    def ratio(self) -> float:
        """What this build costs, as a share of the other."""
        return self.own / self.other


@dataclass(frozen=True, slots=True)
class Side:
    """One of the builds: its name, and the kinds of its server's TLS key and of its owner's key."""

    name: str
    tls_key: str
    owner_key: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found. ``other`` is the build that this one (``own``) is compared with."""

    plan: BenchPlan
    other: Side
    own: Side
    rounds: tuple[Round, ...]

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return median(each.ratio for each in self.rounds)


def compare(
    plan: BenchPlan, named: str, rounds: int, folder: Path, on_progress: OnProgress
) -> Comparison:
    """Measure this build against another one, named by a checkout or a revision.

    ``plan.onboardings`` is the number of each build in each round.

    Raises:
        ConfigError: there is no such build, or it cannot serve such a site.
        BootzError: a server does not serve, or an onboarding failed.
    """
    half = max(1, plan.onboardings // 2)
    factory = Factory(plan.identity, datetime.now(UTC))
    material = factory.material(folder / "material", onboarding_serials(plan), on_progress)
    with ExitStack() as running:
        builds = (running.enter_context(other_build(named)), this_build())
        sites = [
            build_site(build, plan, factory, folder / place, on_progress)
            for build, place in zip(builds, ("other", "own"), strict=True)
        ]
        servers = [
            running.enter_context(serving(site, build, workers=plan.workers))
            for build, site in zip(builds, sites, strict=True)
        ]
        sides = [
            Side(build.name, tls_key_of(server.address), owner_key_of(site))
            for build, server, site in zip(builds, servers, sites, strict=True)
        ]
        # The routers of both come in the same order.
        clients = [running.enter_context(Clients(plan, material)) for _ in servers]
        for each, server in zip(clients, servers, strict=True):
            warm_up(plan, each, server.address, server.usage, on_progress)

        def block(side: int, done: Callable[[int], None]) -> float:
            server: ServerProcess = servers[side]
            return clients[side].onboard(server.address, server.usage, half, done).cpu_ms

        measured = []
        whole = rounds * 4 * half
        for number in range(rounds):
            begun = number * 4 * half
            costs = [
                block(
                    side,
                    lambda done, before=begun + turn * half: on_progress(  # type: ignore[misc]
                        "onboarding", before + done, whole
                    ),
                )
                for turn, side in enumerate((0, 1, 1, 0))
            ]
            measured.append(Round((costs[0] + costs[3]) / 2, (costs[1] + costs[2]) / 2))
    return Comparison(plan, sides[0], sides[1], tuple(measured))
