"""HPKE in base mode, one message: how bootstrapping data is encrypted for one stream.

DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, empty info, empty associated data. The
ephemeral key is drawn by the library. Source: RFC 9180 section 5; Bootz
``TransportKey``; docs/protocol/pki.md#server-certificate-and-hpke.
"""

from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from bootz.errors import TrustError

PUBLIC_KEY_BYTES: Final = 32
ENCAPSULATED_KEY_BYTES: Final = 32

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_PRIME: Final = 2**255 - 19
_COORDINATE: Final = 2**255 - 1
"""The bits of a key that count: the last one is ignored."""
_LOW_ORDER: Final = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    }
)
"""Of the points whose order divides 8 (of the twist: 4); any exchange with them gives zero."""


class HpkeError(TrustError):
    """A key that nothing can be encrypted for, or a message that does not open."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted message: the encapsulated key (32 bytes), the ciphertext with its tag."""

    encapsulated_key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


def check_recipient(public_key: bytes) -> None:
    """Refuse a key that nothing can be encrypted for, before there is something to encrypt.

    Raises:
        HpkeError: ``transport-key-invalid``: another length, or a point of low order.
    """
    coordinate = int.from_bytes(public_key, "little") & _COORDINATE
    if len(public_key) != PUBLIC_KEY_BYTES or coordinate % _PRIME in _LOW_ORDER:
        raise _unusable(public_key)


def _unusable(public_key: bytes) -> HpkeError:
    whole = len(public_key) == PUBLIC_KEY_BYTES
    return HpkeError(
        "transport-key-invalid",
        "the public key is not a usable X25519 key",
        expected="a point of full order" if whole else f"{PUBLIC_KEY_BYTES} bytes",
        seen="a point of low order" if whole else f"{len(public_key)} bytes",
    )


def seal(plaintext: bytes, public_key: bytes) -> Sealed:
    """Encrypt for the holder of a key (32 raw bytes of X25519).

    Raises:
        HpkeError: ``transport-key-invalid``: another length, or a point of low order.
    """
    try:
        # The exchange with such a point fails in the library: all could read the message.
        sealed = _SUITE.encrypt(plaintext, X25519PublicKey.from_public_bytes(public_key))
    except ValueError as error:
        raise _unusable(public_key) from error
    return Sealed(sealed[:ENCAPSULATED_KEY_BYTES], sealed[ENCAPSULATED_KEY_BYTES:])


def open_sealed(sealed: Sealed, private_key: X25519PrivateKey) -> bytes:
    """Return the plaintext.

    Raises:
        HpkeError: ``data-undecryptable``: for another key, altered, or cut.
    """
    try:
        if len(sealed.encapsulated_key) != ENCAPSULATED_KEY_BYTES:
            raise ValueError("length of the encapsulated key")
        return _SUITE.decrypt(sealed.encapsulated_key + sealed.ciphertext, private_key)
    except (InvalidTag, ValueError) as error:
        raise HpkeError(
            "data-undecryptable", "the message cannot be decrypted with this stream's key"
        ) from error
