"""A lab's DHCPv4: a message in, at most one answer out.

Source: RFC 2131 section 4.3; docs/protocol/dhcp.md#the-labs-server.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from bootz.dhcp.lab_faults import Misbehaviour
from bootz.dhcp.lab_server import LabServer
from bootz.dhcp.records import DhcpDevice, DhcpSubnet
from bootz.protocol.dhcp_offer import Family
from bootz.wire.dhcp4 import Message4, MessageType4, Op, Option4, encode_message4
from bootz.wire.dhcp_identity import serial_of_client_id

SMALLEST_LIMIT: Final = 576
"""Octets that every client takes (RFC 2131 section 2)."""

_ANYWHERE: Final = IPv4Address("255.255.255.255")
_NOWHERE: Final = IPv4Address(0)
_LINK_SELECTION: Final = 5
_BOOT_FILE: Final = b"boot-file-of-a-lab.bin"


@dataclass(frozen=True, slots=True)
class Answer4:
    """A message and where it goes."""

    data: bytes
    address: IPv4Address
    port: int


class Lab4:
    """DHCPv4 on one interface; ``server`` is the interface's own address."""

    def __init__(self, lab: LabServer, interface: str, server: IPv4Address) -> None:
        self._lab = lab
        self._interface = interface
        self._server = server

    def answer(self, message: Message4) -> Answer4 | None:
        """Return the answer to a client's message; None for silence."""
        if message.op is not Op.REQUEST or message.type is None:
            return None
        client_id = message.options.get(Option4.CLIENT_ID, b"")
        client = message.hardware_address.hex(":")
        device = self._lab.find(
            [
                ("mac", message.hardware_address),
                ("client-id", client_id),
                ("serial", serial_of_client_id(client_id)),
            ]
        )
        if device is None:
            self._lab.stranger(Family.IPV4, client, self._interface)
            return None
        subnet = self._lab.subnet(device, Family.IPV4)
        if subnet is None or self._lab.options.fault == Misbehaviour.SILENT.value:
            return None
        if message.relay != _NOWHERE and _selector(message) not in subnet.network:
            self._record(message, "ignored", device, detail="relayed from another subnet")
            return None
        return self._for_known(message, device, subnet)

    def _for_known(
        self, message: Message4, device: DhcpDevice, subnet: DhcpSubnet
    ) -> Answer4 | None:
        match message.type:
            case MessageType4.DISCOVER:
                return self._give(message, device, subnet, MessageType4.OFFER)
            case MessageType4.REQUEST:
                return self._on_request(message, device, subnet)
            case MessageType4.INFORM:
                return self._give(message, device, subnet, MessageType4.ACK)
            case MessageType4.RELEASE | MessageType4.DECLINE:
                if message.address(Option4.SERVER_ID) == self._server:
                    self._record(message, message.type.name.lower(), device)
                return None
            case _:
                return None

    def _on_request(
        self, message: Message4, device: DhcpDevice, subnet: DhcpSubnet
    ) -> Answer4 | None:
        chosen = message.address(Option4.SERVER_ID)
        if chosen is not None and chosen != self._server:
            return None
        wanted = message.address(Option4.REQUESTED_ADDRESS) or message.client
        refuse = self._lab.options.fault == Misbehaviour.NAK.value
        if refuse or device.ipv4 is None or wanted != device.ipv4.ip:
            return self._refuse(message, device, wanted)
        return self._give(message, device, subnet, MessageType4.ACK)

    def _refuse(self, message: Message4, device: DhcpDevice, wanted: IPv4Address) -> Answer4:
        options: dict[int, bytes] = {
            Option4.MESSAGE_TYPE: bytes([MessageType4.NAK]),
            Option4.SERVER_ID: self._server.packed,
            **_echoed(message),
        }
        self._record(message, "nak", device, detail=f"asked for {wanted}")
        return self._addressed(message, self._reply(message, options, _NOWHERE), to_client=False)

    def _give(
        self, message: Message4, device: DhcpDevice, subnet: DhcpSubnet, kind: MessageType4
    ) -> Answer4 | None:
        assert device.ipv4 is not None  # noqa: S101 -- it has a subnet
        inform = message.type is MessageType4.INFORM
        asked = message.options.get(Option4.PARAMETER_REQUEST_LIST, b"")
        options: dict[int, bytes] = {
            Option4.MESSAGE_TYPE: bytes([kind]),
            Option4.SUBNET_MASK: subnet.network.netmask.packed,
        }
        gateway = device.gateway or subnet.gateway
        if gateway is not None:
            options[Option4.ROUTERS] = gateway.packed
        servers = b"" if subnet.name_server is None else subnet.name_server.packed
        if self._lab.options.fault == Misbehaviour.TWO_NAME_SERVERS.value:
            servers = IPv4Address("192.0.2.53").packed + IPv4Address("192.0.2.54").packed
        if servers:
            options[Option4.NAME_SERVERS] = servers
        if not inform:
            options[Option4.LEASE_TIME] = self._lab.plan.lease_time.to_bytes(4, "big")
        options[Option4.SERVER_ID] = self._server.packed
        options |= _echoed(message)
        redirect: bytes | None = None
        if self._lab.options.always_send or Option4.REDIRECT in asked:
            redirect = self._lab.payload(device, Family.IPV4)
        if redirect is not None:
            options[Option4.REDIRECT] = redirect
        if self._lab.options.fault == Misbehaviour.BOOT_FILE_ONLY.value:
            options[Option4.BOOT_FILE] = _BOOT_FILE
        # The agent's information stands last (RFC 3046 section 2.1).
        if (agent := options.pop(Option4.RELAY_AGENT, None)) is not None:
            options[Option4.RELAY_AGENT] = agent
        reply = self._reply(message, options, _NOWHERE if inform else device.ipv4.ip)
        limit = max(message.number(Option4.MAX_MESSAGE_SIZE) or 0, SMALLEST_LIMIT)
        if len(reply) > limit:
            # Leaving the redirect out would look like a server that has none.
            self._record(message, "too-large", device, detail=f"{len(reply)} octets, {limit} fit")
            return None
        self._record(message, kind.name.lower(), device, redirect=redirect)
        return self._addressed(message, reply, to_client=True)

    def _reply(self, message: Message4, options: dict[int, bytes], yours: IPv4Address) -> bytes:
        return encode_message4(
            Message4(
                Op.REPLY,
                message.xid,
                message.hardware_address,
                options,
                flags=message.flags,
                client=message.client,
                yours=yours,
                relay=message.relay,
            )
        )

    def _addressed(self, message: Message4, data: bytes, *, to_client: bool) -> Answer4:
        if message.relay != _NOWHERE:
            return Answer4(data, message.relay, 67)
        if to_client and message.client != _NOWHERE:
            return Answer4(data, message.client, 68)
        return Answer4(data, _ANYWHERE, 68)

    def _record(
        self,
        message: Message4,
        kind: str,
        device: DhcpDevice,
        *,
        redirect: bytes | None = None,
        detail: str = "",
    ) -> None:
        self._lab.record(
            kind,
            Family.IPV4,
            device,
            client=message.hardware_address.hex(":"),
            interface=self._interface,
            relay="" if message.relay == _NOWHERE else str(message.relay),
            redirect=redirect,
            detail=detail,
        )


def _echoed(message: Message4) -> dict[int, bytes]:
    return {
        code: message.options[code]
        for code in (Option4.CLIENT_ID, Option4.RELAY_AGENT)
        if code in message.options
    }


def _selector(message: Message4) -> IPv4Address:
    """Return the address by which a relayed client's subnet is chosen: 82.5, else giaddr."""
    agent = message.options.get(Option4.RELAY_AGENT, b"")
    at = 0
    while at + 2 <= len(agent):
        kind, length = agent[at], agent[at + 1]
        value = agent[at + 2 : at + 2 + length]
        if kind == _LINK_SELECTION and len(value) == 4:
            return IPv4Address(value)
        at += 2 + length
    return message.relay
