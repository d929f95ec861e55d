"""Fills the port ``Renderer``: renders once per change of the record, and keeps the result.

What is kept is found again only for the same chassis at the same revision, asked in the same
dialect at the same address under the same trust anchor; so nothing stale is ever answered.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from bootz.model.chassis import Chassis
from bootz.server.operations.intent import ChassisIntent
from bootz.server.rendering.content import Occasion, render_card
from bootz.server.rendering.kept import WeighedCache
from bootz.server.rendering.reached import Reached
from bootz.server.rendering.templates import Templates
from bootz.wire.answers import encode_bootstrap_data
from bootz.wire.dialects import Dialect

_KEPT_BYTES: Final = 64 * 1024 * 1024
_OVERHEAD: Final = 2048
"""Bytes that an entry takes beside its body, roughly."""

IntentSource = Callable[[int], Awaitable[ChassisIntent]]
"""From a chassis's key to what is wanted for it."""

_Key = tuple[int, int, tuple[str, ...], str, tuple[str, int], bytes]


class SiteRenderer:
    """Renders what the inventory wants.

    Args:
        intent: reads what is wanted for a chassis.
        reached: the site's own addresses; assign another on reload.
    """

    def __init__(self, intent: IntentSource, reached: Reached) -> None:
        self._intent = intent
        self._reached = reached
        self._templates = Templates()
        self._kept: WeighedCache[_Key, bytes] = WeighedCache(_KEPT_BYTES)

    @property
    def reached(self) -> Reached:
        """The site's own addresses."""
        return self._reached

    @reached.setter
    def reached(self, reached: Reached) -> None:
        self._reached = reached
        self._kept.clear()

    async def body(
        self,
        chassis: Chassis,
        serials: Sequence[str],
        dialect: Dialect,
        *,
        trust_anchor: bytes,
        reached_at: tuple[str, int],
    ) -> bytes:
        """Return the signed data without its nonce, serialised; one entry per serial number.

        Raises:
            ConfigError: a template fails or gives something invalid.
            PolicyError: ``dynamic-config-refused``.
            UnknownChassis: the chassis, or what it gets, was removed in between.
            Unavailable: the database does not answer.
        """
        key = (
            chassis.key,
            chassis.revision,
            tuple(serials),
            dialect.name,
            reached_at,
            trust_anchor,
        )
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        reached = self._reached
        intent = await self._intent(chassis.key)
        occasion = Occasion(dialect, trust_anchor, reached_at)
        body = encode_bootstrap_data(
            [
                render_card(
                    intent, chassis, serial, occasion, reached=reached, templates=self._templates
                )
                for serial in serials
            ],
            dialect,
        )
        # A change between the two reads makes the content newer than the key says; then the next
        # call has another key. The other way round, the settings were swapped: not kept.
        if reached is self._reached:
            self._kept.put(key, body, len(body) + _OVERHEAD)
        return body
