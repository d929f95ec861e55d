"""A router's boot in a process of its own, killed at a step."""

from __future__ import annotations

KILLER = """
import asyncio, os, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[4].split(":")
from device.world import options, router
from bootz.device.hardware import Hardware
left = int(sys.argv[3])
def log(event, fields):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
hardware = Hardware.open(Path(sys.argv[1]))
print(asyncio.run(router(hardware, options(sys.argv[2]), log).boot()).value)
"""
