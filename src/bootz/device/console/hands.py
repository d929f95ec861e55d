"""What a console does to a router: it places orders, and rings the bell.

The router carries them out if it runs; of one that does not run, the files on its disk are changed.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime

from bootz.device.bell import ring
from bootz.device.console import shows
from bootz.device.events import Notify
from bootz.device.hardware import Hardware
from bootz.device.orders import Order, OrderVerb, obey, pending, place
from bootz.errors import ConflictError

OBEY_SECONDS = 30.0
"""How long a console waits for a running router to do what it was told."""

_AT_POWER_ON = frozenset(
    {OrderVerb.RELOAD, OrderVerb.NO_DHCP_INITIATE, OrderVerb.NO_DHCP_RESET, OrderVerb.ZTP_INITIATE}
)


class Hands:
    """The router, as its console reaches it.

    Args:
        notify: told what is done on the disk of a router that no process runs.
        clock: aware UTC now.
    """

    def __init__(self, hardware: Hardware, notify: Notify, clock: Callable[[], datetime]) -> None:
        self.hardware = hardware
        self._notify = notify
        self._clock = clock

    def order(self, order: Order, told: str) -> str:
        """Have it done: by the router if it runs, else on its disk.

        Raises:
            BootzError: the router has refused it.
        """
        hardware = self.hardware
        place(hardware, order)
        deadline = time.monotonic() + OBEY_SECONDS
        while pending(hardware):
            try:
                with hardware.powered():
                    _, refused = obey(hardware, hardware.load_state(), self._log)
            except ConflictError:
                ring(hardware.folder)
            else:
                if refused:
                    raise refused[-1]
                if order.verb in _AT_POWER_ON:
                    return f"{told}, as soon as it is powered on: `bootz router boot`"
                return told
            if time.monotonic() > deadline:
                return "the router has not executed this yet; it will"
            time.sleep(0.02)
        return told

    def _log(self, event: str, fields: Mapping[str, object]) -> None:
        self.hardware.log(self._clock(), event, fields)
        self._notify(event, fields)

    def running(self) -> str:
        """Return the vendor configuration that runs; empty: none."""
        return shows.running_text(self.hardware, self.hardware.load_state())
