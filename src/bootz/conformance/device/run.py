"""Plays cases: for each its own server and images, the device through its adapter, the judge."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from bootz.conformance.device.adapter import (
    BootOrder,
    Device,
    DeviceAdapter,
    DeviceState,
)
from bootz.conformance.device.answers import AnswerMaker, DeviceContent
from bootz.conformance.device.cases import Case, ConsoleUse, Given
from bootz.conformance.device.images import SuiteImageServer
from bootz.conformance.device.judge import FIRST, SECOND, Played, judge
from bootz.conformance.device.material import Owner, Vouchers
from bootz.conformance.device.party.desk import DeskRecord, Script
from bootz.conformance.device.party.server import ScriptedServer
from bootz.conformance.device.seen import Seen
from bootz.errors import BootzError, Unavailable
from bootz.model.chassis import Release
from bootz.model.checks import Check, Outcome
from bootz.trust.certificates import VendorCAs
from bootz.wire.dialects import V0_3


@dataclass(frozen=True, slots=True)
class Bench:
    """What all cases share.

    Args:
        owner: the keys of the suite's server.
        vouchers: where the vouchers come from.
        vendor_anchors: the CAs of the device's manufacturer.
        content: what the device is configured with.
        listen: the address to listen on; each case has its ports.
        port: of the gRPC server; 0 lets the system choose.
        advertised: the host that the device is told.
        interface: the device's interface for ``bootz no-dhcp initiate``.
        seconds: how long each phase of a case may take.
        also: more addresses on which the gRPC server listens, with the same port.
        on_begin: told of each case, with what its server will see.
    """

    owner: Owner
    vouchers: Vouchers
    vendor_anchors: VendorCAs = field(repr=False)
    content: DeviceContent
    listen: str = "127.0.0.1"
    port: int = 0
    advertised: str = "127.0.0.1"
    interface: str = "MgmtEth0/RP0/CPU0/0"
    seconds: float = 120.0
    also: tuple[str, ...] = ()
    on_begin: Callable[[Case, str, Seen], None] = lambda *_: None


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """The result of one case. ``error`` says why it could not be played to its end.

    ``served``: the device took an answer in the course of it, and told the server of its success.
    """

    case: Case
    dialect: str
    checks: tuple[Check, ...]
    seconds: float
    error: str = ""
    served: bool = False

    @property
    def passed(self) -> bool:
        """Whether everything that could be checked holds."""
        failed = any(check.outcome is Outcome.FAILED for check in self.checks)
        return bool(self.checks) and not failed and not self.error


async def play_cases(
    cases: Sequence[tuple[Case, str]],
    adapter: DeviceAdapter,
    bench: Bench,
    *,
    on_verdict: Callable[[CaseVerdict], None],
    own_seconds: Mapping[str, float],
) -> tuple[CaseVerdict, ...]:
    """Play cases, each in a dialect, one after the other on one device.

    ``own_seconds`` has, by id, the time of cases that need another than the bench's.
    """
    verdicts = []
    for case, dialect in cases:
        own = replace(bench, seconds=own_seconds.get(case.id, bench.seconds))
        verdict = await play_case(case, dialect, adapter, own)
        verdicts.append(verdict)
        on_verdict(verdict)
    return tuple(verdicts)


async def play_case(case: Case, dialect: str, adapter: DeviceAdapter, bench: Bench) -> CaseVerdict:
    """Play one case; whatever goes wrong is in the verdict."""
    started = time.monotonic()
    checks: tuple[Check, ...] = ()
    error = ""
    seen = Seen()
    try:
        device = await adapter.describe(case.identity)
        with tempfile.TemporaryDirectory(prefix="bootz-conformance-") as folder:
            played = await _play(case, dialect, device, adapter, bench, Path(folder), seen)
        checks = judge(played)
    except BootzError as failure:
        error = f"{failure.reason}: {failure}"
    took = round(time.monotonic() - started, 3)
    return CaseVerdict(case, dialect, checks, took, error, seen.succeeded)


async def _play(
    case: Case,
    dialect: str,
    device: Device,
    adapter: DeviceAdapter,
    bench: Bench,
    folder: Path,
    seen: Seen,
) -> Played:
    release = Release.V0_3 if dialect == V0_3.name else Release.CURRENT
    record = DeskRecord(device, bench.vendor_anchors, release)
    async with SuiteImageServer(folder, bench.listen, bench.advertised) as images:
        answers = AnswerMaker(bench.owner, bench.vouchers, images, bench.content)
        server = ScriptedServer(
            bench.owner,
            record,
            answers,
            listen=(bench.listen, bench.port),
            advertised=bench.advertised,
            folder=folder,
            also=bench.also,
        )
        server.seen = seen
        bench.on_begin(case, dialect, seen)
        insecure = case.given is Given.INSECURE
        before = await _within(adapter.reset(), bench, "reset")
        planned = answers.plan(case.given)
        async with AsyncExitStack() as serving:
            await serving.enter_async_context(server)
            if case.onboarded:
                good = BootOrder(server.uri, dialect, seconds=bench.seconds)
                before = await _within(adapter.boot(good), bench, "boot")
            server.script = Script(case.given, planned, insecure)
            server.seen.phase = FIRST
            if case.given is Given.UNREACHABLE:
                await serving.aclose()
            order = BootOrder(
                server.uri, dialect, case.flow, case.identity, insecure, bench.seconds
            )
            after = await _within(_start(case, adapter, order, bench), bench, "boot")
            downloads = images.downloads
            if case.given is Given.UNREACHABLE:
                await serving.enter_async_context(server)
            server.script = Script(Given.GOOD, answers.plan(Given.GOOD), insecure)
            server.seen.phase = SECOND
            last = await _second(case, adapter, order, bench)
    return Played(
        case,
        dialect,
        insecure,
        bench.content.marker,
        before,
        after,
        last,
        server.seen,
        downloads,
        planned.image.version if planned.image is not None else "",
    )


def _initiate(order: BootOrder, bench: Bench) -> str:
    return f"bootz no-dhcp initiate --src_interface {bench.interface} --bootz_uri {order.uri}"


async def _start(case: Case, adapter: DeviceAdapter, order: BootOrder, bench: Bench) -> DeviceState:
    if case.console is ConsoleUse.NONE:
        return await adapter.boot(order)
    return await adapter.console(_initiate(order, bench), order)


async def _second(
    case: Case, adapter: DeviceAdapter, order: BootOrder, bench: Bench
) -> DeviceState | None:
    """Recover from the fault with a good answer; or reboot, where the case is about that."""
    match case.console:
        case ConsoleUse.RESET | ConsoleUse.TERMINATE:
            command = f"bootz no-dhcp {case.console.value}"
            return await _within(adapter.console(command, order), bench, command)
        case _ if not case.works:
            return await _within(adapter.boot(order), bench, "boot")
        case _ if case.id.endswith("1.3"):
            return await _within(adapter.boot(order), bench, "reboot")
        case _:
            return None


async def _within(doing: Awaitable[DeviceState], bench: Bench, what: str) -> DeviceState:
    try:
        async with asyncio.timeout(bench.seconds):
            return await doing
    except TimeoutError as error:
        raise Unavailable(
            "conformance-adapter", f"not done within {bench.seconds:g} s", where=what
        ) from error
