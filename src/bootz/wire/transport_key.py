"""The key that a router offers on a stream, to which its proofs are bound.

Source: docs/protocol/tpm.md#identities; Bootz ``TransportKey``.
"""

from typing import Final, cast

from bootz.model.challenge import TransportKey
from bootz.wire import bounds
from bootz.wire.generated import bootz_pb2 as pb

_MAX_BYTES: Final = 8 * 1024


def decode_transport_key(data: bytes) -> TransportKey:
    """Read a serialised TransportKey.

    Raises:
        WireError: not a message of that form, or too long.
    """
    message = bounds.parse(pb.TransportKey, data, limit=_MAX_BYTES)
    return TransportKey(message.cipher_suite, message.public_key, message.nonce)


def encode_transport_key(key: TransportKey) -> bytes:
    """Write a TransportKey; whoever proves something proves it over exactly these bytes."""
    suite = cast("pb.HPKECipherSuite", key.cipher_suite)
    message = pb.TransportKey(cipher_suite=suite, public_key=key.public_key, nonce=key.nonce)
    return message.SerializeToString(deterministic=True)
