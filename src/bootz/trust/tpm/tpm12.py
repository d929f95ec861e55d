"""The EK challenge of a TPM 1.2: only the TPM with the EK and the announced AIK opens the blob.

Source: docs/protocol/tpm.md#tpm-12; TCG TPM Main Specification 1.2, part 2 (TPM_ASYM_CA_CONTENTS)
and part 3 (TPM_ActivateIdentity).
"""

import hashlib
import hmac
import struct
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bootz.trust.tpm.structures import TpmError, TpmReader, malformed
from bootz.trust.tpm.tpm20 import key_on_record, unusable

KEY_BYTES: Final = 32
"""Of the HMAC key in the blob."""

DIGEST_BYTES: Final = 20
"""Of ``aik_pub_digest``: SHA-1 over the TPM_PUBKEY."""

MIN_EK_BITS: Final = 1024
MAX_EK_BITS: Final = 4096

_LABEL: Final = b"TCPA"
"""Without a NUL: a TPM refuses any other (TCG TPM Main Specification 1.2, part 1)."""

_ALGORITHM_HMAC: Final = 5
_SCHEME_NONE: Final = 1
_SESSION_KEY: Final = struct.Struct(">IHH")

# SHA-1 is what the TPM 1.2 specification fixes for OAEP; no collision matters there.
EK_OAEP: Final = padding.OAEP(
    padding.MGF1(hashes.SHA1()),  # noqa: S303
    hashes.SHA1(),  # noqa: S303
    _LABEL,
)


def endorsement_key(spki: bytes) -> rsa.RSAPublicKey:
    """Read the EK of a TPM 1.2 (DER SubjectPublicKeyInfo).

    Raises:
        UnusableKey: not RSA of 1024 to 4096 bits.
    """
    return key_on_record(spki, MIN_EK_BITS, MAX_EK_BITS)


def session_key(key: bytes) -> bytes:
    """Return the TPM_SYMMETRIC_KEY of an HMAC key, 40 bytes: what activation gives back."""
    return _SESSION_KEY.pack(_ALGORITHM_HMAC, _SCHEME_NONE, len(key)) + key


def read_session_key(data: bytes) -> bytes:
    """Return the HMAC key of what TPM_ActivateIdentity gave.

    Raises:
        TpmError: another algorithm or length.
    """
    reader = TpmReader(data, "TPM_SYMMETRIC_KEY")
    header = reader.take(_SESSION_KEY.size)
    if header != _SESSION_KEY.pack(_ALGORITHM_HMAC, _SCHEME_NONE, KEY_BYTES):
        raise malformed("TPM_SYMMETRIC_KEY", "not an HMAC key of 32 bytes")
    key = reader.take(KEY_BYTES)
    reader.end()
    return key


def build_contents(key: bytes, aik_digest: bytes) -> bytes:
    """Return the TPM_ASYM_CA_CONTENTS, 60 bytes."""
    return session_key(key) + aik_digest


def encrypt_contents(contents: bytes, ek: rsa.RSAPublicKey) -> bytes:
    """Encrypt to an EK: as long as its modulus, without a length in front.

    Raises:
        UnusableKey: the library cannot encrypt to this key.
    """
    try:
        return ek.encrypt(contents, EK_OAEP)
    except ValueError as error:
        raise unusable(str(error)) from error


def open_contents(blob: bytes, ek: rsa.RSAPrivateKey, aik_digest: bytes) -> bytes:
    """Return the TPM_SYMMETRIC_KEY, as TPM_ActivateIdentity does; for a TPM in software.

    Raises:
        TpmError: for another EK, altered, or for another AIK.
    """
    try:
        contents = ek.decrypt(blob, EK_OAEP)
    except ValueError as error:
        raise TpmError("tpm-import-refused", "the blob is for another key") from error
    if not hmac.compare_digest(contents[-DIGEST_BYTES:], aik_digest):
        raise TpmError("tpm-import-refused", "the blob is for another AIK")
    return contents[:-DIGEST_BYTES]


PUBKEY_HEAD: Final = bytes.fromhex(
    "00000001 0001 0002 0000000c 00000800 00000002 00000000 00000100"
)
"""TPM_PUBKEY of an RSA-2048 AIK up to its modulus: no encryption, PKCS #1 v1.5 with SHA-1."""


def pubkey_digest(modulus: bytes) -> bytes:
    """Return ``aik_pub_digest`` of an AIK: SHA-1 over its TPM_PUBKEY."""
    return hashlib.sha1(PUBKEY_HEAD + modulus).digest()  # noqa: S324 -- as TPM 1.2 has it


def answer_hash(key: bytes, transport_key: bytes) -> bytes:
    """Return the proof: an HMAC-SHA256 directly over the serialised transport key."""
    return hmac.digest(key, transport_key, "sha256")


def verify_answer(key: bytes, seen: bytes, transport_key: bytes) -> None:
    """Verify a proof.

    Raises:
        TpmError: it was not made with this challenge's key over these bytes.
    """
    if not hmac.compare_digest(seen, answer_hash(key, transport_key)):
        raise TpmError(
            "tpm-hmac-invalid",
            "the hash was not made with this challenge's key over the transport key",
            where="tpm12_ek.hash",
        )
