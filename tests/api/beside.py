"""What an onboarding costs beside a busy door: ``make speed-door ARGS="--beside 5"``.

In turns A B B A. A: the door is stopped. B: streams of events are open, and an import of new rows
runs.
"""

from __future__ import annotations

import http.client
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from board.open_streams import OpenStreams, door
from store.cluster import Cluster

from bootz.bench.builds import this_build
from bootz.bench.clients import Clients
from bootz.bench.factory import Factory
from bootz.bench.measure import warm_up
from bootz.bench.plan import BenchPlan, IdentityKey
from bootz.bench.serving import serving, usage_of
from bootz.bench.site import build_site, onboarding_serials
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.auth.tokens import add_token
from bootz.server.operations.vendors import list_vendors
from bootz.server.store.database import open_database

STREAMS = 100
"""Streams that are open."""
CPU_MOST, P99_MOST = 1.1, 1.3
"""What is asked: an onboarding's CPU and p99, as parts of those without the door."""


@contextmanager
def empty_database(engine: str) -> Iterator[str]:
    """Yield the URL of a database in PostgreSQL that ends with the block; empty for SQLite."""
    if engine == "sqlite":
        yield ""
        return
    server = Cluster(durable=True)
    try:
        yield server.url()
    finally:
        server.stop()


def beside(rounds: int, onboardings: int, rows: int, engine: str) -> bool:
    """Measure so many rounds; return whether all is as it is asked. Without ``rows`` no import."""
    plan = BenchPlan(
        inventory=1000,
        onboardings=onboardings,
        routers=1000,
        clients=2,
        concurrency=4,
        dialect="current",
        identity=IdentityKey.P256,
        config_bytes=16384,
    )

    def quiet(_words: str, _done: int, _whole: int) -> None:
        pass

    cpu, p99 = [], []
    with tempfile.TemporaryDirectory() as folder, empty_database(engine) as database:
        factory = Factory(plan.identity, datetime.now(UTC))
        site = build_site(
            this_build(), plan, factory, Path(folder) / "own", quiet, database=database
        )
        material = factory.material(Path(folder) / "own/m", onboarding_serials(plan), quiet)
        vendor, secret = access(database or f"sqlite:///{site}/bootz.db")
        header = f"Authorization: Bearer {secret}"
        with serving(site) as server, door(site) as (base, pid), Clients(plan, material) as clients:
            warm_up(plan, clients, server.address, server.usage, quiet)

            def block() -> tuple[float, float, float]:
                done = clients.onboard(
                    server.address, server.usage, plan.onboardings, lambda _done: None
                )
                slow = sorted(done.seconds)[int(len(done.seconds) * 0.99) - 1]
                return done.cpu_ms, slow, len(done.seconds) / done.elapsed

            with OpenStreams(base, "/api/v1/events/stream", header, STREAMS) as streams:
                for number in range(rounds):
                    turns = []
                    for turn, is_busy in enumerate((False, True, True, False)):
                        what = table(vendor, f"R{number}T{turn}", rows)
                        busy = importing(base, secret, what) if rows else nullcontext()
                        with busy if is_busy else stopped(pid):
                            turns.append(block())
                    alone, among = (turns[0], turns[3]), (turns[1], turns[2])
                    cpu.append(sum(each[0] for each in among) / sum(each[0] for each in alone))
                    p99.append(sum(each[1] for each in among) / sum(each[1] for each in alone))
                    print(
                        f"round {number + 1}: {told(alone)} alone; {told(among)} beside; ratio of "
                        f"CPU {cpu[-1]:.3f}, of p99 {p99[-1]:.2f}; {streams.octets >> 10} KiB of "
                        f"events read; the door's CPU so far {usage_of(pid).cpu:.0f} s",
                        flush=True,
                    )
    print(
        f"{engine}, beside {STREAMS} streams and an import of {rows} rows: CPU of an onboarding "
        f"{median(cpu):.3f} of alone ({min(cpu):.3f} to {max(cpu):.3f}), p99 {median(p99):.2f} "
        f"({min(p99):.2f} to {max(p99):.2f})"
    )
    return median(cpu) <= CPU_MOST and median(p99) <= P99_MOST


def told(turns: tuple[tuple[float, float, float], ...]) -> str:
    """Return two turns in words."""
    return " and ".join(
        f"{cpu:.2f} ms, p99 {slow:.2f} s, {rate:.0f}/s" for cpu, slow, rate in turns
    )


def access(url: str) -> tuple[str, str]:
    """Return the name of a vendor, and a token that may do everything."""
    now = datetime.now(UTC)
    database = open_database(url)
    with database.write() as connection:
        vendor = list_vendors(connection)[0].name
        _, secret = add_token(
            connection, "speed", OperatorRole.ADMIN, now=now, expires_at=now + timedelta(days=1)
        )
    database.close()
    return vendor, secret


def table(vendor: str, mark: str, count: int) -> bytes:
    """Return a table of new chassis."""
    found = "".join(f"{vendor},{mark}N{number:05d},h-{mark}-{number}\n" for number in range(count))
    return f"vendor,serial_number,hostname\n{found}".encode()


@contextmanager
def importing(base: str, secret: str, content: bytes) -> Iterator[None]:
    """Import a table while the block runs; ends when both have."""
    answered: list[Any] = []

    def call() -> None:
        host, _, port = base.removeprefix("http://").rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=600)
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "text/csv"}
        connection.request("POST", "/api/v1/imports", content, headers)
        answer = connection.getresponse()
        answered.append((answer.status, answer.read()[:500]))
        connection.close()

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    assert answered, "the import was not answered"
    assert answered[0][0] == 200, answered


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Let a process do nothing while the block runs."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
