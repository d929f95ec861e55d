"""What a service tells the manager that started it (systemd): it serves, and it still lives.

Source: sd_notify(3) for the datagrams, sd_watchdog_enabled(3) for the watchdog.
"""

import asyncio
import socket
from collections.abc import Coroutine, MutableMapping
from contextlib import suppress
from typing import Any, Final

from bootz.log import get_logger

log = get_logger()

_SOCKET: Final = "NOTIFY_SOCKET"
_WATCHDOG: Final = "WATCHDOG_USEC"
_WATCHDOG_OF: Final = "WATCHDOG_PID"


class ServiceManager:
    """The manager of this process, where it has one; otherwise nothing is told.

    Args:
        environment: the variables of the process. Those of the manager are removed, so that a
            process that we start does not speak in our place.
        pid: the number of this process.
    """

    def __init__(self, environment: MutableMapping[str, str], pid: int) -> None:
        self._address = environment.pop(_SOCKET, "")
        period = environment.pop(_WATCHDOG, "")
        watched = environment.pop(_WATCHDOG_OF, str(pid))
        due = period.isascii() and period.isdecimal() and watched == str(pid)
        self._period = int(period) / 1_000_000 if due else 0.0

    def ready(self) -> None:
        """Tell it that all addresses listen."""
        self._tell(b"READY=1")

    async def watching(self, served: Coroutine[Any, Any, None]) -> None:
        """Await ``served``, and tell the manager twice in each of its periods that we live.

        It is told by the event loop that serves: a loop that hangs is found, and started again.
        """
        telling = asyncio.create_task(self._keep_telling())
        try:
            await served
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling

    async def _keep_telling(self) -> None:
        while self._period:
            self._tell(b"WATCHDOG=1")
            await asyncio.sleep(self._period / 2)

    def _tell(self, state: bytes) -> None:
        if not self._address:
            return
        # An address that begins with @ is in Linux's abstract namespace: unix(7).
        address = self._address
        name = "\0" + address[1:] if address.startswith("@") else address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as telling:
                telling.setblocking(False)
                telling.connect(name)
                telling.send(state)
        except OSError as error:
            log.warning("manager-not-told", state=state.decode(), detail=str(error))
