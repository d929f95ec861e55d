"""The adapter of a device that a person operates."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bootz.conformance.device.adapter import AdapterCannot, BootOrder, Device, DeviceState
from bootz.conformance.device.by_hand.lines import AGAIN, FACTORY, REBOOT, typed
from bootz.conformance.device.cases import Case, Given
from bootz.conformance.device.judge import FIRST
from bootz.conformance.device.seen import Seen
from bootz.model.bootstrap import ReportedStatus
from bootz.model.identity import IdentityKind

_TICK_S: Final = 0.25
_INITIATE: Final = "bootz no-dhcp initiate"
_ENDS: Final = frozenset({ReportedStatus.SUCCESS, ReportedStatus.FAILURE})
_UNREAD: Final = DeviceState()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds.

    ``request``: for a device to come, and for its report after that; ``quiet``: where nothing
    must come, or nothing more.
    """

    request: float
    quiet: float


@dataclass(frozen=True, slots=True)
class Screen:
    """What the person sees.

    ``say`` gets a text that stays; ``count`` what is waited for and the seconds that are left,
    and an empty text when that is over.
    """

    say: Callable[[str], None]
    count: Callable[[str, float], None]


class OperatedDevice:
    """A device whose person is told what to type.

    Args:
        devices: by what proves them.
        patience: how long to wait.
        screen: where it is said.
    """

    def __init__(
        self, devices: dict[IdentityKind, Device], patience: Patience, screen: Screen
    ) -> None:
        self._devices = devices
        self._patience = patience
        self._screen = screen
        self._seen = Seen()
        self._case: Case | None = None
        self._fresh = False

    def begin(self, case: Case, dialect: str, seen: Seen) -> None:
        """Begin a case, whose server keeps what it sees in ``seen``."""
        self._case, self._seen = case, seen
        self._screen.say(f"{case.id} ({dialect}): {case.title}")

    async def describe(self, identity: IdentityKind) -> Device:
        """Return the device, if it can prove itself in this way."""
        found = self._devices.get(identity)
        if found is None:
            raise AdapterCannot(
                "conformance-adapter-cannot",
                "the inventory has no such key of this chassis",
                where=identity.value,
            )
        return found

    async def reset(self) -> DeviceState:
        """Have the next start begin in factory state; nothing is to be read."""
        self._fresh = True
        return _UNREAD

    async def boot(self, order: BootOrder) -> DeviceState:
        """Say how to start it, and wait for what its server must see."""
        commands: Sequence[str] = AGAIN
        if self._fresh:
            commands = FACTORY
        elif self._reboots():
            commands = REBOOT
        self._fresh = False
        self._tell(commands)
        await self._wait()
        return _UNREAD

    async def console(self, command: str, order: BootOrder) -> DeviceState:
        """Say what to type, and wait."""
        commands = (*FACTORY[:-1], command) if self._fresh else (command,)
        self._fresh = False
        self._tell(commands)
        if command.startswith(_INITIATE):
            await self._wait()
        else:
            await self._quiet("nothing more is due", 0)
        return _UNREAD

    async def close(self) -> None:
        """Leave the device as it is."""

    def _reboots(self) -> bool:
        """Tell whether a device that is up is restarted, and must not ask again."""
        return self._seen.phase > FIRST and self._case is not None and self._case.works

    def _tell(self, commands: Sequence[str]) -> None:
        where = ", if it does not retry by itself" if commands is AGAIN else ""
        self._screen.say(f"  type on the router{where}:\n{typed(commands)}")

    async def _wait(self) -> None:
        case, phase = self._case, self._seen.phase
        first = phase == FIRST and case is not None
        requests, reports = len(self._seen.requests), len(self._seen.reports)
        if case is not None and first and case.given is Given.UNREACHABLE:
            await self._quiet("no server listens: it must find none", requests)
            return
        if self._reboots():
            await self._quiet("it must not ask again", requests)
            return
        if not await self._until("its request", lambda: len(self._seen.requests) > requests):
            self._screen.say("  no request came")
            return
        self._screen.say(f"  {_told(self._seen)}")
        if case is not None and first and not (case.works or case.verified):
            await self._quiet("no report of progress is due", len(self._seen.requests))
            return
        if await self._until("its last report", lambda: self._ended(reports)):
            self._screen.say(f"  {self._seen.reports[-1].report.status.name} reported")
        else:
            self._screen.say("  no last report came")

    def _ended(self, reports: int) -> bool:
        return any(each.report.status in _ENDS for each in self._seen.reports[reports:])

    async def _quiet(self, what: str, requests: int) -> None:
        """Wait where nothing must come; a request ends it."""
        await self._until(
            what, lambda: len(self._seen.requests) > requests, seconds=self._patience.quiet
        )

    async def _until(
        self, what: str, come: Callable[[], bool], *, seconds: float | None = None
    ) -> bool:
        end = time.monotonic() + (self._patience.request if seconds is None else seconds)
        try:
            while not come():
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._screen.count(what, left)
                await asyncio.sleep(_TICK_S)
        finally:
            self._screen.count("", 0)
        return True


def _told(seen: Seen) -> str:
    last = seen.requests[-1]
    words = f"request from {last.peer}, {last.dialect} {last.flow}"
    return f"{words}: refused, {last.refused}" if last.refused else f"{words}: answered"
