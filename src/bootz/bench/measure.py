"""One measurement: the site, the server, the clients, and the numbers."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from bootz.bench.client import ClientJob, ClientNews, run_client
from bootz.bench.plan import BenchPlan, BenchResult, OnProgress, percentile
from bootz.bench.serving import ServerProcess, serving
from bootz.bench.site import build_site
from bootz.errors import BootzError, Unavailable

_WARM_UP_SHARE = 20
"""One part in so many is onboarded before measuring: imports and first connections are done."""


def measure(plan: BenchPlan, folder: Path, on_progress: OnProgress) -> BenchResult:
    """Build a site in an empty folder, serve it, onboard, and return what that cost.

    Raises:
        ConfigError: the site cannot be built.
        BootzError: the server does not serve, or an onboarding failed.
    """
    site = build_site(plan, folder, on_progress)
    with serving(site.root) as server:

        def jobs(onboardings: int) -> list[ClientJob]:
            return [
                ClientJob(
                    address=server.address,
                    dialect=plan.dialect,
                    manufacturer=site.manufacturer,
                    part_number=site.part_number,
                    vendor_ca=site.vendor_ca,
                    routers=site.routers[number :: plan.clients],
                    onboardings=len(range(number, onboardings, plan.clients)),
                    concurrency=plan.concurrency,
                    flow=plan.flow,
                )
                for number in range(min(plan.clients, plan.routers))
            ]

        warm_up = max(plan.onboardings // _WARM_UP_SHARE, plan.clients)
        _onboard(server, jobs(warm_up), lambda done: on_progress("warming up", done, warm_up))
        run = _onboard(
            server,
            jobs(plan.onboardings),
            lambda done: on_progress("onboarding", done, plan.onboardings),
        )
        usage = server.usage()
    return BenchResult(
        plan,
        cpu_ms=run.cpu * 1000 / len(run.seconds),
        per_second=len(run.seconds) / run.elapsed,
        p50=percentile(run.seconds, 0.50),
        p99=percentile(run.seconds, 0.99),
        seconds=run.elapsed,
        resident=usage.resident,
        resident_peak=usage.resident_peak,
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """Times of all onboardings, and what passed between: seconds, and CPU of the server."""

    seconds: tuple[float, ...]
    elapsed: float
    cpu: float


def _onboard(
    server: ServerProcess, jobs: Sequence[ClientJob], on_done: Callable[[int], None]
) -> _Run:
    context = multiprocessing.get_context("spawn")
    processes: list[SpawnProcess] = []
    ends: list[Connection] = []
    try:
        for job in jobs:
            ours, theirs = context.Pipe()
            process = context.Process(target=run_client, args=(job, theirs), daemon=True)
            process.start()
            theirs.close()
            processes.append(process)
            ends.append(ours)
        for end in ends:
            _hear(end)
        cpu = server.usage().cpu
        begin = time.perf_counter()
        for end in ends:
            end.send("go")
        seconds = _gather(ends, on_done)
        elapsed = time.perf_counter() - begin
        return _Run(seconds, elapsed, server.usage().cpu - cpu)
    finally:
        for end in ends:
            end.close()
        for process in processes:
            # One that is still running is of no use any more.
            process.terminate()
            process.join()
            process.close()


def _gather(ends: Sequence[Connection], on_done: Callable[[int], None]) -> tuple[float, ...]:
    seconds: list[float] = []
    done = dict.fromkeys(ends, 0)
    running = set(ends)
    while running:
        for ready in wait(running):
            if not isinstance(ready, Connection):
                raise TypeError("only connections were waited for")
            news = _hear(ready)
            done[ready] = news.done
            on_done(sum(done.values()))
            if news.seconds is not None:
                seconds += news.seconds
                running.discard(ready)
    return tuple(seconds)


def _hear(end: Connection) -> ClientNews:
    try:
        news = end.recv()
    except EOFError as error:
        raise Unavailable("bench-onboarding-failed", "a client process has died") from error
    if not isinstance(news, ClientNews):
        raise TypeError("a client printed something unexpected")
    if news.failure:
        raise BootzError("bench-onboarding-failed", news.failure)
    return news
