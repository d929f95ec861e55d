"""The router's workflow: power-on, orders, attempts (W1 to W3, W13; docs/protocol/workflow.md).

What it does with one server is in ``onboarding``.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from bootz.device.bell import Bell
from bootz.device.board import MAX_REPORT_WAIT, Board
from bootz.device.card_process import CardProcess
from bootz.device.grpc_client import told_reason
from bootz.device.onboarding import BootResult, Onboarding, ServerFailed
from bootz.device.orders import obey, pending
from bootz.device.slots import sweep_cards
from bootz.device.source import FixedUris, UriSource
from bootz.device.state import Phase, RouterState
from bootz.errors import BootzError
from bootz.transport.backoff import backoff
from bootz.wire.uri import BootzUri, parse_bootz_uri

_T = TypeVar("_T")


class Router:
    """A powered router, at work on its board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._hardware = board.hardware
        self._options = board.options
        self._notify = board.notify
        self._cards = CardProcess(self._board)
        self._seen: set[str] = set()

    @property
    def _state(self) -> RouterState:
        return self._board.state

    async def boot(self, *, stay: bool = False) -> BootResult:
        """Power on, and run until the router works or its attempts are used up.

        With ``stay`` it runs on, and looks after cards and orders until it is cancelled.

        Raises:
            BootzError: the hardware itself fails: a damaged folder, a full disk.
        """
        with self._hardware.powered():
            sweep_cards(self._hardware)
            self._board.save(replace(self._hardware.load_state(), halted=False))
            bell = Bell(self._hardware.folder)
            try:
                while True:
                    self._board.restart()
                    if self._obey():
                        continue
                    result = await self._unless_ordered(bell, self._power_on())
                    if result is None:
                        continue
                    if not stay:
                        return result
                    await self._stay(bell)
            finally:
                bell.close()
                await self._options.source.close()

    async def _stay(self, bell: Bell) -> None:
        """Look after cards as they come and go, until there is an order."""
        first = 2 * self._options.card_wait
        most = max(MAX_REPORT_WAIT, first)
        tries = 1
        again = False
        while not pending(self._hardware):
            looked = self._unless_ordered(bell, self._look_after(again=again))
            if await looked is None:
                return
            if self._cards.have_come():
                # It came while the process ran for another.
                again = False
                continue
            wait = backoff(tries, self._options.chance(), first=first, most=most)
            again = not await bell.wait(wait if self._cards.unfinished else None)
            tries = tries + 1 if again else 1

    async def _look_after(self, *, again: bool) -> bool:
        await self._cards.look_after(again=again)
        return True

    async def _unless_ordered(self, bell: Bell, work: Coroutine[Any, Any, _T]) -> _T | None:
        """Return what the work returns; None if an order came and was carried out instead.

        Work may be ended at any point: it goes on from the record, as after a power cut.
        """
        task = asyncio.ensure_future(work)
        ring = asyncio.ensure_future(bell.wait())
        try:
            while True:
                await asyncio.wait({task, ring}, return_when=asyncio.FIRST_COMPLETED)
                if task.done():
                    return task.result()
                ring = asyncio.ensure_future(bell.wait())
                if pending(self._hardware):
                    return None
                self._notice_cards()
        finally:
            for each in (task, ring):
                each.cancel()
            await asyncio.gather(task, ring, return_exceptions=True)

    def _notice_cards(self) -> None:
        """Say of a card that appears during a process that it waits (S3, S6)."""
        for card in self._cards.new_cards():
            if card.token not in self._seen:
                self._seen.add(card.token)
                self._notify("card-waits", {"slot": card.name, "card": card.serial_number})

    def _obey(self) -> bool:
        """Carry out the orders that wait; return whether there were any."""
        if not pending(self._hardware):
            return False
        obey(self._hardware, self._state, self._notify)
        return True

    async def _power_on(self) -> BootResult:
        state = self._state
        self._notify("power-on", {"phase": state.phase.value})
        if not self._hardware.record.hardware_tam:
            return self._without_tam()
        if state.halted:
            return BootResult.NORMAL_BOOT
        if state.no_dhcp is None and state.initiated is None:
            if state.phase is Phase.OPERATIONAL:
                await self._cards.look_after(again=True)
                return BootResult.ALREADY_ONBOARDED
            begun = state.phase is not Phase.CONTACT
            if not begun and (not self._hardware.record.secure_mode or state.startup):
                return BootResult.NORMAL_BOOT
        result = await self._loop()
        if result is BootResult.ONBOARDED:
            await self._cards.look_after()
        return result

    def _without_tam(self) -> BootResult:
        """Boot without Bootz: there is nothing that could hold an identity (W1)."""
        told = {"reason": "hardware-tam-missing", "detail": "the hardware has no TAM"}
        self._board.save(replace(self._state, reason=told["reason"], message=told["detail"]))
        self._notify("bootz-not-started", told)
        return BootResult.NORMAL_BOOT

    def _source(self) -> UriSource:
        """Return where the servers come from: typed at the console (N1), or found."""
        without_dhcp = self._state.no_dhcp
        if without_dhcp is None:
            return self._options.source
        return FixedUris([parse_bootz_uri(without_dhcp.uri)])

    async def _loop(self) -> BootResult:
        """Make attempts until one succeeds; each ends when every URI of an offer was tried."""
        attempt = 0
        source = self._source()
        while True:
            attempt += 1
            try:
                uris = await self._discover(source)
            except BootzError as error:
                self._fail(error)
            else:
                result = await self._attempt(uris)
                if result is not None:
                    return result
            await self._release(source)
            if attempt == self._options.max_attempts:
                return BootResult.FAILED
            seconds = self._pause()
            self._notify("waiting", {"seconds": round(seconds, 3)})
            await asyncio.sleep(seconds)

    async def _attempt(self, uris: Sequence[BootzUri]) -> BootResult | None:
        """Try the servers of an offer in their order; return None where all of them failed."""
        failures: list[ServerFailed] = []
        onboarding = Onboarding(self._board, self._cards)
        for uri in uris:
            try:
                return await onboarding.run(uri)
            except ServerFailed as failure:
                failures.append(failure)
                self._board.save(self._state.turned_back(failure.status))
                if len(uris) > 1:
                    cause = failure.error
                    self._notify(
                        "server-failed",
                        {"uri": str(uri), "reason": told_reason(cause), "detail": str(cause)},
                    )
        self._fail(max(failures, key=lambda failure: failure.telling).error)
        if self._state.no_dhcp is not None:
            self._notify("no-dhcp-restored", {"configuration": self._state.running})
        return None

    def _pause(self) -> float:
        """Return the seconds until the next attempt: random, so that routers do not come as one.

        Without DHCP a router waits at least the time that the console promises.
        """
        wait, chance = self._options.retry_wait, self._options.chance()
        return wait * (1 + chance / 2) if self._state.no_dhcp is not None else 2 * wait * chance

    async def _discover(self, source: UriSource) -> Sequence[BootzUri]:
        """W2 and W3: learn whom to ask, and keep what was learned."""
        try:
            return await source.discover()
        finally:
            self._board.save(replace(self._state, discovery=source.account))

    async def _release(self, source: UriSource) -> None:
        """Give back what was found: none of its servers worked."""
        await source.release()
        self._board.save(replace(self._state, discovery=source.account))

    def _fail(self, error: BootzError) -> None:
        """Record a failed attempt, and tell it."""
        reason = told_reason(error)
        self._board.save(self._state.failed(reason, str(error)))
        self._notify(
            "attempt-failed",
            {
                "reason": reason,
                "detail": str(error),
                "status": self._state.status.value,
                "error_count": self._state.error_count,
            },
        )
