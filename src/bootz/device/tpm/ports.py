"""What a prover needs of a TPM; twins in software and real TPMs fill these ports alike.

All calls block: a TPM is slow, and whoever waits for it calls from a thread.
"""

from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import rsa

from bootz.model.challenge import HmacAnswer
from bootz.model.identity import TpmKeyType
from bootz.trust.tpm.tpm20 import WrappedKey


class Tpm20(Protocol):
    """A TPM 2.0 with EK and PPK."""

    def public_key(self, key_type: TpmKeyType) -> rsa.RSAPublicKey:
        """Return the public part of EK or PPK.

        Raises:
            BootzError: the TPM has no such key, or does not answer.
        """
        ...

    def certify(self, key_type: TpmKeyType, wrapped: WrappedKey, qualifying: bytes) -> HmacAnswer:
        """Import an HMAC key under EK or PPK, and certify the IAK with it.

        Args:
            key_type: what the key was encrypted to.
            wrapped: the key.
            qualifying: what the certification is bound to; empty for nothing.

        Raises:
            BootzError: ``tpm-import-refused``, or the TPM does not answer.
        """
        ...


class Tpm12(Protocol):
    """A TPM 1.2 with an owner."""

    def public_key(self) -> rsa.RSAPublicKey:
        """Return the public part of the EK.

        Raises:
            BootzError: the TPM does not answer.
        """
        ...

    def make_identity(self) -> tuple[bytes, bytes]:
        """Make an AIK; return a handle for ``activate``, and the SHA-1 of its TPM_PUBKEY.

        Raises:
            BootzError: the TPM does not answer.
        """
        ...

    def activate(self, aik: bytes, blob: bytes) -> bytes:
        """Open a blob that was made for this EK and AIK; return the TPM_SYMMETRIC_KEY.

        Raises:
            BootzError: ``tpm-import-refused``, or the TPM does not answer.
        """
        ...
