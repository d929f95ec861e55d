"""An adapter program for the tests: the emulated router behind JSON lines, or one that misbehaves.

python double.py sound FOLDER MAKER
python double.py absent SERIAL
python double.py MANNER
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bootz.conformance.device.adapter import BootOrder, Device, DeviceState
from bootz.conformance.device.emulated import EmulatedRouter
from bootz.conformance.device.json_lines import serve_adapter
from bootz.model.identity import IdentityKind
from bootz.processes import WarmCommand

MANNERS = {
    "garbage": "this is not JSON",
    "other-id": '{"id": 77, "result": {}}',
    "wrong-form": '{"id": 1, "result": {"manufacturer": 7, "serial_number": "S"}}',
    "surplus": '{"id": 1, "result": {"manufacturer": "M", "serial_number": "S", "x": 1}}',
    "bad-key": '{"id": 1, "result": {"manufacturer": "M", "serial_number": "S", "ek": "%"}}',
    "cannot": '{"id": 1, "error": {"kind": "cannot", "message": "no console"}}',
    "failed": '{"id": 1, "error": {"kind": "failed", "message": "it burns"}}',
}


async def sound(folder: Path, maker: Path) -> None:
    async with WarmCommand() as call:
        router = EmulatedRouter(folder, maker, call)
        await serve_adapter(router, sys.stdin.buffer, sys.stdout.buffer)


class Absent:
    """A device that never comes, and claims nothing."""

    def __init__(self, serial: str) -> None:
        self._serial = serial

    async def describe(self, _identity: IdentityKind) -> Device:
        return Device("Acme", self._serial)

    async def reset(self) -> DeviceState:
        return DeviceState()

    async def boot(self, _order: BootOrder) -> DeviceState:
        return DeviceState()

    async def console(self, _command: str, _order: BootOrder) -> DeviceState:
        return DeviceState()

    async def close(self) -> None:
        return


def main() -> None:
    match sys.argv[1:]:
        case ["sound", folder, maker]:
            asyncio.run(sound(Path(folder), Path(maker)))
        case ["absent", serial]:
            asyncio.run(serve_adapter(Absent(serial), sys.stdin.buffer, sys.stdout.buffer))
        case ["ends"]:
            return
        case [manner]:
            for _ in sys.stdin:
                print(MANNERS[manner], flush=True)


if __name__ == "__main__":
    main()
