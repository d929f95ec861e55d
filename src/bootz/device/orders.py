"""What a console orders a router to do: kept on the disk until it is done, in the order given.

A router that runs takes its orders when its bell rings; of one that does not run, the console
carries them out on the disk. Done twice, because the power went in between, none does harm.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bootz.device.configuration import with_vendor_text
from bootz.device.events import Notify
from bootz.device.hardware import Hardware
from bootz.device.server_data import answered_anchor, find_server_data, load_anchor, save_anchor
from bootz.device.state import NoDhcp, Phase, RouterState
from bootz.errors import BootzError, ConfigError, ConflictError
from bootz.keystore.files import atomic_write

MAX_ORDERS = 256
MAX_FILE_BYTES = 16 << 20


class OrderVerb(Enum):
    """What can be ordered."""

    RELOAD = "reload"
    COMMIT = "commit"
    COMMIT_REPLACE = "commit-replace"
    FACTORY_RESET = "factory-reset"
    NO_DHCP_INITIATE = "no-dhcp-initiate"
    NO_DHCP_RESET = "no-dhcp-reset"
    NO_DHCP_TERMINATE = "no-dhcp-terminate"
    ZTP_INITIATE = "ztp-initiate"
    ZTP_TERMINATE = "ztp-terminate"
    ZTP_CLEAN = "ztp-clean"


@dataclass(frozen=True, slots=True)
class Order:
    """One order. ``text`` is the vendor configuration to commit."""

    verb: OrderVerb
    text: str = ""
    interface: str = ""
    uri: str = ""


_ORDERS = TypeAdapter(tuple[Order, ...])


def place(hardware: Hardware, order: Order) -> None:
    """Keep an order for the router; ring the bell afterwards.

    Raises:
        ConflictError: too many wait already.
    """
    with _locked(hardware.folder):
        waiting = _read(hardware.folder)
        if len(waiting) >= MAX_ORDERS:
            raise ConflictError(
                "orders-full", "too many orders are waiting", where=str(hardware.folder)
            )
        _write(hardware.folder, (*waiting, order))


def pending(hardware: Hardware) -> tuple[Order, ...]:
    """Return the orders that wait."""
    with _locked(hardware.folder):
        return _read(hardware.folder)


def obey(
    hardware: Hardware, state: RouterState, notify: Notify
) -> tuple[RouterState, tuple[BootzError, ...]]:
    """Carry out the orders that wait; return the record after them, and what was refused.

    Only who holds the power of the router may; ``notify`` is told each order.
    """
    refused: list[BootzError] = []
    for order in pending(hardware):
        try:
            state = carry_out(hardware, state, order)
        except BootzError as error:
            refused.append(error)
            told = {"order": order.verb.value, "reason": error.reason, "detail": str(error)}
            notify("order-refused", told)
        else:
            hardware.save_state(state)
            fields = {"interface": order.interface, "uri": order.uri} if order.uri else {}
            notify("order", {"order": order.verb.value, **fields})
        with _locked(hardware.folder):
            _write(hardware.folder, _read(hardware.folder)[1:])
    return state, tuple(refused)


def carry_out(hardware: Hardware, state: RouterState, order: Order) -> RouterState:
    """Do what was ordered, and return the record after it; the caller saves it.

    Raises:
        InvalidConfiguration: a configuration to commit is not one.
    """
    match order.verb:
        case OrderVerb.RELOAD:
            return replace(state, halted=False)
        case OrderVerb.COMMIT:
            before = hardware.kept("configurations", state.running) if state.running else None
            _keep_anchor(hardware, before, order.text)
            digest = hardware.keep("configurations", with_vendor_text(before, order.text))
            after = _terminated(state)
            if after.phase is Phase.ANSWERED:
                after = replace(after, phase=Phase.CONTACT, answer="")
            return replace(after, running=digest, startup=digest)
        case OrderVerb.COMMIT_REPLACE:
            return _replaced(hardware, state, order.text)
        case OrderVerb.FACTORY_RESET:
            hardware.reset()
            return hardware.load_state()
        case OrderVerb.NO_DHCP_INITIATE:
            earlier = state.no_dhcp
            saved = NoDhcp(
                order.interface,
                order.uri,
                state.running if earlier is None else earlier.running,
                state.startup if earlier is None else earlier.startup,
                state.phase is Phase.OPERATIONAL if earlier is None else earlier.operational,
            )
            return replace(state, no_dhcp=saved, phase=Phase.CONTACT, answer="", report="")
        case OrderVerb.NO_DHCP_RESET:
            return replace(
                state,
                no_dhcp=None,
                phase=Phase.CONTACT,
                running="",
                startup="",
                answer="",
                report="",
                cards=(),
            )
        case OrderVerb.NO_DHCP_TERMINATE:
            return _terminated(state)
        case OrderVerb.ZTP_INITIATE:
            return replace(
                state,
                phase=Phase.CONTACT,
                answer="",
                report="",
                initiated=state.initiated or state.phase,
                halted=False,
            )
        case OrderVerb.ZTP_TERMINATE:
            return _halted(state)
        case OrderVerb.ZTP_CLEAN:
            return _cleaned(hardware, state)


def _replaced(hardware: Hardware, state: RouterState, text: str) -> RouterState:
    """Let a vendor configuration be all that there is; without one, Bootz runs at power-on."""
    after = replace(_terminated(state), answer="", report="", initiated=None)
    if not text:
        return replace(after, phase=Phase.CONTACT, running="", startup="", halted=True)
    before = hardware.kept("configurations", state.running) if state.running else None
    _keep_anchor(hardware, before, text)
    digest = hardware.keep("configurations", with_vendor_text(None, text))
    onboarded = Phase.OPERATIONAL in {state.initiated, after.phase}
    phase = Phase.OPERATIONAL if onboarded else Phase.CONTACT
    return replace(after, phase=phase, running=digest, startup=digest)


def _halted(state: RouterState) -> RouterState:
    """Stop Bootz; a router that was onboarded before is so again."""
    stopped = _terminated(state)
    onboarded = Phase.OPERATIONAL in {stopped.initiated, stopped.phase}
    phase = Phase.OPERATIONAL if onboarded else Phase.CONTACT
    return replace(stopped, phase=phase, answer="", report="", initiated=None, halted=True)


def _cleaned(hardware: Hardware, state: RouterState) -> RouterState:
    """Forget what Bootz did, but for what is in service by it."""
    hardware.forget_log()
    fresh = RouterState()
    in_service = state.phase is Phase.OPERATIONAL
    return replace(
        state,
        phase=state.phase if in_service else Phase.CONTACT,
        statuses=state.statuses[-1:] if in_service else fresh.statuses,
        attempts=0,
        error_count=0,
        last_boot_attempt=None,
        answer="",
        report="",
        reason="",
        message="",
        checks=(),
    )


def _keep_anchor(hardware: Hardware, document: bytes | None, text: str) -> None:
    """Save the trust anchor of the answer as the file that a typed line names, if there is none."""
    data = find_server_data(text)
    if data is None or document is None:
        return
    try:
        load_anchor(hardware.disk, data, document)
    except ConfigError:
        if anchor := answered_anchor(document):
            save_anchor(hardware.disk, data, anchor)


def _terminated(state: RouterState) -> RouterState:
    """End the loop without DHCP; the configuration stays as it is (N4)."""
    if state.no_dhcp is None:
        return state
    phase = Phase.OPERATIONAL if state.no_dhcp.operational else Phase.CONTACT
    return replace(state, no_dhcp=None, phase=phase, answer="", report="")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / "orders.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(folder: Path) -> tuple[Order, ...]:
    path = folder / "orders.json"
    if not path.exists():
        return ()
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError("hardware-damaged", "the file is too large", where=str(path))
        return _ORDERS.validate_json(path.read_bytes())
    except ValidationError as error:
        raise ConfigError(
            "hardware-damaged", "the stored orders are malformed", where=str(path)
        ) from error


def _write(folder: Path, orders: tuple[Order, ...]) -> None:
    atomic_write(folder / "orders.json", _ORDERS.dump_json(orders), mode=0o600)
