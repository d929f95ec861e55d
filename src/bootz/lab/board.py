"""The live table: where each router is; with many of them, how many are where."""

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bootz.lab.plan import PlannedRouter
from bootz.processes import Event

_STEPS = {
    "power-on": "powered on",
    "discovery": "is looking for its server",
    "lease": "has an address",
    "contact": "is sending its request",
    "verified": "has verified its owner",
    "image": "downloads the image",
    "reboot": "restarts with the new image",
    "script-recorded": "has recorded the script",
    "report": "reports",
    "report-failed": "could not report",
    "attempt-failed": "attempt failed",
    "waiting": "waits",
    "hardware-failed": "hardware failed",
}
_STATUS_STEPS = {
    "BOOTZ_SENT": "waits for the answer",
    "BOOTZ_RECEIVED": "verifies its owner",
    "BOOTZ_OS_UPGRADE_IN_PROGRESS": "installs the image",
    "BOOTZ_OS_UPGRADE_COMPLETE": "has installed the image",
    "BOOTZ_CONFIGURATION_APPLIED": "has applied the configuration",
    "BOOTZ_OK": "works",
}
_STYLES = {"works": "green", "attempt failed": "bold red", "could not report": "yellow"}


class LabBoard:
    """Hears every event of every router, and shows them while the block runs."""

    def __init__(self, routers: Sequence[PlannedRouter], console: Console) -> None:
        self._routers = routers
        self._console = console
        self._steps = dict.fromkeys((r.serial_number for r in routers), "off")
        self._details = dict.fromkeys(self._steps, "")
        self._live: Live | None = None

    def shown(self) -> AbstractContextManager[object]:
        """Show the table while the block runs, if there is a terminal."""
        if not self._console.is_terminal:
            return nullcontext()
        self._live = Live(
            get_renderable=self._render, console=self._console, refresh_per_second=8, transient=True
        )
        return self._live

    def close(self) -> None:
        """Take the table off the screen."""
        if self._live is not None:
            self._live.stop()

    def hear(self, serial: str, event: Event) -> None:
        """Take one event of a router."""
        if serial not in self._steps:
            return
        name = str(event.get("event", ""))
        step = (
            _STATUS_STEPS.get(str(event.get("status", "")))
            if name == "status"
            else _STEPS.get(name)
        )
        if step is not None:
            self._steps[serial] = step
            self._details[serial] = str(event.get("reason") or event.get("report") or "")
        if name == "image-progress":
            total = event.get("total")
            done = event.get("bytes")
            if isinstance(total, int) and isinstance(done, int) and total:
                self._details[serial] = f"{done * 100 // total} %"

    def _render(self) -> RenderableType:
        counts = Counter(self._steps.values())
        summary = Text("   ".join(f"{count} {step}" for step, count in counts.most_common()))
        room = max(self._console.height - 6, 4)
        busy = [r for r in self._routers if self._steps[r.serial_number] != "works"]
        shown = self._routers if len(self._routers) <= room else busy[:room]
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("ROUTER", "DIALECT", "KIND", "STEP", ""):
            table.add_column(title)
        for router in shown:
            step = self._steps[router.serial_number]
            table.add_row(
                router.hostname,
                router.kind.dialect,
                router.kind.words,
                Text(step, style=_STYLES.get(step, "cyan")),
                self._details[router.serial_number],
            )
        return Group(table, Text(), summary)
