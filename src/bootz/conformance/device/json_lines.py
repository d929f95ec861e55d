"""The adapter as a program: requests and answers as lines of JSON on its stdin and stdout.

    {"id": 1, "method": "boot", "params": {...}}
    {"id": 1, "result": {...}}    or    {"id": 1, "error": {"kind": "failed", "message": "..."}}

The forms are those of ``bootz.conformance.device.adapter``, keys in base64; ``kind`` is ``cannot``
where there is no way to do it, else ``failed``. The program's stderr is the person's.
"""

import asyncio
import base64
import binascii
import json
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, BinaryIO, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from bootz.conformance.device.adapter import (
    AdapterCannot,
    BootOrder,
    Device,
    DeviceAdapter,
    DeviceState,
)
from bootz.errors import BootzError, Unavailable
from bootz.model.identity import IdentityKind
from bootz.processes import end_by_stdin

MAX_LINE: Final = 16 << 20
"""Bytes of one answer: a configuration is in it."""

_STOP_S: Final = 10
_GRACE_S: Final = 5.0
_CANNOT: Final = "cannot"


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _DeviceForm(_Form):
    manufacturer: str
    serial_number: str
    chassis_serial: str = ""
    cards: list[str] = []
    ek: str | None = None
    ppk: str | None = None


class _StateForm(_Form):
    statuses: list[str] | None = None
    error_count: int | None = None
    checksum: str | None = None
    os_version: str | None = None
    configuration: str | None = None
    certz_profiles: list[str] | None = None
    no_dhcp_uri: str | None = None


class _Order(_Form):
    uri: str
    dialect: str
    flow: str
    identity: str
    insecure: bool
    seconds: float


_F = TypeVar("_F", bound=_Form)


class JsonLinesAdapter:
    """A device behind a program; an async context manager that runs it.

    Args:
        command: the program and its arguments.
        seconds: how long one answer may take; a ``boot`` has its own time on top.
    """

    def __init__(self, command: Sequence[str], *, seconds: float = 120.0) -> None:
        self._command = tuple(command)
        self._seconds = seconds
        self._process: asyncio.subprocess.Process | None = None
        self._count = 0

    async def __aenter__(self) -> "JsonLinesAdapter":
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                limit=MAX_LINE,
            )
        except OSError as error:
            raise self._failed(error.strerror or str(error)) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def describe(self, identity: IdentityKind) -> Device:
        """Return the device that proves itself in this way."""
        form = await self._ask(_DeviceForm, "describe", {"identity": identity.value})
        return Device(
            form.manufacturer,
            form.serial_number,
            form.chassis_serial,
            tuple(form.cards),
            self._key(form.ek),
            self._key(form.ppk),
        )

    async def reset(self) -> DeviceState:
        """Bring it into factory state."""
        return await self._state("reset", {})

    async def boot(self, order: BootOrder) -> DeviceState:
        """Let it run Bootz until it works or one attempt has failed."""
        return await self._state("boot", _order(order), order.seconds)

    async def console(self, command: str, order: BootOrder) -> DeviceState:
        """Type one command at its console."""
        params = {"command": command, **_order(order)}
        return await self._state("console", params, order.seconds)

    async def close(self) -> None:
        """End the program: its stdin is closed, and it is killed if it does not end."""
        process, self._process = self._process, None
        if process is not None:
            await end_by_stdin(process, _STOP_S)

    async def _state(
        self, method: str, params: Mapping[str, object], seconds: float = 0.0
    ) -> DeviceState:
        form = await self._ask(_StateForm, method, params, seconds)
        return DeviceState(
            None if form.statuses is None else tuple(form.statuses),
            form.error_count,
            form.checksum,
            form.os_version,
            form.configuration,
            None if form.certz_profiles is None else tuple(form.certz_profiles),
            form.no_dhcp_uri,
        )

    async def _ask(
        self, form: type[_F], method: str, params: Mapping[str, object], seconds: float = 0.0
    ) -> _F:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise self._failed("it cannot be started")
        self._count += 1
        request = {"id": self._count, "method": method, "params": params}
        try:
            async with asyncio.timeout(self._seconds + seconds + _GRACE_S):
                process.stdin.write(json.dumps(request).encode() + b"\n")
                await process.stdin.drain()
                line = await process.stdout.readline()
        except TimeoutError as error:
            raise self._failed(f"{method}: no answer in time") from error
        except (OSError, ValueError) as error:
            raise self._failed(f"{method}: {error}") from error
        if not line:
            raise self._failed(f"{method}: it has ended")
        return self._read(form, method, line)

    def _read(self, form: type[_F], method: str, line: bytes) -> _F:
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise self._failed(f"{method}: the answer is not JSON") from error
        if not isinstance(answer, dict) or answer.get("id") != self._count:
            raise self._failed(f"{method}: the answer is to another request")
        if "error" in answer:
            flaw = answer["error"]
            told = flaw if isinstance(flaw, dict) else {}
            message = f"{method}: {str(told.get('message', 'it failed'))[:400]}"
            if told.get("kind") == _CANNOT:
                raise AdapterCannot("conformance-adapter-cannot", message, where=self._name)
            raise self._failed(message)
        try:
            return form.model_validate(answer.get("result"))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "result"
            raise self._failed(f"{method}: {place}: {first['msg']}") from error

    def _key(self, text: str | None) -> bytes | None:
        if text is None:
            return None
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise self._failed("describe: a key is not base64") from error

    @property
    def _name(self) -> str:
        return shlex.join(self._command)[:120]

    def _failed(self, detail: str) -> Unavailable:
        return Unavailable("conformance-adapter", detail, where=self._name)


def _order(order: BootOrder) -> dict[str, object]:
    return {**asdict(order), "identity": order.identity.value}


async def serve_adapter(adapter: DeviceAdapter, requests: BinaryIO, answers: BinaryIO) -> None:
    """Serve an adapter that is written in Python as such a program, until its stdin ends."""
    while line := await asyncio.to_thread(requests.readline, MAX_LINE):
        answer: dict[str, object] = {"id": None}
        try:
            request = json.loads(line)
            answer["id"] = request["id"]
            answer["result"] = await _serve(adapter, request["method"], request["params"])
        except AdapterCannot as error:
            answer["error"] = {"kind": _CANNOT, "message": str(error)}
        except (BootzError, ValueError, KeyError, TypeError) as error:
            answer["error"] = {"kind": "failed", "message": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()
    await adapter.close()


async def _serve(adapter: DeviceAdapter, method: str, params: dict[str, Any]) -> object:
    match method:
        case "describe":
            device = await adapter.describe(IdentityKind(params["identity"]))
            told = asdict(device)
            for name in ("ek", "ppk"):
                told[name] = told[name] and base64.b64encode(told[name]).decode("ascii")
            return {**told, "cards": list(device.cards)}
        case "reset":
            return asdict(await adapter.reset())
        case "boot":
            return asdict(await adapter.boot(_read_order(params)))
        case "console":
            command = params.pop("command")
            return asdict(await adapter.console(command, _read_order(params)))
    raise AdapterCannot("conformance-adapter-cannot", "no such method", where=method)


def _read_order(params: Mapping[str, Any]) -> BootOrder:
    form = _Order.model_validate(params)
    return BootOrder(
        form.uri, form.dialect, form.flow, IdentityKind(form.identity), form.insecure, form.seconds
    )
