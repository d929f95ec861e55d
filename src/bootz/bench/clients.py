"""Client processes that stay between measurements, so that starting them is in no number."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Self

from bootz.bench.client import ClientJob, ClientNews, run_client
from bootz.bench.material import BenchMaterial, BenchRouter
from bootz.bench.plan import BenchPlan
from bootz.bench.serving import Usage
from bootz.errors import BootzError, Unavailable


@dataclass(frozen=True, slots=True)
class Run:
    """Times of all onboardings, and what passed between: seconds, and CPU of the server."""

    seconds: tuple[float, ...]
    elapsed: float
    cpu: float

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of one onboarding."""
        return self.cpu * 1000 / len(self.seconds)


class Clients:
    """The processes that play the routers of a plan; ends them at exit.

    Args:
        plan: how many processes, and how they speak.
        material: who they are.
    """

    def __init__(self, plan: BenchPlan, material: BenchMaterial) -> None:
        self._plan = plan
        self._material = material
        self._ends: list[Connection] = []
        self._processes: list[SpawnProcess] = []
        self._first = 0

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        for _ in range(min(self._plan.clients, len(self._material.routers))):
            ours, theirs = context.Pipe()
            process = context.Process(target=run_client, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            self._processes.append(process)
            self._ends.append(ours)
        return self

    def __exit__(self, *_: object) -> None:
        for end in self._ends:
            end.close()
        for process in self._processes:
            # One that is still running is of no use any more.
            process.terminate()
            process.join()
            process.close()

    def onboard(
        self,
        address: tuple[str, int],
        usage: Callable[[], Usage],
        onboardings: int,
        on_done: Callable[[int], None],
    ) -> Run:
        """Onboard as many routers at a server, those that waited longest; return what it took.

        Raises:
            BootzError: an onboarding failed, or the server has gone.
        """
        routers = self._next(onboardings)
        ends = []
        for number, end in enumerate(self._ends):
            own = len(range(number, onboardings, len(self._ends)))
            if own:
                end.send(self._job(address, routers[number :: len(self._ends)], own))
                ends.append(end)
        for end in ends:
            _hear(end)
        cpu = usage().cpu
        begin = time.perf_counter()
        for end in ends:
            end.send("go")
        seconds = _gather(ends, on_done)
        elapsed = time.perf_counter() - begin
        return Run(seconds, elapsed, usage().cpu - cpu)

    def _next(self, onboardings: int) -> Sequence[BenchRouter]:
        """Return whose turn it is; each router comes once before any comes twice."""
        routers = self._material.routers
        first = self._first
        self._first = (first + onboardings) % len(routers)
        return [routers[(first + turn) % len(routers)] for turn in range(onboardings)]

    def _job(
        self, address: tuple[str, int], routers: Sequence[BenchRouter], onboardings: int
    ) -> ClientJob:
        return ClientJob(
            address=address,
            dialect=self._plan.dialect,
            manufacturer=self._material.manufacturer,
            part_number=self._material.part_number,
            vendor_ca=self._material.vendor_ca,
            routers=tuple(routers),
            onboardings=onboardings,
            concurrency=self._plan.concurrency,
            flow=self._plan.flow,
        )


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
