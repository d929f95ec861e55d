"""A serialised TransportKey, and the HPKE key in it."""

from fuzz.laws import same

from bootz.trust.hpke import check_recipient
from bootz.wire.transport_key import decode_transport_key, encode_transport_key


def enter(data: bytes) -> None:
    key = decode_transport_key(data)
    same(key, encode_transport_key, decode_transport_key)
    check_recipient(key.public_key)
