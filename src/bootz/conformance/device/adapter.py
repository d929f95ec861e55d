"""How the suite moves and reads the device under test: one small interface.

An implementation is a Python class (``DeviceAdapter``) or any program that speaks JSON lines
(``bootz.conformance.device.json_lines``). What a device cannot tell is None; the checks that need
it are then skipped, and the report says so.
"""

from dataclasses import dataclass, field
from typing import Protocol

from bootz.errors import PolicyError
from bootz.model.identity import IdentityKind


class AdapterCannot(PolicyError):
    """The adapter has no way to do this to its device."""


@dataclass(frozen=True, slots=True)
class Device:
    """What the suite's server has on record of the device under test.

    ``serial_number`` is that of the card that asks, ``cards`` of every card that it may list;
    ``chassis_serial`` is empty where a modular chassis has none.
    """

    manufacturer: str
    serial_number: str
    chassis_serial: str = ""
    cards: tuple[str, ...] = ()
    ek: bytes | None = field(default=None, repr=False)
    """DER SubjectPublicKeyInfo of the TPM's endorsement key, for streams without IDevID."""
    ppk: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class BootOrder:
    """How the device is to run Bootz.

    ``uri`` is where the suite's server is (``bootz://host:port``); ``insecure``: without nonce
    and ownership, for laboratories; ``flow`` is ``unary``, ``stream`` or ``stream-v1``, and
    ``identity`` what proves it there; ``seconds`` bounds the whole.
    """

    uri: str
    dialect: str = "current"
    flow: str = "unary"
    identity: IdentityKind = IdentityKind.IDEVID
    insecure: bool = False
    seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class DeviceState:
    """What the device tells of itself: ``/system/bootz/state``, and what it runs.

    Source: docs/protocol/workflow.md#telemetry.

    ``statuses`` is every value of the status since the factory reset, in order;
    ``configuration`` the running configuration as text, in any form that shows the lines of the
    vendor configuration; ``certz_profiles`` the names of its TLS profiles; ``no_dhcp_uri`` the
    saved parameter of ``bootz no-dhcp initiate``, empty for none.
    """

    statuses: tuple[str, ...] | None = None
    error_count: int | None = None
    checksum: str | None = None
    os_version: str | None = None
    configuration: str | None = field(default=None, repr=False)
    certz_profiles: tuple[str, ...] | None = None
    no_dhcp_uri: str | None = None


class DeviceAdapter(Protocol):
    """The device under test.

    Every method may raise ``Unavailable`` (``conformance-adapter``) where the device does not
    do it, and ``AdapterCannot`` where there is no way to ask it.
    """

    async def describe(self, identity: IdentityKind) -> Device:
        """Return the device that proves itself in this way."""
        ...

    async def reset(self) -> DeviceState:
        """Bring it into factory state, without configuration, and return what it then tells.

        Its software is the one it was delivered with, or any other that is not the suite's.
        """
        ...

    async def boot(self, order: BootOrder) -> DeviceState:
        """Let it run Bootz until it works or one attempt has failed, and return its state.

        A device that goes on by itself after a failure may do so; one that has been onboarded
        is rebooted and must leave everything as it is.
        """
        ...

    async def console(self, command: str, order: BootOrder) -> DeviceState:
        """Type one command at its console, and return its state when what it began is done.

        That is, for ``bootz no-dhcp initiate``: until it works or one attempt has failed.
        """
        ...

    async def close(self) -> None:
        """Let go of the device."""
        ...
