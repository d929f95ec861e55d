"""The router's DHCPv6 over its link-local address.

Source: RFC 8415 sections 15 and 18.2; docs/protocol/dhcp.md#the-routers-client.
"""

import asyncio
import secrets
import time

from bootz.device.lease_client import Timing, first_offer, gather_offers
from bootz.errors import PolicyError, Unavailable
from bootz.protocol.dhcp6_client import ALL_SERVERS, CLIENT_PORT, SERVER_PORT, Client6
from bootz.protocol.dhcp_offer import NameServerPolicy, Offer
from bootz.transport.dhcp_ports import LinkPort6
from bootz.wire.dhcp6 import Message6, MessageType6, decode_message6, encode_message6

LINK_RETRY = 0.1
"""Seconds between tries while the link has no address."""


class LeaseClient6:
    """DHCPv6 of one router on one interface."""

    def __init__(
        self, interface: str, client: Client6, timing: Timing, policy: NameServerPolicy
    ) -> None:
        """Open the socket.

        Raises:
            Unavailable: ``dhcp-interface``.
        """
        self._port = LinkPort6(interface, CLIENT_PORT)
        self._interface = interface
        self._client = client
        self._timing = timing
        self._policy = policy

    async def acquire(self) -> Offer:
        """Return what a server acknowledged, usable or not.

        Raises:
            PolicyError: ``dhcp-refused``.
            Unavailable: ``dhcp-no-answer``, ``dhcp-interface``.
        """
        begun = time.monotonic()
        refusal = ""
        for seconds in self._timing.solicit:
            transaction = secrets.randbits(24)
            await self._send(self._client.solicit(transaction, time.monotonic() - begun))
            offer = await gather_offers(
                lambda t=transaction: self._receive(t, MessageType6.ADVERTISE),  # type: ignore[misc]
                self._timing.scaled(seconds),
                self._timing,
                self._policy,
            )
            if offer is None:
                continue
            asked = time.monotonic()
            transaction = secrets.randbits(24)
            for wait in self._timing.request6:
                elapsed = time.monotonic() - asked
                await self._send(self._client.request(transaction, offer, elapsed))
                answer = await self._answer(transaction, self._timing.scaled(wait))
                if answer is not None:
                    if answer.address is not None and not answer.failure:
                        return answer
                    refusal = answer.failure or "the reply has no address"
                    break
        where = f"DHCPv6 on {self._interface}"
        if refusal:
            raise PolicyError("dhcp-refused", refusal, where=where)
        count = len(self._timing.solicit)
        raise Unavailable(
            "dhcp-no-answer", f"none with an address to {count} SOLICITs", where=where
        )

    async def extend(self, lease: Offer, *, rebinding: bool) -> Offer | None:
        """Return the lease for longer; None without an answer in one try.

        Raises:
            PolicyError: ``dhcp-refused``: the server took it back.
            Unavailable: ``dhcp-interface``.
        """
        transaction = secrets.randbits(24)
        make = self._client.rebind if rebinding else self._client.renew
        await self._send(make(transaction, lease))
        answer = await self._answer(transaction, self._timing.scaled(self._timing.request6[0]))
        if answer is not None and (answer.failure or answer.address != lease.address):
            detail = answer.failure or "another address"
            raise PolicyError("dhcp-refused", detail, where=f"DHCPv6 on {self._interface}")
        return answer

    def release(self, lease: Offer) -> None:
        """Give the lease back.

        Raises:
            Unavailable: ``dhcp-interface``.
        """
        message = self._client.release(secrets.randbits(24), lease)
        self._port.send(encode_message6(message), ALL_SERVERS, SERVER_PORT)

    def close(self) -> None:
        """Close the socket."""
        self._port.close()

    async def _send(self, message: Message6) -> None:
        data = encode_message6(message)
        deadline = time.monotonic() + self._timing.link_wait
        while not self._port.send(data, ALL_SERVERS, SERVER_PORT):
            if time.monotonic() > deadline:
                raise Unavailable(
                    "dhcp-interface", "it has no link-local address", where=self._interface
                )
            await asyncio.sleep(LINK_RETRY)

    async def _answer(self, transaction: int, seconds: float) -> Offer | None:
        return await first_offer(lambda: self._receive(transaction, MessageType6.REPLY), seconds)

    async def _receive(self, transaction: int, kind: MessageType6) -> Offer | None:
        datagram = await self._port.receive()
        _, message = decode_message6(datagram.payload)
        return self._client.read(message, transaction) if message.type is kind else None
