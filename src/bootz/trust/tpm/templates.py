"""Public areas of the keys that a TPM 2.0 is asked to make: TPMT_PUBLIC, byte by byte.

Source: TCG EK Credential Profile (template L-1); TCG TPM 2.0 Keys for Device Identity and
Attestation; docs/protocol/tpm.md#tpm-20-the-iak.
"""

import struct
from typing import Final

from bootz.trust.tpm.structures import Algorithm, Curve, sized

EK_POLICY: Final = bytes.fromhex("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa")
"""PolicySecret(ENDORSEMENT), SHA-256."""

CERTIFY_POLICY: Final = bytes.fromhex(
    "048e9a3ace08583f79f344ff785bbea9f07ac7fa3325b3d49a21dd5194c65850"
)
"""PolicyCommandCode(TPM2_Certify), SHA-256."""

_EK_ATTRIBUTES: Final = 0x000300B2
"""fixedTPM, fixedParent, sensitiveDataOrigin, adminWithPolicy, restricted, decrypt."""

_STORAGE_ATTRIBUTES: Final = 0x00030472
"""fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted, decrypt."""

_IAK_ATTRIBUTES: Final = 0x000500F2
"""The attributes that are demanded of an IAK (``tpm20.IAK_ATTRIBUTES``)."""

_IDEVID_ATTRIBUTES: Final = 0x00040472
"""fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, sign; it signs what it is given.

noDA: its auth value is empty, so that nothing can be guessed."""

_RSA_BITS: Final = 2048
_CURVE_HASH: Final = {Curve.P256: Algorithm.SHA256, Curve.P384: Algorithm.SHA384}


def ek_public(modulus: int = 0) -> bytes:
    """Return the public area of an RSA EK, template L-1; modulus 0 makes it the template."""
    return _parent(_EK_ATTRIBUTES, EK_POLICY, modulus)


def storage_public(modulus: int = 0) -> bytes:
    """Return the public area of an RSA storage key, as a PPK is; 0 makes it the template."""
    return _parent(_STORAGE_ATTRIBUTES, b"", modulus)


def _parent(attributes: int, policy: bytes, modulus: int) -> bytes:
    return (
        _head(Algorithm.RSA, Algorithm.SHA256, attributes, policy)
        + struct.pack(">HHH", Algorithm.AES, 128, Algorithm.CFB)
        + struct.pack(">HHI", Algorithm.NULL, _RSA_BITS, 0)
        + sized(modulus.to_bytes(_RSA_BITS // 8, "big"))
    )


def iak_public(curve: Curve, policy: bytes, x: bytes = b"", y: bytes = b"") -> bytes:
    """Return the public area of an ECC IAK, named with SHA-256; without a point a template."""
    hashed = _CURVE_HASH[curve]
    return (
        _head(Algorithm.ECC, Algorithm.SHA256, _IAK_ATTRIBUTES, policy)
        + struct.pack(">HHH", Algorithm.NULL, Algorithm.ECDSA, hashed)
        + struct.pack(">HH", curve, Algorithm.NULL)
        + sized(x)
        + sized(y)
    )


def idevid_template(curve: Curve | None) -> bytes:
    """Return the template of an IDevID key: on a curve, or RSA-2048; the hash is chosen later."""
    if curve is None:
        return (
            _head(Algorithm.RSA, Algorithm.SHA256, _IDEVID_ATTRIBUTES, b"")
            + struct.pack(">HHHI", Algorithm.NULL, Algorithm.NULL, _RSA_BITS, 0)
            + sized(b"")
        )
    return (
        _head(Algorithm.ECC, Algorithm.SHA256, _IDEVID_ATTRIBUTES, b"")
        + struct.pack(">HHHH", Algorithm.NULL, Algorithm.NULL, curve, Algorithm.NULL)
        + sized(b"")
        + sized(b"")
    )


def _head(kind: Algorithm, name_algorithm: Algorithm, attributes: int, policy: bytes) -> bytes:
    return struct.pack(">HHI", kind, name_algorithm, attributes) + sized(policy)
