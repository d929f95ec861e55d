"""Twins of TPMs in software: they hold the keys and write what a TPM would write.

No server can tell the difference, because what it verifies is computed the same. Source:
docs/protocol/tpm.md#emulation; TCG EK Credential Profile (template L-1).
"""

import hashlib
import hmac
import secrets
import struct
from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bootz.errors import ConfigError
from bootz.model.challenge import HmacAnswer
from bootz.model.identity import TpmKeyType
from bootz.trust.tpm import tpm12
from bootz.trust.tpm.structures import Algorithm, Curve, sized
from bootz.trust.tpm.templates import CERTIFY_POLICY, ek_public, iak_public
from bootz.trust.tpm.tpm12 import pubkey_digest
from bootz.trust.tpm.tpm20 import (
    CERTIFY_KIND,
    CERTIFY_MAGIC,
    WrappedKey,
    object_name,
    unwrap_key,
)

_ENDORSEMENT: Final = 0x4000000B
_OWNER: Final = 0x40000001
_FIRMWARE: Final = bytes.fromhex("2026010100000000")


class SoftTpm20:
    """A TPM 2.0 in software; ``keys`` are its EK and PPK."""

    def __init__(self, keys: Mapping[TpmKeyType, rsa.RSAPrivateKey]) -> None:
        self._keys = dict(keys)
        self._clock = 0

    def public_key(self, key_type: TpmKeyType) -> rsa.RSAPublicKey:
        """Return the public part of EK or PPK."""
        return self._key(key_type).public_key()

    def certify(self, key_type: TpmKeyType, wrapped: WrappedKey, qualifying: bytes) -> HmacAnswer:
        """Import an HMAC key under EK or PPK, and certify a fresh IAK with it."""
        parent = self._key(key_type)
        key = unwrap_key(wrapped, parent)
        point = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
        iak = iak_public(
            Curve.P256, CERTIFY_POLICY, point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        )
        parent_name = object_name(ek_public(parent.public_key().public_numbers().n))
        name = object_name(iak)
        self._clock += 1
        attest = (
            struct.pack(">IH", CERTIFY_MAGIC, CERTIFY_KIND)
            + sized(_below(_below(_ENDORSEMENT, parent_name), object_name(key.public)))
            + sized(qualifying)
            + struct.pack(">QIIB", self._clock, 1, 0, 1)
            + _FIRMWARE
            + sized(name)
            + sized(_below(_OWNER, name))
        )
        mac = hmac.digest(key.key, hashlib.sha256(attest).digest(), "sha256")
        signature = struct.pack(">HH", Algorithm.HMAC, Algorithm.SHA256) + mac
        return HmacAnswer(sized(iak), sized(attest), signature)

    def _key(self, key_type: TpmKeyType) -> rsa.RSAPrivateKey:
        try:
            return self._keys[key_type]
        except KeyError:
            raise ConfigError(
                "tpm-key-absent", f"this TPM has no {key_type.name}", where="TPM"
            ) from None


def _below(parent: int | bytes, name: bytes) -> bytes:
    """Return a qualified name: that of an object below a hierarchy, or below another object."""
    above = struct.pack(">I", parent) if isinstance(parent, int) else parent
    return struct.pack(">H", Algorithm.SHA256) + hashlib.sha256(above + name).digest()


class SoftTpm12:
    """A TPM 1.2 in software; an AIK's handle is the digest of its public key."""

    def __init__(self, ek: rsa.RSAPrivateKey) -> None:
        self._ek = ek

    def public_key(self) -> rsa.RSAPublicKey:
        """Return the public part of the EK."""
        return self._ek.public_key()

    def make_identity(self) -> tuple[bytes, bytes]:
        """Make an AIK; nothing is ever signed with it, so that its modulus is only drawn."""
        digest = pubkey_digest(secrets.token_bytes(256))
        return digest, digest

    def activate(self, aik: bytes, blob: bytes) -> bytes:
        """Open a blob that was made for this EK and AIK."""
        return tpm12.open_contents(blob, self._ek, aik)
