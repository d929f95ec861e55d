"""A lab's DHCPv6: a message in, at most one answer out.

Source: RFC 8415 section 18.3; docs/protocol/dhcp.md#the-labs-server.
"""

from collections.abc import Sequence
from ipaddress import IPv6Address
from typing import Final

from bootz.dhcp.lab_faults import Misbehaviour
from bootz.dhcp.lab_server import LabServer
from bootz.dhcp.records import DhcpDevice, DhcpSubnet
from bootz.errors import WireError
from bootz.protocol.dhcp_offer import Family
from bootz.wire.dhcp6 import (
    IaAddress,
    IaNa,
    Message6,
    MessageType6,
    Option6,
    RelayEnvelope,
    Status6,
    decode_ia_na,
    encode_ia_na,
    encode_message6,
    encode_status,
    request_codes6,
)
from bootz.wire.dhcp_identity import mac_of_duid, mac_of_link_local, serial_of_duid

_TO_ONE: Final = frozenset(
    {MessageType6.REQUEST, MessageType6.RENEW, MessageType6.RELEASE, MessageType6.DECLINE}
)
"""Messages that name the server they are for."""

_LEASING: Final = frozenset(
    {MessageType6.SOLICIT, MessageType6.REQUEST, MessageType6.RENEW, MessageType6.REBIND}
)
_ENDING: Final = frozenset({MessageType6.RELEASE, MessageType6.DECLINE})
_BOOT_FILE: Final = b"http://192.0.2.66/boot-file-of-a-lab.bin"


class Lab6:
    """DHCPv6 on one interface; ``duid`` is the server's own."""

    def __init__(self, lab: LabServer, interface: str, duid: bytes) -> None:
        self._lab = lab
        self._interface = interface
        self._duid = duid

    def answer(
        self, envelopes: Sequence[RelayEnvelope], message: Message6, source: IPv6Address
    ) -> bytes | None:
        """Return the answer to a client's message, in the relays' envelopes; None for silence."""
        duid = message.option(Option6.CLIENT_ID)
        if duid is None:
            return None
        device = self._lab.find(_names(envelopes, duid, source))
        if device is None:
            self._lab.stranger(Family.IPV6, duid.hex(":"), self._interface)
            return None
        subnet = self._lab.subnet(device, Family.IPV6)
        if subnet is None or self._lab.options.fault == Misbehaviour.SILENT.value:
            return None
        if not self._is_for_us(message):
            return None
        try:
            reply, redirect, detail = self._reply(message, duid, device, subnet)
        except WireError:
            return None
        if reply is None:
            return None
        relay = str(envelopes[0].link) if envelopes else ""
        self._lab.record(
            _word(message, reply),
            Family.IPV6,
            device,
            client=duid.hex(":"),
            interface=self._interface,
            relay=relay,
            redirect=redirect,
            detail=detail,
        )
        return encode_message6(reply, [_returned(each) for each in envelopes])

    def _is_for_us(self, message: Message6) -> bool:
        server = message.option(Option6.SERVER_ID)
        if message.type in _TO_ONE or message.type is MessageType6.INFORMATION_REQUEST:
            return server == self._duid or (server is None and message.type not in _TO_ONE)
        return server is None

    def _reply(
        self, message: Message6, duid: bytes, device: DhcpDevice, subnet: DhcpSubnet
    ) -> tuple[Message6 | None, bytes | None, str]:
        assert device.ipv6 is not None  # noqa: S101 -- it has a subnet
        head: list[tuple[int, bytes]] = [
            (Option6.CLIENT_ID, duid),
            (Option6.SERVER_ID, self._duid),
        ]
        kind = MessageType6.REPLY
        value = message.option(Option6.IA_NA)
        asked = IaNa(0) if value is None else decode_ia_na(value)
        if message.type in _ENDING:
            head.append((Option6.STATUS, encode_status(Status6.SUCCESS)))
            return Message6(kind, message.transaction, tuple(head)), None, ""
        if message.type is MessageType6.CONFIRM:
            if not asked.addresses:
                return None, None, ""
            right = all(each.address in subnet.network for each in asked.addresses)
            status = Status6.SUCCESS if right else Status6.NOT_ON_LINK
            head.append((Option6.STATUS, encode_status(status)))
            return Message6(kind, message.transaction, tuple(head)), None, status.name
        detail = ""
        if message.type in _LEASING:
            if message.type is MessageType6.SOLICIT:
                kind = MessageType6.ADVERTISE
            if value is not None:
                association = self._association(asked, device.ipv6.ip)
                if association.status != Status6.SUCCESS:
                    detail = Status6(association.status).name
                head.append((Option6.IA_NA, encode_ia_na(association)))
        elif message.type is not MessageType6.INFORMATION_REQUEST:
            return None, None, ""
        options, redirect = self._configuration(message, device, subnet)
        return Message6(kind, message.transaction, (*head, *options)), redirect, detail

    def _association(self, asked: IaNa, address: IPv6Address) -> IaNa:
        if self._lab.options.fault == Misbehaviour.NAK.value:
            return IaNa(asked.iaid, status=Status6.NO_ADDRESSES)
        valid = self._lab.plan.lease_time
        preferred = valid * 3 // 4
        # Addresses that are not this device's end at once.
        others = tuple(
            IaAddress(each.address, 0, 0) for each in asked.addresses if each.address != address
        )
        return IaNa(
            asked.iaid,
            preferred // 2,
            preferred * 4 // 5,
            (IaAddress(address, preferred, valid), *others),
        )

    def _configuration(
        self, message: Message6, device: DhcpDevice, subnet: DhcpSubnet
    ) -> tuple[list[tuple[int, bytes]], bytes | None]:
        options: list[tuple[int, bytes]] = []
        fault = self._lab.options.fault
        servers = b"" if subnet.name_server is None else subnet.name_server.packed
        if fault == Misbehaviour.TWO_NAME_SERVERS.value:
            servers = IPv6Address("2001:db8::53").packed + IPv6Address("2001:db8::54").packed
        if servers:
            options.append((Option6.NAME_SERVERS, servers))
        wanted = request_codes6(message.option(Option6.REQUEST_LIST) or b"")
        redirect: bytes | None = None
        if self._lab.options.always_send or Option6.REDIRECT in wanted:
            redirect = self._lab.payload(device, Family.IPV6)
        if redirect is not None:
            options.append((Option6.REDIRECT, redirect))
        if fault == Misbehaviour.BOOT_FILE_ONLY.value:
            options.append((Option6.BOOT_FILE, _BOOT_FILE))
        return options, redirect


def _names(
    envelopes: Sequence[RelayEnvelope], duid: bytes, source: IPv6Address
) -> list[tuple[str, bytes | str]]:
    """Return the client's names, the most telling first."""
    innermost = envelopes[-1] if envelopes else None
    # Option 79: a 2-octet hardware type, then the address (RFC 6939 section 4).
    link = (innermost.option(Option6.LINK_LAYER_ADDRESS) or b"")[2:] if innermost else b""
    return [
        ("mac", link),
        ("mac", mac_of_duid(duid)),
        ("mac", mac_of_link_local(innermost.peer if innermost else source)),
        ("duid", duid),
        ("serial", serial_of_duid(duid)),
    ]


def _returned(envelope: RelayEnvelope) -> RelayEnvelope:
    """Return a relay's envelope for the answer: of its options only the interface-id goes back."""
    kept = tuple(pair for pair in envelope.options if pair[0] == Option6.INTERFACE_ID)
    return RelayEnvelope(envelope.hops, envelope.link, envelope.peer, kept)


def _word(message: Message6, reply: Message6) -> str:
    if message.type in _ENDING:
        return message.type.name.lower()
    return reply.type.name.lower()
