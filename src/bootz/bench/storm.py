"""Many routers in the same instant: who is onboarded in one try, and how long the last one waits.

The routers are light: nothing but that an answer is the router's own is looked at, and the second
connection is verified by the trust anchor in it. No router tries twice.
"""

import asyncio
import base64
import multiprocessing
import resource
import secrets
import ssl
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import uvloop

from bootz.bench.builds import this_build
from bootz.bench.client import client_context
from bootz.bench.factory import MANUFACTURER, PART_NUMBER, Factory
from bootz.bench.light import LightCall, LightCallFailed
from bootz.bench.material import BenchRouter
from bootz.bench.peer import tls_key_of
from bootz.bench.plan import BenchPlan, OnProgress, percentile
from bootz.bench.serving import serving
from bootz.bench.site import build_site, onboarding_serials, owner_key_of
from bootz.errors import BootzError, Unavailable
from bootz.model.bootstrap import BootstrapRequest, CardState, ReportedStatus, StatusReport
from bootz.model.chassis import CardStatus, ChassisDescriptor
from bootz.wire.answers import decode_answer, decode_bootstrap_data
from bootz.wire.dialects import GET_BOOTSTRAP_DATA, REPORT_STATUS, dialect_by_name
from bootz.wire.reports import encode_report
from bootz.wire.requests import encode_bootstrap_request

PATIENCE_S: Final = 120.0
"""Seconds that a router waits for both of its calls together."""


@dataclass(frozen=True, slots=True)
class StormJob:
    """What one process does: all its routers at once, each from its own address of this machine.

    ``sources`` has an address for each router; empty texts leave it to the system.
    """

    address: tuple[str, int]
    dialect: str
    routers: tuple[BenchRouter, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StormTale:
    """What happened to the routers of a process: seconds of those onboarded, fates of the others.

    A fate is the call and how it failed, such as ``GetBootstrapData reset``.
    """

    seconds: tuple[float, ...]
    fates: Counter[str]
    cpu: float


@dataclass(frozen=True, slots=True)
class StormResult:
    """How a storm ended. Times in seconds, memory in bytes; ``fates`` are of those that failed.

    ``cpu_ms`` is the server's for each router of the storm, ``client_cpu_ms`` the clients'.
    """

    plan: BenchPlan
    one_address: bool
    tls_key: str
    owner_key: str
    onboarded: int
    fates: Counter[str]
    p50: float
    p99: float
    last: float
    cpu_ms: float
    client_cpu_ms: float
    resident: int
    resident_peak: int


def storm(
    plan: BenchPlan, folder: Path, on_progress: OnProgress, *, one_address: bool
) -> StormResult:
    """Build a site, serve it, and let all routers of the plan come in the same instant.

    Raises:
        ConfigError: the site cannot be built.
        Unavailable: the server does not serve, or ends.
    """
    factory = Factory(plan.identity, datetime.now(UTC))
    site = build_site(this_build(), plan, factory, folder, on_progress)
    material = factory.material(folder / "material", onboarding_serials(plan), on_progress)
    sources = ["" if one_address else _source(number) for number in range(plan.routers)]
    with serving(site, workers=plan.workers) as server:
        tls_key = tls_key_of(server.address)
        jobs = [
            StormJob(
                server.address,
                plan.dialect,
                material.routers[number :: plan.clients],
                tuple(sources[number :: plan.clients]),
            )
            for number in range(min(plan.clients, plan.routers))
        ]
        before = server.usage().cpu
        on_progress("storm", 0, plan.routers)
        tales = let_loose(jobs)
        on_progress("storm", plan.routers, plan.routers)
        usage = server.usage()
    seconds = [each for tale in tales for each in tale.seconds]
    return StormResult(
        plan=plan,
        one_address=one_address,
        tls_key=tls_key,
        owner_key=owner_key_of(site),
        onboarded=len(seconds),
        fates=sum((tale.fates for tale in tales), Counter()),
        p50=percentile(seconds, 0.5) if seconds else 0.0,
        p99=percentile(seconds, 0.99) if seconds else 0.0,
        last=max(seconds, default=0.0),
        cpu_ms=(usage.cpu - before) * 1000 / plan.routers,
        client_cpu_ms=sum(tale.cpu for tale in tales) * 1000 / plan.routers,
        resident=usage.resident,
        resident_peak=usage.resident_peak,
    )


def _source(number: int) -> str:
    """Return a loopback address of its own for each router."""
    return f"127.{1 + number // (250 * 250)}.{number // 250 % 250}.{1 + number % 250}"


def let_loose(jobs: Sequence[StormJob]) -> list[StormTale]:
    """Let the routers of all jobs come in the same instant, each job in a process of its own.

    Returns:
        One tale for each job, in their order.

    Raises:
        Unavailable: a process of clients has died.
    """
    context = multiprocessing.get_context("spawn")
    ends, processes = [], []
    try:
        for job in jobs:
            ours, theirs = context.Pipe()
            process = context.Process(target=run_storm, args=(job, theirs), daemon=True)
            process.start()
            theirs.close()
            ends.append(ours)
            processes.append(process)
        for end in ends:
            _hear(end)
        for end in ends:
            end.send("go")
        return [tale for end in ends if isinstance(tale := _hear(end), StormTale)]
    finally:
        for end in ends:
            end.close()
        for process in processes:
            process.terminate()
            process.join()
            process.close()


def _hear(end: Connection) -> object:
    try:
        return end.recv()
    except EOFError as error:
        raise Unavailable("bench-onboarding-failed", "a client process has died") from error


def run_storm(job: StormJob, told: Connection) -> None:
    """Make everything ready, say so, wait for the word to go, and tell what happened."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    routers = [
        _StormRouter(job, router, source)
        for router, source in zip(job.routers, job.sources, strict=True)
    ]
    told.send("ready")
    told.recv()
    begin = time.process_time()
    seconds, fates = uvloop.run(_all(routers))
    told.send(StormTale(tuple(seconds), fates, time.process_time() - begin))


async def _all(routers: Sequence["_StormRouter"]) -> tuple[list[float], Counter[str]]:
    seconds: list[float] = []
    fates: Counter[str] = Counter()
    for fate in await asyncio.gather(*(router.onboard() for router in routers)):
        if isinstance(fate, float):
            seconds.append(fate)
        else:
            fates[fate] += 1
    return seconds, fates


class _StormRouter:
    """A router of a storm; ready to go once it is made."""

    def __init__(self, job: StormJob, router: BenchRouter, source: str) -> None:
        self._job = job
        self._serial = router.serial_number
        self._source = source
        self._context = client_context(router.identity, None)

    async def onboard(self) -> float | str:
        """Return the seconds it took, or how it failed."""
        begin = time.perf_counter()
        method = GET_BOOTSTRAP_DATA
        dialect = dialect_by_name(self._job.dialect)
        nonce = base64.b64encode(secrets.token_bytes(32)).decode()
        request = BootstrapRequest(
            ChassisDescriptor(MANUFACTURER, PART_NUMBER, self._serial),
            CardState(self._serial, CardStatus.NOT_INITIALIZED),
            nonce,
        )
        state = CardState(self._serial, CardStatus.INITIALIZED)
        report = StatusReport(ReportedStatus.SUCCESS, states=(state,))
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await self._call(method, encode_bootstrap_request(request, dialect))
                content = decode_answer(answer, dialect).content or b""
                data = decode_bootstrap_data(content, dialect)
                own = data.responses[0]
                if (own.serial_number, data.nonce) != (self._serial, nonce):
                    return f"{method} foreign"
                self._trust(own.server_trust_cert)
                method = REPORT_STATUS
                await self._call(method, encode_report(report, dialect))
        except TimeoutError:
            return f"{method} timeout"
        except LightCallFailed as error:
            return f"{method} {error.kind}"
        except OSError as error:
            return f"{method} {'reset' if isinstance(error, ConnectionError) else error.strerror}"
        except BootzError:
            return f"{method} broken"
        return time.perf_counter() - begin

    def _trust(self, anchor: bytes) -> None:
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.check_hostname = True
        self._context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        self._context.load_verify_locations(cadata=anchor)

    async def _call(self, method: str, message: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        host, port = self._job.address
        answer: asyncio.Future[bytes] = loop.create_future()
        path = f"{dialect_by_name(self._job.dialect).path}/{method}"
        transport, _ = await loop.create_connection(
            lambda: LightCall(self._context, host, path, message, answer),
            host,
            port,
            local_addr=(self._source, 0) if self._source else None,
        )
        try:
            return await answer
        finally:
            transport.close()
