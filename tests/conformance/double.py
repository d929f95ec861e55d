"""An adapter program for the tests: the emulated router behind JSON lines, or one that misbehaves.

python double.py sound FOLDER MAKER
python double.py MANNER
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bootz.conformance.device.emulated import EmulatedRouter
from bootz.conformance.device.json_lines import serve_adapter
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


def main() -> None:
    match sys.argv[1:]:
        case ["sound", folder, maker]:
            asyncio.run(sound(Path(folder), Path(maker)))
        case ["ends"]:
            return
        case [manner]:
            for _ in sys.stdin:
                print(MANNERS[manner], flush=True)


if __name__ == "__main__":
    main()
