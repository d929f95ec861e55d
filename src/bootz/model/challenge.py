"""Challenges of the streams and their answers, free of any release's spelling.

All byte fields are as they travel; TPM structures are big-endian (docs/protocol/tpm.md#identities).
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from bootz.model.identity import TpmKeyType


@dataclass(frozen=True, slots=True)
class NonceChallenge:
    """For an IDevID: something fresh to sign. ``nonce`` is raw in V1, ASCII of base64 in v0.6."""

    nonce: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class HmacChallenge:
    """For a TPM 2.0 without IDevID: an HMAC key that only the TPM with the EK or PPK can import.

    ``key_type`` says which of the two it is encrypted to. The three others are, byte for byte,
    objectPublic, duplicate and inSymSeed of TPM2_Import.
    """

    key_type: TpmKeyType
    public: bytes = field(repr=False)
    duplicate: bytes = field(repr=False)
    seed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EkChallenge:
    """For a TPM 1.2: a TPM_ASYM_CA_CONTENTS that only TPM_ActivateIdentity opens."""

    blob: bytes = field(repr=False)


Challenge: TypeAlias = NonceChallenge | HmacChallenge | EkChallenge


@dataclass(frozen=True, slots=True)
class SignatureAnswer:
    """A signature by the IDevID: over ``transport_key`` in V1, over the nonce's text in v0.6."""

    signature: bytes = field(repr=False)
    transport_key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class HmacAnswer:
    """What TPM2_Certify says of an IAK: TPM2B_PUBLIC, TPM2B_ATTEST, TPMT_SIGNATURE."""

    iak_public: bytes = field(repr=False)
    certify_info: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    transport_key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class EkAnswer:
    """An HMAC-SHA256 over ``transport_key`` with the key that the blob contained."""

    hash: bytes = field(repr=False)
    transport_key: bytes = field(default=b"", repr=False)


ChallengeAnswer: TypeAlias = SignatureAnswer | HmacAnswer | EkAnswer


@dataclass(frozen=True, slots=True)
class TransportKey:
    """The key that a router wants its data encrypted for, one for each stream.

    ``cipher_suite`` is the number on the wire, because an unknown one is a reason to refuse;
    ``nonce`` repeats that of a NonceChallenge.
    """

    cipher_suite: int
    public_key: bytes = field(repr=False)
    nonce: bytes = field(default=b"", repr=False)


HPKE_SUITE = 2
"""X25519, HKDF-SHA256, AES-256-GCM: the one cipher suite there is (``HPKECipherSuite``)."""
