"""A suite with its own manufacturer, and the emulated router before it, sound or broken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

from bootz.conformance.device.answers import DeviceContent
from bootz.conformance.device.cases import Case, choose_cases
from bootz.conformance.device.emulated import EmulatedRouter
from bootz.conformance.device.material import Owner, SignedVouchers, load_authority
from bootz.conformance.device.run import Bench, CaseVerdict, play_case
from bootz.keystore.files import load_certificates
from bootz.processes import WarmCommand
from bootz.trust.certificates import AnchorSet, VendorCAs

T = TypeVar("T")


class Flawed:
    """Calls of a broken ``bootz``: the flaw is the first word."""

    def __init__(self, call: WarmCommand, flaw: str) -> None:
        self._call = call
        self._flaw = flaw

    def __call__(self, *words: str, answers: Container[int] = (0,)) -> Awaitable[object]:
        return self._call(self._flaw, *words, answers=answers)

    def text(self, *words: str, answers: Container[int] = (0,)) -> Awaitable[str]:
        return self._call.text(self._flaw, *words, answers=answers)


class Lab:
    """Keeps one event loop and one warm process for all cases that a test process plays."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.maker = folder / "maker"
        self._call = self._enter(WarmCommand())
        self._runner.run(self._call("manufacturer", "init", str(self.maker)))
        keys = self.maker / "keys"
        anchors = load_certificates(keys / "ca.pem")
        signer = load_authority(keys / "vouchers.pem", keys / "vouchers.key", anchors)
        owner = Owner.make("127.0.0.1")
        self.bench = Bench(
            owner=owner,
            vouchers=SignedVouchers(signer, owner.pinned),
            vendor_anchors=VendorCAs(AnchorSet.from_der(anchors)),
            content=DeviceContent.make(),
            seconds=60.0,
        )
        self.router = EmulatedRouter(folder / "sound", self.maker, self._call)
        self._call_broken: WarmCommand | None = None

    def _enter(self, command: WarmCommand) -> WarmCommand:
        return self._runner.run(self._stack.enter_async_context(command))

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        async def bounded() -> T:
            return await asyncio.wait_for(work(), 120)

        return self._runner.run(bounded())

    def play(self, case: Case, dialect: str = "current") -> CaseVerdict:
        return self.run(lambda: play_case(case, dialect, self.router, self.bench))

    def play_broken(self, flaw: str, case_id: str) -> CaseVerdict:
        """Play one case against a router with a flaw of ``conformance.broken``."""
        if self._call_broken is None:
            here = str(Path(__file__).parent.parent)
            program = "from conformance.broken import main; main()"
            self._call_broken = self._enter(
                WarmCommand(program=f"import sys; sys.path.insert(0, {here!r}); {program}")
            )
        (case,) = choose_cases([case_id])
        call = Flawed(self._call_broken, flaw)
        self._count += 1
        router = EmulatedRouter(self._folder / f"broken-{self._count}", self.maker, call)
        return self.run(lambda: play_case(case, "current", router, self.bench))

    def close(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()
