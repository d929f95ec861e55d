"""What an onboarding costs beside downloads, silent or idle connections, and slow readers.

``make speed-company ARGS="--downloads 200"``. Rounds without and with it take turns (A B B A), on
one server; of it all CPU is counted, so that what the company itself costs is in the number. The
routers of a turn come in the same instant, all in one process, and cost little, so that the server
sets the rate.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import multiprocessing
import resource
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bootz.bench.builds import this_build
from bootz.bench.client import client_context
from bootz.bench.factory import MANUFACTURER, PART_NUMBER, Factory
from bootz.bench.light import LightCall
from bootz.bench.material import BenchRouter
from bootz.bench.plan import BenchPlan, IdentityKey, percentile
from bootz.bench.serving import LOG, read_serving_line, serving
from bootz.bench.site import build_site, onboarding_serials
from bootz.bench.storm import StormJob, let_loose
from bootz.model.bootstrap import BootstrapRequest, CardState
from bootz.model.chassis import CardStatus, ChassisDescriptor
from bootz.wire.dialects import GET_BOOTSTRAP_DATA, dialect_by_name
from bootz.wire.requests import encode_bootstrap_request

Address = tuple[str, int]
SIZE = 1 << 30
TICK_S = 0.1
AGAIN_S = 0.05
IDLE_AGAIN_S = 60.0
COMPANY = 100_000
"""Connections of company at most: the routers' addresses are others."""
KINDS = (("downloads", 200), ("silent", 10_000), ("idle", 10_000), ("slow", 1_000))
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
"""Of HTTP/2, with an empty SETTINGS frame."""


class Silent(asyncio.Protocol):
    """A connection that says nothing, and comes again when it is closed."""

    def __init__(self, ended: asyncio.Event) -> None:
        self.ended = ended

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


class Idle(LightCall):
    """A connection that shakes hands, speaks HTTP/2, and makes no call."""

    def _request(self) -> bytes:
        return PREFACE


class SlowReader(LightCall):
    """A router that asks and does not read the answer."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._shaken:
            self._transport.pause_reading()


def source(number: int) -> Address:
    return f"127.{10 + number // 62500}.{number // 250 % 250}.{1 + number % 250}", 0


async def silent(address: Address, number: int) -> None:
    loop = asyncio.get_running_loop()
    while True:
        ended = asyncio.Event()
        try:
            await loop.create_connection(
                lambda ended=ended: Silent(ended), *address, local_addr=source(number)
            )
            await ended.wait()
        except OSError:
            await asyncio.sleep(AGAIN_S)


async def idle(address: Address, number: int, router: BenchRouter) -> None:
    loop = asyncio.get_running_loop()
    context = client_context(router.identity, None)
    while True:
        ended: asyncio.Future[bytes] = loop.create_future()
        try:
            await loop.create_connection(
                lambda ended=ended: Idle(context, address[0], "", b"", ended),
                *address,
                local_addr=source(number),
            )
            await asyncio.wait({ended})
            ended.exception()
        except OSError:
            pass
        await asyncio.sleep(IDLE_AGAIN_S)


async def slow(address: Address, number: int, router: BenchRouter) -> None:
    loop = asyncio.get_running_loop()
    context = client_context(router.identity, None)
    path = f"{dialect_by_name('current').path}/{GET_BOOTSTRAP_DATA}"
    request = BootstrapRequest(
        ChassisDescriptor(MANUFACTURER, PART_NUMBER, router.serial_number),
        CardState(router.serial_number, CardStatus.NOT_INITIALIZED),
        base64.b64encode(secrets.token_bytes(32)).decode(),
    )
    message = encode_bootstrap_request(request, dialect_by_name("current"))
    while True:
        connection = socket.socket()
        # Less than the answer, most of which stays in the server.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        connection.bind(source(number))
        answer: asyncio.Future[bytes] = loop.create_future()
        try:
            await loop.sock_connect(connection, address)
            await loop.create_connection(
                lambda answer=answer: SlowReader(context, address[0], path, message, answer),
                sock=connection,
            )
            await asyncio.wait({answer})
            answer.exception()
        except OSError:
            connection.close()
        await asyncio.sleep(AGAIN_S)


async def download(address: Address, path: str, number: int, pace: int) -> None:
    """Load again and again, at so many bytes a second; nothing is copied out of the kernel."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(number % 100 * TICK_S / 100)
    while True:
        with socket.socket() as connection:
            connection.setblocking(False)
            connection.bind(source(number))
            await loop.sock_connect(connection, address)
            request = f"GET {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n"
            await loop.sock_sendall(connection, request.encode())
            due, open_ = loop.time(), True
            while open_:
                due = max(due + TICK_S, loop.time())
                await asyncio.sleep(due - loop.time())
                try:
                    open_ = bool(connection.recv(int(pace * TICK_S), socket.MSG_TRUNC))
                except BlockingIOError:
                    continue


async def keep_company(
    kind: str,
    count: int,
    address: Address,
    path: str,
    pace: int,
    routers: tuple[BenchRouter, ...],
    one_address: bool,
) -> None:
    async with asyncio.TaskGroup() as group:
        for each in range(count):
            number = 0 if one_address else each
            if kind == "downloads":
                group.create_task(download(address, path, number, pace))
            elif kind == "silent":
                group.create_task(silent(address, number))
            elif kind == "idle":
                group.create_task(idle(address, number, routers[number % len(routers)]))
            else:
                group.create_task(slow(address, number, routers[number % len(routers)]))
            if each % 50 == 49:
                await asyncio.sleep(TICK_S / 2)


def run(told: Connection, *arguments: object) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    told.send("ready")
    asyncio.run(keep_company(*arguments))  # type: ignore[arg-type]


@contextmanager
def company(*arguments: object, settle: float) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run, args=(theirs, *arguments), daemon=True)
    process.start()
    ours.recv()
    time.sleep(settle)
    try:
        yield
    finally:
        process.terminate()
        process.join()
        time.sleep(2)


def images_at(log: Path) -> Address:
    found = (read_serving_line(line, "image_http") for line in log.read_bytes().splitlines())
    return next(each for each in found if each is not None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = parser.add_mutually_exclusive_group(required=True)
    for kind, least in KINDS:
        kinds.add_argument(f"--{kind}", type=int, help=f"how many; the goal is with {least}")
    parser.add_argument("--pace", type=float, default=2.0, help="MB/s of each download")
    parser.add_argument("--one-address", action="store_true", help="the routers', too")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--onboardings", type=int, default=600)
    parser.add_argument("--alone", type=float, default=10.0, help="seconds without an onboarding")
    parser.add_argument("--settle", type=float, default=12.0)
    given = parser.parse_args()
    kind, count = next((each, found) for each, _ in KINDS if (found := getattr(given, each)))
    plan = BenchPlan(
        inventory=given.onboardings,
        onboardings=given.onboardings,
        routers=given.onboardings,
        clients=1,
        concurrency=1,
        dialect="current",
        identity=IdentityKey.P256,
        config_bytes=16384,
    )
    shares: list[float] = []
    rates: dict[bool, list[float]] = {False: [], True: []}
    costs: dict[bool, list[float]] = {False: [], True: []}
    waits: dict[bool, list[float]] = {False: [], True: []}
    with TemporaryDirectory() as name:
        folder = Path(name)
        factory = Factory(plan.identity, datetime.now(UTC))
        build = this_build()
        site = build_site(build, plan, factory, folder, lambda *_: None)
        material = factory.material(folder / "m", onboarding_serials(plan), lambda *_: None)
        image = folder / "big.bin"
        with image.open("wb") as writing:
            writing.truncate(SIZE)
        with (site / "bootz.yaml").open("a") as settings:
            settings.write("\nimages: {check_hours: 0}\n")
        words = ("image", "add", str(image), "--name", "big", "--version", "1")
        build.run("--site", str(site), *words)
        digest = next(each.name for each in (site / "images").iterdir() if len(each.name) == 64)
        with serving(site) as server:
            numbers = itertools.repeat(0) if given.one_address else itertools.count(COMPANY)
            addresses = (source(number)[0] for number in numbers)

            def measure(*, beside: bool) -> None:
                # None that was here a moment ago: it would go before others.
                sources = tuple(itertools.islice(addresses, plan.routers))
                job = StormJob(server.address, plan.dialect, material.routers, sources)
                before = server.usage().cpu
                (tale,) = let_loose([job])
                if tale.fates:
                    raise SystemExit(f"not onboarded: {dict(tale.fates)}")
                rates[beside].append(plan.routers / max(tale.seconds))
                costs[beside].append((server.usage().cpu - before) * 1000 / plan.routers)
                waits[beside].append(percentile(tale.seconds, 0.5))

            measure(beside=False)
            for measured in (rates, costs, waits):
                measured[False].clear()
            address = images_at(folder / LOG) if kind == "downloads" else server.address
            words = (
                kind,
                count,
                address,
                f"/images/{digest}/big.bin",
                int(given.pace * 10**6),
                material.routers,
                given.one_address,
            )
            for _ in range(given.rounds):
                measure(beside=False)
                with company(*words, settle=given.settle):
                    before = server.usage().cpu
                    time.sleep(given.alone)
                    shares.append((server.usage().cpu - before) / given.alone)
                    measure(beside=True)
                    measure(beside=True)
                measure(beside=False)
            peak = server.usage().resident_peak >> 20
    print(f"{'':8} {'per s':>18} {'CPU ms':>18} {'p50 ms':>18}   peak {peak} MiB")
    for beside, label in ((False, "alone"), (True, kind)):
        columns = (rates[beside], costs[beside], [each * 1000 for each in waits[beside]])
        cells = (f"{median(c):.1f} ({min(c):.1f}-{max(c):.1f})" for c in columns)
        print(f"{label:10}", *(f"{cell:>18}" for cell in cells))
    print(f"{kind} take of a core, with no onboarding:", *(f"{each:.1%}" for each in shares))
    turns = [
        sum(rates[True][2 * each : 2 * each + 2]) / sum(rates[False][2 * each : 2 * each + 2])
        for each in range(given.rounds)
    ]
    print("rate beside / alone, of each round:", *(f"{each:.2f}" for each in turns))


if __name__ == "__main__":
    main()
