"""Handshakes that were refused, on their way into the journal."""

import asyncio
from typing import Final

from bootz.errors import Unavailable
from bootz.log import get_logger
from bootz.server.onboarding.service import BootstrapService
from bootz.transport.tls import RefusedHandshake

log = get_logger()

_MAX_TELLING: Final = 1000
"""Refused handshakes that wait for the journal; who knocks faster is only logged."""


class Refusals:
    """Has refused handshakes put on record, as far as they tell who called."""

    def __init__(self, service: BootstrapService) -> None:
        self._service = service
        self._telling: set[asyncio.Task[None]] = set()

    def take(self, peer: str, refusal: RefusedHandshake) -> None:
        """Take note of one; what is written is written later."""
        if not refusal.certificate or len(self._telling) >= _MAX_TELLING:
            log.info("handshake-failed", peer=peer, error=refusal.reason)
            return
        task = asyncio.get_running_loop().create_task(self._tell(peer, refusal))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def settle(self) -> None:
        """Wait until all are written."""
        await asyncio.gather(*self._telling)

    async def _tell(self, peer: str, refusal: RefusedHandshake) -> None:
        try:
            await self._service.refused_handshake(peer, refusal.reason, purpose=refusal.purpose)
        except Unavailable as error:
            log.error("refusal-not-recorded", reason=error.reason, detail=str(error))
        except Exception:
            # A defect of ours must not keep the others from being written.
            log.exception("refusal-not-recorded")
