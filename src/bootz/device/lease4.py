"""The router's DHCPv4 over a packet socket.

Source: RFC 2131 section 4.4; docs/protocol/dhcp.md#the-routers-client.
"""

import secrets
import time
from ipaddress import IPv4Address

from bootz.device.lease_client import Timing, first_offer, gather_offers
from bootz.errors import PolicyError, Unavailable
from bootz.protocol.dhcp4_client import CLIENT_PORT, SERVER_PORT, Client4
from bootz.protocol.dhcp_offer import NameServerPolicy, Offer
from bootz.transport.dhcp_ports import PacketPort
from bootz.wire.dhcp4 import Message4, MessageType4, decode_message4, encode_message4
from bootz.wire.frames import BROADCAST_MAC


class LeaseClient4:
    """DHCPv4 of one router on one interface."""

    def __init__(
        self, interface: str, client: Client4, timing: Timing, policy: NameServerPolicy
    ) -> None:
        """Open the socket.

        Raises:
            Unavailable: ``dhcp-interface``.
        """
        self._port = PacketPort(interface, CLIENT_PORT)
        self._interface = interface
        self._client = client
        self._timing = timing
        self._policy = policy
        self._server_mac = BROADCAST_MAC
        self._begun = time.monotonic()

    async def acquire(self) -> Offer:
        """Return what a server acknowledged, usable or not.

        Raises:
            PolicyError: ``dhcp-refused``.
            Unavailable: ``dhcp-no-answer``, ``dhcp-interface``.
        """
        self._begun = time.monotonic()
        refusal = ""
        for seconds in self._timing.discover:
            xid = secrets.randbits(32)
            self._send(self._client.discover(xid, self._secs()))
            offer = await gather_offers(
                lambda xid=xid: self._receive(xid, MessageType4.OFFER),  # type: ignore[misc]
                self._timing.scaled(seconds),
                self._timing,
                self._policy,
            )
            if offer is None:
                continue
            for wait in self._timing.request:
                # The same xid as the offer's: some servers insist.
                self._send(self._client.request(xid, offer, self._secs()))
                answer = await self._answer(xid, self._timing.scaled(wait))
                if answer is not None:
                    if not answer.failure:
                        return answer
                    refusal = answer.failure
                    break
        if refusal:
            raise PolicyError("dhcp-refused", refusal, where=f"DHCPv4 on {self._interface}")
        raise Unavailable(
            "dhcp-no-answer",
            f"none to {len(self._timing.discover)} DISCOVERs",
            where=f"DHCPv4 on {self._interface}",
        )

    async def extend(self, lease: Offer, *, rebinding: bool) -> Offer | None:
        """Return the lease for longer; None without an answer in one try.

        Raises:
            PolicyError: ``dhcp-refused``: the server took it back.
            Unavailable: ``dhcp-interface``.
        """
        address = _address(lease)
        xid = secrets.randbits(32)
        self._begun = time.monotonic()
        message = encode_message4(self._client.renew(xid, address))
        if rebinding or len(lease.server) != 4:
            self._port.send(message, SERVER_PORT, source=address)
        else:
            self._port.send(
                message,
                SERVER_PORT,
                source=address,
                target=IPv4Address(lease.server),
                target_mac=self._server_mac,
            )
        answer = await self._answer(xid, self._timing.scaled(self._timing.request[0]))
        if answer is not None and (answer.failure or answer.address != address):
            detail = answer.failure or "another address"
            raise PolicyError("dhcp-refused", detail, where=f"DHCPv4 on {self._interface}")
        return answer

    def release(self, lease: Offer) -> None:
        """Give the lease back.

        Raises:
            Unavailable: ``dhcp-interface``.
        """
        address = _address(lease)
        message = self._client.release(secrets.randbits(32), address, lease.server)
        self._port.send(
            encode_message4(message),
            SERVER_PORT,
            source=address,
            target=IPv4Address(lease.server or b"\xff" * 4),
            target_mac=self._server_mac,
        )

    def close(self) -> None:
        """Close the socket."""
        self._port.close()

    async def _answer(self, xid: int, seconds: float) -> Offer | None:
        return await first_offer(
            lambda: self._receive(xid, MessageType4.ACK, MessageType4.NAK), seconds
        )

    async def _receive(self, xid: int, *kinds: MessageType4) -> Offer | None:
        frame = await self._port.receive()
        message = decode_message4(frame.payload)
        if message.type not in kinds:
            return None
        offer = self._client.read(message, xid)
        if offer is not None and message.type is MessageType4.ACK:
            self._server_mac = frame.source_mac
        return offer

    def _send(self, message: Message4) -> None:
        self._port.send(encode_message4(message), SERVER_PORT, source_mac=message.hardware_address)

    def _secs(self) -> int:
        return int(time.monotonic() - self._begun)


def _address(lease: Offer) -> IPv4Address:
    assert isinstance(lease.address, IPv4Address)  # noqa: S101 -- acquire returns no other
    return lease.address
