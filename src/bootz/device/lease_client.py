"""What the two DHCP clients of the router have in common: times, and gathering of offers.

Source: RFC 2131 section 4.1; RFC 8415 section 15; docs/protocol/dhcp.md#the-routers-client (6, 7).
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from bootz.errors import WireError
from bootz.protocol.dhcp_offer import NameServerPolicy, Offer, best_offer, fault_of

MAX_OFFERS: Final = 16
"""Offers of one round that are looked at; a flood of them costs no more."""

_RANDOM: Final = secrets.SystemRandom()


@dataclass(frozen=True, slots=True)
class Timing:
    """Waits in seconds. ``scale`` shortens all of them, for tests and impatient people.

    ``offer_wait`` is how long further offers are waited for after one that is not usable.
    """

    discover: tuple[float, ...] = (4, 8, 16, 32)
    solicit: tuple[float, ...] = (1, 2, 4, 8, 16)
    request: tuple[float, ...] = (4, 8)
    request6: tuple[float, ...] = (1, 2, 4, 8)
    jitter: float = 0.25
    """A part of each wait; routers that power on together do not speak together."""
    offer_wait: float = 2.0
    link_wait: float = 10.0
    """Until a link that was set up has an address, duplicate detection included."""
    scale: float = 1.0

    def scaled(self, seconds: float) -> float:
        """Return a wait with jitter."""
        spread = _RANDOM.uniform(1 - self.jitter, 1 + self.jitter)
        return seconds * self.scale * spread


class LeaseClient(Protocol):
    """One family's DHCP on one interface."""

    async def acquire(self) -> Offer:
        """Return what a server acknowledged, usable or not.

        Raises:
            BootzError: no server answers, or it has no address.
        """
        ...

    async def extend(self, lease: Offer, *, rebinding: bool) -> Offer | None:
        """Return the lease for longer; None without an answer in one try.

        Raises:
            PolicyError: ``dhcp-refused``: the server took it back.
        """
        ...

    def release(self, lease: Offer) -> None:
        """Give the lease back; no answer is expected."""
        ...

    def close(self) -> None:
        """Close the sockets."""
        ...


async def gather_offers(
    receive: Callable[[], Awaitable[Offer | None]],
    seconds: float,
    timing: Timing,
    policy: NameServerPolicy,
) -> Offer | None:
    """Return the best offer of a round; a usable one ends it, another only begins the last wait."""
    loop = asyncio.get_running_loop()
    offers: list[Offer] = []
    try:
        async with asyncio.timeout(seconds) as deadline:
            while len(offers) < MAX_OFFERS:
                offer = await _next(receive)
                offers.append(offer)
                if fault_of(offer, policy) is None:
                    break
                if len(offers) == 1:
                    deadline.reschedule(loop.time() + timing.offer_wait * timing.scale)
    except TimeoutError:
        pass
    return best_offer(offers, policy)


async def first_offer(
    receive: Callable[[], Awaitable[Offer | None]], seconds: float
) -> Offer | None:
    """Return the first answer within a time."""
    try:
        async with asyncio.timeout(seconds):
            return await _next(receive)
    except TimeoutError:
        return None


async def _next(receive: Callable[[], Awaitable[Offer | None]]) -> Offer:
    while True:
        try:
            offer = await receive()
        except WireError:
            # A broken packet is dropped; another may be right.
            continue
        if offer is not None:
            return offer
