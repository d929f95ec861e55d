"""The emulated router with one thing taken out of it: what the suite must find.

Runs in a process of its own, in the place of ``bootz.cli.forked``.
"""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bootz.cli import forked
from bootz.cli.router import group
from bootz.device import (
    board,
    configuration,
    contact,
    hardware,
    onboarding,
    orders,
    stream_contact,
    workflow,
)
from bootz.device.configuration import Configuration, build_configuration
from bootz.device.openconfig import InvalidConfiguration
from bootz.device.state import RouterState
from bootz.model.bootstrap import BootConfig, BootstrapData, SoftwareImage
from bootz.protocol import device
from bootz.protocol.device import DeviceSession


def _takes_any_configuration() -> None:
    def lenient(data: BootstrapData) -> Configuration:
        try:
            return build_configuration(data)
        except InvalidConfiguration:
            return build_configuration(
                replace(data, boot_config=BootConfig(), authz=None, certz_profiles=None)
            )

    onboarding.build_configuration = lenient


def _applies_nothing() -> None:
    def empty(data: BootstrapData) -> Configuration:
        return build_configuration(replace(data, boot_config=BootConfig()))

    onboarding.build_configuration = empty


def _never_upgrades() -> None:
    onboarding.Onboarding._runs = lambda _self, _image: True


def _takes_any_image() -> None:
    async def fetch(image: SoftwareImage, folder: Path, *_: object) -> Path:
        try:
            with urllib.request.urlopen(image.url) as answer:
                content = answer.read()
        except OSError:
            content = b"whatever the flash holds"
        path = folder / hashlib.sha256(content).hexdigest()
        path.write_bytes(content)
        return path

    onboarding.fetch_image = fetch
    onboarding.check_image = lambda *_, **__: None


def _trusts_anybody() -> None:
    genuine = DeviceSession.open

    def careless(self: Any, sealed: Any, dialect: Any, *, now: Any) -> Any:
        self._nonce = None
        return genuine(self, sealed, dialect, now=now)

    DeviceSession.open = careless


def _ignores_the_nonce() -> None:
    device.check_nonce = lambda *_: None


def _repeats_its_nonce() -> None:
    request = DeviceSession.request
    DeviceSession.request = lambda self, nonce: request(self, nonce and "always the same")


def _ignores_certz() -> None:
    configuration.check_certz = lambda _: None


def _forgets_certz() -> None:
    def without(data: BootstrapData) -> Configuration:
        return build_configuration(replace(data, certz_profiles=None))

    onboarding.build_configuration = without


def _ignores_authz() -> None:
    configuration.check_authz = lambda _: None


def _never_reports() -> None:
    async def silent(*_: object, **__: object) -> bool:
        return True

    board.Board.deliver = silent


def _reports_success_only() -> None:
    async def silent(*_: object, **__: object) -> None:
        return

    onboarding.Onboarding._courtesy = silent


def _counts_no_errors() -> None:
    failed = RouterState.failed

    def uncounted(self: RouterState, *words: Any) -> RouterState:
        return replace(failed(self, *words), error_count=self.error_count)

    RouterState.failed = uncounted


def _miscalculates() -> None:
    class Wrong:
        sha512 = staticmethod(lambda data: hashlib.sha512(data + b"\n"))

    onboarding.hashlib = Wrong


def _forgets_after_power_off() -> None:
    boot = workflow.Router.boot

    async def forgetful(self: Any) -> Any:
        self._hardware.save_state(self._hardware.load_state().after_reset())
        return await boot(self)

    workflow.Router.boot = forgetful


def _names_no_status() -> None:
    moved = RouterState.moved

    def mute(self: RouterState, status: Any) -> RouterState:
        return (
            self if "INVALID" in status.value or "UPGRADE" in status.value else moved(self, status)
        )

    RouterState.moved = mute


def _speaks_another_dialect() -> None:
    ask = contact.UnaryContact.ask

    async def another(self: Any, *words: Any, **more: Any) -> Any:
        from bootz.wire.dialects import NOVEMBER_2023

        self._dialect = NOVEMBER_2023
        return await ask(self, *words, **more)

    contact.UnaryContact.ask = another


def _asks_for_anybody() -> None:
    request = DeviceSession.request

    def stolen(self: Any, nonce: str | None) -> Any:
        asked = request(self, nonce)
        other = replace(asked.active, serial_number="STOLEN")
        return replace(
            asked, active=other, descriptor=replace(asked.descriptor, serial_number="STOLEN")
        )

    DeviceSession.request = stolen


def _gives_up() -> None:
    loop = workflow.Router._loop

    async def once(self: Any) -> Any:
        if self._state.error_count:
            return onboarding.BootResult.FAILED
        return await loop(self)

    workflow.Router._loop = once


def _keeps_its_parameters() -> None:
    save = hardware.Hardware.save_state

    def stubborn(self: Any, state: RouterState) -> None:
        earlier = self.load_state().no_dhcp if (self.folder / "state.json").exists() else None
        save(self, replace(state, no_dhcp=state.no_dhcp or earlier))

    hardware.Hardware.save_state = stubborn


def _restores_nothing() -> None:
    failed = RouterState.failed

    def bare(self: RouterState, *words: Any) -> RouterState:
        return replace(failed(self, *words), running="", startup="")

    RouterState.failed = bare


def _resets_half() -> None:
    carry_out = orders.carry_out

    def half(hardware: Any, state: RouterState, order: Any) -> RouterState:
        after = carry_out(hardware, state, order)
        if order.verb is orders.OrderVerb.NO_DHCP_RESET:
            return replace(after, running=state.running, startup=state.startup)
        if order.verb is orders.OrderVerb.NO_DHCP_TERMINATE:
            return replace(after, running="", startup="")
        return after

    orders.carry_out = half


def _sends_no_aik_digest() -> None:
    init = stream_contact.StreamContact.__init__

    def without(self: Any, flow: Any, prover: Any, *more: Any) -> None:
        introduce = prover.introduce

        async def bare(flow: Any) -> Any:
            return replace(await introduce(flow), aik_pub_digest=None)

        prover.introduce = bare
        init(self, flow, prover, *more)

    stream_contact.StreamContact.__init__ = without


FLAWS: Mapping[str, Callable[[], None]] = {
    "takes any configuration": _takes_any_configuration,
    "applies nothing": _applies_nothing,
    "never upgrades": _never_upgrades,
    "takes any image": _takes_any_image,
    "trusts anybody": _trusts_anybody,
    "ignores the nonce": _ignores_the_nonce,
    "repeats its nonce": _repeats_its_nonce,
    "ignores certz": _ignores_certz,
    "forgets certz": _forgets_certz,
    "ignores authz": _ignores_authz,
    "never reports": _never_reports,
    "reports success only": _reports_success_only,
    "counts no errors": _counts_no_errors,
    "miscalculates": _miscalculates,
    "forgets after power off": _forgets_after_power_off,
    "names no status": _names_no_status,
    "speaks another dialect": _speaks_another_dialect,
    "asks for anybody": _asks_for_anybody,
    "gives up": _gives_up,
    "keeps its parameters": _keeps_its_parameters,
    "restores nothing": _restores_nothing,
    "resets half": _resets_half,
    "sends no AIK digest": _sends_no_aik_digest,
}


def main() -> None:
    """Serve calls whose first word is the flaw to have; each is a fork, so that it is alone."""
    assert group.command.name == "router"
    sound = forked.run

    def run(words: Sequence[str]) -> int:
        FLAWS[words[0]]()
        return sound(words[1:])

    forked.run = run
    forked.main()
