"""Asking as a router would, and judging whoever answers; nothing is leased.

Only DISCOVER and SOLICIT go out: an offer binds no one. Source:
docs/protocol/dhcp.md#the-routers-client.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bootz.errors import BootzError, WireError
from bootz.protocol.dhcp4_client import CLIENT_PORT as PORT4
from bootz.protocol.dhcp4_client import SERVER_PORT as SERVER4
from bootz.protocol.dhcp4_client import Client4
from bootz.protocol.dhcp6_client import ALL_SERVERS, Client6
from bootz.protocol.dhcp6_client import CLIENT_PORT as PORT6
from bootz.protocol.dhcp6_client import SERVER_PORT as SERVER6
from bootz.protocol.dhcp_offer import Family, Offer, fault_of
from bootz.transport.dhcp_ports import LinkPort6, PacketPort
from bootz.wire.dhcp4 import MessageType4, decode_message4, encode_message4
from bootz.wire.dhcp6 import MessageType6, decode_message6, encode_message6
from bootz.wire.dhcp_identity import DhcpIdentity

MAX_SERVERS: Final = 64
"""Servers that are told apart; a flood of answers costs no more."""

ROUNDS: Final = 3
"""Requests within the time of a probe: a lost one must not look like silence."""

LINK_RETRY: Final = 0.1


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What one server offered. ``sender`` is its MAC address or link-local address."""

    offer: Offer
    sender: str
    fault: BootzError | None

    @property
    def verdict(self) -> str:
        """``usable``, or the reason for which a router could not go on."""
        return "usable" if self.fault is None else self.fault.reason


async def probe(
    interface: str, family: Family, identity: DhcpIdentity, seconds: float
) -> tuple[ProbeAnswer, ...]:
    """Return every server's offer to a router of this identity, within a time.

    Raises:
        Unavailable: ``dhcp-interface``.
    """
    ask = _probe4 if family is Family.IPV4 else _probe6
    return await ask(interface, identity, seconds)


def alarms(answers: Sequence[ProbeAnswer]) -> tuple[str, ...]:
    """Return what must not stay so, of all answers of a probe."""
    told = []
    for family in Family:
        servers = {a.offer.server_name for a in answers if a.offer.family is family}
        if len(servers) > 1:
            told.append(f"{len(servers)} servers answer over {family.value}: a race at power-on")
    return tuple(told)


async def _probe4(
    interface: str, identity: DhcpIdentity, seconds: float
) -> tuple[ProbeAnswer, ...]:
    client = Client4(identity)
    xid = secrets.randbits(32)
    data = encode_message4(client.discover(xid))
    async with PacketPort(interface, PORT4) as port:

        async def send() -> None:
            port.send(data, SERVER4, source_mac=identity.mac)

        async def receive() -> tuple[Offer | None, str]:
            frame = await port.receive()
            message = decode_message4(frame.payload)
            if message.type is not MessageType4.OFFER:
                return None, ""
            return client.read(message, xid), frame.source_mac.hex(":")

        return await _collect(send, receive, seconds)


async def _probe6(
    interface: str, identity: DhcpIdentity, seconds: float
) -> tuple[ProbeAnswer, ...]:
    client = Client6(identity)
    transaction = secrets.randbits(24)
    async with LinkPort6(interface, PORT6) as port:
        data = encode_message6(client.solicit(transaction))

        async def send() -> None:
            while not port.send(data, ALL_SERVERS, SERVER6):
                await asyncio.sleep(LINK_RETRY)

        async def receive() -> tuple[Offer | None, str]:
            datagram = await port.receive()
            _, message = decode_message6(datagram.payload)
            if message.type is not MessageType6.ADVERTISE:
                return None, ""
            return client.read(message, transaction), str(datagram.source)

        return await _collect(send, receive, seconds)


async def _collect(
    send: Callable[[], Awaitable[None]],
    receive: Callable[[], Awaitable[tuple[Offer | None, str]]],
    seconds: float,
) -> tuple[ProbeAnswer, ...]:
    found: dict[tuple[bytes, str], ProbeAnswer] = {}
    ends = time.monotonic() + seconds
    for part in range(ROUNDS):
        until = ends - seconds * (ROUNDS - 1 - part) / ROUNDS
        try:
            async with asyncio.timeout(until - time.monotonic()):
                await send()
                while len(found) < MAX_SERVERS:
                    try:
                        offer, sender = await receive()
                    except WireError:
                        continue
                    if offer is not None:
                        answer = ProbeAnswer(offer, sender, fault_of(offer))
                        found.setdefault((offer.server, sender), answer)
        except TimeoutError:
            continue
    return tuple(found.values())
