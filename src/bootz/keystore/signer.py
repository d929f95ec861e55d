"""Keys that sign without being shown: the port, and keys that lie in files.

Source: docs/protocol/pki.md#keys.
"""

import asyncio
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from bootz.keystore.files import PrivateKey, PublicKey
from bootz.trust.signature import SignatureScheme, scheme_for, sign_with

_INLINE_RSA_BITS = 2048
_INLINE_EC_BITS = 256
"""The largest keys whose signature costs an event loop less than handing it to a thread."""


class Signer(Protocol):
    """A private key in use: in this process, or in a token."""

    @property
    def scheme(self) -> SignatureScheme:
        """The scheme of its signatures."""

    @property
    def public_key(self) -> PublicKey:
        """The public half."""

    async def sign(self, data: bytes) -> bytes:
        """Return the signature over exactly these bytes, as CMS and X.509 carry it.

        Raises:
            Unavailable: the key cannot be used now.
        """


class BlockingSigner(Signer, Protocol):
    """A signer that can also be used where no event loop runs: when keys are loaded."""

    def sign_blocking(self, data: bytes) -> bytes:
        """As ``sign``; waits for the key."""


class FileSigner:
    """A key in this process's memory."""

    def __init__(self, key: PrivateKey) -> None:
        self._public_key = key.public_key()
        self._scheme = scheme_for(self._public_key)
        self._sign = sign_with(key)
        self._inline = key.key_size <= (
            _INLINE_EC_BITS if isinstance(key, ec.EllipticCurvePrivateKey) else _INLINE_RSA_BITS
        )

    @property
    def scheme(self) -> SignatureScheme:
        """The scheme of its signatures."""
        return self._scheme

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return self._public_key

    async def sign(self, data: bytes) -> bytes:
        """Return the signature; big keys sign in a thread, so that the loop goes on."""
        if self._inline:
            return self._sign(data)
        return await asyncio.to_thread(self._sign, data)

    def sign_blocking(self, data: bytes) -> bytes:
        """Return the signature."""
        return self._sign(data)
