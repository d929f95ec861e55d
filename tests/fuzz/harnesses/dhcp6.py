"""DHCPv6 messages with their relays, and what a router makes of an offer."""

from bootz.protocol.dhcp6_client import Client6
from bootz.protocol.dhcp_offer import check_offer
from bootz.wire.dhcp6 import (
    MessageType6,
    Option6,
    addresses6,
    decode_ia_na,
    decode_message6,
    encode_ia_na,
    encode_message6,
    request_codes6,
)
from bootz.wire.dhcp_identity import DhcpIdentity, mac_of_duid, serial_of_duid

_IDENTITY = DhcpIdentity(bytes.fromhex("02aa00000010"), "FOX1")


def enter(data: bytes) -> None:
    envelopes, message = decode_message6(data)
    written = encode_message6(message, envelopes, MessageType6.RELAY_REPL)
    again, inner = decode_message6(written)
    assert inner == message
    assert [each.link for each in again] == [each.link for each in envelopes]
    for code, value in message.options:
        if code == Option6.IA_NA:
            found = decode_ia_na(value)
            decode_ia_na(encode_ia_na(found))
        addresses6(value)
        request_codes6(value)
        serial_of_duid(value)
        mac_of_duid(value)
    offer = Client6(_IDENTITY).read(message, message.transaction)
    if offer is not None:
        offer.uris()
        offer.ignored()
        check_offer(offer)
