"""The database's machine is lost while routers onboard, and its standby takes over.

``make check-failover ARGS="--rounds 5"``. Routers come all the time, each again and again until its
report is acknowledged. In each round the first cluster is killed (SIGKILL), or with ``--silent``
cut off, and the standby promoted at once; then the lost one is made the standby. At the end every
report that was acknowledged is on record, and each onboarding once.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.exceptions import GRPCError, StreamTerminatedError
from sqlalchemy import select
from store.pair import Pair

from bootz.bench.builds import Build, this_build
from bootz.bench.client import client_context
from bootz.bench.factory import MANUFACTURER, PART_NUMBER, Factory
from bootz.bench.material import BenchRouter
from bootz.bench.plan import BenchPlan, IdentityKey
from bootz.bench.serving import serving
from bootz.bench.site import build_site, onboarding_serials
from bootz.model.bootstrap import BootstrapRequest, CardState, ReportedStatus, StatusReport
from bootz.model.chassis import CardStatus, ChassisDescriptor
from bootz.server.store.database import open_database
from bootz.server.store.schema import ATTEMPT
from bootz.transport.calling import end_channel
from bootz.transport.codec import BytesCodec
from bootz.wire.answers import decode_answer, decode_bootstrap_data
from bootz.wire.dialects import GET_BOOTSTRAP_DATA, REPORT_STATUS, dialect_by_name
from bootz.wire.reports import encode_report
from bootz.wire.requests import encode_bootstrap_request

LIMIT_S = 10.0
"""Seconds from the loss until a router that came afterwards is onboarded."""
_DIALECT = dialect_by_name("current")
_AT_ONCE = 4
_PATIENCE_S = 20.0
_AGAIN_S = 0.3
_INSIDE = "BOOTZ_FAILOVER_INSIDE"
"""Set in the namespace."""


class AtPair(Build):
    """This build, whose sites have their database in a pair of clusters."""

    def run(self, *words: str) -> bytes:
        if words[0] == "init":
            # The build has one place for what is told on its command line.
            return super().run("init", "--database", self.name, *words[1:])
        return super().run(*words)


@dataclass
class Routers:
    """All that onboard, in turn; each again, as a new onboarding, when all have been."""

    address: tuple[str, int]
    waiting: list[BenchRouter]
    acknowledged: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    # When each try that ended well began and ended.
    last: tuple[float, float] = (0.0, 0.0)
    progressed: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False

    async def work(self) -> None:
        while not self.over:
            router = self.waiting.pop(0)
            begin, anchor = await self._again(partial(self._ask, router))
            # A report whose answer is lost is sent again; it is the same onboarding.
            await self._again(partial(self._report, router, anchor))
            self.acknowledged[router.serial_number] += 1
            self.waiting.append(router)
            self.last = (begin, time.monotonic())
            self.progressed.set()

    async def _again(self, call: Callable[[], Awaitable[bytes]]) -> tuple[float, bytes]:
        """Call until it is answered; return when the last try began, and the answer."""
        while True:
            begin = time.monotonic()
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    return begin, await call()
            except (GRPCError, StreamTerminatedError, OSError, TimeoutError) as error:
                name = error.status.name if isinstance(error, GRPCError) else "connection"
                self.failed[name] += 1
                await asyncio.sleep(_AGAIN_S)

    async def next_after(self, moment: float) -> float:
        """Return when the first onboarding that began after a moment was acknowledged."""
        while self.last[0] < moment:
            self.progressed.clear()
            await self.progressed.wait()
        return self.last[1]

    async def more(self, count: int) -> None:
        """Wait until so many more are onboarded."""
        wanted = self.acknowledged.total() + count
        while self.acknowledged.total() < wanted:
            self.progressed.clear()
            await self.progressed.wait()

    async def _ask(self, router: BenchRouter) -> bytes:
        """Return the trust anchor of the answer."""
        serial = router.serial_number
        nonce = base64.b64encode(secrets.token_bytes(32)).decode()
        request = BootstrapRequest(
            ChassisDescriptor(MANUFACTURER, PART_NUMBER, serial),
            CardState(serial, CardStatus.NOT_INITIALIZED),
            nonce,
        )
        answer = await self._call(
            router, None, GET_BOOTSTRAP_DATA, encode_bootstrap_request(request, _DIALECT)
        )
        content = decode_answer(answer, _DIALECT).content or b""
        data = decode_bootstrap_data(content, _DIALECT)
        assert data.nonce == nonce
        return data.responses[0].server_trust_cert

    async def _report(self, router: BenchRouter, anchor: bytes) -> bytes:
        state = CardState(router.serial_number, CardStatus.INITIALIZED)
        report = StatusReport(ReportedStatus.SUCCESS, states=(state,))
        return await self._call(router, anchor, REPORT_STATUS, encode_report(report, _DIALECT))

    async def _call(
        self, router: BenchRouter, anchor: bytes | None, method: str, message: bytes
    ) -> bytes:
        context = client_context(router.identity, anchor)
        channel = Channel(*self.address, ssl=context, codec=BytesCodec())
        try:
            path = f"{_DIALECT.path}/{method}"
            return await UnaryUnaryMethod[bytes, bytes](channel, path, bytes, bytes)(message) or b""
        finally:
            end_channel(channel)


@dataclass(frozen=True)
class Tally:
    """What came of a run; ``seconds`` from each loss until routers were onboarded again."""

    seconds: tuple[float, ...]
    acknowledged: int
    failed: Counter[str]
    lost: int
    doubled: int

    @property
    def holds(self) -> bool:
        return not self.lost and not self.doubled and max(self.seconds) <= LIMIT_S

    def __str__(self) -> str:
        failed = ", ".join(f"{count} {name}" for name, count in self.failed.most_common())
        return (
            f"{len(self.seconds)} failovers: onboarding again after "
            f"{', '.join(f'{each:.1f}' for each in self.seconds)} s; {self.acknowledged} reports "
            f"acknowledged, lost: {self.lost}, doubled: {self.doubled}; tries that failed: {failed}"
        )


async def storm(routers: Routers, pair: Pair, rounds: int) -> list[float]:
    """Fail over so often, while routers onboard."""
    working = [asyncio.create_task(routers.work()) for _ in range(_AT_ONCE)]
    seconds = []
    for _ in range(rounds):
        while not await asyncio.to_thread(pair.in_step):
            await asyncio.sleep(0.1)
        # In step, and under load: now a commit is anywhere on its way.
        await routers.more(2 * _AT_ONCE)
        lost = time.monotonic()
        pair.lose()
        await asyncio.to_thread(pair.promote)
        async with asyncio.timeout(120):
            seconds.append(await routers.next_after(lost) - lost)
        print(f"onboarding again after {seconds[-1]:.1f} s", flush=True)
        await asyncio.to_thread(pair.follow)
    routers.over = True
    await asyncio.gather(*working)
    return seconds


def run(folder: Path, pair: Pair, rounds: int, routers: int) -> Tally:
    """Build a site on the pair, serve it, and let the storm go over it."""
    plan = BenchPlan(
        inventory=routers,
        onboardings=routers,
        routers=routers,
        clients=1,
        concurrency=_AT_ONCE,
        dialect="current",
        identity=IdentityKey.P256,
        config_bytes=4096,
    )
    factory = Factory(plan.identity, datetime.now(UTC))
    own = this_build()
    build = AtPair(pair.url, own.command, own.environment)
    site = build_site(build, plan, factory, folder, lambda *_: None)
    material = factory.material(folder / "material", onboarding_serials(plan), lambda *_: None)
    with serving(site) as server:
        came = Routers(server.address, list(material.routers))
        seconds = asyncio.run(storm(came, pair, rounds))
    database = open_database(pair.url)
    with database.read() as connection:
        found = Counter(
            connection.scalars(select(ATTEMPT.c.claimed_serial).where(ATTEMPT.c.state == "success"))
        )
    database.close()
    return Tally(
        tuple(seconds),
        came.acknowledged.total(),
        came.failed,
        (came.acknowledged - found).total(),
        (found - came.acknowledged).total(),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--routers", type=int, default=100)
    parser.add_argument("--silent", action="store_true", help="lose it without a word")
    told = parser.parse_args()
    if told.silent and _INSIDE not in os.environ:
        os.environ[_INSIDE] = "yes"
        os.execvp(
            "unshare", ["unshare", "-n", sys.executable, "-m", "store.failover", *sys.argv[1:]]
        )
    if told.silent:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    pair = Pair(silent=told.silent)
    try:
        with tempfile.TemporaryDirectory() as folder:
            tally = run(Path(folder), pair, told.rounds, told.routers)
    finally:
        pair.stop()
    print(tally)
    return 0 if tally.holds else 1


if __name__ == "__main__":
    sys.exit(main())
