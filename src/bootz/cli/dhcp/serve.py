"""The lab's DHCP server as a process: its loop, its signals, its events."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bootz.cli.manufacturer import now
from bootz.dhcp.lab_listener import listening
from bootz.dhcp.lab_server import LabServer, LabServerOptions
from bootz.dhcp.leases import LeaseLog
from bootz.dhcp.records import DhcpPlan
from bootz.errors import BootzError


async def serve_lab(
    read_plan: Callable[[], DhcpPlan],
    options: LabServerOptions,
    interfaces: Sequence[str],
    lease_file: Path,
) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP reads the plan again, or keeps the present one.

    Raises:
        ConfigError: the plan would make a turn-up fail.
        Unavailable: an interface cannot be served, or the file not written.
    """
    plan = read_plan()
    log = LeaseLog(lease_file)
    try:

        def tell(event: Mapping[str, object]) -> None:
            log.append(event)
            _say(event)

        lab = LabServer(plan, options, now, tell)
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()

        def reload() -> None:
            try:
                lab.load(read_plan())
            except BootzError as error:
                _say({"event": "reload-failed", "reason": error.reason, "detail": str(error)})
            else:
                _say({"event": "reloaded", "devices": len(lab.plan.devices)})

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        loop.add_signal_handler(signal.SIGHUP, reload)
        with listening(lab, interfaces):
            _say(
                {
                    "event": "serving",
                    "interfaces": list(interfaces),
                    "families": [family.value for family in options.families],
                    "devices": len(plan.devices),
                    "lease_file": str(lease_file),
                }
            )
            await ended.wait()
        _say({"event": "stopped", "unknown": lab.strangers})
    finally:
        log.close()


def _say(event: Mapping[str, object]) -> None:
    sys.stderr.write(json.dumps(event) + "\n")
    sys.stderr.flush()
