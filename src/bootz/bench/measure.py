"""One measurement: the site, the server, the clients, and the numbers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bootz.bench.builds import this_build
from bootz.bench.clients import Clients, Run
from bootz.bench.factory import Factory
from bootz.bench.material import BenchMaterial
from bootz.bench.peer import tls_key_of
from bootz.bench.plan import BenchPlan, BenchResult, OnProgress, percentile
from bootz.bench.profiling import profiled
from bootz.bench.serving import Usage, serving, usage_of
from bootz.bench.site import build_site, onboarding_serials, owner_key_of

_WARM_UP_SHARE = 20
"""One part in so many is onboarded before measuring: imports and first connections are done."""


def measure(
    plan: BenchPlan, folder: Path, on_progress: OnProgress, *, profile: Path | None = None
) -> BenchResult:
    """Build a site in an empty folder, serve it, onboard, and return what that cost.

    ``profile`` is a file for a flame graph of the server.

    Raises:
        ConfigError: the site cannot be built.
        BootzError: the server does not serve, or an onboarding failed.
    """
    factory = Factory(plan.identity, datetime.now(UTC))
    site = build_site(this_build(), plan, factory, folder, on_progress)
    material = factory.material(folder / "material", onboarding_serials(plan), on_progress)
    with serving(site, workers=plan.workers) as server:
        result = _measure(
            plan, material, server.address, server.usage, server.pid, profile, on_progress
        )
    return replace(result, owner_key=owner_key_of(site))


def measure_target(
    plan: BenchPlan,
    material: BenchMaterial,
    address: tuple[str, int],
    pid: int,
    on_progress: OnProgress,
    *,
    profile: Path | None = None,
) -> BenchResult:
    """Onboard at a server that runs already, and return what that cost its process.

    Raises:
        BootzError: it does not answer, or an onboarding failed.
    """
    return _measure(plan, material, address, lambda: usage_of(pid), pid, profile, on_progress)


def warm_up(
    plan: BenchPlan,
    clients: Clients,
    address: tuple[str, int],
    usage: Callable[[], Usage],
    on_progress: OnProgress,
) -> None:
    """Onboard some before measuring."""
    count = max(plan.onboardings // _WARM_UP_SHARE, plan.clients)
    clients.onboard(address, usage, count, lambda done: on_progress("warming up", done, count))


def _measure(
    plan: BenchPlan,
    material: BenchMaterial,
    address: tuple[str, int],
    usage: Callable[[], Usage],
    pid: int,
    profile: Path | None,
    on_progress: OnProgress,
) -> BenchResult:
    tls_key = tls_key_of(address)
    with Clients(plan, material) as clients:
        warm_up(plan, clients, address, usage, on_progress)
        with profiled(pid, profile):
            run: Run = clients.onboard(
                address,
                usage,
                plan.onboardings,
                lambda done: on_progress("onboarding", done, plan.onboardings),
            )
        used = usage()
    return BenchResult(
        plan,
        tls_key,
        owner_key=None,
        cpu_ms=run.cpu_ms,
        per_second=len(run.seconds) / run.elapsed,
        p50=percentile(run.seconds, 0.50),
        p99=percentile(run.seconds, 0.99),
        seconds=run.elapsed,
        resident=used.resident,
        resident_peak=used.resident_peak,
    )
