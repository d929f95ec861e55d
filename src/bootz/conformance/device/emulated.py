"""The adapter of this project's emulated router: it calls ``bootz router`` as processes."""

import json
from collections.abc import Awaitable, Container, Mapping
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from bootz.conformance.device.adapter import AdapterCannot, BootOrder, Device, DeviceState
from bootz.errors import Unavailable
from bootz.model.identity import IdentityKind

_SERIAL: Final = "CONFORM"
_PROOFS: Final = {
    IdentityKind.IDEVID: "idevid",
    IdentityKind.TPM20_EK: "tpm20-ek",
    IdentityKind.TPM20_PPK: "tpm20-ppk",
    IdentityKind.TPM12_EK: "tpm12",
}
_PATIENCE: Final = (
    ("--max-attempts", "1"),
    ("--retry-wait", "0"),
    ("--report-wait", "0"),
    ("--report-attempts", "2"),
    ("--image-tries", "1"),
    ("--image-wait", "0"),
    ("--progress", "none"),
)
_INITIATE: Final = "bootz no-dhcp initiate"
_ONE_ATTEMPT: Final = tuple(word for option in _PATIENCE for word in option)


class ShellCall(Protocol):
    """Runs ``bootz`` with these words (``WarmCommand``); ``answers`` are good exit codes."""

    def __call__(self, *words: str, answers: Container[int] = ...) -> Awaitable[object]:
        """Return what it prints with ``--output json``, parsed."""
        ...

    def text(self, *words: str, answers: Container[int] = ...) -> Awaitable[str]:
        """Return what it prints."""
        ...


class EmulatedRouter:
    """Routers of a laboratory's manufacturer, one for each kind of identity, made when needed.

    Args:
        folder: where they are built.
        manufacturer: the manufacturer's folder (``bootz manufacturer init``).
        call: runs ``bootz``.
    """

    def __init__(self, folder: Path, manufacturer: Path, call: ShellCall) -> None:
        self._folder = folder
        self._manufacturer = manufacturer
        self._call = call
        self._current: Path | None = None
        self._built: dict[IdentityKind, tuple[Path, Device]] = {}
        self._fresh: DeviceState | None = None
        self._without_dhcp = False

    async def describe(self, identity: IdentityKind) -> Device:
        """Return the router that proves itself in this way; the orders to come are for it."""
        if identity not in self._built:
            self._built[identity] = await self._manufacture(identity)
        self._current, device = self._built[identity]
        return device

    async def _manufacture(self, identity: IdentityKind) -> tuple[Path, Device]:
        proof = _PROOFS.get(identity)
        if proof is None:
            raise AdapterCannot("conformance-adapter-cannot", "no such identity", where="describe")
        serial = f"{_SERIAL}-{proof.upper()}"
        folder = self._folder / serial
        words = ["router", "manufacture", str(folder), "--serial", serial]
        words += ["--manufacturer", str(self._manufacturer)]
        if identity is not IdentityKind.IDEVID:
            words += ["--identity", proof]
        record = await self._ask(*words)
        self._fresh = _state(record, "")
        tpm = folder / "cards" / "RP0" / "tpm"
        device = Device(
            str(record["manufacturer"]),
            serial,
            serial,
            ek=_public_key(tpm / "ek.pem"),
            ppk=_public_key(tpm / "ppk.pem"),
        )
        return folder, device

    async def reset(self) -> DeviceState:
        """Factory reset; a router that was never powered on is in factory state already."""
        if self._fresh is None:
            await self._call("router", "reset", str(self._router))
            self._fresh = await self._show()
        self._without_dhcp = False
        return self._fresh

    async def boot(self, order: BootOrder) -> DeviceState:
        """Power it on, for one attempt."""
        self._fresh = None
        words = ["router", "boot", str(self._router)]
        if not self._without_dhcp:
            words += ["--uri", order.uri]
        record = await self._ask(*words, *_ways(order), *_ONE_ATTEMPT)
        # What was saved of `bootz no-dhcp initiate`, the account of a power-on does not tell.
        return await self._show() if self._without_dhcp else await self._state(record)

    async def console(self, command: str, order: BootOrder) -> DeviceState:
        """Type a command at its console; where it begins something, power it on for that."""
        self._fresh = None
        await self._call.text("router", "console", str(self._router), "--command", command)
        if command.startswith(_INITIATE):
            self._without_dhcp = True
            return await self.boot(order)
        return await self._show()

    async def close(self) -> None:
        """Nothing runs between the calls."""

    @property
    def _router(self) -> Path:
        if self._current is None:
            raise RuntimeError("no router was described before")
        return self._current

    async def _show(self) -> DeviceState:
        return await self._state(await self._ask("router", "show", str(self._router)))

    async def _state(self, record: Mapping[str, object]) -> DeviceState:
        if not record.get("configuration_sha256"):
            return _state(record, "")
        shown = await self._ask("router", "show", str(self._router), "--configuration")
        profiles = shown.get("certz_profiles")
        names = tuple(profiles) if isinstance(profiles, dict) else ()
        return _state(record, json.dumps(shown), names)

    async def _ask(self, *words: str) -> Mapping[str, object]:
        # A router whose attempt failed says so with exit code 1, and tells all the same.
        told = await self._call(*words, answers=(0, 1))
        if not isinstance(told, dict):
            raise Unavailable(
                "conformance-adapter", "it reported nothing", where=" ".join(words[:2])
            )
        return told


def _ways(order: BootOrder) -> list[str]:
    words = ["--dialect", order.dialect]
    if order.flow != "unary":
        words += ["--flow", order.flow]
    if order.insecure:
        words.append("--insecure")
    return words


def _state(
    record: Mapping[str, object], configuration: str, profiles: tuple[str, ...] = ()
) -> DeviceState:
    statuses, image, count = record.get("statuses"), record.get("image"), record.get("error_count")
    return DeviceState(
        statuses=tuple(map(str, statuses)) if isinstance(statuses, list) else None,
        error_count=count if isinstance(count, int) else None,
        checksum=str(record.get("checksum", "")),
        os_version=str(image.get("version")) if isinstance(image, dict) else None,
        configuration=configuration,
        certz_profiles=profiles,
        no_dhcp_uri=_saved_uri(record),
    )


def _saved_uri(record: Mapping[str, object]) -> str | None:
    if "no_dhcp" not in record:
        return None
    saved = record["no_dhcp"]
    return str(saved.get("uri", "")) if isinstance(saved, dict) else ""


def _public_key(path: Path) -> bytes | None:
    if not path.is_file():
        return None
    key = load_pem_public_key(path.read_bytes())
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
