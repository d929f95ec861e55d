"""DHCPv4 messages, and what a router makes of an offer."""

from fuzz.laws import same

from bootz.protocol.dhcp4_client import Client4
from bootz.protocol.dhcp_offer import check_offer
from bootz.wire.dhcp4 import decode_message4, encode_message4
from bootz.wire.dhcp_identity import DhcpIdentity, serial_of_client_id

_IDENTITY = DhcpIdentity(bytes.fromhex("02aa00000010"), "FOX1")


def enter(data: bytes) -> None:
    message = decode_message4(data)
    if not message.bad_overload:
        same(message, encode_message4, decode_message4)
    serial_of_client_id(message.options.get(61, b""))
    offer = Client4(_IDENTITY).read(message, message.xid)
    if offer is not None:
        offer.uris()
        offer.ignored()
        check_offer(offer)
